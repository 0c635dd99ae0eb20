"""Every shared tool. A new one is a new file, and a line here."""

from shared_tools import (
    forget,
    life_read,
    life_write,
    mark_question_answered,
    recall,
    remember,
    search_history,
    update_onboarding_status,
)
from shared_tools.offered import Tool

TOOLS: tuple[Tool, ...] = (
    remember.TOOL,
    recall.TOOL,
    life_read.TOOL,
    life_write.TOOL,
    forget.TOOL,
    search_history.TOOL,
    mark_question_answered.TOOL,
    update_onboarding_status.TOOL,
)
