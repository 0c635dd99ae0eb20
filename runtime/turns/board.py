"""Who watches a turn as it happens: its events, numbered, kept until the turn is over.

In memory on purpose: nothing here matters after a kill. Whoever comes later reads the outcome from the database.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from runtime.channels.base import Commits, Done, Failed, Happening, Reply, TurnEvent
from runtime.words import TurnId

ENDING_IDS: dict[type, int] = {Reply: 1_000_001, Commits: 1_000_002, Done: 1_000_003, Failed: 1_000_004}
"""The ids of how a turn ends are fixed, so that they are the same when they are told again after a restart."""


@dataclass(slots=True)
class _Watched:
    events: list[TurnEvent] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    over: bool = False


class Board:
    def __init__(self) -> None:
        self._turns: dict[TurnId, _Watched] = {}

    def open(self, turn: TurnId) -> None:
        """Before the turn's first event; a turn may be watched from here on."""
        self._turns.setdefault(turn, _Watched())

    def post(self, turn: TurnId, what: Happening) -> None:
        """Tell whoever watches ``turn``; nothing happens when it is not open."""
        if watched := self._turns.get(turn):
            watched.events.append(TurnEvent(ENDING_IDS.get(type(what), len(watched.events) + 1), what))
            _wake(watched)

    def close(self, turn: TurnId) -> None:
        """The turn is over. Those who watch get what is left; those who come later read the database."""
        if watched := self._turns.pop(turn, None):
            watched.over = True
            _wake(watched)

    async def watch(self, turn: TurnId, after: int = 0) -> AsyncIterator[TurnEvent]:
        """The events of ``turn`` with an id above ``after`` until it is over; none when it is not running here."""
        watched = self._turns.get(turn)
        told = 0
        while watched:
            changed = watched.changed
            fresh = watched.events[told:]
            told += len(fresh)
            for event in fresh:
                if event.id > after:
                    yield event
            if fresh:
                continue
            if watched.over:
                return
            await changed.wait()


def _wake(watched: _Watched) -> None:
    watched.changed.set()
    watched.changed = asyncio.Event()
