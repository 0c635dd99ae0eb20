"""A scenario: what the rehearsal model hears and what it then does, as a YAML file that a person writes.

Owns the format (docs/rehearsal.md) and the choice of what comes next. Pure but for reading the file: what comes next
is computed from the request's own messages, so that a resumed, forked or retried session goes on where it was.
"""

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from runtime import checked_yaml
from runtime.agent.hearing import Heard
from runtime.checked_yaml import Strict

DEFAULT = "This is a rehearsal, no model was asked. I heard: {words}"
AT_THE_END = "Done."
"""Said when the steps of a reply end with a tool: a model always has a last word."""

Words = Annotated[tuple[str, ...], BeforeValidator(lambda value: (value,) if isinstance(value, str) else value)]
Seconds = Annotated[float, Field(ge=0, le=3600)]
ErrorKind = Literal[429, 500, 529, "cut", "malformed", "overloaded"]


class When(Strict):
    """All conditions must hold. ``tool_result`` is a regular expression on the result of the tool just run; ``rules``
    are words of the learned rules that were shown by then."""

    words: Words = ()
    regex: str = ""
    tool_result: str = ""
    system: Words = ()
    rules: Words = ()
    first: bool | None = None

    @field_validator("regex", "tool_result")
    @classmethod
    def _compiles(cls, value: str) -> str:
        try:
            re.compile(value)
        except re.error as fault:
            raise ValueError(f"not a regular expression: {fault}") from None
        return value

    @model_validator(mode="after")
    def _says_something(self) -> "When":
        if not self.model_fields_set:
            raise ValueError("wanted at least one of words, regex, tool_result, system, rules, first")
        return self


class Use(Strict):
    tool: str
    input: dict[str, Any] = Field(default_factory=dict)


Uses = Annotated[tuple[Use, ...], BeforeValidator(lambda value: value if isinstance(value, list) else [value])]


class Step(Strict):
    """One of ``say``, ``use``, ``delay``, ``error``; the other keys belong to one of them."""

    say: str | None = None
    pace: Seconds | None = None
    use: Uses | None = None
    delay: Seconds | None = None
    error: ErrorKind | None = None
    times: Annotated[int, Field(ge=1)] | None = None
    retry_after: Seconds | None = None

    @model_validator(mode="after")
    def _is_one_thing(self) -> "Step":
        said = {"say", "use", "delay", "error"} & self.model_fields_set
        if len(said) != 1:
            raise ValueError("wanted exactly one of say, use, delay, error")
        owners = {"pace": "say", "times": "error", "retry_after": "error"}
        for key, owner in owners.items():
            if key in self.model_fields_set and owner not in said:
                raise ValueError(f"{key} belongs to {owner}")
        return self


class Reply(Strict):
    name: str = ""
    when: When
    do: tuple[Step, ...]

    @field_validator("do")
    @classmethod
    def _does_something(cls, value: tuple[Step, ...]) -> tuple[Step, ...]:
        if not value:
            raise ValueError("wanted at least one step")
        return value


class Scenario(Strict):
    announce: bool = True
    pace: Seconds = 0.0
    default: str = DEFAULT
    replies: tuple[Reply, ...] = ()


def load(path: Path) -> Scenario:
    """Raises ConfigFault with every fault and its line."""
    return checked_yaml.load(path, Scenario)


# What comes next.


@dataclass(frozen=True, slots=True)
class Round:
    """The steps of one answer of the model: up to a tool call, or to the end. ``place`` names them for a memory."""

    steps: tuple[Step, ...]
    captures: Mapping[str, str]
    place: tuple[int, int]
    final: bool


