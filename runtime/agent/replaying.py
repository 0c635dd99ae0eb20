"""A turn that is played again: what its tools give, and where what would have reached others goes.

Owns what a session asks of whoever plays a turn again, and the words a tool gives when nothing was recorded. Does
not own what was recorded nor what is made of it. In a play a tool that reaches others never runs, whatever is answered
here: toolbox.py and guards.py see to that.
"""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from shared_tools.offered import Effect

NOT_RECORDED = "Not done: nothing was recorded for this."


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a tool gave."""

    output: str
    ok: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Extra:
    """A tool that is there in the play only. ``schema`` is the JSON Schema of its arguments."""

    name: str
    description: str
    schema: Mapping[str, Any]
    effect: Effect


class Replay(Protocol):
    """One play. Asked once for each use of a tool, before anything of it runs."""

    @property
    def tools(self) -> Sequence[Extra]: ...

    def answer(self, tool: str, given: Mapping[str, Any], effect: Effect, /) -> Recorded | None:
        """What the tool gives; None when it is to run for real in the play's own folder."""


def printing(recorded: Recorded) -> str:
    """A shell command that gives what was recorded."""
    if recorded.ok:
        return f"printf %s {shlex.quote(recorded.output)}"
    return f"printf %s {shlex.quote(recorded.output)} >&2; exit 1"
