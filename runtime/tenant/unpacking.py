"""What comes out of an archive: nothing, until each path, kind, size and sum in it has been checked.

Owns the archive's form (see archive.py) and the folder that a tenant is built in before it has its name.
"""

import fcntl
import hashlib
import json
import os
import re
import secrets
import shutil
import stat
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from runtime.errors import BadInput, Fault, Unavailable
from runtime.tenant.blueprint import STATE
from runtime.tenant.folder import Folder, sync
from runtime.tenant.git.changes import PROGRAM, is_git_name, mode_of
from runtime.tenant.git.commits import shown
from runtime.tenant.git.history import History
from runtime.tenant.secrets import SECRETS

FORMAT = 1
MANIFEST = "manifest.json"

Progress = Callable[[int, int], None]
"""Called with what is done and the whole, in bytes."""

FILES = "files/"
_BUILDING = ".import-"
_BLOCK = 1024 * 1024
_MAX_MANIFEST = 256 * 1024 * 1024
_MAX_FILES = 1_000_000
_KEEP_FREE = 64 * 1024 * 1024

# Of .git only what holds history: no hook, no config, no alternate, no index, no lock.
HISTORY = re.compile(
    r"HEAD|packed-refs|(refs|logs)/.+(?<!\.lock)|objects/[0-9a-f]{2}/[0-9a-f]{38}"
    r"|objects/pack/pack-[0-9a-f]{40}\.(pack|idx|rev|bitmap|mtimes)",
    re.DOTALL,
)
_CONFIG = "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = false\n\tlogallrefupdates = true\n"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What is needed of a manifest once its sums are right."""

    tenant: str
    programs: tuple[str, ...]


@dataclass(slots=True)
class Hashed:
    """Reads a file and sums what was read."""

    file: IO[bytes]
    sum: Any = field(default_factory=hashlib.sha256)

    def read(self, size: int = -1) -> bytes:
        data = self.file.read(size)
        self.sum.update(data)
        return data


@contextmanager
def workplace(tenants: Path) -> Iterator[Path]:
    """A folder beside the tenants, held while it is built, gone if it was not renamed. What kills left is removed."""
    for left in tenants.glob(f"{_BUILDING}*"):
        descriptor = _hold(left)
        if descriptor is not None:
            shutil.rmtree(left)
            os.close(descriptor)
    building = tenants / f"{_BUILDING}{secrets.token_hex(8)}"
    building.mkdir(0o755)
    descriptor = _hold(building)
    try:
        yield building
    finally:
        if building.exists():
            shutil.rmtree(building)
        if descriptor is not None:
            os.close(descriptor)


def _hold(folder: Path) -> int | None:
    """A descriptor that holds the folder's lock until it is closed; None when somebody else holds it."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def unpack(source: IO[bytes], building: Path, file: Path, progress: Progress | None) -> Manifest:
    """Every file into ``building``; returns the manifest when what it says is what was there."""
    whole = os.fstat(source.fileno()).st_size
    room = shutil.disk_usage(building).free - _KEEP_FREE
    sums: dict[str, tuple[int, str]] = {}
    with tarfile.open(fileobj=source, mode="r|gz") as tar:
        for member in tar:
            if member.type not in (tarfile.REGTYPE, tarfile.AREGTYPE) or member.issparse():
                raise _wrong(file, f"{shown(member.name)} is not an ordinary file")
            content = tar.extractfile(member)
            if content is None or member.size < 0:
                raise _wrong(file, f"{shown(member.name)} has no content")
            if member.name == MANIFEST:
                if member.size > _MAX_MANIFEST:
                    raise _wrong(file, "its manifest is too large")
                data = content.read()
                if tar.next() is not None:
                    raise _wrong(file, "something comes after its manifest")
                return _checked(file, data, sums)
            room -= member.size
            if room < 0 or len(sums) >= _MAX_FILES:
                raise Unavailable(f"there is no room for what is in {file}", hint="make room on the disk")
            path = _path_of(file, member.name)
            if path in sums:
                raise _wrong(file, f"{shown(path)} is in it twice")
            sums[path] = (member.size, _write(building, path, content))
            if progress:
                progress(min(source.tell(), whole), whole)
    raise _wrong(file, "it ends before its manifest")


def _path_of(file: Path, name: str) -> str:
    """The path inside the tenant that a member's name stands for."""
    path = name.removeprefix(FILES)
    parts = path.split("/")
    if path == name or "\0" in path or any(part in ("", ".", "..") for part in parts):
        raise _wrong(file, f"{shown(name)} would not stay inside the tenant")
    if any(is_git_name(part) for part in parts[1:]) or (is_git_name(parts[0]) and parts[0] != ".git"):
        raise _wrong(file, f"{shown(name)} is a git repository inside the tenant's")
    return path


def _write(building: Path, path: str, content: IO[bytes]) -> str:
    """Write one file and return its sum. Of .git, what is not history is summed and dropped.

    ``building`` is ours and holds no link, so names lead where they say.
    """
    hashed = Hashed(content)
    if path.startswith(".git/") and not HISTORY.fullmatch(path.removeprefix(".git/")):
        while hashed.read(_BLOCK):
            pass
        return str(hashed.sum.hexdigest())
    target = building / path
    target.parent.mkdir(parents=True, exist_ok=True)
    mode = 0o600 if path.startswith(f"{SECRETS}/") else 0o644
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode), "wb") as out:
        shutil.copyfileobj(hashed, out, _BLOCK)
        out.flush()
        os.fsync(out.fileno())
    return str(hashed.sum.hexdigest())


def _checked(file: Path, data: bytes, sums: dict[str, tuple[int, str]]) -> Manifest:
    try:
        manifest = json.loads(data)
        form = manifest["format"]
        listed = {str(one["path"]): (int(one["size"]), str(one["sha256"])) for one in manifest["files"]}
        programs = tuple(str(one["path"]) for one in manifest["files"] if one["mode"] == "program")
        tenant = str(manifest["tenant"])
    except (ValueError, KeyError, TypeError, RecursionError):
        raise _wrong(file, "its manifest cannot be read") from None
    if form != FORMAT:
        raise _wrong(file, f"its format is {form!r}, and this version reads {FORMAT}")
    wrong = sorted(path for path in listed.keys() | sums.keys() if listed.get(path) != sums.get(path))
    if wrong:
        raise _wrong(file, f"{shown(wrong[0])} is not what the manifest says")
    return Manifest(tenant, programs)


def complete(building: Path, manifest: Manifest) -> None:
    """What an archive does not carry: empty folders, modes, a git config of our own. Then the history is checked."""
    for part in (*STATE, ".git/refs", ".git/objects"):
        (building / part).mkdir(parents=True, exist_ok=True)
    (building / SECRETS).mkdir(exist_ok=True)
    (building / SECRETS).chmod(0o700)
    (building / ".git/config").write_text(_CONFIG)
    for path in manifest.programs:
        if mode_of(path, stat.S_IXUSR) == PROGRAM:
            (building / path).chmod(0o755)
    try:
        History(Folder(building)).verify()
    except Fault as fault:
        raise BadInput(f"the archive's history is not whole: {fault.problem}", hint="export it again") from None
    for at, _, _ in os.walk(building):
        sync(Path(at))


def _wrong(file: Path, what: str) -> BadInput:
    return BadInput(f"{file.name} is refused: {what}", hint="export the tenant again with `proxystaff export`")
