"""The tenants of a home: found by name, loaded when asked for, loaded again when their tenant.yaml changed.

Owns which folders are tenants and what is wrong with those that are not right; one that is broken never stops another.
Does not own what stands in a tenant's files.
"""

import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from runtime import checked_yaml
from runtime.errors import ConfigFault, Fault, NotFound
from runtime.tenant.config import TENANT_FILE, TenantConfig, load_config
from runtime.tenant.folder import Folder, Stamp, stamp_of
from runtime.tenant.git.history import History
from runtime.tenant.secrets import Keys, SecretRef, SecretStore
from runtime.words import TenantId

TENANT_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """One tenant as it was last read. Ask Tenants again for every turn; hold it for none longer."""

    id: TenantId
    folder: Folder
    config: TenantConfig
    secrets: SecretStore = field(repr=False)

    def secret(self, ref: SecretRef) -> str:
        """The value behind a name in the configuration. Raises NotFound when it is not set."""
        return self.secrets.get(ref.name)


@dataclass(frozen=True, slots=True)
class _Known:
    """What came of the last look: the last good tenant, if there ever was one, and what is wrong now, if anything."""

    stamp: Stamp | None
    tenant: Tenant | None
    fault: Fault | None


class Tenants:
    """Every tenant under ``root``. Safe to share among threads; a look at an unchanged tenant is one lstat."""

    def __init__(self, root: Path, keys: Keys) -> None:
        self._root = root
        self._keys = keys
        self._lock = threading.Lock()
        self._known: dict[TenantId, _Known] = {}
        self._numbers: dict[str, TenantId] = {}

    def get(self, tenant_id: TenantId) -> Tenant:
        """The tenant as its files are now; as they last were in order, when they are not (see ``broken``).

        Raises NotFound when there is no such tenant, and what is wrong with it (ConfigFault, Broken, Refused)
        when it was never in order.
        """
        known = self._look(tenant_id)
        if known.tenant is not None:
            return known.tenant
        assert known.fault is not None
        raise known.fault.with_traceback(None)  # kept and raised again: its traceback must not grow

    def all(self) -> list[Tenant]:
        """Those that can be served, by id."""
        return [known.tenant for known in self._look_at_all().values() if known.tenant is not None]

    def broken(self) -> dict[TenantId, Fault]:
        """What is wrong with which tenant, by id; one that is served as it last was in order is named here too."""
        known = self._look_at_all()
        faults = {tenant_id: one.fault for tenant_id, one in known.items() if one.fault is not None}
        for tenant_id, fault in self._claimed_twice(known).items():
            faults.setdefault(tenant_id, fault)
        return faults

    def by_whatsapp_number(self, phone_number_id: str) -> Tenant | None:
        """Whose number it is. When two tenants claim it, the first by id."""
        for look in (self._remembered, self._found):
            tenant = look(phone_number_id)
            if tenant is not None and _number(tenant) == phone_number_id:
                return tenant
        return None

    def _remembered(self, phone_number_id: str) -> Tenant | None:
        tenant_id = self._numbers.get(phone_number_id)
        try:
            return None if tenant_id is None else self.get(tenant_id)
        except Fault:
            return None

    def _found(self, phone_number_id: str) -> Tenant | None:
        numbers = {number: one.id for one in reversed(self.all()) if (number := _number(one)) is not None}
        self._numbers = numbers
        return self._remembered(phone_number_id)

    def _look_at_all(self) -> dict[TenantId, _Known]:
        found = {}
        for tenant_id in self._ids():
            try:
                found[tenant_id] = self._look(tenant_id)
            except NotFound as fault:
                found[tenant_id] = _Known(None, None, fault)
        with self._lock:
            for tenant_id in self._known.keys() - found.keys():
                del self._known[tenant_id]
        return found

    def _ids(self) -> Iterator[TenantId]:
        """Every folder that is meant to be a tenant; one that is being built has a name with a dot in front."""
        for path in sorted(self._root.glob("[!.]*/")):
            if TENANT_ID.fullmatch(path.name) or stamp_of(path / TENANT_FILE):
                yield TenantId(path.name)

    def _look(self, tenant_id: TenantId) -> _Known:
        if not TENANT_ID.fullmatch(tenant_id):
            raise NotFound(
                f"{tenant_id!r} cannot be a tenant",
                hint="a tenant's folder has a name of a-z, 0-9 and -, at most 40 long",
            )
        with self._lock:
            known = self._known.get(tenant_id)
            stamp = stamp_of(self._root / tenant_id / TENANT_FILE)
            if known is None or stamp is None or known.stamp != stamp:
                if not (self._root / tenant_id).is_dir():
                    self._known.pop(tenant_id, None)
                    raise NotFound(f"there is no tenant {tenant_id}", hint="see: proxystaff tenant list")
                known = self._load(tenant_id, stamp, last=known.tenant if known else None)
                self._known[tenant_id] = known
            return known

    def _load(self, tenant_id: TenantId, stamp: Stamp | None, *, last: Tenant | None) -> _Known:
        folder = Folder(self._root / tenant_id)
        try:
            config = load_config(folder)
        except Fault as fault:
            committed = _committed(folder) if last is None else None
            return _Known(stamp, self._tenant(tenant_id, folder, committed) if committed else last, fault)
        return _Known(stamp, self._tenant(tenant_id, folder, config), None)

    def _tenant(self, tenant_id: TenantId, folder: Folder, config: TenantConfig) -> Tenant:
        return Tenant(id=tenant_id, folder=folder, config=config, secrets=SecretStore(folder, self._keys))

    def _claimed_twice(self, known: dict[TenantId, _Known]) -> dict[TenantId, Fault]:
        owners: dict[str, TenantId] = {}
        faults: dict[TenantId, Fault] = {}
        for tenant_id, one in known.items():
            number = _number(one.tenant) if one.tenant else None
            if number is not None and owners.setdefault(number, tenant_id) != tenant_id:
                line = (
                    f"{self._root / tenant_id / TENANT_FILE}: channels.whatsapp.phone_number_id: "
                    f"{number} is already the number of {owners[number]}"
                )
                faults[tenant_id] = ConfigFault([line], hint="give each tenant a number of its own")
        return faults


def _committed(folder: Folder) -> TenantConfig | None:
    """The settings as they were last committed, if those are in order: a broken file is not committed, so they are
    what was in force before the process began."""
    try:
        data = next(History(folder).versions(TENANT_FILE, limit=1), b"")
        return checked_yaml.load(Path(TENANT_FILE), TenantConfig, text=data.decode())
    except (Fault, UnicodeDecodeError):
        return None


def _number(tenant: Tenant) -> str | None:
    account = tenant.config.channels.whatsapp
    return account.phone_number_id if account else None
