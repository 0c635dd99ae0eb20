"""A tenant's improvements as files: ``state/annealing/improvements/<id>.json``, one each, written whole.

Owns reading and writing them. A write is atomic, so a kill leaves the one before or the one after. The folder is
read-only to the agent.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from runtime import checked_json
from runtime.annealing.records import Improvement, State
from runtime.errors import NotFound
from runtime.tenant.folder import Folder

PLACE = "state/annealing/improvements"

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,79}")


class Improvements:
    """Of one tenant. Raises ConfigFault for a file that is damaged: what it says cannot be guessed."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder

    def put(self, one: Improvement) -> None:
        self._folder.write_text(_file(one.id), one.model_dump_json(indent=1, exclude_defaults=True) + "\n")

    def find(self, id: str) -> Improvement:
        """Raises NotFound."""
        if not _NAME.fullmatch(id):
            raise NotFound(f"there is no improvement {id}", hint="see `proxystaff improvements`")
        try:
            text = self._folder.read_text(_file(id))
        except NotFound:
            raise NotFound(f"there is no improvement {id}", hint="see `proxystaff improvements`") from None
        found = checked_json.load(Path(_file(id)), Improvement, text=text)
        return found.model_copy(
            update={"tenant": self._folder.root.name}
        )  # it may have been imported under another name

    def all(self) -> list[Improvement]:
        """The oldest first."""
        return sorted((self.find(id) for id in self._ids()), key=lambda one: (one.opened, one.id))

    def in_state(self, *states: State) -> list[Improvement]:
        return [one for one in self.all() if one.state in states]

    def of_commit(self, commit: str) -> Improvement | None:
        """The one that landed as ``commit``."""
        return next((one for one in self.all() if commit and one.commit == commit), None)

    def of_rule(self, ref: str) -> list[Improvement]:
        """Those that touched a rule, oldest landing first."""
        found = [one for one in self.all() if ref in one.rules and one.landed is not None]
        return sorted(found, key=lambda one: (one.landed or one.opened, one.id))

    def names(self) -> frozenset[str]:
        """Every rule's name that an improvement ever used: none is given twice, so that a name means one rule, and
        taking back what was done to it never meets another one."""
        return frozenset(name for one in self.all() for name in one.rules)

    def _ids(self) -> Iterator[str]:
        for name in self._folder.names(PLACE):
            if name.endswith(".json") and _NAME.fullmatch(name.removesuffix(".json")):
                yield name.removesuffix(".json")


def _file(id: str) -> str:
    return f"{PLACE}/{id}.json"
