"""An errand: what is done with one message without the agent (a command, a stranger, a note), or a notice to send.

The body of the engine's workflow ``errand``. Owns its order: act, make what is said durable, send, end. It waits for no
turn, so a command is answered while the agent works.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from runtime import logs
from runtime.channels import outgoing
from runtime.channels.base import Done, Reply
from runtime.engine.database import Database
from runtime.engine.durable import PATIENT, Engine
from runtime.errors import Fault, Unavailable
from runtime.tenant.registry import Tenant, Tenants
from runtime.turns import inbox, outbox, reply
from runtime.turns.board import Board
from runtime.turns.delivery import Delivery
from runtime.turns.lanes import Lanes
from runtime.turns.letters import Letter, answers
from runtime.turns.post import Post
from runtime.turns.records import Records
from runtime.turns.speaking import Speaking
from runtime.turns.triage import Way
from runtime.words import Inbound, Person, TenantId, TurnId

FINISH = "UPDATE turn SET state = 'done', finished = :now WHERE id = :turn AND state <> 'done'"

log = logs.get("errands")


@dataclass(frozen=True, slots=True)
class Told:
    """The message an errand is about. ``person`` is None for a stranger."""

    turn: TurnId
    tenant: Tenant
    person: Person | None
    message: Inbound


Act = Callable[[Told], Awaitable[Sequence[Letter]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """``acts`` says what is done for each way but a turn; it may be done again after a kill."""

    database: Database
    engine: Engine
    tenants: Tenants
    delivery: Delivery
    post: Post
    speaking: Speaking
    records: Records
    lanes: Lanes
    board: Board
    acts: Mapping[Way, Act]

    async def __call__(self, id: str) -> None:
        turn = TurnId(id)
        async with self.lanes.running(turn):
            self.board.open(turn)
            try:
                await self.engine.step("errand", partial(self._run, turn), retry=PATIENT)
            finally:
                self.board.close(turn)

    async def _run(self, turn: TurnId) -> None:
        keys: list[str] = []
        try:
            keys = await self._act(turn)
        except (Unavailable, OSError):
            raise  # the engine tries again: the database or the disk may come back
        except Exception:
            log.exception("errand.broke", turn=turn)
        for key in keys:
            await self.delivery.send(key)
        await self._finish(turn)

    async def _act(self, turn: TurnId) -> list[str]:
        """The keys of what is to be sent. A notice has no message, and is planned by whoever opened it."""
        row, planned, messages = await self.database.read(
            lambda tx: (inbox.find_turn(tx, turn), outbox.planned(tx, turn), inbox.messages(tx, turn))
        )
        tenant = self.tenants.get(TenantId(row["tenant"]))
        if row["state"] == "closed":
            (message,) = messages
            told = Told(turn, tenant, tenant.config.person(message.channel, message.sender), message)
            await asyncio.to_thread(self.records.heard, tenant, turn, told.person, [message])
            planned = await self._plan(told, await self._letters(told))
        said = {key: letter for key, letter in planned.items() if letter.channel != outgoing.CHANNEL}
        if said:
            await asyncio.to_thread(self.records.said, tenant, turn, said)
        if messages:
            self.board.post(turn, Reply("\n\n".join(letter.text for letter in planned.values())))
        return list(planned)

    async def _letters(self, told: Told) -> list[Letter]:
        try:
            return list(await self.acts[inbox.way_of(told.turn)](told))
        except Fault as fault:
            if told.person is None:
                raise
            return answers(told.message, [f"{fault.problem}. {fault.hint}."])
        except OSError:
            raise  # tried again
        except Exception:
            if told.person is None:
                raise
            log.exception("errand.broke", turn=told.turn)
            return answers(told.message, [reply.APOLOGIES["died"]])  # whoever gave a command hears what came of it

    async def _plan(self, told: Told, letters: list[Letter]) -> dict[str, Letter]:
        parts = [
            replace(letter, text=part) for letter in letters for part in self.post.split(letter.channel, letter.text)
        ]
        return await self.speaking.plan(told.turn, told.tenant, parts)

    async def _finish(self, turn: TurnId) -> None:
        await self.database.write(lambda tx: tx.run(FINISH, turn=turn, now=time.time()))
        self.board.post(turn, Done())
        log.info("errand.finished", turn=turn)
