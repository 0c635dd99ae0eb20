"""The first hours after landing: what takes a change back at once, without counting turns. Pure.

Owns what trips. Does not own who looks, nor the taking back.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby

CHECK_AFTER = timedelta(hours=4)
"""After landing, the check that closes the first hours. A trip is acted on whenever it is seen, also later."""

RUNNING = 2
"""Failures of a changed tool with no success between them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What has been seen of a change since it landed.

    ``undone``: the owner said undo. ``violations``: what a canary or the outbound guard said in turns in which it was
    in play. ``broken_tools``: changed tools that cannot be imported, and why. ``tool_runs``: of each changed tool, in
    their order, whether the run went well. ``broken_rules``: rule files that cannot be read, and why.
    """

    undone: bool = False
    violations: Sequence[str] = ()
    broken_tools: Mapping[str, str] = field(default_factory=dict)
    tool_runs: Mapping[str, Sequence[bool]] = field(default_factory=dict)
    broken_rules: Mapping[str, str] = field(default_factory=dict)


def trips(seen: Observed) -> tuple[str, ...]:
    """Why it is taken back at once, the owner's word first; nothing when it is not."""
    return (
        *(("the owner said undo",) if seen.undone else ()),
        *seen.violations,
        *(f"{tool} cannot be imported: {why}" for tool, why in seen.broken_tools.items()),
        *(f"{tool} failed {RUNNING} times running" for tool, runs in seen.tool_runs.items() if _fails(runs)),
        *(f"{rule} cannot be read: {why}" for rule, why in seen.broken_rules.items()),
    )


def _fails(runs: Sequence[bool]) -> bool:
    return any(not well and len(list(same)) >= RUNNING for well, same in groupby(runs))


def check_due(landed: datetime, checked: datetime | None, now: datetime) -> bool:
    """Whether the check that closes the first hours is still to be made."""
    return checked is None and now >= landed + CHECK_AFTER
