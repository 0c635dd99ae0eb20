"""A turn that was corrected and then thanked for went right in the end: it becomes a protected case.

Owns when that is so, and that there are not more of them than the gate could ever play. Does not own a case's form.
"""

from collections.abc import Collection, Iterable

from runtime.annealing.gate import growing
from runtime.annealing.gate.cases import Cases, is_hidden
from runtime.annealing.proposing.evidence import family_of
from runtime.annealing.signals.forms import found, matter
from runtime.annealing.signals.reading import read
from runtime.annealing.signals.records import Label, Signal
from runtime.errors import NotFound
from runtime.tenant.folder import Folder
from runtime.tenant.turnlog import TurnLine

MOST = 24
"""Of one directive: twice what one gate plays."""

LONGEST_THANKS = 8
"""Words. More says something else as well."""


def is_thanks(text: str) -> bool:
    """Whether a message is a few words of thanks or praise, and nothing else."""
    own = read(text)
    kinds = set(found(own.plain, matter("ordinary")))
    harsh = set(found(own.plain, matter("friction"))) - {"bare"}
    return len(own.words) <= LONGEST_THANKS and bool(kinds & {"thanks", "praise"}) and not harsh


def protect(folder: Folder, thanked: TurnLine, messages: Collection[str], signals: Iterable[Signal]) -> str | None:
    """Make a case of the turn ``thanked``, if one of its ``messages`` was a correction that says what was expected: the
    case's id, None where there is none to make. Called again it makes no second one."""
    corrections = (one for one in signals if one.kind is Label.CORRECTION and one.bad and one.expected)
    corrected = next((one for one in corrections if one.message in messages), None)
    if corrected is None:
        return None
    cases, family = Cases(folder), family_of(thanked.exposures)
    source = f"turn:{thanked.turn}"
    if cases.of_source(source) or sum(one.source.startswith("turn:") for one in cases.of_family(family)) >= MOST:
        return None
    try:
        made = growing.from_turn(folder, thanked.turn, family=family, expected=corrected.expected)
    except NotFound:
        return None
    case = made.model_copy(update={"kind": "protected", "hidden": is_hidden(made.id)})
    cases.add(case)
    return case.id
