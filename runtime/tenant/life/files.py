"""The files under life/: read with what is wrong with them known, and written whole.

Owns what a valid file is, that one that is not is read from the last good commit, and that one writer at a time changes
them. Does not own the lines in it (facts.py) nor what a file is for (kinds.py).
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from runtime import checked_json
from runtime.errors import BadInput, Broken, ConfigFault, Fault, NotFound, Refused, Unavailable
from runtime.tenant import frontmatter
from runtime.tenant.folder import Folder
from runtime.tenant.git.history import History
from runtime.tenant.life.facts import Fact, facts
from runtime.tenant.life.kinds import VERSION, Kind, Note, kind_of, migrated

LIFE = "life"
_HINT = "mend the head and save; nothing else is needed"
_BOM = "\ufeff"
_ELSEWHERE = frozenset({"directives", "execution", "state", ".secrets", ".git", "tenant.yaml", "CLAUDE.md"})

_locks: dict[Path, threading.Lock] = {}
"""One a folder, over everybody in this process who changes it: a change is a read and a write."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LifeFile:
    """One file. ``fault`` is what is wrong with it as it lies in the folder: this is then its last good version.
    ``as_read`` is its whole text when it was read, None when there was no such file."""

    rel: str
    kind: Kind
    meta: dict[str, Any] = field(default_factory=dict)
    body: str = ""
    fault: Fault | None = None
    as_read: str | None = None

    @property
    def facts(self) -> list[Fact]:
        return facts(self.body)

    @property
    def text(self) -> str:
        """The whole file. A head that says the same as before stays as a person wrote it, and so does none at all."""
        if self.as_read is not None:
            meta, body = _halves(self.rel, self.kind, self.as_read)
            if self.meta == (migrated({}, self.kind) if _is_bare(self.kind, self.as_read) else meta):
                return self.as_read[: len(self.as_read) - len(body)] + self.body
        return frontmatter.dump(self.meta, self.body)


def parse(rel: str, text: str) -> LifeFile:
    """A file from its text, its head at the newest version. Raises ConfigFault with a line for everything that is
    wrong, as ``file:line: …``."""
    kind = kind_of(rel)
    try:
        meta, body = _halves(rel, kind, text)
    except BadInput as fault:
        raise ConfigFault([fault.problem], hint=fault.hint) from None
    found = migrated(meta, kind)
    version = found.get("version")
    if isinstance(version, bool | float) or (isinstance(version, int) and not 1 <= version <= VERSION):
        newer = isinstance(version, int) and version > VERSION
        problem = (
            f"version {version} is newer than this program knows ({VERSION})" if newer else f"no version: {version}"
        )
        hint = "update proxystaff" if newer else f"write {VERSION}"
        raise ConfigFault([f"{rel}:{_line(text, 'version')}: {problem}"], hint=hint)
    head = frontmatter.head(text) if meta else ""
    checked_json.check(Path(rel), kind.head, found, text=head, above=1, hint=_HINT)
    return LifeFile(rel=rel, kind=kind, meta=found, body=body, as_read=text)


class Life:
    """life/ of one tenant. Calls block."""

    def __init__(self, folder: Folder, history: History) -> None:
        self._folder = folder
        self._history = history

    @contextmanager
    def changing(self) -> Iterator[None]:
        """To be held from the read to the write of a change: of two in this process, one after the other."""
        with _locks.setdefault(self._folder.root, threading.Lock()):
            yield

    def names(self) -> list[str]:
        """Every markdown file under life/, by its name."""
        return sorted(_markdown(self._folder, LIFE))

    def read(self, rel: str) -> LifeFile:
        """A file; its last good version when it is broken, empty when a kind of file that belongs there is missing.

        Raises NotFound, Refused (it leads out of life/), or the fault of a file that was never good.
        """
        rel = self._checked(rel)
        try:
            return parse(rel, self._folder.read_text(rel))
        except NotFound:
            if kind_of(rel).head is Note:
                raise NotFound(
                    f"there is no {rel}", hint=f"there are: {', '.join(map(_short, self.names()))}"
                ) from None
            return new(rel)
        except (ConfigFault, Broken) as fault:
            return replace(self._last_good(rel, fault), fault=fault)

    def all(self) -> list[LifeFile]:
        """Every file that can be read."""
        found = []
        for rel in self.names():
            try:
                found.append(self.read(rel))
            except Fault:
                continue
        return found

    def faults(self) -> list[Fault]:
        """What is wrong with which file, for doctor and the admin."""
        found: list[Fault] = []
        for rel in self.names():
            try:
                parse(rel, self._folder.read_text(rel))
            except Fault as fault:
                found.append(fault)
        return found

    def write(self, file: LifeFile) -> None:
        """Write a file whole. Nothing that a person wrote is overwritten: raises Refused when what lies in its place is
        broken, Unavailable when it is not what was read."""
        if file.fault is not None:
            raise Refused(f"{file.rel} is broken and waits to be mended: {file.fault.problem}", hint="tell the admin")
        try:
            now = self._folder.read_text(file.rel)
        except NotFound:
            now = None
        except Broken as fault:
            raise Refused(
                f"{file.rel} is broken and waits to be mended: {fault.problem}", hint="tell the admin"
            ) from None
        if now != file.as_read:
            raise Unavailable(f"{file.rel} was changed by somebody else just now", hint="look again, then do it again")
        self._folder.write_text(file.rel, file.text)

    def _last_good(self, rel: str, fault: Fault) -> LifeFile:
        for data in self._history.versions(rel):
            try:
                return parse(rel, data.decode())
            except (Fault, UnicodeDecodeError):
                continue
        raise fault

    def _checked(self, rel: str) -> str:
        """The file's name in the folder. ``life/``, ``.md`` and ``/tenant/`` may be there or not."""
        name = rel.strip().removeprefix("/tenant/").removeprefix("./")
        if name.startswith("/") or name.partition("/")[0] in _ELSEWHERE:
            raise Refused(f"{rel!r} is not under life/", hint="give a name such as relationships/people")
        name = name if name.startswith(f"{LIFE}/") else f"{LIFE}/{name}"
        name = name if name.endswith(".md") else f"{name}.md"
        self._folder.path(name)  # raises Refused when it leads out
        return "/".join(part for part in name.split("/") if part not in ("", "."))


def new(rel: str) -> LifeFile:
    """An empty file of the kind that its name says."""
    kind = kind_of(rel)
    return LifeFile(rel=rel, kind=kind, meta={**migrated({}, kind), **kind.begins})


def _markdown(folder: Folder, rel: str) -> Iterator[str]:
    try:
        names = folder.names(rel)
    except Refused:  # a file without an ending, or a link: nothing below it is ours
        return
    for name in names:
        if name.startswith("."):
            continue  # an editor's
        if name.endswith(".md"):
            yield f"{rel}/{name}"
        elif "." not in name:
            yield from _markdown(folder, f"{rel}/{name}")


def _halves(rel: str, kind: Kind, text: str) -> tuple[dict[str, Any], str]:
    """Head and body. A note may have no head: a person began it so."""
    return ({}, text.removeprefix(_BOM)) if _is_bare(kind, text) else frontmatter.parse(text, path=rel)


def _is_bare(kind: Kind, text: str) -> bool:
    return kind.head is Note and not text.removeprefix(_BOM).startswith(frontmatter.START)


def _short(rel: str) -> str:
    return rel.removeprefix(f"{LIFE}/").removesuffix(".md")


def _line(text: str, key: str) -> int:
    return next((n for n, line in enumerate(text.splitlines(), start=1) if f'"{key}"' in line), 1)
