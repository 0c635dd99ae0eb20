"""Bad files: which they are, and state/aside/, where what somebody saved is kept until they mend it.

Owns where the bytes of a bad file are kept and the order in which it is taken out of the way: first its bytes are there
durably, then the committed version takes its place, and only the place of exactly those bytes. A kill between the two
leaves the bad file where it was, and the next look finds its copy and goes on. Nothing here is ever overwritten.
"""

import hashlib
import itertools
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime

from runtime.errors import ConfigFault, Fault, NotFound, Refused, Unavailable
from runtime.tenant.folder import Folder
from runtime.tenant.git.changes import Change
from runtime.tenant.git.commits import BadFile, Concern, concern_of

ASIDE = "state/aside"

Check = Callable[[str, bytes | None], None]
"""Raises ConfigFault when a path with these bytes (None: it is gone) must not be in force."""

_LONGEST = 200
"""Bytes of a file's name that are kept with the time behind it; a longer one is named by its sum."""


def judged(folder: Folder, changes: Iterable[Change], checks: Iterable[Check]) -> Iterator[BadFile]:
    """Those of the changes that fail one of ``checks``, by the first that they fail."""
    for one in changes:
        try:
            for check in checks:
                check(one.path, one.data)
        except ConfigFault as fault:
            yield BadFile(
                path=one.path,
                faults=tuple(fault.faults),
                committed=one.before.blob if one.before else "",
                data=one.data,
                stamp=one.stamp,
                aside=_place(folder, one),
            )


def put(folder: Folder, bad: BadFile, good: bytes | None, *, mode: int) -> bool:
    """Keep a bad file aside and put ``good`` in its place, or nothing where there is none. False when it is not to be
    moved, was changed again meanwhile, or when the way there is barred: then it is where it was."""
    if bad.data is None and good is not None and concern_of(bad.path) is not Concern.SETTINGS:
        return _put_back(folder, bad.path, good, mode=mode)
    if bad.data is None or bad.stamp is None or not bad.aside:
        return False
    with suppress(Unavailable, NotFound, Refused):
        if not is_there(folder, bad.aside):
            folder.write_bytes(bad.aside, bad.data, mode=0o644)
        elif folder.read_bytes(bad.aside) != bad.data:
            return False
        if good is None:
            folder.remove(bad.path, over=bad.stamp)
        else:
            folder.write_bytes(bad.path, good, mode=mode, over=bad.stamp)
        return True
    return False


def _put_back(folder: Folder, path: str, good: bytes, *, mode: int) -> bool:
    """A file that must not be gone."""
    with suppress(Unavailable, Refused):
        if not is_there(folder, path):
            folder.write_bytes(path, good, mode=mode)
            return True
    return False


def is_there(folder: Folder, name: str) -> bool:
    """Whether something is kept under this name. Raises Refused when the way there is barred."""
    try:
        folder.read_bytes(name)
    except NotFound:
        return False
    return True


def _place(folder: Folder, change: Change) -> str:
    """Where the bytes of a changed file would be kept: a name that is free, or holds the same bytes already. Nothing
    for what stays where it is (settings) and for what is gone."""
    if change.data is None or change.stamp is None or change.concern is Concern.SETTINGS:
        return ""
    above, slash, name = change.path.rpartition("/")
    if len(name.encode("utf-8", "surrogateescape")) > _LONGEST:
        name = hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()
    when = datetime.fromtimestamp(change.stamp.ctime_ns // 10**9, UTC).strftime("%Y%m%dT%H%M%SZ")
    first = f"{ASIDE}/{above}{slash}{name}.{when}"
    names = (f"{first}-{number}" if number > 1 else first for number in itertools.count(1))
    return next(one for one in names if _is_usable(folder, one, change.data))


def _is_usable(folder: Folder, name: str, data: bytes) -> bool:
    try:
        return folder.read_bytes(name) == data
    except Fault:
        return True  # it is free; or the way there is barred, which writing will say
