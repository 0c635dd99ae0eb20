"""What all parts of the loop share, and what they read of a tenant: its improvements, signals and how its turns went.

Owns the reading. Does not own any decision.
"""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from runtime.agent.pool import Sessions
from runtime.agent.questions import Questions
from runtime.annealing import outcomes
from runtime.annealing.gate.cases import Cases
from runtime.annealing.graves import Graves
from runtime.annealing.outcomes import Went
from runtime.annealing.signals.log import SignalLog
from runtime.annealing.signals.records import Signal
from runtime.annealing.store import Improvements
from runtime.engine.database import Database
from runtime.tenant.git.history import History
from runtime.tenant.registry import Tenant, Tenants
from runtime.turns.lanes import Lanes
from runtime.turns.records import Records
from runtime.words import TurnId

LOOKED_BACK = timedelta(days=60)
"""How far back turns and signals are read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loop:
    """Of one process. ``clock`` gives seconds since the epoch."""

    database: Database
    tenants: Tenants
    records: Records
    lanes: Lanes
    sessions: Sessions
    questions: Questions
    clock: Callable[[], float] = time.time

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.clock(), UTC)

    def history(self, tenant: Tenant) -> History:
        return self.records.book(tenant).history

    def signals(self, tenant: Tenant) -> list[Signal]:
        """Those that are looked at, oldest first. Blocks."""
        return list(SignalLog(tenant.folder).read(since=self.now() - LOOKED_BACK))

    def went(self, tenant: Tenant, pending: Collection[TurnId]) -> list[Went]:
        """How the tenant's turns went, oldest first. Blocks."""
        now = self.now()
        turns = self.records.book(tenant).turns.read(since=now - LOOKED_BACK)
        return outcomes.outcomes(turns, outcomes.bad_turns(self.signals(tenant)), pending=pending, now=now)


def improvements(tenant: Tenant) -> Improvements:
    return Improvements(tenant.folder)


def graves(tenant: Tenant) -> Graves:
    return Graves(tenant.folder)


def cases(tenant: Tenant) -> Cases:
    return Cases(tenant.folder)
