"""recall: what is known about something."""

from shared_tools.command import run
from shared_tools.offered import Recall, Tool


def recall(recall: Recall, question: str, limit: int = 5) -> str:
    """Find what is known, in life/ and in what was said, and what is not known.

    question: with full names
    """
    return recall.answer(question, limit)


TOOL = Tool(recall, "read")

if __name__ == "__main__":
    run(TOOL)
