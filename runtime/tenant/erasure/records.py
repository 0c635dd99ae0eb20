"""What is known of an erasure afterwards: ``state/erasures/<date>-<n>.json``, not versioned, for the runtime only.

Owns that file. It holds old and new ids of commits and what was counted, and no word about the person but a slow hash
of the name, by which somebody who knows the name can see that it was erased.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from runtime.errors import Fault
from runtime.tenant.folder import Folder

ERASURES = "state/erasures"


def next_id(folder: Folder, day: str) -> str:
    """``2026-11-20-1`` for the first of a day."""
    number = sum(name.startswith(day) for name in folder.names(ERASURES)) + 1
    return f"{day}-{number}"


def write(folder: Folder, erasure: str, **facts: Any) -> None:
    """Write down what is known of an erasure. Ids of commits that were written down before a kill stay."""
    known = _read(folder, f"{erasure}.json")
    commits = {**known.get("commits", {}), **facts.pop("commits", {})}
    text = json.dumps({**known, **facts, "commits": commits}, indent=1) + "\n"
    folder.make(ERASURES, mode=0o700)
    folder.write_text(f"{ERASURES}/{erasure}.json", text, mode=0o600)


def commits_of(folder: Folder, erasure: str) -> Mapping[str, str]:
    """Old id -> new id of every commit that this erasure changed."""
    return dict(_commits(_read(folder, f"{erasure}.json")))


def renamed(folder: Folder, prefix: str) -> str | None:
    """What the one commit whose old id starts with ``prefix`` is called now."""
    found = None
    for name in sorted(folder.names(ERASURES), key=_number):
        commits = dict(_commits(_read(folder, name)))
        if found is None:
            matching = {new for old, new in commits.items() if old.startswith(prefix)}
            found = matching.pop() if len(matching) == 1 else None
        elif found in commits:
            found = commits[found]
    return found


def code(name: str, salt: bytes) -> str:
    """A hash of ``name`` that takes a while to make, so that names cannot be tried by the million."""
    return hashlib.scrypt(name.encode("utf-8", "surrogateescape"), salt=salt, n=2**14, r=8, p=1, dklen=16).hex()


def _commits(record: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    commits = record.get("commits")
    for old, new in commits.items() if isinstance(commits, dict) else ():
        if isinstance(new, str):
            yield old, new


def _number(name: str) -> tuple[str, int]:
    day, _, number = name.removesuffix(".json").rpartition("-")
    return day, int(number) if number.isdecimal() else 0


def _read(folder: Folder, name: str) -> dict[str, Any]:
    try:
        found = json.loads(folder.read_text(f"{ERASURES}/{name}"))
    except (Fault, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
