"""A tenant's folder: the only way from a name to one of its files, and it cannot lead out.

Owns containment: an agent may write anything into most of the folder, so every file is opened component by component,
without following a link, and only when it is a regular file. Does not own what any file means.
"""

import errno
import os
import secrets
import stat
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, NamedTuple

from runtime.errors import Broken, Fault, NotFound, Refused, Unavailable

COMMITTED = ("CLAUDE.md", "tenant.yaml", ".gitignore", "life", "directives", "execution", "state/schedules.yaml")
"""What of a tenant is versioned. The rest of ``state/`` and ``.secrets/`` is not."""

MAX_READ = 16 * 1024 * 1024
"""Bytes. A file that is read whole is never larger: an agent can make a sparse file of any size."""

TEMPORARY_PREFIX = ".ps-"
"""Names of files being written; one that a kill left behind is nobody's and is never versioned."""

_MAX_NAME = 255  # bytes of one component, on every file system in use
_OPEN = os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY
_OPEN_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW

# Older kernels stamp files with a clock of up to 10 ms; two changes within one tick look the same.
_CLOCK_TICK_NS = 20_000_000


class Stamp(NamedTuple):
    """What lstat says of one file. ``fresh_at`` is the time of the scan (ns) when the file had only just changed, so
    that such a stamp equals no other: a second change in the same tick of the file system's clock would not show."""

    mtime_ns: int
    ctime_ns: int
    size: int
    inode: int
    mode: int
    fresh_at: int = 0

    def is_at(self, name: str, parent: int) -> bool:
        """Whether it is still what lies under ``name`` in the open folder ``parent``."""
        try:
            now = os.lstat(name, dir_fd=parent)
        except FileNotFoundError:
            return False
        return self[:5] == (now.st_mtime_ns, now.st_ctime_ns, now.st_size, now.st_ino, now.st_mode)


Stamps = Mapping[str, Stamp]
"""Path inside the folder -> stamp. Two equal ones mean that nothing changed; unequal ones that something may have."""


