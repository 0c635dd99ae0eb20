"""Waiting for something to become true, without guessing how long it takes."""

import asyncio
from collections.abc import Callable


async def until(holds: Callable[[], bool], *, seconds: float = 30.0) -> None:
    """Return as soon as ``holds()``. Raises TimeoutError."""
    async with asyncio.timeout(seconds):
        while not holds():
            await asyncio.sleep(0.05)
