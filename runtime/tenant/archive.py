"""A tenant in one file: everything that makes it up, its history included, with a sum for every file.

Owns the two commands and what goes into an archive; unpacking.py owns what may come out of one. Credentials are left
out unless asked for, and stay encrypted. Does not own what the files mean.

The form: a tar, gzipped; ``files/<path>`` for each file, and last ``manifest.json``, so that a cut archive is seen.
"""

import errno
import json
import os
import secrets
import stat
import tarfile
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import IO, Any

import runtime
from runtime.errors import BadInput, Fault, NotFound, Refused, Unavailable
from runtime.tenant.folder import TEMPORARY_PREFIX, Folder, sync
from runtime.tenant.git.changes import PROGRAM, is_git_name, mode_of
from runtime.tenant.git.commits import Refusal, shown
from runtime.tenant.monthly import instant
from runtime.tenant.registry import TENANT_ID
from runtime.tenant.secrets import SECRETS
from runtime.tenant.unpacking import (
    FILES,
    FORMAT,
    HISTORY,
    MANIFEST,
    Hashed,
    Progress,
    complete,
    unpack,
    workplace,
)
from runtime.words import TenantId


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
        sync(file.parent)
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
        with file.open("rb") as source, workplace(tenants) as building:
            manifest = unpack(source, building, file, progress)
            name = TenantId(tenant or manifest.tenant)
            if not TENANT_ID.fullmatch(name):
                raise BadInput(f"{name!r} cannot be a tenant's name", hint="give one of a-z, 0-9 and -")
            complete(building, manifest)
            if os.path.lexists(tenants / name):
                raise Refused(f"there is a tenant {name} already", hint="import it under another name")
            building.rename(tenants / name)
            sync(tenants)
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
                member = _member(FILES + path, known.st_size, known.st_mtime)
                hashed = Hashed(file)
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
            if path.startswith(".git/") and not HISTORY.fullmatch(path.removeprefix(".git/")):
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
