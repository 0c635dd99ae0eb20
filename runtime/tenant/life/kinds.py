"""The kinds of files under life/: what each is for, what its head must hold, how large it may grow.

Owns the schemas (docs/schemas/ has them as JSON Schema) and their versions. A head of an older version is brought to
the newest when the file is next written; one of a version that this program does not know is a fault.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from runtime.checked_yaml import Strict

VERSION = 1

Day = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]


class Head(Strict):
    """What every file under life/ begins with. There is no date of the last change that every change would touch: two
    changes have to be revertible one without the other. Facts have dates of their own, and git knows the rest."""

    title: Annotated[str, Field(min_length=1, max_length=120)]
    kind: str
    version: Literal[1]
    updated: Day | None = None


class Phase(StrEnum):
    """How well the assistant knows its realtor."""

    DISCOVERY = "DISCOVERY"
    BUILDING = "BUILDING"
    LIVE = "LIVE"


class Onboarding(Head):
    kind: Literal["onboarding"]
    phase: Phase
    since: Day | None = None


class Question(Strict):
    """``core``: it must be answered before the assistant is LIVE."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,40}$")]
    question: Annotated[str, Field(min_length=1, max_length=400)]
    core: bool = False
    asked: Day | None = None
    answered: Day | None = None


class Questions(Head):
    kind: Literal["questions"]
    questions: tuple[Question, ...] = ()


class Note(Head):
    """A file that a person added: its kind and further keys are theirs."""

    model_config = ConfigDict(frozen=True, extra="allow")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """``budget``: bytes, beyond which the file is to be consolidated. ``guides``: what stands there is followed, so it
    takes only a person's own words. ``single``: a new figure of the same thing replaces the old one. ``begins``: what
    the head of a new file holds besides."""

    name: str
    title: str
    head: type[Head]
    about: str
    budget: int = 8_000
    guides: bool = False
    single: bool = True
    begins: Mapping[str, Any] = field(default_factory=dict)


def _plain(name: str) -> type[Head]:
    return type(name.title(), (Head,), {"__annotations__": {"kind": Literal[name]}, "__module__": __name__})


KINDS: Mapping[str, Kind] = {
    "life/identity.md": Kind(
        name="identity", title="Identity", head=_plain("identity"), about="the realtor", budget=6_000, guides=True
    ),
    "life/boundaries.md": Kind(
        name="boundaries",
        title="Boundaries",
        head=_plain("boundaries"),
        about="what never to do, or only after asking",
        budget=6_000,
        guides=True,
    ),
    "life/patterns.md": Kind(
        name="patterns",
        title="Patterns",
        head=_plain("patterns"),
        about="habits and preferences",
        budget=6_000,
        guides=True,
    ),
    "life/questions.md": Kind(
        name="questions", title="Questions", head=Questions, about="what to ask the realtor", begins={"questions": []}
    ),
    "life/onboarding.md": Kind(
        name="onboarding",
        title="Onboarding",
        head=Onboarding,
        about="the phase",
        begins={"phase": Phase.DISCOVERY.value, "since": None},
    ),
    "life/knowledge/business.md": Kind(
        name="business", title="Business", head=_plain("business"), about="market, listings, terms", budget=24_000
    ),
    "life/knowledge/contacts.md": Kind(
        name="contacts", title="Contacts", head=_plain("contacts"), about="lenders, title, vendors", budget=24_000
    ),
    "life/knowledge/procedures.md": Kind(
        name="procedures",
        title="Procedures",
        head=_plain("procedures"),
        about="how-to that is no SOP",
        budget=16_000,
        guides=True,
    ),
    "life/relationships/people.md": Kind(
        name="people", title="People", head=_plain("people"), about="clients, leads, partners", budget=200_000
    ),
}

EVENTS = re.compile(r"life/events/(\d{4}-(?:0[1-9]|1[0-2]))\.md")
_EVENTS_HEAD = _plain("events")


def kind_of(rel: str) -> Kind:
    """The kind of a file under life/, by its name; a file that a person added is a note."""
    if rel in KINDS:
        return KINDS[rel]
    if month := EVENTS.fullmatch(rel):
        title = f"Events {month[1]}"
        return Kind(
            name="events", title=title, head=_EVENTS_HEAD, about="appointments, deadlines", budget=32_000, single=False
        )
    title = rel.rpartition("/")[2].removesuffix(".md").replace("-", " ").capitalize() or "Note"
    return Kind(name="note", title=title, head=Note, about="what a person noted", budget=24_000, guides=True)


def _first_version(meta: dict[str, Any], kind: Kind) -> dict[str, Any]:
    """A file from before heads had versions, or one that a person began without a head."""
    return {"title": kind.title, "kind": kind.name, **meta, "version": 1}


MIGRATIONS: tuple[Callable[[dict[str, Any], Kind], dict[str, Any]], ...] = (_first_version,)
"""From version n to n + 1, in order. One that has been released is never edited."""


def migrated(meta: Mapping[str, Any], kind: Kind) -> dict[str, Any]:
    """The head at the newest version; a head of a version that is no number or from the future stays as it is."""
    found, version = dict(meta), meta.get("version", 0)
    if not isinstance(version, int) or version < 0:
        return found
    for step in MIGRATIONS[version:]:
        found = step(found, kind)
    return found
