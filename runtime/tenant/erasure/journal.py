"""An erasure under way: ``var/erasures/<tenant>.json``, from before its first step until after its last.

Owns that file. It names the person, because whoever goes on after a kill must know whom; so it lies outside the tenant,
for the owner of the process only, and it is the last thing to go.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from runtime.errors import Broken, Fault
from runtime.tenant.erasure.looking import Marks
from runtime.tenant.erasure.whom import Person
from runtime.tenant.folder import Folder
from runtime.words import Role, TenantId

_PLACE = "erasures"


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """``author``: name, address and time of the commit that says that somebody was erased; the same each time."""

    id: str
    tenant: TenantId
    person: Person
    salt: str
    at: str
    author: str


class Journal:
    """The erasures of one home that have begun and not ended."""

    def __init__(self, var: Path) -> None:
        self._var = var

    def begin(self, erasure: Erasure) -> None:
        folder = Folder(self._var)
        folder.make(_PLACE, mode=0o700)
        folder.write_text(f"{_PLACE}/{erasure.tenant}.json", json.dumps(asdict(erasure), indent=1), mode=0o600)

    def end(self, erasure: Erasure) -> None:
        Folder(self._var).remove(f"{_PLACE}/{erasure.tenant}.json")

    def open(self) -> list[Erasure]:
        """Those that a kill left. Raises Broken for one that cannot be read."""
        if not self._var.is_dir():
            return []
        folder = Folder(self._var)
        return [self._read(folder, name) for name in folder.names(_PLACE) if name.endswith(".json")]

    def _read(self, folder: Folder, name: str) -> Erasure:
        try:
            found = json.loads(folder.read_text(f"{_PLACE}/{name}"))
            who = found.pop("person")
            marks = Marks(**{key: tuple(value) for key, value in who.pop("marks").items()})
            role = who.pop("role")
            shared = tuple(who.pop("shared"))
            person = Person(**who, marks=marks, role=Role(role) if role else None, shared=shared)
            return Erasure(**found, person=person)
        except (Fault, ValueError, KeyError, TypeError, AttributeError) as fault:
            problem = f"the journal of an erasure, {self._var / _PLACE / name}, cannot be read: {fault}"
            raise Broken(problem, hint="remove it, and run `proxystaff forget` again") from None
