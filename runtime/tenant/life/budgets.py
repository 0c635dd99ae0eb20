"""How large a file under life/ may grow, and which ones have grown beyond it.

Owns the measure: bytes of the body, without the head. Does not own the budgets that are built in (kinds.py) nor what
becomes of a file that is over its own (learning/).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from runtime.errors import Fault
from runtime.tenant.folder import Folder
from runtime.tenant.git.changes import blob_id
from runtime.tenant.life.files import LIFE, parse
from runtime.tenant.life.kinds import Kind, kind_of

Budgets = Mapping[str, int]
"""Bytes by the name of a kind, in place of what is built in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Over:
    """A file that is over its budget. ``blob`` names its content as git does."""

    rel: str
    size: int
    budget: int
    blob: str


def budget_of(kind: Kind, budgets: Budgets) -> int:
    return budgets.get(kind.name, kind.budget)


def size_of(body: str) -> int:
    return len(body.encode("utf-8", "surrogatepass"))


def over(folder: Folder, budgets: Budgets) -> list[Over]:
    """The files of a tenant that are over their budgets. Only what is large is opened; what cannot be read is told of
    elsewhere. Blocks."""
    found = []
    for rel, stamp in sorted(folder.stamps().items()):
        if not rel.startswith(f"{LIFE}/") or not rel.endswith(".md"):
            continue
        budget = budget_of(kind_of(rel), budgets)
        if stamp.size <= budget:
            continue
        try:
            data = folder.read_bytes(rel)
            size = size_of(parse(rel, data.decode()).body)
        except (Fault, UnicodeDecodeError):
            continue
        if size > budget:
            found.append(Over(rel=rel, size=size, budget=budget, blob=blob_id(data)))
    return found
