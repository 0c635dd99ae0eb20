"""What a message says of the turn before it: the judgement of a detector, and the signal that is stored of it.

Owns the shapes, their JSON and when a judgement counts. Does not own how it is come by (first.py, second.py, hard.py)
nor where signals lie (log.py).
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from runtime.checked_yaml import Strict
from runtime.words import How

COUNTS = 0.7
"""The least probability with which a soft signal counts."""

OWN = frozenset({How.TYPED, How.VOICE})
"""How a person's own words come to be here; nothing else may make a signal."""


class Label(StrEnum):
    CORRECTION = "correction"
    COMPLAINT = "complaint"
    REMEMBER = "remember"
    NEUTRAL = "neutral"


FRICTION = frozenset({Label.CORRECTION, Label.COMPLAINT})


class About(StrEnum):
    """Whom or what a message is about."""

    ASSISTANT = "assistant"
    THIRD_PARTY = "third_party"
    SELF = "self"
    WORLD = "world"


class Source(StrEnum):
    """Whose words they are."""

    OWNER = "owner"
    QUOTED = "quoted"
    FORWARDED = "forwarded"


class Hard(StrEnum):
    """A signal that needs no words: what went wrong can be counted."""

    EXIT = "exit"
    TIMEOUT = "timeout"
    SCHEMA = "schema"
    BLOCKED = "blocked"
    REPEATED = "repeated"
    UNDONE = "undone"
    INTERRUPTED = "interrupted"
    ASKED_AGAIN = "asked_again"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Spoken:
    """One thing that was said. ``role``: ``assistant`` or ``user``."""

    role: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What one message says. ``p`` is the probability of the label; of a correction and a complaint, which are one
    evidence, that the message is one of the two. ``span``: the words that say it, out of the message itself.
    ``expected``: what should have been ("Saturday, not Sunday"), empty where it is not said. ``stage``: 1 or 2."""

    label: Label
    p: float
    about: About
    source: Source = Source.OWNER
    expected: str = ""
    span: str = ""
    stage: Literal[1, 2] = 1

    @property
    def counts(self) -> bool:
        """Whether something may be built on it."""
        aimed = self.label is Label.REMEMBER or (self.label in FRICTION and self.about is About.ASSISTANT)
        return aimed and self.source is Source.OWNER and self.p >= COUNTS


class Signal(Strict):
    """Evidence that a turn went well or badly. ``turn`` is the one that is blamed: that which was answered before the
    message came (of a hard signal, the one it happened in). ``kind``: a hard kind or a label. ``reached``: the person
    met with it; a tool that failed and then worked in the same turn did not reach them."""

    id: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
    turn: str
    conversation: str
    at: datetime
    message: str = ""
    kind: Hard | Label
    p: Annotated[float, Field(ge=0, le=1)] = 1.0
    about: About = About.ASSISTANT
    source: Source = Source.OWNER
    span: str = ""
    expected: str = ""
    stage: Literal[0, 1, 2] = 0
    tool: str = ""
    reached: bool = True

    @property
    def bad(self) -> bool:
        """Whether it makes its turn a bad one (y = 1): a hard failure that reached the person, or friction that
        counts."""
        if isinstance(self.kind, Hard):
            return self.reached
        aimed = self.kind in FRICTION and self.about is About.ASSISTANT
        return aimed and self.source is Source.OWNER and self.p >= COUNTS


def signal_id(turn: str, message: str, kind: Hard | Label, tool: str = "") -> str:
    """The same evidence has the same id, so that a step that is run again adds nothing."""
    return hashlib.sha256("\x00".join((turn, message, kind.value, tool)).encode()).hexdigest()[:16]


def soft(judgement: Judgement, *, turn: str, conversation: str, message: str, at: datetime) -> Signal:
    """The signal of a judgement. ``turn``: the one that is blamed; ``message``: the one that was judged."""
    return Signal(
        id=signal_id(turn, message, judgement.label),
        turn=turn,
        conversation=conversation,
        at=at,
        message=message,
        kind=judgement.label,
        p=judgement.p,
        about=judgement.about,
        source=judgement.source,
        span=judgement.span,
        expected=judgement.expected,
        stage=judgement.stage,
    )
