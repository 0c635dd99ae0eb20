"""What speaks for a change: the signals of one directive that nothing was proposed for yet. Pure.

Owns which directive a signal is about, and when there is enough to ask for a proposal. Does not own how a signal is
found (signals/), nor whether an idea may be tried again (verification/cooldown).
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from runtime.annealing.verification.cooldown import Sign
from runtime.tenant.rules.files import ref_of

SILENCE = timedelta(hours=4)
"""Between two episodes of one conversation. A realtor has one conversation with the assistant and has had it for
years: what counts as another one is that they had stopped talking."""

LOOKED_AT = timedelta(days=30)
"""How far back signals are looked at."""

README = "README"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One signal, with what is needed to weigh it. ``turn`` is the one that went wrong, ``exposures`` what was in
    play in it; ``trace`` shows it to a reader."""

    signal: str
    label: str
    turn: str
    conversation: str
    at: datetime
    text: str
    expected: str
    exposures: tuple[str, ...]
    trace: str = ""


class Spoke(Protocol):
    """What is needed of a signal to count it: as Evidence, and as a Trigger of an improvement."""

    @property
    def signal(self) -> str: ...
    @property
    def turn(self) -> str: ...
    @property
    def conversation(self) -> str: ...
    @property
    def at(self) -> datetime: ...


def family_of(exposures: Sequence[str]) -> str:
    """The directive that a turn went by: the last one that was read, or whose rule was in play; README's otherwise."""
    for path in reversed(exposures):
        rule = ref_of(path)
        name = rule.partition("/")[0] if rule else path.removeprefix("directives/").removesuffix(".md")
        if path.startswith("directives/") and name != README and "/" not in name:
            return name
    return README


def families(found: Iterable[Evidence], *, used: Callable[[str], bool]) -> Mapping[str, list[Evidence]]:
    """Signals by the directive they are about, oldest first; without those that something was proposed for already."""
    grouped: defaultdict[str, list[Evidence]] = defaultdict(list)
    for one in sorted(found, key=lambda one: (one.at, one.signal)):
        if not used(one.signal):
            grouped[family_of(one.exposures)].append(one)
    return dict(grouped)


def signs(found: Sequence[Spoke], zone: ZoneInfo) -> list[Sign]:
    """As the bars of verification/cooldown count them: signals about one turn are one, days are the tenant's."""
    named, turns = episodes(found), {one.turn: one for one in found}
    return [
        Sign(conversation=named[one.signal], day=one.at.astimezone(zone).date(), at=one.at) for one in turns.values()
    ]


def episodes(found: Sequence[Spoke]) -> Mapping[str, str]:
    """The episode of each signal: a conversation, and the beginning of the stretch of it that had no long silence."""
    named: dict[str, str] = {}
    last: dict[str, tuple[datetime, str]] = {}
    for one in sorted(found, key=lambda one: one.at):
        before = last.get(one.conversation)
        name = before[1] if before and one.at - before[0] < SILENCE else f"{one.conversation} {one.at.isoformat()}"
        named[one.signal] = name
        last[one.conversation] = (one.at, name)
    return named
