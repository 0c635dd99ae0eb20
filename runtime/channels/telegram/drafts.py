"""An answer shown while it is being written, where Telegram has drafts (private chats).

Owns how often. A draft is a sign like typing: when Telegram does not take one, the answer comes without it.
"""

import asyncio
from collections.abc import Awaitable, Callable

EVERY = 1.0
"""Seconds between two forms of a draft, at least."""

REFRESH = 20.0
"""Seconds after which a draft that did not grow is shown again; Telegram drops it after 30."""

Show = Callable[[str], Awaitable[bool]]


class DraftStream:
    """While it runs the text that was added so far is shown by ``show``, at most every ``every`` seconds, at first
    as a thought without words. ``add`` only remembers, and may be called from anywhere in the loop."""

    def __init__(self, show: Show, *, every: float = EVERY, refresh: float = REFRESH) -> None:
        self._show = show
        self._every = every
        self._refresh = refresh
        self._text = ""
        self._grown = asyncio.Event()

    def add(self, text: str) -> None:
        """More of the answer, to be appended to what there is."""
        self._text += text
        self._grown.set()

    def restart(self) -> None:
        """What was added counts no more: the answer is begun anew."""
        self._text = ""
        self._grown.set()

    async def run(self) -> None:
        """Show it until a draft is not taken: then there are none here."""
        while await self._show(self._text):
            await asyncio.sleep(self._every)
            try:
                async with asyncio.timeout(self._refresh):
                    await self._grown.wait()
            except TimeoutError:
                continue
            finally:
                self._grown.clear()
