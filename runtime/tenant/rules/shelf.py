"""The rules of a tenant's folder, as they lie there now.

Owns reading them, and looking no closer than at their stamps while nothing changed. A file that is no rule is passed
over, and told of apart. Does not own a rule's form (files.py) nor which rules apply to a turn (composing.py).
"""

from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path

from runtime.errors import Fault, NotFound
from runtime.tenant.folder import Folder, Stamps
from runtime.tenant.rules import files
from runtime.tenant.rules.files import RULES, Rule

_KEPT = 64
"""Shelves that are kept: a folder that only a run had is not asked about again."""


class Shelf:
    """Of one folder, or of one directive in it. Safe for many threads."""

    def __init__(self, folder: Folder, directive: str = "") -> None:
        self._folder = folder
        self._place = f"{RULES}/{directive}" if directive else RULES
        self._read: tuple[Stamps | None, tuple[Rule, ...]] = (None, ())

    def rules(self) -> tuple[Rule, ...]:
        """By their names. An unchanged folder costs one look at the stamps of its rules."""
        stamps = self._folder.stamps((self._place,))
        seen, rules = self._read
        if stamps != seen:
            rules = tuple(found for path in sorted(stamps) if isinstance(found := _look(self._folder, path), Rule))
            self._read = (stamps, rules)
        return rules


class Shelves:
    """Those of one directive, of the folders that were asked about last."""

    def __init__(self, directive: str) -> None:
        self._directive = directive
        self._shelves: OrderedDict[Path, Shelf] = OrderedDict()

    def of(self, folder: Folder) -> Shelf:
        shelf = self._shelves.pop(folder.root, None) or Shelf(folder, self._directive)
        self._shelves[folder.root] = shelf
        if len(self._shelves) > _KEPT:
            self._shelves.popitem(last=False)
        return shelf


def faults(folder: Folder) -> Iterator[Fault]:
    """What is wrong with the files that are passed over, by their names."""
    for path in sorted(folder.stamps((RULES,))):
        if isinstance(found := _look(folder, path), Fault):
            yield found


def orphans(folder: Folder) -> list[str]:
    """The directives that rules name and that are not there: nobody reads these rules, unless their triggers do."""
    named = {rule.directive for rule in Shelf(folder).rules()}
    return sorted(named - {name.removesuffix(".md") for name in folder.names("directives") if name.endswith(".md")})


def _look(folder: Folder, path: str) -> Rule | Fault | None:
    """A rule, or why it is none; None for what is not meant to be one."""
    if not path.endswith(".md") or path.endswith("/README.md"):
        return None
    try:
        return files.parse(path, folder.read_text(path))
    except NotFound:
        return None  # gone since it was listed
    except Fault as fault:
        return fault
