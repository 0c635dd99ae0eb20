"""Says that something in the versioned part of a tenant's folder was changed, soon after it was; not what.

Owns which folders are watched: those that lie in what is versioned, found without following a link, so many and no
more. It stands on watchdog's reader of inotify and not on its observers: these walk a new folder with ``os.walk``,
which an agent could lead out of the tenant with a link put in its place, and take a thread for each folder. What is
told is a hint; whoever hears it looks at the folder itself, and looks from time to time without one.
"""

import os
import stat
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from runtime import logs
from runtime.tenant.git.changes import is_versioned
from runtime.words import TenantId

if sys.platform == "linux":
    from watchdog.observers.inotify_c import (
        CallbackId,
        InotifyConstants,
        InotifyEvent,
        InotifyFD,
        Mask,
        WatchDescriptor,
    )

    _SEEN = (
        *(InotifyConstants.IN_CREATE, InotifyConstants.IN_DELETE, InotifyConstants.IN_MODIFY),
        *(InotifyConstants.IN_CLOSE_WRITE, InotifyConstants.IN_MOVED_FROM, InotifyConstants.IN_MOVED_TO),
        *(InotifyConstants.IN_ATTRIB, InotifyConstants.IN_DELETE_SELF, InotifyConstants.IN_MOVE_SELF),
        *(InotifyConstants.IN_ONLYDIR, InotifyConstants.IN_DONT_FOLLOW),
    )
    _MASK = Mask(sum(_SEEN))

MOST = 500
"""Folders of one tenant that are watched. An agent can make any number; what lies beyond is seen by looking."""

_PARTS = ("life", "directives", "execution")
"""What is watched with all that is in it; of the top of the folder and of ``state`` only what lies directly there."""

Touched = Callable[[TenantId], None]

log = logs.get("watch")


class Watch:
    """One a process. ``touched`` is called in the watch's own thread, often, and must return at once."""

    def __init__(self, touched: Touched) -> None:
        self._touched = touched
        self._lock = threading.Lock()
        self._ears: dict[TenantId, dict[str, _Ear]] = {}
        self._reader = _reader()

    @property
    def works(self) -> bool:
        """False where inotify is not to be had: then nothing is ever said, and somebody has to look more often."""
        return self._reader is not None

    def follow(self, tenant: TenantId, root: Path) -> None:
        """Watch the folders of a tenant that are there now; those that went are let go. Blocks a little."""
        with self._lock:  # also while it looks: of two callers the one that looked first must not have the last word
            there = dict(folders(root))
            ears = self._ears.setdefault(tenant, {})
            self._let_go([ears.pop(rel) for rel, ear in list(ears.items()) if ear.gone or there.get(rel) != ear.inode])
            for rel in there.keys() - ears.keys():
                if (ear := self._listen(tenant, root, rel, there[rel])) is not None:
                    ears[rel] = ear

    def forget(self, tenant: TenantId) -> None:
        """The tenant is gone."""
        with self._lock:
            self._let_go(list(self._ears.pop(tenant, {}).values()))

    def close(self) -> None:
        with self._lock:
            self._stop()

    def _listen(self, tenant: TenantId, root: Path, rel: str, inode: int) -> "_Ear | None":
        if self._reader is None:
            return None
        ear = _Ear(self._touched, tenant, rel, inode)
        try:
            path = os.fsencode(root / rel)
            ear.descriptor = self._reader.add_callback(path, _MASK, ear, CallbackId(id(ear)))
        except (FileNotFoundError, NotADirectoryError, PermissionError):
            return None  # gone since it was listed, or not ours to read
        except OSError as fault:  # no more watches: fs.inotify.max_user_watches
            log.warning("watch.ended", problem=str(fault), next="folders are looked at every second instead")
            self._stop()
            return None
        return ear

    def _let_go(self, ears: "list[_Ear]") -> None:
        if self._reader is not None:
            self._reader.remove_callbacks([(ear.descriptor, CallbackId(id(ear))) for ear in ears])

    def _stop(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.stop()


@dataclass(slots=True, eq=False)
class _Ear:
    """What inotify tells of one folder. By its inode it is told from another that took its name."""

    touched: Touched
    tenant: TenantId
    rel: str
    inode: int
    descriptor: "WatchDescriptor" = -1  # type: ignore[assignment]
    gone: bool = False

    def on_event(self, event: "InotifyEvent") -> None:
        name = os.fsdecode(event.name)
        path = "/".join(part for part in (self.rel, name) if part)
        if not name or path == "state" or is_versioned(path):
            self.touched(self.tenant)

    def on_watch_deleted(self, wd: "WatchDescriptor") -> None:  # noqa: ARG002 - watchdog's word
        self.gone = True

    def on_queue_overflow(self) -> None:
        """So much happened that some of it was not told."""
        self.touched(self.tenant)


def folders(root: Path) -> Iterator[tuple[str, int]]:
    """The folders of a tenant that are watched, each with its inode: the top (named by nothing) and those above all
    else first, none of them through a link."""
    waiting = deque(["", "state", *_PARTS])
    count = 0
    while waiting and count < MOST:
        rel = waiting.popleft()
        try:
            known = os.lstat(root / rel)
            if not stat.S_ISDIR(known.st_mode) or not os.access(root / rel, os.R_OK):
                continue
            count += 1
            yield rel, known.st_ino
            if rel.partition("/")[0] in _PARTS:
                with os.scandir(root / rel) as entries:
                    waiting += (f"{rel}/{one.name}" for one in entries if one.is_dir(follow_symlinks=False))
        except OSError:
            continue  # gone since it was listed


def _reader() -> "InotifyFD | None":
    if sys.platform != "linux":
        return None
    try:
        reader = InotifyFD()
    except OSError as fault:  # no more instances: fs.inotify.max_user_instances
        log.warning("watch.not_possible", problem=str(fault), next="folders are looked at every second instead")
        return None
    reader.start()
    return reader
