"""A tenant's improvements as files: ``state/annealing/improvements/<id>.json``, one each, written whole.

Owns reading and writing them. A write is atomic, so a kill leaves the one before or the one after. The folder is
read-only to the agent.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from runtime import checked_json
from runtime.annealing.records import Improvement, State
from runtime.errors import ConfigFault, NotFound
from runtime.tenant.folder import Folder

PLACE = "state/annealing/improvements"

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,79}")


class Improvements:
    """Of one tenant. A file that is damaged is passed over by all that look at many, so that it stops no other one, and
    named by ``damaged``; asked for by its id it raises ConfigFault."""

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
        found = _parsed(_file(id), text)
        return found.model_copy(update={"tenant": self._folder.root.name})  # it may have been imported as another one

    def all(self) -> list[Improvement]:
        """The oldest first."""
        found = [one for id in self._ids() if isinstance(one := self._look(id), Improvement)]
        return sorted(found, key=lambda one: (one.opened, one.id))

    def damaged(self) -> list[ConfigFault]:
        """What is wrong with the files that are passed over."""
        return [one for id in self._ids() if isinstance(one := self._look(id), ConfigFault)]

    def in_state(self, *states: State) -> list[Improvement]:
        return [one for one in self.all() if one.state in states]

    def of_commit(self, commit: str) -> Improvement | None:
        """The one that landed as ``commit``."""
        return next((one for one in self.all() if commit and one.commit == commit), None)

    def names(self) -> frozenset[str]:
        """Every rule's name that an improvement ever used: none is given twice, so that a name means one rule, and
        taking back what was done to it never meets another one."""
        return frozenset(name for one in self.all() for name in one.rules)

    def _look(self, id: str) -> Improvement | ConfigFault:
        try:
            return self.find(id)
        except ConfigFault as fault:
            return fault

    def _ids(self) -> Iterator[str]:
        for name in self._folder.names(PLACE):
            if name.endswith(".json") and _NAME.fullmatch(name.removesuffix(".json")):
                yield name.removesuffix(".json")


@lru_cache(maxsize=1_024)
def _parsed(file: str, text: str) -> Improvement:
    """Each look reads all of them, and few have changed since the last: the same text says the same."""
    return checked_json.load(Path(file), Improvement, text=text)


def _file(id: str) -> str:
    return f"{PLACE}/{id}.json"
