"""A tenant's cases as files: ``state/annealing/cases/<id>.yaml``.

Owns finding, adding and removing them, and giving those of the blueprint to a tenant that has none. The folder is
read-only to the agent. Does not own a case's form (case.py).
"""

import hashlib
import io
import re
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import LiteralScalarString

from runtime import checked_yaml
from runtime.annealing.gate.case import CANARY, Case
from runtime.errors import BadInput, ConfigFault, NotFound, Refused
from runtime.tenant.blueprint import BLUEPRINT
from runtime.tenant.folder import Folder

PLACE = "state/annealing/cases"

HIDDEN = 0.3
"""Of the protected cases that grow, those that whoever proposes changes is not shown."""

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,79}")
_END = ".yaml"


class Cases:
    """Of one tenant. Raises ConfigFault for a file with faults: a case that is not read protects nothing."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder

    def all(self) -> list[Case]:
        """By id."""
        return [self.find(id) for id in self._ids()]

    def of_family(self, family: str) -> list[Case]:
        return [one for one in self.all() if one.family == family]

    def of_source(self, source: str) -> Case | None:
        return next((one for one in self.all() if one.source == source), None)

    def find(self, id: str) -> Case:
        """Raises NotFound."""
        missing = NotFound(f"there is no case {id}", hint="see `proxystaff cases`")
        if not _NAME.fullmatch(id):
            raise missing
        try:
            text = self._folder.read_text(_file(id))
        except NotFound:
            raise missing from None
        return parse(_file(id), text)

    def add(self, case: Case) -> None:
        """Raises Refused when there is one of that name with something else in it."""
        if case.id in self._ids():
            if self.find(case.id) == case:
                return
            raise Refused(f"there is a case {case.id} already", hint="remove it first, or give another id")
        self._folder.write_text(_file(case.id), render(case))

    def remove(self, id: str) -> Case:
        """Raises Refused for a canary: what it guards against stays forbidden."""
        found = self.find(id)
        if found.kind == "canary":
            raise Refused(f"{id} is a safety canary and stays", hint="remove another one")
        self._folder.remove(_file(id))
        return found

    def protect(self, id: str, source: str) -> Case:
        """A trigger case of a change that is kept must from now on not change back."""
        found = self.find(id)
        if found.kind == "trigger":
            update = {"kind": "protected", "hidden": is_hidden(id), "source": source}
            found = Case.model_validate(found.model_dump() | update)
            self._folder.write_text(_file(id), render(found))
        return found

    def seed(self) -> int:
        """Give the blueprint's cases to a tenant that has no canary, because it is older than they are; how many."""
        there = self._ids()
        if any(id.startswith(CANARY) for id in there):
            return 0
        seeds = [one for one in of_blueprint() if one.id not in there]
        for one in sorted(seeds, key=lambda case: case.kind == "canary"):  # last, so that a kill before them is seen
            self.add(one)
        return len(seeds)

    def _ids(self) -> list[str]:
        return _ids(self._folder)


def of_blueprint() -> list[Case]:
    folder = Folder(BLUEPRINT)
    return [parse(_file(id), folder.read_text(_file(id))) for id in _ids(folder)]


def parse(path: str, text: str) -> Case:
    """Raises ConfigFault with every fault and its line."""
    checked_yaml.refuse_hostile(Path(path), text)
    case = checked_yaml.load(Path(path), Case, text=text)
    if Path(path).stem != case.id:
        raise ConfigFault([f"{path}:1: id: wanted {Path(path).stem}, got {case.id!r}"], hint="name both the same")
    return case


def render(case: Case) -> str:
    """The file. ``parse(path, render(case)) == case``. Raises BadInput for a case that is too large to be read back."""
    yaml = YAML()
    yaml.width = 110
    text = io.StringIO()
    yaml.dump(_blocks(case.model_dump(mode="json", exclude_defaults=True)), text)
    if len(text.getvalue()) > checked_yaml.LARGEST:
        raise BadInput(f"case {case.id} is too large", hint="leave out what its tools gave at length")
    return text.getvalue()


def is_hidden(id: str) -> bool:
    """The same for the same id, always."""
    return int.from_bytes(hashlib.sha256(id.encode()).digest()[:4]) < HIDDEN * 2**32


def _blocks(value: object) -> object:
    """Texts of several lines as they are read."""
    match value:
        case dict():
            return {key: _blocks(one) for key, one in value.items()}
        case list():
            return [_blocks(one) for one in value]
        case str() if "\n" in value and value == value.strip() and value.isprintable() is False:
            plain = all(letter == "\n" or letter.isprintable() for letter in value)
            return LiteralScalarString(value) if plain else value
        case _:
            return value


def _ids(folder: Folder) -> list[str]:
    names = (name.removesuffix(_END) for name in folder.names(PLACE) if name.endswith(_END))
    return [name for name in names if _NAME.fullmatch(name)]


def _file(id: str) -> str:
    return f"{PLACE}/{id}{_END}"
