"""A tenant in one file: everything that makes it up, its history included, with a sum for every file.

Owns the archive's form and what may come out of one: an archive is somebody else's words until each path, kind, size
and sum in it has been checked. Credentials are left out unless asked for, and stay encrypted.
Does not own what the files mean.

The form: a tar, gzipped; ``files/<path>`` for each file, and last ``manifest.json``, so that a cut archive is seen.
"""

import errno
import fcntl
import hashlib
import json
import os
import re
import secrets
import shutil
import stat
import tarfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import IO, Any

import runtime
from runtime.errors import BadInput, Broken, Fault, NotFound, Refused, Unavailable
from runtime.tenant.blueprint import STATE
from runtime.tenant.changes import PROGRAM, is_git_name, mode_of
from runtime.tenant.commits import Refusal, shown
from runtime.tenant.folder import TEMPORARY_PREFIX, Folder
from runtime.tenant.history import History
from runtime.tenant.monthly import instant
from runtime.tenant.registry import TENANT_ID
from runtime.tenant.secrets import SECRETS
from runtime.words import TenantId

FORMAT = 1
MANIFEST = "manifest.json"

Progress = Callable[[int, int], None]
"""Called with what is done and the whole, in bytes."""

_FILES = "files/"
_BUILDING = ".import-"
_BLOCK = 1024 * 1024
_MAX_MANIFEST = 256 * 1024 * 1024
_MAX_FILES = 1_000_000
_KEEP_FREE = 64 * 1024 * 1024

# Of .git only what holds history: no hook, no config, no alternate, no index, no lock.
_HISTORY = re.compile(
    r"HEAD|packed-refs|(refs|logs)/.+(?<!\.lock)|objects/[0-9a-f]{2}/[0-9a-f]{38}"
    r"|objects/pack/pack-[0-9a-f]{40}\.(pack|idx|rev|bitmap|mtimes)",
    re.DOTALL,
)
_CONFIG = "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = false\n\tlogallrefupdates = true\n"


@dataclass(frozen=True, slots=True)
class Exported:
    """What went into an archive. ``left_out``: what is neither file nor folder, or went away meanwhile."""

    files: int
    bytes: int
    left_out: tuple[Refusal, ...]


def export(folder: Folder, file: Path, *, include_secrets: bool = False, progress: Progress | None = None) -> Exported:
    """Write a tenant into ``file``, which appears when it is whole. Nothing should write the tenant meanwhile.

    Raises Refused (``file`` exists or is inside the tenant), Unavailable (a file changed while it was read).
    """
    file = file.absolute()
    if file.exists() or file.resolve().is_relative_to(folder.root):
        raise Refused(f"{file} exists already or is inside the tenant", hint="name a new file elsewhere")
    if not file.parent.is_dir():
        raise NotFound(f"there is no folder {file.parent}", hint="make it first")
    part = file.with_name(f".{file.name}.{secrets.token_hex(4)}.part")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            done = _pack(folder, out, include_secrets=include_secrets, progress=progress)
            out.flush()
            os.fsync(out.fileno())
        part.rename(file)
        _sync(file.parent)
    except OSError as fault:
        raise Unavailable(f"{file} cannot be written: {fault.strerror}", hint="make room on the disk") from None
    finally:
        part.unlink(missing_ok=True)
    return done


def import_(file: Path, tenants: Path, *, tenant: str = "", progress: Progress | None = None) -> TenantId:
    """Make a tenant from an archive, under its own name or the one given. It appears when all of it is there and right.

    Raises NotFound (no such file), Refused (there is such a tenant), BadInput (not an archive of ours, cut, altered,
    or with something in it that would not stay inside the folder), Unavailable (the disk is full).
    """
    tenants.mkdir(parents=True, exist_ok=True)
    try:
        with file.open("rb") as source, _building(tenants) as building:
            manifest = _unpack(source, building, file, progress)
            name = TenantId(tenant or manifest.tenant)
            if not TENANT_ID.fullmatch(name):
                raise BadInput(f"{name!r} cannot be a tenant's name", hint="give one of a-z, 0-9 and -")
            _complete(building, manifest)
            if os.path.lexists(tenants / name):
                raise Refused(f"there is a tenant {name} already", hint="import it under another name")
            building.rename(tenants / name)
            _sync(tenants)
            return name
    except FileNotFoundError:
        raise NotFound(f"there is no {file}", hint="check the name") from None
    except (tarfile.TarError, EOFError, zlib.error) as fault:
        raise BadInput(f"{file} is not a whole archive: {fault}", hint="export the tenant again") from None
    except OSError as fault:
        if fault.errno is None:  # gzip's own
            raise BadInput(f"{file} is not an archive: {fault}", hint="export the tenant again") from None
        if fault.errno in (errno.ENAMETOOLONG, errno.EISDIR, errno.EEXIST, errno.ENOTDIR, errno.EINVAL, errno.EILSEQ):
            raise BadInput(f"{file} holds names that cannot be: {fault.strerror}", hint="export it again") from None
        raise Unavailable(f"{file} cannot be unpacked: {fault.strerror}", hint="check the disk") from None


@dataclass(frozen=True, slots=True)
class _Manifest:
    """What is needed of a manifest once its sums are right."""

    tenant: str
    programs: tuple[str, ...]


# Writing


