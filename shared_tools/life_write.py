"""life_write: change one line of what is known."""

from typing import Literal

from shared_tools.command import run
from shared_tools.offered import Memory, Tool


def life_write(
    memory: Memory,
    op: Literal["set", "merge", "append", "delete"],
    file: str,
    section: str = "",
    fact: str = "",
    old: str = "",
) -> str:
    """Change one line of a file of life/.

    op: set puts fact in place of old; merge adds it and drops what it contradicts; append adds; delete drops old
    file: such as knowledge/contacts
    old: words of the line meant
    """
    return memory.write(op, file, section, fact, old)


TOOL = Tool(life_write, "write")

if __name__ == "__main__":
    run(TOOL)