class Folder:
    """One tenant's folder. Names are relative, with ``/``; ``..``, absolute names and NUL are Refused.

    Raises NotFound (no such file), Refused (leads out, a link, not a regular file, too large) or Broken (the disk
    said no).
    """

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()

    def __repr__(self) -> str:
        return f"Folder({str(self.root)!r})"

    def path(self, *parts: str) -> Path:
        """The absolute path, for handing to git, bwrap or sqlite. To read or write on somebody's behalf use the
        other methods: between this check and a later open by name a link can be planted."""
        name = "/".join(parts)
        names = [one for part in parts for one in _names(part)]
        try:
            found = self.root.joinpath(*names).resolve()
        except (OSError, RuntimeError) as fault:  # too long; a circle of links
            raise _refused(name, f"cannot be followed: {fault}") from None
        if not found.is_relative_to(self.root):
            raise _refused(name, "leads outside the tenant's folder")
        return found

    def open_regular(self, rel: str, flags: int = os.O_RDONLY, *, mode: int = 0o644) -> int:
        """A file descriptor of a regular file, to be closed by the caller; never blocks, follows no link.

        ``flags`` as of os.open. With O_CREAT the folders above are made too.
        """
        with self._parent(rel, create=bool(flags & os.O_CREAT)) as (parent, name):
            descriptor = os.open(name, flags | _OPEN, mode, dir_fd=parent)
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                os.close(descriptor)
                raise _refused(rel, "is not a regular file")
            return descriptor

    def read_bytes(self, rel: str) -> bytes:
        with os.fdopen(self.open_regular(rel), "rb") as file:
            data = file.read(MAX_READ + 1)
        if len(data) > MAX_READ:
            raise _refused(rel, f"is larger than {MAX_READ // 1024 // 1024} MB")
        return data

    def read_text(self, rel: str) -> str:
        """The file as UTF-8, line ends as they are. Raises Broken when it is not UTF-8."""
        try:
            return self.read_bytes(rel).decode()
        except UnicodeDecodeError as fault:
            raise Broken(f"{rel} is not UTF-8 text (byte {fault.start})", hint=f"save {rel} as UTF-8") from None

    def write_text(self, rel: str, text: str, *, mode: int | None = None) -> None:
        """As write_bytes, in UTF-8."""
        self.write_bytes(rel, text.encode(), mode=mode)

    def write_bytes(self, rel: str, data: bytes, *, mode: int | None = None, over: Stamp | None = None) -> None:
        """Replace the file whole, durably: a kill leaves the old one or the new one. Folders above are made.

        A link in the file's place is replaced, never followed. ``mode`` defaults to the old file's, or 0644. With
        ``over`` only that is replaced: raises Unavailable when something else lies there by now.
        """
        with self.replacing(rel, mode=mode, over=over) as file:
            file.write(data)

    @contextmanager
    def replacing(self, rel: str, *, mode: int | None = None, over: Stamp | None = None) -> Iterator[BinaryIO]:
        """As write_bytes, for what is written piece by piece: the old file stays until the block has ended well."""
        with self._parent(rel, create=True) as (parent, name):
            temporary = f"{TEMPORARY_PREFIX}{secrets.token_hex(8)}.tmp"
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _OPEN, 0o600, dir_fd=parent)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    yield file
                    file.flush()
                    os.fchmod(descriptor, _mode_of(name, parent) if mode is None else mode)
                    os.fsync(descriptor)
                _refuse_other(rel, over, name, parent)
                os.rename(temporary, name, src_dir_fd=parent, dst_dir_fd=parent)
            except BaseException:
                with suppress(FileNotFoundError):
                    os.unlink(temporary, dir_fd=parent)
                raise
            os.fsync(parent)

    def remove(self, rel: str, *, over: Stamp | None = None) -> None:
        """Durably remove a file (or the link in its place); ``over`` as in write_bytes. Raises NotFound."""
        with self._parent(rel) as (parent, name):
            _refuse_other(rel, over, name, parent)
            os.unlink(name, dir_fd=parent)
            os.fsync(parent)

    def make(self, rel: str, *, mode: int = 0o755) -> None:
        """Make a folder and those above it, durably; one that is there stays as it is."""
        with _faults(rel):
            os.close(self._descend(_names(rel), create=True, mode=mode))

    def names(self, rel: str) -> list[str]:
        """What is in a folder, sorted, without what is only being written; nothing when there is no such folder."""
        try:
            with _faults(rel):
                descriptor = self._descend(_names(rel))
        except NotFound:
            return []
        try:
            with os.scandir(descriptor) as entries:
                return sorted(entry.name for entry in entries if not entry.name.startswith(TEMPORARY_PREFIX))
        finally:
            os.close(descriptor)

    def tidy(self, *, older_than: float = 3600) -> int:
        """Remove what kills left half written, by age in seconds; how many there were. ``.git`` is not ours."""
        removed, waiting, horizon = 0, [""], time.time() - older_than
        while waiting:
            rel = waiting.pop()
            with suppress(OSError), os.scandir(self.root / rel) as entries:
                for entry in entries:
                    name = f"{rel}/{entry.name}" if rel else entry.name
                    if entry.is_dir(follow_symlinks=False):
                        waiting += [name] if name != ".git" else []
                    elif (
                        entry.name.startswith(TEMPORARY_PREFIX) and entry.stat(follow_symlinks=False).st_mtime < horizon
                    ):
                        self.remove(name)
                        removed += 1
        return removed

    def stamps(self, parts: Iterable[str] = COMMITTED) -> Stamps:
        """A cheap scan of ``parts``: no file is opened, no link followed; what is neither file nor folder (a link, a
        FIFO) is listed as well."""
        found: dict[str, Stamp] = {}
        now = time.time_ns()
        waiting = list(parts)
        while waiting:
            rel = waiting.pop()
            try:
                known = os.lstat(self.root / rel)
                if stat.S_ISDIR(known.st_mode):
                    _scan(self.root, rel, found, waiting, now=now)
                else:
                    found[rel] = _stamp(known, now)
            except (FileNotFoundError, NotADirectoryError):
                continue  # not there, or gone since it was listed
            except OSError:
                # Nested too deep, or closed to us. It equals no other stamp, so that the history looks and says so.
                found[rel] = Stamp(0, 0, 0, 0, 0, fresh_at=now)
        return found

    @contextmanager
    def _parent(self, rel: str, *, create: bool = False) -> Iterator[tuple[int, str]]:
        """The open folder that holds ``rel``, and the last name of it."""
        names = _names(rel)
        if not names:
            raise _refused(rel, "names no file")
        with _faults(rel):
            parent = self._descend(names[:-1], create=create)
            try:
                yield parent, names[-1]
            finally:
                os.close(parent)

    def _descend(self, names: list[str], *, create: bool = False, mode: int = 0o755) -> int:
        current = os.open(self.root, _OPEN_FOLDER)
        try:
            for name in names:
                if create:
                    _make_one(name, current, mode)
                deeper = os.open(name, _OPEN_FOLDER, dir_fd=current)
                os.close(current)
                current = deeper
        except BaseException:
            os.close(current)
            raise
        return current


