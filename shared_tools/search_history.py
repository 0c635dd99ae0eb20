"""search_history: find what was said."""

from typing import Literal

from shared_tools.command import run
from shared_tools.offered import Messages, Tool


def search_history(
    messages: Messages,
    q: str = "",
    direction: Literal["", "inbound", "outbound"] = "",
    since: str = "",
    until: str = "",
    limit: int = 10,
    offset: int = 0,
) -> str:
    """Search every message, newest first.

    q: words, or a "phrase"
    since: first day, 2026-11-01
    """
    return messages.search(q, direction, since, until, limit, offset)


TOOL = Tool(search_history, "read")

if __name__ == "__main__":
    run(TOOL)
