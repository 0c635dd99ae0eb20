"""mark_question_answered: what came of a question of life/questions.md."""

from typing import Literal

from shared_tools.command import run
from shared_tools.offered import Onboarding, Tool


def mark_question_answered(
    onboarding: Onboarding, question: str, state: Literal["asked", "answered"] = "answered"
) -> str:
    """Note that an onboarding question was asked or answered; save the answer itself with remember.

    question: its id
    """
    return onboarding.mark_question(question, state)


TOOL = Tool(mark_question_answered, "write")

if __name__ == "__main__":
    run(TOOL)
