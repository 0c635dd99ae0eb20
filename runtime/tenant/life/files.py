"""The files under life/: read with what is wrong with them known, and written whole.

Owns what a valid file is, and that one that is not is read from the last good commit. Does not own the lines in it
(facts.py) nor what a file is for (kinds.py).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from runtime import checked_json
from runtime.errors import BadInput, Broken, ConfigFault, Fault, NotFound, Refused
from runtime.tenant import frontmatter
from runtime.tenant.folder import Folder
from runtime.tenant.history import History
from runtime.tenant.life.facts import Fact, facts
from runtime.tenant.life.kinds import VERSION, Kind, Note, kind_of, migrated

LIFE = "life"
_HINT = "mend the head and save; nothing else is needed"


@dataclass(frozen=True, slots=True, kw_only=True)
class LifeFile:
    """One file. ``fault`` is what is wrong with it as it lies in the folder: this is then its last good version."""

    rel: str
    kind: Kind
    meta: dict[str, Any] = field(default_factory=dict)
    body: str = ""
    fault: Fault | None = None

    @property
    def facts(self) -> list[Fact]:
        return facts(self.body)

    @property
    def text(self) -> str:
        return frontmatter.dump(self.meta, self.body)


def parse(rel: str, text: str) -> LifeFile:
    """A file from its text, its head at the newest version. Raises ConfigFault with a line for everything that is
    wrong, as ``file:line: …``."""
    kind = kind_of(rel)
    try:
        meta, body = ({}, text) if _is_bare(kind, text) else frontmatter.parse(text, path=rel)
    except BadInput as fault:
        raise ConfigFault([fault.problem], hint=fault.hint) from None
    found = migrated(meta, kind)
    version = found.get("version")
    if isinstance(version, int) and version > VERSION:
        problem = f"{rel}:{_line(text, 'version')}: version {version} is newer than this program knows ({VERSION})"
        raise ConfigFault([problem], hint="update proxystaff")
    head = frontmatter.head(text if found == meta else frontmatter.dump(found, ""))
    checked_json.load(Path(rel), kind.head, text=head, above=1, hint=_HINT)
    return LifeFile(rel=rel, kind=kind, meta=found, body=body)


class Life:
    """life/ of one tenant. Calls block."""

    def __init__(self, folder: Folder, history: History) -> None:
        self._folder = folder
        self._history = history

    def names(self) -> list[str]:
        """Every markdown file under life/, by its name."""
        return sorted(_markdown(self._folder, LIFE))

    def read(self, rel: str) -> LifeFile:
        """A file; its last good version when it is broken, empty when a kind of file that belongs there is missing.

        Raises NotFound, or the fault of a file that was never good.
        """
        rel = self._checked(rel)
        try:
            return parse(rel, self._folder.read_text(rel))
        except NotFound:
            if kind_of(rel).head is Note:
                raise
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
        """Write a file whole. Raises Refused when what lies in its place is broken: nothing that a person wrote is
        overwritten."""
        if file.fault is not None:
            raise Refused(f"{file.rel} is broken and waits to be mended: {file.fault.problem}", hint="tell the admin")
        self._folder.write_text(file.rel, file.text)

    def _last_good(self, rel: str, fault: Fault) -> LifeFile:
        for data in self._history.versions(rel):
            try:
                return parse(rel, data.decode())
            except (Fault, UnicodeDecodeError):
                continue
        raise fault

    def _checked(self, rel: str) -> str:
        name = rel.removeprefix("/tenant/").removeprefix("./")
        name = name if name.startswith(f"{LIFE}/") else f"{LIFE}/{name}"
        name = name if name.endswith(".md") else f"{name}.md"
        self._folder.path(name)  # raises Refused when it leads out
        return "/".join(part for part in name.split("/") if part not in ("", "."))


def new(rel: str) -> LifeFile:
    """An empty file of the kind that its name says."""
    kind = kind_of(rel)
    return LifeFile(rel=rel, kind=kind, meta=migrated({}, kind))


def _markdown(folder: Folder, rel: str) -> Iterator[str]:
    for name in folder.names(rel):
        if name.endswith(".md"):
            yield f"{rel}/{name}"
        elif "." not in name:
            yield from _markdown(folder, f"{rel}/{name}")


def _is_bare(kind: Kind, text: str) -> bool:
    """A note that a person began without a head."""
    return kind.head is Note and not text.lstrip("\ufeff").startswith(frontmatter.START)


def _line(text: str, key: str) -> int:
    return next((n for n, line in enumerate(text.splitlines(), start=1) if f'"{key}"' in line), 1)
