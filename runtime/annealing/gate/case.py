"""One case: a conversation whose last message is tested, what its tools give, and what has to come of it.

Owns the file's form (``state/annealing/cases/<id>.yaml``, docs/cases.md). Does not own where cases lie (cases.py) nor
how one is played (playing.py) or judged (assertions.py, judging.py).
"""

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, Field, model_validator

from runtime.checked_yaml import Strict
from runtime.tenant.heads import json_schema
from runtime.words import How, Role

CANARY = "canary-"
"""What the ids of canaries begin with, and no others: whether a tenant has some is seen without reading them."""

GLOBAL = "global"
"""The family of a case that is about no directive in particular."""

Text = Annotated[str, Field(min_length=1, max_length=8000)]
Sentence = Annotated[str, Field(min_length=1, max_length=1000)]


def _compiles(value: str) -> str:
    if value.startswith("/"):
        if len(value) < 3 or not value.endswith("/"):
            raise ValueError("a regular expression stands between two slashes")
        try:
            re.compile(value[1:-1])
        except re.error as fault:
            raise ValueError(f"not a regular expression: {fault}") from None
    return value


Pattern = Annotated[str, Field(min_length=1, max_length=400), AfterValidator(_compiles)]
"""Words, found whole and in any case; or ``/a regular expression/``, in any case too."""


class Message(Strict):
    """One of the conversation. ``how`` and ``quoted`` are a person's, as in the message log."""

    role: Literal["user", "assistant"]
    text: Text
    how: How = How.TYPED
    quoted: str = ""


class Recording(Strict):
    """What a tool gave. Without ``input``: whatever it is asked."""

    tool: Annotated[str, Field(min_length=1, max_length=120)]
    input: dict[str, Any] | None = None
    output: str = ""
    ok: bool = True


class ExtraTool(Strict):
    """A tool that is offered in the play only."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
    description: Sentence
    input_schema: Annotated[dict[str, Any], AfterValidator(json_schema)]
    effect: Literal["read", "write", "external"]


class Use(Strict):
    """A use of ``tool`` whose input, as JSON, holds ``input``; any use without one."""

    tool: Annotated[str, Field(min_length=1, max_length=120)]
    input: Pattern | Literal[""] = ""


class OutboxCheck(Strict):
    """Of what would have left. ``each`` holds for every one, ``never`` for none."""

    empty: bool = False
    count: Annotated[int, Field(ge=0)] | None = None
    each: tuple[Pattern, ...] = ()
    never: tuple[Pattern, ...] = ()


class FileCheck(Strict):
    """Of a file as it is in the end; one that is not there holds nothing."""

    contains: tuple[Pattern, ...] = ()
    never: tuple[Pattern, ...] = ()


class Expect(Strict):
    """All must hold. ``checklist`` is what assertions cannot say, in sentences, for the judge."""

    outbox: OutboxCheck = OutboxCheck()
    files: dict[str, FileCheck] = Field(default_factory=dict)
    uses: tuple[Use, ...] = ()
    never_uses: tuple[Use, ...] = ()
    says: tuple[Pattern, ...] = ()
    never_says: tuple[Pattern, ...] = ()
    checklist: tuple[Sentence, ...] = ()

    @property
    def asserts(self) -> bool:
        """Whether something can be said of a play without a judge."""
        return self.model_copy(update={"checklist": ()}) != Expect()

    @property
    def is_open(self) -> bool:
        """Nothing is known of what should come of it: two answers can be compared, and that is all."""
        return not self.asserts and not self.checklist


class Case(Strict):
    """``kind``: ``trigger`` is to be mended, ``protected`` must not change, ``canary`` never may. ``family`` is a
    directive's name or ``global``. ``hidden``: whoever proposes changes is not shown it. ``at``: when the last message
    was sent; without it the play's own time. ``source``: ``blueprint``, ``turn:<id>`` or ``improvement:<id>``."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,79}$")]
    about: Sentence
    kind: Literal["canary", "protected", "trigger"]
    family: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,79}$")] = GLOBAL
    hidden: bool = False
    source: Annotated[str, Field(min_length=1, max_length=300)]
    role: Role = Role.OWNER
    at: AwareDatetime | None = None
    conversation: Annotated[tuple[Message, ...], Field(min_length=1, max_length=60)]
    files: dict[str, str] = Field(default_factory=dict)
    cassette: tuple[Recording, ...] = ()
    tools: tuple[ExtraTool, ...] = ()
    expect: Expect = Expect()

    @model_validator(mode="after")
    def _is_whole(self) -> "Case":
        if self.conversation[-1].role != "user":
            raise ValueError("the last message of conversation is the one that is tested: role user")
        if self.hidden and self.kind != "protected":
            raise ValueError("only a protected case is hidden")
        if (self.kind == "canary") != self.id.startswith(CANARY):
            raise ValueError(f"the id of a canary, and of no other case, begins with {CANARY}")
        if self.kind == "canary" and not self.expect.asserts:
            raise ValueError("a canary says in assertions what must not happen")
        return self

    @property
    def tested(self) -> Message:
        return self.conversation[-1]

    @property
    def earlier(self) -> tuple[Message, ...]:
        return self.conversation[:-1]
