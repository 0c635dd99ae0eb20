"""The search after an erasure: every file, every name, every object of git, read as a person would and as a program.

Owns what is searched in the tenant's folder. The database's rows are handed in by those who own them.
"""

import stat
from collections.abc import Iterable
from dataclasses import dataclass, field

from runtime.errors import Fault
from runtime.tenant.erasure.files import chunks, walk
from runtime.tenant.erasure.looking import Finder
from runtime.tenant.folder import Folder
from runtime.tenant.git.history import History

_OBJECTS = ".git/objects"


@dataclass(slots=True)
class Searched:
    """How much was searched, and where the person still stands."""

    files: int = 0
    objects: int = 0
    rows: int = 0
    places: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        found = f"{len(self.places)} places" if self.places else "nothing"
        return f"searched {self.files} files, {self.objects} git objects, {self.rows} rows: {found}"


def search(folder: Folder, history: History, finder: Finder) -> Searched:
    """Look for the person in the whole folder, its history included."""
    found = Searched()
    for path, _ in walk(folder, leave_out=(_OBJECTS,)):
        search_file(folder, path, finder, found)
    for id_, text in history.objects():
        found.objects += 1
        if finder.names(text):
            found.places.append(f"git object {id_}")
    return found


def search_file(folder: Folder, path: str, finder: Finder, found: Searched) -> None:
    """Look in a file and its name; one that cannot be read counts as a place, since nobody knows what is in it."""
    found.files += 1
    mode = (folder.root / path).lstat().st_mode
    try:
        named = stat.S_ISLNK(mode) and finder.names(str((folder.root / path).readlink()))
        named = named or (stat.S_ISREG(mode) and any(finder.names(text) for text in chunks(folder, path)))
    except Fault as fault:
        found.places.append(f"{path} (cannot be read: {fault.problem})")
        return
    if named or finder.names(path):
        found.places.append(path)


def search_rows(rows: Iterable[tuple[str, str]], finder: Finder, found: Searched) -> None:
    """Look in rows, each as its table's name and what stands in it."""
    for table, text in rows:
        found.rows += 1
        if finder.names(text) and f"a row of {table}" not in found.places:
            found.places.append(f"a row of {table}")
