"""A workflow whose body is looked at in rounds until its row has ended: one step for the engine, however long it takes.

Owns the rounds, that one workflow of a kind is at work at a time, and which of them a task of this process looks after.
Does not own what a round does, nor the row.
"""

import asyncio
from dataclasses import dataclass, field
from functools import partial
from typing import ClassVar

from runtime import logs
from runtime.engine.durable import PATIENT, Engine

log = logs.get("engine")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rounds:
    """To be subclassed, and called with the id of one row. ``step`` is the step's name; ``broken_seconds``: until there
    is another round after one that broke."""

    step: ClassVar[str]
    broken_seconds: ClassVar[float]

    engine: Engine
    here: set[str] = field(default_factory=set)
    """The rows that a task of this process looks after."""
    alone: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def __call__(self, id: str) -> None:
        """Each part of the work leaves a mark of its own, so that a step that is run again goes on."""
        self.here.add(id)
        try:
            await self.engine.step(self.step, partial(self._live, id), retry=PATIENT)
        finally:
            self.here.discard(id)

    async def _live(self, id: str) -> None:
        """Whatever goes wrong with one round, there is another: nothing else starts it."""
        while True:
            try:
                async with self.alone:
                    seconds = await self._look(id)
            except Exception:
                log.exception("round.broke", step=self.step, id=id)
                seconds = self.broken_seconds
            if seconds is None:
                return
            await asyncio.sleep(seconds)

    async def _look(self, id: str) -> float | None:
        """Go on as far as it goes now; seconds until the next round, None when the row has ended."""
        raise NotImplementedError