def stamp_of(path: Path) -> Stamp | None:
    """What is in the place of one file now, whatever it is; None when it cannot be seen."""
    try:
        return _stamp(path.lstat(), time.time_ns())
    except OSError:
        return None


def _names(rel: str) -> list[str]:
    """The components of a relative name; ``.`` and doubled slashes mean nothing."""
    if "\0" in rel:
        raise _refused(rel, "holds a NUL byte")
    if rel.startswith("/"):
        raise _refused(rel, "is absolute")
    names = [name for name in rel.split("/") if name not in ("", ".")]
    if ".." in names:
        raise _refused(rel, "leads upwards")
    try:
        too_long = any(len(os.fsencode(name)) > _MAX_NAME for name in names)
    except UnicodeEncodeError:
        raise _refused(rel, "is no name a file can have") from None
    if too_long:
        raise _refused(rel, "is too long a name")
    return names


def sync(path: Path) -> None:
    """Make a file, or which names a folder holds, durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _refuse_other(rel: str, over: Stamp | None, name: str, parent: int) -> None:
    if over is not None and not over.is_at(name, parent):
        raise Unavailable(f"{rel} was changed meanwhile", hint="look at it again")


def _make_one(name: str, parent: int, mode: int) -> None:
    try:
        os.mkdir(name, mode, dir_fd=parent)
    except FileExistsError:
        return
    os.fsync(parent)


def _mode_of(name: str, parent: int) -> int:
    try:
        known = os.lstat(name, dir_fd=parent)
    except FileNotFoundError:
        return 0o644
    return stat.S_IMODE(known.st_mode) & 0o777 if stat.S_ISREG(known.st_mode) else 0o644


def _scan(root: Path, rel: str, found: dict[str, Stamp], waiting: list[str], *, now: int) -> None:
    with os.scandir(root / rel) as entries:
        for entry in entries:
            name = f"{rel}/{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                waiting.append(name)
            elif not entry.name.startswith(TEMPORARY_PREFIX):
                found[name] = _stamp(entry.stat(follow_symlinks=False), now)


def _stamp(known: os.stat_result, now: int) -> Stamp:
    fresh_at = now if known.st_ctime_ns > now - _CLOCK_TICK_NS else 0
    return Stamp(known.st_mtime_ns, known.st_ctime_ns, known.st_size, known.st_ino, known.st_mode, fresh_at)


def _refused(rel: str, why: str) -> Refused:
    return Refused(f"{rel!r} {why}", hint="use the name of an ordinary file inside the tenant's folder")


@contextmanager
def _faults(rel: str) -> Iterator[None]:
    """The operating system's errors, as faults."""
    try:
        yield
    except OSError as fault:
        raise _fault(rel, fault) from None


def _fault(rel: str, error: OSError) -> Fault:
    match error.errno:
        case errno.ENOENT:
            return NotFound(f"there is no {rel}", hint="check the name")
        case errno.ELOOP | errno.ENOTDIR | errno.EMLINK:
            return _refused(rel, "leads through a link or something that is not a folder")
        case errno.ENXIO | errno.EISDIR | errno.ENODEV:
            return _refused(rel, "is not a regular file")
        case errno.ENAMETOOLONG:
            return _refused(rel, "is too long a name")
        case _:
            return Broken(
                f"{rel}: {error.strerror or error}", hint="check the disk's space and who owns the tenant's folder"
            )
