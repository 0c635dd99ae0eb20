"""Bad turns played again without one of the changes that were in play: what that says against it.

Owns which turns are played and on what. Does not own how a play is made (gate/playing) nor what follows from the scores
(verification/blame). Only asked for where exposures alone do not tell who is to blame: it costs plays.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from runtime.annealing.gate import growing
from runtime.annealing.gate.gate import Judging, Playing
from runtime.annealing.gate.playing import Stand
from runtime.annealing.loop import Loop, improvements
from runtime.annealing.outcomes import Went, in_play
from runtime.annealing.records import Improvement
from runtime.annealing.undoing.taking_back import files_without
from runtime.annealing.verification.blame import REPLAYS, log_score
from runtime.errors import NotFound
from runtime.tenant.registry import Tenant


@dataclass(frozen=True, slots=True, kw_only=True)
class Replaying:
    loop: Loop
    player: Playing
    judge: Judging

    async def __call__(
        self, tenant: Tenant, suspects: Sequence[Improvement], went: Sequence[Went]
    ) -> Mapping[str, float]:
        """The log-score of each suspect, in nats, by its id. Raises AskFailed."""
        expected = {
            one.turn: one.expected for one in await asyncio.to_thread(self.loop.signals, tenant) if one.expected
        }
        bad = [turn for turn in went if turn.bad and sum(in_play(one, turn) for one in suspects) > 1]
        told = [turn for turn in bad if turn.turn in expected][-REPLAYS:]
        return {one.id: log_score(await self._without(tenant, one, told, expected)) for one in suspects}

    async def _without(
        self, tenant: Tenant, one: Improvement, turns: Sequence[Went], expected: Mapping[str, str]
    ) -> list[bool]:
        """Whether each turn goes well where ``one`` is not."""
        history, known = self.loop.history(tenant), await asyncio.to_thread(improvements(tenant).all)
        files = await asyncio.to_thread(files_without, history, known, one)
        changes = tuple((path, content.data.decode() if content else None) for path, content in sorted(files.items()))
        stand = Stand(tenant=tenant, history=history, base=history.head(), changes=changes)
        passed = []
        for number, turn in enumerate(turns):
            try:
                case = await asyncio.to_thread(
                    growing.from_turn, tenant.folder, turn.turn, family=one.family, expected=expected[turn.turn]
                )
            except NotFound:
                continue  # it was erased, or is older than the logs
            played = await self.player.play(stand, case, f"{tenant.id}-{one.id}-without-{number}")
            passed.append(not played.problems and not await self.judge.unmet(tenant.id, played))
        return passed