@dataclass(slots=True)
class _Hashed:
    """Reads a file and sums what was read."""

    file: IO[bytes]
    sum: Any = field(default_factory=hashlib.sha256)

    def read(self, size: int = -1) -> bytes:
        data = self.file.read(size)
        self.sum.update(data)
        return data


def _pack(folder: Folder, out: IO[bytes], *, include_secrets: bool, progress: Progress | None) -> Exported:
    found, left_out = _found(folder, include_secrets=include_secrets)
    total, done = sum(size for _, size in found), 0
    listed = []
    with tarfile.open(fileobj=out, mode="w:gz", compresslevel=6, format=tarfile.PAX_FORMAT) as tar:
        for path, _ in found:
            try:
                descriptor = folder.open_regular(path)
            except Fault as fault:
                left_out.append(Refusal(shown(path), fault.problem))
                continue
            with os.fdopen(descriptor, "rb") as file:
                known = os.fstat(file.fileno())
                member = _member(_FILES + path, known.st_size, known.st_mtime)
                hashed = _Hashed(file)
                try:
                    tar.addfile(member, hashed)
                except OSError as fault:
                    if "unexpected end" not in str(fault):
                        raise
                    raise Unavailable(f"{shown(path)} changed while it was read", hint="try again") from None
            mode = "program" if mode_of(path, known.st_mode) == PROGRAM else "file"
            listed.append({"path": path, "size": known.st_size, "sha256": hashed.sum.hexdigest(), "mode": mode})
            done += known.st_size
            if progress:
                progress(done, max(total, done))
        data = _manifest(folder, listed, left_out, include_secrets=include_secrets)
        tar.addfile(_member(MANIFEST, len(data), 0), BytesIO(data))
    return Exported(len(listed), done, tuple(left_out))


def _manifest(folder: Folder, listed: list[dict[str, Any]], left_out: list[Refusal], *, include_secrets: bool) -> bytes:
    manifest = {
        "format": FORMAT,
        "product": f"proxystaff {runtime.__version__}",
        "tenant": folder.root.name,
        "made_at": instant(datetime.now(UTC)),
        "secrets": include_secrets,
        "left_out": [{"path": one.path, "why": one.why} for one in left_out],
        "files": listed,
    }
    return json.dumps(manifest, indent=1).encode()


def _found(folder: Folder, *, include_secrets: bool) -> tuple[list[tuple[str, int]], list[Refusal]]:
    """Every file to pack with its size. The history's objects come last: what a ref that was read names is there."""
    found: list[tuple[str, int]] = []
    left_out: list[Refusal] = []
    for at, names, files in os.walk(folder.root):
        rel = os.path.relpath(at, folder.root)
        names[:] = sorted(name for name in names if include_secrets or (rel, name) != (".", SECRETS))
        for name in sorted(files + [name for name in names if (Path(at) / name).is_symlink()]):
            path = name if rel == "." else f"{rel}/{name}"
            if path.startswith(".git/") and not _HISTORY.fullmatch(path.removeprefix(".git/")):
                continue
            if name.startswith(TEMPORARY_PREFIX):
                continue
            if why := _why_left_out(path, folder):
                left_out.append(Refusal(shown(path), why))
            else:
                found.append((path, os.lstat(folder.root / path).st_size))
    return sorted(found, key=lambda one: one[0].startswith(".git/objects/")), left_out


def _why_left_out(path: str, folder: Folder) -> str:
    if any(is_git_name(part) for part in path.split("/")[1:]):
        return "a git repository inside the tenant's"
    try:
        mode = os.lstat(folder.root / path).st_mode
    except OSError as fault:
        return fault.strerror or "went away"
    return "" if stat.S_ISREG(mode) else "a link, a pipe or the like"


def _member(name: str, size: int, changed: float) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size = size
    member.mtime = int(changed)
    member.mode = 0o600
    return member


# Reading


@contextmanager
def _building(tenants: Path) -> Iterator[Path]:
    """A folder beside the tenants, held while it is built, gone if it was not renamed. What kills left is removed."""
    for left in tenants.glob(f"{_BUILDING}*"):
        with _held(left) as free:
            if free:
                shutil.rmtree(left)
    building = tenants / f"{_BUILDING}{secrets.token_hex(8)}"
    building.mkdir(0o755)
    try:
        with _held(building):
            yield building
    finally:
        if building.exists():
            shutil.rmtree(building)


@contextmanager
def _held(folder: Path) -> Iterator[bool]:
    """Hold a folder's lock; False when another process does."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        yield False
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield True
    except BlockingIOError:
        yield False
    finally:
        os.close(descriptor)


def _unpack(source: IO[bytes], building: Path, file: Path, progress: Progress | None) -> _Manifest:
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
    path = name.removeprefix(_FILES)
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
    hashed = _Hashed(content)
    if path.startswith(".git/") and not _HISTORY.fullmatch(path.removeprefix(".git/")):
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


def _checked(file: Path, data: bytes, sums: dict[str, tuple[int, str]]) -> _Manifest:
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
    return _Manifest(tenant, programs)


def _complete(building: Path, manifest: _Manifest) -> None:
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
    except Broken as fault:
        raise BadInput(f"the archive's history is not whole: {fault.problem}", hint="export it again") from None
    for at, _, _ in os.walk(building):
        _sync(Path(at))


def _wrong(file: Path, what: str) -> BadInput:
    return BadInput(f"{file.name} is refused: {what}", hint="export the tenant again with `proxystaff export`")


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
