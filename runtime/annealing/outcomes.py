"""How turns went, and with what in play: worked out from the turn log and the signals, whenever it is asked. Pure.

Owns when a turn counts as settled: somebody has written again in its conversation and those words were looked at, or
has been silent for long enough. Nothing of it is kept, so nothing of it can be out of date.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from runtime.annealing.proposing.evidence import README
from runtime.annealing.records import Improvement, Kind
from runtime.annealing.signals.records import Signal
from runtime.annealing.verification.eprocess import Outcome
from runtime.annealing.verification.proving import Use
from runtime.tenant.rules.files import path_of
from runtime.tenant.turnlog import TurnLine
from runtime.words import Conversation, TurnId

SETTLES = timedelta(hours=2)
"""After a turn, without a word: whoever had something to say about it has said it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Went:
    """One turn of a person. ``bad`` is None until it is settled; ``why`` says what went wrong."""

    turn: TurnId
    conversation: Conversation
    at: datetime
    exposures: frozenset[str]
    bad: bool | None
    why: str = ""
    withheld: bool = False
    """Whether the guard had to keep a credential back from the reply."""


def outcomes(
    turns: Iterable[TurnLine], bad: Mapping[str, str], *, pending: Collection[str], now: datetime
) -> list[Went]:
    """Oldest first. ``bad``: why each turn that went wrong did; ``pending``: turns whose words were not looked at."""
    lines = [line for line in turns if line.turn.startswith("turn:")]
    following: dict[Conversation, TurnId] = {}
    found: list[Went] = []
    for line in reversed(lines):
        later = following.get(line.conversation)
        answered = later is not None and later not in pending
        settled = line.turn in bad or answered or (later is None and now - line.at >= SETTLES)
        found.append(
            Went(
                turn=line.turn,
                conversation=line.conversation,
                at=line.at,
                exposures=frozenset(line.exposures),
                bad=(line.turn in bad) if settled and line.turn not in pending else None,
                why=bad.get(line.turn, ""),
                withheld=bool(line.extra.get("withheld")),
            )
        )
        following[line.conversation] = line.turn
    return found[::-1]


def in_play(one: Improvement, went: Went) -> bool:
    """Whether ``one`` made a difference there: a rule it brought was in play; of a rule that it took away, and of the
    empty landing, its directive was."""
    there = {path_of(op.to or op.rule) for op in one.operations if op.do != "DELETE"}
    gone = one.kind is Kind.EMPTY or any(op.do == "DELETE" for op in one.operations)
    return bool(there & went.exposures) or (gone and directive_of(one) in went.exposures)


def directive_of(one: Improvement) -> str:
    """The file of the directive that ``one`` is about."""
    return f"directives/{one.family}.md"


def with_directive(family: str, went: Iterable[Went]) -> Iterator[Went]:
    """Turns in which a directive or one of its rules was in play. README's is in play in every turn."""
    rules = f"directives/rules/{family}/"
    for one in went:
        read = f"directives/{family}.md" in one.exposures
        if family == README or read or any(path.startswith(rules) for path in one.exposures):
            yield one


def as_outcomes(went: Iterable[Went], zone: ZoneInfo) -> list[Outcome]:
    """Those that are settled, as the baseline counts them."""
    return [
        Outcome(turn=one.turn, conversation=one.conversation, day=one.at.astimezone(zone).date(), bad=one.bad)
        for one in went
        if one.bad is not None
    ]


def rate(went: Sequence[Went]) -> float:
    """Bad turns per settled turn; one in ten before anything is known."""
    settled = [one.bad for one in went if one.bad is not None]
    return (sum(settled) + 1) / (len(settled) + 10)


def use(went: Sequence[Went], zone: ZoneInfo, *, since: datetime, until: datetime) -> Use:
    """How much the tenant was used between two moments."""
    found = [one for one in went if since <= one.at < until]
    dialogues = {(one.conversation, one.at.astimezone(zone).date()) for one in found}
    days = max((until - since) / timedelta(days=1), 0.01)
    return Use(turns=len(found), days=days, dialogues=len(dialogues))


def bad_turns(signals: Iterable[Signal]) -> dict[str, str]:
    """Why each turn that went wrong did: a correction, a complaint, or a hard failure that reached the person."""
    return {one.turn: f"{one.kind.value}: {one.span or one.tool}".rstrip(": ") for one in signals if one.bad}
