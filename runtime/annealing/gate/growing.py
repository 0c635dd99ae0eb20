"""A case made from a turn that went wrong: what was said before it, what its tools gave, and what was expected.

Pure but for reading the logs. Owns what of a turn goes into its case. Does not own which turns are worth one.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

from runtime.annealing.gate.case import GLOBAL, Case, Expect, ExtraTool, Message, Recording
from runtime.annealing.gate.cassette import REAL, SHELL, short
from runtime.errors import NotFound
from runtime.tenant.folder import Folder
from runtime.tenant.messages import QUOTED, MessageLine, MessageLog
from runtime.tenant.turnlog import TurnLine, TurnLog
from runtime.words import Direction, How, Role, TurnId

BEFORE = 10
"""Messages of the conversation before the turn that go into its case."""

_LOOKED_THROUGH = 1_000
"""Messages of a conversation that are looked through for a turn, from the newest."""

_LONGEST_TEXT, _LONGEST_OUTPUT, _MOST_RECORDINGS = 1_500, 1_500, 8

_TOOL = re.compile(r"[a-z][a-z0-9_]{0,63}")

# A bare value: "Saturday", "$525,000", "4 p.m." and, before a "not", what takes the place of something.
_VALUE = re.compile(r"(?P<value>[\w$€£#][\w$€£#.,:/%'-]*(?: [\w$€£#.,:/%'-]+){0,2}?)(?:,? (?:not|instead of) .{1,60})?")

# One that cannot be meant otherwise: it has a figure, is a day or a month, or is a name of several words.
_NAMED = re.compile(
    r".*\d.*|(?i:(?:mon|tues|wednes|thurs|fri|satur|sun)day|january|february|march|april|may|june|july|august"
    r"|september|october|november|december)|[A-Z]\S*(?: [A-Z]\S*)+"
)


def from_turn(folder: Folder, turn: TurnId, *, family: str = GLOBAL, expected: str = "") -> Case:
    """A trigger case. Raises NotFound when the logs do not have the turn, or nobody spoke in it."""
    line = TurnLog(folder).find(turn)
    if line is None:
        raise NotFound(f"there is no turn {turn}", hint="turns and their ids are in state/turns/")
    lines = MessageLog(folder).recent(_LOOKED_THROUGH, line.conversation)
    of_turn = [one for one in lines if one.turn == turn and one.direction is Direction.INBOUND and one.text.strip()]
    if not of_turn:
        raise NotFound(f"nobody said anything in turn {turn}", hint="name a turn that answers a message")
    first = lines.index(of_turn[0])
    before = [one for one in lines[:first] if one.text.strip() and one.turn != turn][-BEFORE:]
    recordings, tools = tuple(_recordings(line))[:_MOST_RECORDINGS], tuple(_tools(line))
    return Case(
        id=id_of(turn),
        about=_about(expected, of_turn[-1].text),
        kind="trigger",
        family=family,
        source=f"turn:{turn}",
        role=_role(line),
        at=of_turn[-1].at,
        conversation=tuple(map(_message, [*before, *of_turn])),
        cassette=recordings,
        tools=tools,
        expect=expectation(expected),
    )


def id_of(turn: str) -> str:
    """A case's id for the turn it is made from."""
    return f"turn-{hashlib.sha256(turn.encode()).hexdigest()[:12]}"


def expectation(expected: str) -> Expect:
    """What an owner said they expected: a plain value has to be said; anything else is for the judge."""
    expected = " ".join(expected.split())
    if not expected:
        return Expect()
    found = _VALUE.fullmatch(expected)
    value = found["value"].rstrip(".,;") if found else ""
    if _NAMED.fullmatch(value):
        return Expect(says=(value,))
    return Expect(checklist=(f"The answer is as the owner expected: {expected}"[:1000],))


def _about(expected: str, text: str) -> str:
    words = " ".join((f"expected: {expected}" if expected else f"went wrong: {text}").split())
    return words if len(words) <= 200 else f"{words[:199]}…"


def _role(line: TurnLine) -> Role:
    """Of whoever was answered; an owner, where an older log does not say."""
    known = str(line.extra.get("role", ""))
    return Role(known) if known in set(Role) else Role.OWNER


def _message(line: MessageLine) -> Message:
    inbound = line.direction is Direction.INBOUND
    return Message(
        role="user" if inbound else "assistant",
        text=line.text.strip()[:_LONGEST_TEXT],
        how=(line.how or How.DOCUMENT) if inbound else How.TYPED,
        quoted=str(line.extra.get(QUOTED, ""))[:_LONGEST_TEXT] if inbound else "",
    )


def _recordings(line: TurnLine) -> Iterator[Recording]:
    """Of the tools that do not run for real in a play. What the log cut short does not match again, so it is given for
    any arguments."""
    for tool in line.tools:
        name = short(str(tool.get("name", "")))
        if name and name not in REAL and not (name == SHELL and _is_real(tool)):
            given, output = _given(tool), str(tool.get("output", ""))[:_LONGEST_OUTPUT]
            whole = None if "cut" in given else given
            yield Recording(tool=name, input=whole, output=output, ok=bool(tool.get("ok", True)))


def _is_real(tool: Mapping[str, Any]) -> bool:
    """Whether a command is to run in the play's folder: but for logs and media in state/ all of the tenant is there,
    and what was recorded of directives would hide the arm."""
    command = str(_given(tool))
    return "directives" in command or "state/" not in command


def _tools(line: TurnLine) -> Iterator[ExtraTool]:
    """Those that reach others: a play offers them, whatever the tenant has by then."""
    reaching = {short(str(tool.get("name", ""))): tool for tool in line.tools if tool.get("effect") == "external"}
    for name, tool in reaching.items():
        if _TOOL.fullmatch(name):
            yield ExtraTool(
                name=name, description=f"{name.replace('_', ' ')}.", input_schema=_schema(tool), effect="external"
            )


def _schema(tool: Mapping[str, Any]) -> dict[str, Any]:
    """As far as its use shows it."""
    return {"type": "object", "properties": {name: {} for name in _given(tool)}}


def _given(tool: Mapping[str, Any]) -> dict[str, Any]:
    given = tool.get("input")
    return {str(name): value for name, value in given.items()} if isinstance(given, Mapping) else {}