class Rules:
    """A scenario made ready: its expressions compiled, its steps cut into rounds."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self._rules = tuple(_Rule(reply) for reply in scenario.replies)

    def next_round(self, heard: Heard) -> Round:
        """Replay what happened since the person spoke: the reply that their words chose, until a tool's result chose
        another. A reply that a result chose is not chosen by a later one again."""
        captures: dict[str, str] = {}
        active, index = self._choose(heard, 0, captures, active=-1), 0
        for round_ in range(1, len(heard.results) + 1):
            taken = self._choose(heard, round_, captures, active=active)
            active, index = (active, index + 1) if taken < 0 else (taken, 0)
        captures |= {
            "text": heard.typed,
            "words": heard.words,
            "tool_result": heard.results[-1] if heard.results else "",
            "folder": heard.folder,
            "today": heard.today,
        }
        rounds = self._rules[active].rounds if active >= 0 else ((Step(say=self.scenario.default),),)
        steps = rounds[index] if index < len(rounds) else (Step(say=AT_THE_END),)
        return Round(steps, captures, (active, index), final=not any(step.use for step in steps))

    def _choose(self, heard: Heard, round_: int, captures: dict[str, str], *, active: int) -> int:
        for place, rule in enumerate(self._rules):
            if place != active and (found := rule.match(heard, round_)) is not None:
                captures.update(found)
                return place
        return -1


class _Rule:
    def __init__(self, reply: Reply) -> None:
        flags = re.IGNORECASE | re.MULTILINE
        when = reply.when
        self._first = when.first
        self._words = tuple(_word(word) for word in when.words)
        self._system = tuple(_word(word) for word in when.system)
        self._shown = tuple(_word(word) for word in when.rules)
        self._regex = re.compile(when.regex, flags) if when.regex else None
        self._tool_result = when.tool_result
        self._flags = flags
        self.rounds = tuple(_rounds(reply.do))

    def match(self, heard: Heard, round_: int) -> Mapping[str, str] | None:
        """The captures, or None when a condition does not hold. ``round_`` 0: the person has just spoken; otherwise
        tools have run so many times since."""
        if bool(self._tool_result) is (round_ == 0):
            return None
        if self._first is not None and self._first is not heard.first:
            return None
        texts = ((self._words, heard.typed), (self._system, heard.system), (self._shown, heard.rules[round_]))
        if not all(word.search(text) for words, text in texts for word in words):
            return None
        captures: dict[str, str] = {}
        if self._regex:
            if (found := self._regex.search(heard.typed)) is None:
                return None
            captures |= _named(found)
        if self._tool_result:
            pattern = _made_literal(self._tool_result, captures)
            if (found := re.search(pattern, heard.results[round_ - 1], self._flags)) is None:
                return None
            captures |= _named(found)
        return captures


def _named(found: re.Match[str]) -> dict[str, str]:
    return {name: value.strip() for name, value in found.groupdict().items() if value is not None}


def _made_literal(pattern: str, captures: Mapping[str, str]) -> str:
    """``{name}`` of what ``regex`` captured, put in as plain words; other braces are the pattern's own."""
    for name, value in captures.items():
        pattern = pattern.replace(f"{{{name}}}", re.escape(value))
    return pattern


def _word(word: str) -> re.Pattern[str]:
    """As a whole word, however it is written: ``hi`` is not in ``this``."""
    return re.compile(rf"(?<!\w){re.escape(word)}(?!\w)", re.IGNORECASE)


def _rounds(steps: Sequence[Step]) -> Iterator[tuple[Step, ...]]:
    round_: list[Step] = []
    for step in steps:
        round_.append(step)
        if step.use:
            yield tuple(round_)
            round_ = []
    if round_:
        yield tuple(round_)


_PLACE = re.compile(r"\{(\w+)(:sh)?\}")


def fill(value: Any, captures: Mapping[str, str]) -> Any:
    """Put captures where ``{name}`` stands, quoted for a shell where ``{name:sh}`` does. Unknown names stay."""
    if isinstance(value, str):
        return _PLACE.sub(lambda found: _filled(found, captures), value)
    if isinstance(value, Mapping):
        return {key: fill(item, captures) for key, item in value.items()}
    if isinstance(value, list):
        return [fill(item, captures) for item in value]
    return value


def _filled(found: re.Match[str], captures: Mapping[str, str]) -> str:
    name, quoted = found.groups()
    if name not in captures:
        return found[0]
    return shlex.quote(captures[name]) if quoted else captures[name]
