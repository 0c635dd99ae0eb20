"""What becomes of a row of the database when a person is erased. Pure.

Owns that, for our tables and for the engine's: rows of their conversations go, in others the words that name them are
marked, and commits get their new ids. Other tenants' rows are not looked at.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from runtime.engine.database import Row
from runtime.tenant.erasure.looking import Marks
from runtime.tenant.erasure.texts import Cleaning, with_new_ids
from runtime.tenant.erasure.whom import Known, speaker
from runtime.words import TenantId

STRANGERS = "SELECT channel, sender, name FROM pairing WHERE tenant = :tenant"
SPEAKERS = "SELECT DISTINCT conversation FROM conversation WHERE tenant = :tenant"

_NAMING = frozenset({"id", "key", "turn", "previous", "open_turn", "workflow_uuid", "destination_uuid", "message_uuid"})
"""Columns that name a row or another: one that names the person is not mended, its row goes."""

_WORK = re.compile(r"[a-z]+:([a-z0-9][a-z0-9-]{0,39}):")
"""How the id of a turn or errand begins, with whose it is."""


def strangers(rows: Iterable[Row]) -> Iterator[Known]:
    """Those who asked to be let in, as people who are known."""
    for row in rows:
        yield speaker(row["name"], "pairing", f"{row['channel']}:{row['sender']}")


def belongs(tenant: TenantId, row: Mapping[str, Any]) -> bool:
    """Whether a row is this tenant's: it says so, or it is the engine's and about a turn of this tenant's."""
    if "tenant" in row:
        return bool(row["tenant"] == tenant)
    owners = (_WORK.match(value) for key, value in row.items() if key in _NAMING and isinstance(value, str))
    return any(owner is not None and owner[1] == tenant for owner in owners)


def judged(
    tenant: TenantId, cleaning: Cleaning, commits: Mapping[str, str], row: Mapping[str, Any]
) -> Mapping[str, Any] | None:
    """The row as it may stand; None when it goes."""
    if not belongs(tenant, row):
        return row
    if is_theirs(cleaning.finder.marks, row):
        return None
    if any(cleaning.finder.names(value) for key, value in row.items() if key in _NAMING and isinstance(value, str)):
        return None
    new = {key: cleaning.finder.without(value) if isinstance(value, str) else value for key, value in row.items()}
    if commits and isinstance(new.get("commits"), str):
        new["commits"] = with_new_ids(new["commits"], commits)
    return new


def is_theirs(marks: Marks, row: Mapping[str, Any]) -> bool:
    """Whether a row is about one of their conversations."""
    address = row.get("address") or row.get("sender")
    talks = (row.get("conversation"), f"{row.get('channel')}:{address}" if address else None)
    return any(marks.talk(str(talk)) for talk in talks if talk)


def texts(rows: Iterable[tuple[str, Mapping[str, Any]]], tenant: TenantId) -> Iterator[tuple[str, str]]:
    """What stands in this tenant's rows, by table."""
    for table, row in rows:
        if belongs(tenant, row):
            yield table, "\n".join(str(value) for value in row.values() if value is not None)
