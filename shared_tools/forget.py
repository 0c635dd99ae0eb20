"""forget: take a fact, or everything about somebody, out of what is known."""

from shared_tools.command import run
from shared_tools.offered import Memory, Tool


def forget(memory: Memory, fact: str = "", about: str = "") -> str:
    """Take facts out of life/, when asked to. Logs and history keep them; the admin erases those.

    fact: words of it; empty for all about
    """
    return memory.forget(fact, about)


TOOL = Tool(forget, "write")

if __name__ == "__main__":
    run(TOOL)
