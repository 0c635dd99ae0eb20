"""What the tools of a play give: what was recorded for the same arguments, else a stub; and its outbox.

Owns the order of these and what counts as the same arguments. Pure but for what it remembers of one play. What reaches
others goes to the outbox, recorded or not. Files, and what is kept about the tenant in them, are those of the play's
folder and are read and written for real.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from runtime.agent.naming import SERVER
from runtime.agent.replaying import Extra, Recorded
from runtime.annealing.gate.case import ExtraTool, Recording
from shared_tools.offered import Effect

SHELL = "Bash"

_FILES = ("Read", "Edit", "Write", "Glob", "Grep")
_NOTES = ("life_read", "life_write", "remember", "forget", "mark_question_answered", "update_onboarding_status")

REAL = frozenset((*_FILES, *_NOTES))
"""They work in the folder of the play, so that the arm shows in what they give."""

STUBS: Mapping[Effect, str] = {
    "read": "Nothing was found.",
    "write": "Done.",
    "external": '{"status": "queued"}',
}
"""What an unrecorded tool gives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """One use of a tool, by its short name."""

    tool: str
    input: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.tool} {json.dumps(self.input, ensure_ascii=False, sort_keys=True, default=str)}"


class Tape:
    """Of one play. What was recorded several times for the same arguments comes in that order, the last one again."""

    def __init__(self, recordings: Sequence[Recording] = (), tools: Sequence[ExtraTool] = ()) -> None:
        self.tools = tuple(
            Extra(name=one.name, description=one.description, schema=one.input_schema, effect=one.effect)
            for one in tools
        )
        self.uses: list[Used] = []
        self.outbox: list[Used] = []
        self._left = list(recordings)

    def answer(self, tool: str, given: Mapping[str, Any], effect: Effect, /) -> Recorded | None:
        used = Used(tool=short(tool), input=dict(given))
        self.uses.append(used)
        if effect == "external":
            self.outbox.append(used)
            return self._recorded(used) or Recorded(STUBS[effect])
        if used.tool in REAL:
            return None
        recorded = self._recorded(used)
        return recorded if recorded or used.tool == SHELL else Recorded(STUBS[effect])

    def _recorded(self, used: Used) -> Recorded | None:
        found = _matching(self._left, used)
        if not found:
            return None
        if len(found) > 1:
            self._left.remove(found[0])
        return Recorded(found[0].output, ok=found[0].ok)


def short(tool: str) -> str:
    """A tool's name without the server that offers it."""
    return tool.removeprefix(f"mcp__{SERVER}__")


def normal(value: object) -> object:
    """Arguments as they are compared: the case of letters, the space between words and the order of keys do not count;
    figures and dates do."""
    match value:
        case str():
            return " ".join(value.casefold().split())
        case Mapping():
            return {str(key): normal(one) for key, one in sorted(value.items(), key=lambda pair: str(pair[0]))}
        case list() | tuple():
            return [normal(one) for one in value]
        case date():  # as YAML reads one that is not quoted
            return value.isoformat()
        case _:
            return value


def _matching(recordings: Sequence[Recording], used: Used) -> list[Recording]:
    """Those for exactly these arguments, or those for any."""
    of_tool = [one for one in recordings if short(one.tool) == used.tool]
    wanted = normal(used.input)
    same = [one for one in of_tool if one.input is not None and normal(one.input) == wanted]
    return same or [one for one in of_tool if one.input is None]
