"""Putting a self-change into a tenant's folder: one commit with its reason and evidence, fast-forward only.

Owns the commit's words and trailers. It is made beside the folder and brought in whole (tenant/git/landing), so a kill
leaves it there or not; called again it finds the one that landed. Does not own what may land, nor taking it back.
"""

import textwrap
from collections.abc import Mapping
from datetime import datetime

from runtime.annealing.gate.gate import read
from runtime.annealing.operations import Stamped, apply
from runtime.annealing.records import Improvement, Kind
from runtime.tenant.git.changes import FILE, Change, Entry, blob_id
from runtime.tenant.git.commits import Commit, one_line
from runtime.tenant.git.history import AGENT, History, Origin
from runtime.tenant.registry import Tenant
from runtime.words import TenantId

RECENT = 200
"""Commits that are looked through for one that was made already."""

Files = Mapping[str, str | None]
"""What files are to hold, by their path; None: they go."""


def files(history: History, tenant: Tenant, one: Improvement, now: datetime) -> Files:
    """What the operations of ``one`` make of the rules that are committed now. Raises Refused when they do not stand on
    these any more."""
    rules, _ = read(history, history.head())
    since = now.astimezone(tenant.config.zone).date()
    return dict(apply(one.operations, rules, Stamped(improvement=one.id, idea=one.idea, since=since)))


def land(history: History, one: Improvement, files: Files) -> Commit | None:
    """The commit that brings ``one``; None when the folder says all of it already. Raises Conflict: later edits are in
    the way, and nothing was changed."""
    title = f"anneal({one.family}): {one.intent}"
    return _land(history, _run(one), one, files, title=title, first=evidence(one))


def landed(history: History, one: Improvement) -> Commit | None:
    """The commit that brought ``one``, if a call that was killed since has made it. Its files are there, then."""
    return _landed(history, _run(one))


def _run(one: Improvement) -> str:
    return f"improvement:{one.id}"


def confirm(history: History, one: Improvement, files: Files) -> Commit | None:
    """The commit that says in a rule's head that ``one`` is kept. Raises Conflict."""
    title = f"anneal({one.family}): keep {one.intent}"
    return _land(history, f"improvement:{one.id}:kept", one, files, title=title, first=one_line(one.reason, 400))


def evidence(one: Improvement) -> str:
    """Why, and what the gate saw: a paragraph for whoever reads the history."""
    parts = [one.mechanism]
    if one.triggers:
        said = "; ".join(f'"{one_line(trigger.text, 80)}"' for trigger in one.triggers[:3])
        parts.append(f"From {len(one.triggers)} signals: {said}.")
    if one.gate.plays:
        parts.append(f"Gate: {one.gate.line}.")
    return "\n".join(line for part in parts for line in textwrap.wrap(one_line(part, 600), 72, break_on_hyphens=False))


def _land(history: History, run: str, one: Improvement, files: Files, *, title: str, first: str) -> Commit | None:
    origin = Origin(
        actor=AGENT,
        tenant=TenantId(one.tenant),
        turn=run,
        trigger="signals" if one.kind is Kind.LEARNED else one.kind.value,
        reason="",
        extra={"Improvement": one.id},
    )
    if not history.kept(run):
        if found := _landed(history, run):
            return found
        base = history.head()
        made = changes(history, base, files)
        if not made:
            return None
        history.keep(run, base, made, origin, title=title, first=first)
    try:
        return history.land(run)
    finally:
        history.drop(run)


def _landed(history: History, run: str) -> Commit | None:
    """The commit that a call that was killed since has made already; what the kill left undone of it is done."""
    found = next((one for one in history.log(limit=RECENT, by_agent=True) if one.trailers.get("Turn") == run), None)
    if found:
        history.settle()
    return found


def changes(history: History, base: str, files: Files) -> list[Change]:
    """``files`` as changes of the commit ``base``; those that say what is there already are none."""
    tracked = history.files(base)
    found = []
    for path, text in sorted(files.items()):
        before = tracked.get(path)
        data = None if text is None else text.encode()
        entry = None if data is None else Entry(FILE, blob_id(data))
        if entry != before:
            found.append(Change(path, before, entry, data))
    return found
