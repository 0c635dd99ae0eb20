"""life_read: look at what is known."""

from shared_tools.command import run
from shared_tools.offered import Memory, Tool


def life_read(memory: Memory, file: str, section: str = "") -> str:
    """Read a file of life/.

    file: such as relationships/people
    """
    return memory.read(file, section)


TOOL = Tool(life_read, "read")

if __name__ == "__main__":
    run(TOOL)
