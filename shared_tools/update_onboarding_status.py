"""update_onboarding_status: go on to the next phase of getting to know the realtor."""

from typing import Literal

from shared_tools.command import run
from shared_tools.offered import Onboarding, Tool


def update_onboarding_status(onboarding: Onboarding, phase: Literal["BUILDING", "LIVE"]) -> str:
    """Go on to the next onboarding phase, once its core questions are answered."""
    return onboarding.enter_phase(phase)


TOOL = Tool(update_onboarding_status, "write")

if __name__ == "__main__":
    run(TOOL)
