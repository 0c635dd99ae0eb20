"""Edits that are not in force because their file fails its check: which, what is wrong, and what the owner is told.

Owns the table bad_edit and the words. Decides only: how edits are seen and put aside is edits.py.
"""

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from runtime.engine.database import Row, Transaction
from runtime.tenant.config import TENANT_FILE
from runtime.tenant.git.commits import BadFile, one_line, shown
from runtime.tenant.registry import Tenant
from runtime.turns import hooks, inbox, outbox
from runtime.turns.letters import notice
from runtime.words import TenantId

ALL = "SELECT * FROM bad_edit ORDER BY tenant, path"
OF_TENANT = "SELECT * FROM bad_edit WHERE tenant = :tenant ORDER BY path"

KEEP = """
INSERT INTO bad_edit (tenant, path, faults, committed, aside, whose, since)
VALUES (:tenant, :path, :faults, :committed, :aside, :whose, :since)
ON CONFLICT (tenant, path) DO UPDATE SET faults = excluded.faults, committed = excluded.committed,
    aside = excluded.aside, whose = excluded.whose, since = excluded.since"""

FORGET = "DELETE FROM bad_edit WHERE tenant = :tenant AND path = :path"

ADMIN, AGENT = "admin", "agent"
"""Whose a bad edit is."""

MOST_FAULTS = 20
"""Faults of one file that are kept."""

TOLD_FILES, TOLD_FAULTS, TOLD_WORDS = 5, 3, 240
"""Files in one message, faults of one file, characters of one fault: it is read on a phone."""


class Standing(NamedTuple):
    """Where a file that was bad stands now: the blob of its committed version, and whether its bytes are kept aside."""

    committed: str
    kept: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BadEdit:
    """One row: what is known of a bad edit, and was told."""

    tenant: TenantId
    path: str
    faults: tuple[str, ...]
    committed: str
    aside: str
    whose: str
    since: float


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What a look brought: ``fresh`` is bad and was not told like this; ``moved`` was told, and is kept elsewhere now;
    ``mended`` is committed since; of ``dropped`` nothing is left but the version before."""

    fresh: tuple[BadFile, ...] = ()
    moved: tuple[BadFile, ...] = ()
    mended: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()


def find(tx: Transaction, tenant: TenantId) -> dict[str, BadEdit]:
    """Those of one tenant, by path."""
    return {row["path"]: _read(row) for row in tx.run(OF_TENANT, tenant=tenant)}


def every(tx: Transaction) -> list[BadEdit]:
    return [_read(row) for row in tx.run(ALL)]


def decide(known: Mapping[str, BadEdit], bad: Sequence[BadFile], now: Mapping[str, Standing]) -> News:
    """What is new. ``now`` says where those of ``known`` stand that are not bad any more in the folder; one that is put
    aside is known until its file is committed anew, or its copy is removed."""
    told = {one.path: one for one in bad if shown(one.path) in known}
    same = {path for path, one in told.items() if _kept(one) == known[shown(path)].faults}
    gone = {path: one for path, one in now.items() if path in known}
    mended = [path for path, one in gone.items() if one.committed != known[path].committed]
    return News(
        fresh=tuple(one for one in bad if one.path not in same),
        moved=tuple(told[path] for path in same if shown(told[path].aside) != known[shown(path)].aside),
        mended=tuple(mended),
        dropped=tuple(path for path, one in gone.items() if path not in mended and not one.kept),
    )


def write(tx: Transaction, tenant: Tenant, news: News, *, whose: str, now: float) -> None:
    """Keep what is new and plan what the owner is told of it, in one transaction."""
    for one in (*news.fresh, *news.moved):
        tx.run(
            KEEP,
            tenant=tenant.id,
            path=shown(one.path),
            faults=json.dumps(_kept(one)),
            committed=one.committed,
            aside=shown(one.aside),
            whose=whose,
            since=now,
        )
    for path in (*news.mended, *news.dropped):
        tx.run(FORGET, tenant=tenant.id, path=path)
    if text := words(news, whose):
        _tell(tx, tenant, text, now)


def words(news: News, whose: str) -> str:
    """What the owner is told, in one message; nothing when there is nothing to tell."""
    parts = [_refusal(one, whose) for one in news.fresh[:TOLD_FILES]]
    if (more := len(news.fresh) - TOLD_FILES) > 0:
        parts.append(f"{more} more files are not in force either: proxystaff status lists them.")
    parts += [f"The edit of {path} is in force now." for path in news.mended[:TOLD_FILES]]
    parts += [f"{path} is in order again, as it was before the edit." for path in news.dropped[:TOLD_FILES]]
    return "\n\n".join(parts)


def fault_lines(path: str, faults: Sequence[str]) -> list[str]:
    """``path:4: what`` as ``line 4: what``, each one line and none too long."""
    return [one_line(f"line {one.removeprefix(f'{path}:')}", TOLD_WORDS) for one in faults]


def _refusal(one: BadFile, whose: str) -> str:
    path = shown(one.path)
    lines = fault_lines(path, one.faults)
    more = len(lines) - TOLD_FAULTS
    listed = "; ".join(lines[:TOLD_FAULTS]) + (f"; and {more} more" if more > 0 else "")
    who = "My change of" if whose == AGENT else "Your edit of"
    until = "the version before it holds" if one.committed else "it is left out"
    if one.path == TENANT_FILE:
        until = "the settings before it hold"
    return f"{who} {path} is not in force: {listed}. Until it is mended, {until}."


def _tell(tx: Transaction, tenant: Tenant, text: str, now: float) -> None:
    """To the owner, where they are reached best; an owner without a channel is told nothing."""
    if letters := notice(tenant, tenant.config.owner, text):
        turn = inbox.open_notice(tx, tenant.id, letters[0].conversation, f"edit:{uuid.uuid4().hex}", now)
        outbox.plan(tx, turn, tenant.id, letters, now)
        hooks.tell_sent(tx, tenant, turn, letters, now)


def _kept(one: BadFile) -> tuple[str, ...]:
    return tuple(one_line(fault, 2 * TOLD_WORDS) for fault in one.faults[:MOST_FAULTS])


def _read(row: Row) -> BadEdit:
    return BadEdit(**{**row, "faults": tuple(json.loads(row["faults"]))})
