"""One planned message to its channel: claim, call, mark. What a kill at each line leaves is in docs/turns.md.

Does not own what an error of a channel means (the channel says: Sent, TryLater, GiveUp, Uncertain).
"""

import asyncio
import time
from collections.abc import Callable

from runtime import logs
from runtime.channels import whatsapp
from runtime.channels.whatsapp import is_template_refused, is_window_closed
from runtime.engine.database import Database
from runtime.turns import inbox, outbox, windows
from runtime.turns.outbox import Planned
from runtime.turns.post import Post
from runtime.words import GiveUp, SendOutcome, Sent, TryLater, Uncertain

ATTEMPTS = 12
"""How often a message is offered to its channel before it is a dead letter: about an hour and a half."""

log = logs.get("delivery")


def wait_before(attempt: int, outcome: TryLater) -> float | None:
    """Seconds until the next attempt after the ``attempt``-th was refused for now; None to give up.

    What the channel asks for is honoured; otherwise 1, 2, 4 … 900 seconds.
    """
    if attempt >= ATTEMPTS:
        return None
    return max(outcome.after, 0.5) if outcome.after is not None else min(900.0, 2.0 ** (attempt - 1))


class Delivery:
    """``settled`` hears of every outcome that is final."""

    def __init__(self, database: Database, post: Post, settled: Callable[[Planned, SendOutcome], None]) -> None:
        self._database = database
        self._post = post
        self._settled = settled

    async def send(self, key: str) -> None:
        """Send the message ``key`` and record the outcome; returns when it is final.

        A row found claimed was being sent when its process died: nobody knows whether it left, so it becomes
        unknown and is not sent again by itself.
        """
        while True:
            row = await self._database.write(lambda tx: outbox.claim(tx, key, time.time()))
            if row is None:
                await self._leave(key)
                return
            outcome = await self._attempt(row)
            if isinstance(outcome, GiveUp) and (is_window_closed(outcome) or is_template_refused(outcome)):
                if await self._other_way(row, outcome.problem):
                    continue
                return
            wait: float | None = None
            if isinstance(outcome, TryLater):
                wait = wait_before(row.attempts, outcome)
                if wait is None:
                    outcome = GiveUp(f"tried {row.attempts} times; last: {outcome.problem}", "retry the dead letter")
            await self._mark(row, outcome)
            if wait is None:
                return
            await asyncio.sleep(wait)

    async def _attempt(self, row: Planned) -> SendOutcome:
        if row.channel == whatsapp.CHANNEL:
            last = await self._database.read(lambda tx: inbox.last_heard(tx, row.tenant, row.conversation))
            if windows.is_closed(row, last, time.time()):
                return windows.CLOSED
        return await self._post.send(row.channel, row.tenant, row.outbound)

    async def _other_way(self, row: Planned, problem: str) -> bool:
        """Redirect what the window, or its template, kept back; False when it has to be held."""
        letter = self._post.way_out(row)
        if letter is not None:
            way = {"channel": letter.channel, "template": letter.template}
            log.info("send.redirected", key=row.key, problem=problem, **way)
            await self._database.write(lambda tx: outbox.redirect(tx, row.key, letter, time.time()))
            return True
        log.warning("send.held", key=row.key, problem=problem)
        await self._database.write(lambda tx: outbox.hold(tx, row.key, problem, time.time()))
        return False

    async def _leave(self, key: str) -> None:
        row = await self._database.read(lambda tx: outbox.find(tx, key))
        if row.state == "claimed":
            await self._mark(row, Uncertain("the process ended while this was being sent"))

    async def _mark(self, row: Planned, outcome: SendOutcome) -> None:
        await self._database.write(lambda tx: outbox.mark(tx, row.key, outcome, time.time()))
        if not isinstance(outcome, Sent):
            log.warning("send.not_sent", key=row.key, outcome=type(outcome).__name__, problem=outcome.problem)
        if not isinstance(outcome, TryLater):
            await asyncio.to_thread(self._settled, row, outcome)
