"""remember: save one fact."""

from typing import Literal

from shared_tools.command import run
from shared_tools.offered import Memory, Tool


def remember(
    memory: Memory,
    fact: str,
    kind: Literal["person", "business", "contact", "procedure", "realtor", "boundary", "habit", "event"],
    about: str = "",
    when: str = "",
) -> str:
    """Save one fact; an older one that says otherwise is replaced.

    fact: one sentence, its topic first, "Budget: up to $550,000"
    about: full name or address
    when: day of an event, 2026-11-27
    """
    return memory.remember(fact, kind, about, when)


TOOL = Tool(remember, "write")

if __name__ == "__main__":
    run(TOOL)
