"""Updates without a public address: Telegram is asked, and holds the line until there are some.

Protocol: getUpdates. Owns that an update is confirmed only when it is durable: the question that confirms a batch is
asked after ``receive`` has returned. Does not own where the offset is kept, nor how many bots are polled.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import NoReturn, TypeVar

from runtime import logs
from runtime.channels import wire
from runtime.channels.arriving import wanted
from runtime.channels.base import Delivered
from runtime.channels.telegram.api import TelegramApi
from runtime.channels.telegram.calls import Later, TelegramAccount
from runtime.channels.telegram.parse import CHANNEL, REASONS, callback_of, read, update_id
from runtime.errors import Unavailable

Receive = Callable[[Sequence[Delivered], int], Awaitable[None]]
"""Takes arrivals, in order, and the offset behind them, and returns only when both are durable. It is also called with
no arrivals, for the offset alone. Raises Unavailable: the same again in a while. Any other exception is a defect."""

Pause = Callable[[float], Awaitable[None]]

DEFECT_TRIES = 5
"""How often an update that meets a defect is offered, before it is passed over, loudly: it would hold up all others."""

LONGEST_PAUSE = 60.0
T = TypeVar("T")
_log = logs.get("channels")


async def poll(
    api: TelegramApi, account: TelegramAccount, *, offset: int, receive: Receive, pause: Pause = asyncio.sleep
) -> NoReturn:
    """For ever: take the bot's updates and give them to ``receive``. ``offset`` is what ``receive`` was last given, 0
    for a bot that was never polled, or not for six days (Telegram then counts anew). A webhook is deleted first.

    What Telegram or ``receive`` cannot do for now is tried again, here. Raises Conflict: another process polls this
    bot, or has set its webhook; Refused: the token is not one (any more).
    """
    line = _Line(api, account, receive, pause)
    await line.patiently(lambda: api.delete_webhook(account))
    await line.patiently(lambda: api.me(account))
    while True:
        updates = await line.patiently(partial(api.updates, account, offset=offset))
        # No updates: all is confirmed; and after a quiet week Telegram begins to count somewhere else.
        offset = await line.take(updates) if updates else 0


@dataclass(frozen=True, slots=True)
class _Line:
    api: TelegramApi
    account: TelegramAccount
    receive: Receive
    pause: Pause

    async def take(self, updates: list[wire.Object]) -> int:
        """Make ``updates`` durable and answer the buttons among them; the offset behind them."""
        behind = max((int(key) for update in updates if (key := update_id(update))), default=0) + 1
        try:
            await self._receive(updates, behind)
        except Exception:  # noqa: BLE001 - a defect: each update gets its own chance, and the bad one a log line
            for update in updates:
                await self._alone(update)
        callbacks = [key for update in updates if (key := callback_of(update))]
        await asyncio.gather(*(self.api.answer_callback(self.account, key) for key in callbacks))
        return behind

    async def patiently(self, work: Callable[[], Awaitable[T]]) -> T:
        """``work``, again and again while it is Unavailable, with longer and longer pauses, or those it asks for."""
        wait = 1.0
        while True:
            try:
                return await work()
            except Unavailable as fault:
                asked = fault.after if isinstance(fault, Later) else None
                _log.warning("poll.again", channel=CHANNEL, tenant=self.account.tenant, problem=fault.problem)
                await self.pause(min(wait if asked is None else asked, LONGEST_PAUSE))
                wait = min(wait * 2, LONGEST_PAUSE)

    async def _receive(self, updates: list[wire.Object], behind: int) -> None:
        now, bot = datetime.now(UTC), self.api.bot(self.account)
        arrivals = [read(update, now=now, bot=bot) for update in updates]
        kept = wanted(self.api, self.account.tenant, arrivals, REASONS)
        await self.patiently(lambda: self.receive(kept, behind))

    async def _alone(self, update: wire.Object) -> None:
        key = update_id(update)
        for number in range(DEFECT_TRIES):
            try:
                return await self._receive([update], int(key or 0) + 1)
            except Exception as defect:  # noqa: BLE001 - see DEFECT_TRIES
                _log.error("update.not_accepted", channel=CHANNEL, tenant=self.account.tenant, id=key, exc_info=defect)
            await self.pause(2.0**number)
        self.api.metrics.messages_refused.labels(channel=CHANNEL, reason="defect").inc()
        _log.error("update.passed_over", channel=CHANNEL, tenant=self.account.tenant, id=key)
        return await self.patiently(lambda: self.receive([], int(key or 0) + 1))
