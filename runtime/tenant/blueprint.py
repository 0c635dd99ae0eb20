"""A new tenant: its folder is made from the blueprint, whole or not at all.

Owns what a new folder holds and the name it gets. Does not own the words in it: those are the files of ``blueprint/``,
which lies beside the package both in a checkout and when installed (pyproject.toml ships it as data).
"""

import fcntl
import io
import os
import re
import secrets
import shutil
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from runtime import checked_yaml
from runtime.errors import BadInput, Broken, ConfigFault, Refused
from runtime.settings import Settings
from runtime.tenant.config import TENANT_FILE, TenantConfig
from runtime.tenant.folder import Folder, sync
from runtime.tenant.git.history import ADMIN, History, Origin
from runtime.tenant.registry import TENANT_ID, Tenant, Tenants
from runtime.tenant.secrets import SECRETS, Keys
from runtime.words import TenantId

BLUEPRINT = Path(__file__).parents[2] / "blueprint"

STATE = ("state/messages", "state/turns", "state/media", "state/claude")
"""Folders that are there from the start and are not versioned: the sandbox binds them."""

_BUILDING = ".new-"
_LOCK_FILE = ".lock"
_LEFT_OUT = ("__pycache__", ".DS_Store")


def create(
    settings: Settings,
    name: str,
    *,
    timezone: str = "UTC",
    owner_telegram: str = "",
    owner_whatsapp: str = "",
    phone_number_id: str = "",
) -> Tenant:
    """Make the tenant ``name`` (its folder's name is made from it, see ``slug``), with a first commit.

    It is built under another name beside the tenants and renamed at the end, so that a kill leaves no half tenant; what
    one left is cleared away by the next call. Raises BadInput (with every value that is wrong) or Refused (exists).
    """
    tenant_id = slug(name)
    root = settings.tenants
    root.mkdir(parents=True, exist_ok=True)
    text = _tenant_yaml(
        name,
        timezone=timezone,
        telegram=owner_telegram,
        whatsapp=owner_whatsapp,
        phone_number_id=phone_number_id,
    )
    with _alone(root):
        if os.path.lexists(root / tenant_id):
            raise Refused(f"there is a tenant {tenant_id} already", hint="choose another name")
        building = root / f"{_BUILDING}{tenant_id}-{secrets.token_hex(4)}"
        try:
            _build(building, text, Origin(actor=ADMIN, tenant=tenant_id, reason="tenant add"))
            building.rename(root / tenant_id)
        except BaseException:
            shutil.rmtree(building, ignore_errors=True)
            raise
        sync(root)
    return Tenants(root, Keys.of(settings)).get(tenant_id)


def slug(name: str) -> TenantId:
    """The folder's name for a display name: ``Anden Wick`` → ``anden-wick``. Raises BadInput when nothing is left."""
    plain = unicodedata.normalize("NFKD", name.casefold()).encode("ascii", "ignore").decode()
    found = re.sub(r"[^a-z0-9]+", "-", plain.replace("'", "")).strip("-")[:40].rstrip("-")
    if not TENANT_ID.fullmatch(found):
        raise BadInput(f"no folder's name can be made of {name!r}", hint="give a name with Latin letters or digits")
    return TenantId(found)


def _build(building: Path, tenant_yaml: str, origin: Origin) -> None:
    if not BLUEPRINT.is_dir():
        raise Broken(f"there is no blueprint at {BLUEPRINT}", hint="install proxystaff again, or mend the checkout")
    _copy(BLUEPRINT, building)
    folder = Folder(building)
    folder.write_text(TENANT_FILE, tenant_yaml)
    for part in STATE:
        folder.make(part)
    folder.make(SECRETS, mode=0o700)
    History(folder).create(origin)
    for path in building.rglob("*"):
        if not path.is_symlink():
            sync(path)
    sync(building)


def _copy(source: Path, target: Path) -> None:
    """Ordinary files and folders, with ordinary rights: an installed package's may be read-only."""
    target.mkdir()
    for path in sorted(source.iterdir()):
        if path.name in _LEFT_OUT or path.is_symlink():
            continue
        if path.is_dir():
            _copy(path, target / path.name)
        else:
            shutil.copyfile(path, target / path.name)


def _tenant_yaml(name: str, *, timezone: str, telegram: str, whatsapp: str, phone_number_id: str) -> str:
    """The blueprint's tenant.yaml with its comments and these values. Raises BadInput for values that are wrong."""
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096  # no line is broken
    yaml.indent(mapping=2, sequence=4, offset=2)
    tree = yaml.load((BLUEPRINT / TENANT_FILE).read_text(encoding="utf-8"))
    tree["name"] = tree["people"][0]["name"] = name
    tree["timezone"] = timezone
    if telegram:
        tree["people"][0]["telegram"] = int(telegram) if telegram.isdecimal() else telegram
        names = {"token": "secret:TELEGRAM_BOT_TOKEN", "webhook_secret": "secret:TELEGRAM_WEBHOOK_SECRET"}
        tree["channels"]["telegram"] = _on_one_line(names)
    if whatsapp:
        tree["people"][0]["whatsapp"] = DoubleQuotedScalarString(whatsapp)
    if phone_number_id:
        number = DoubleQuotedScalarString(phone_number_id)
        account = {"phone_number_id": number, "access_token": "secret:WHATSAPP_ACCESS_TOKEN"}
        tree["channels"]["whatsapp"] = _on_one_line(account)
    text = io.StringIO()
    yaml.dump(tree, text)
    try:
        checked_yaml.load(Path(TENANT_FILE), TenantConfig, text=text.getvalue())
    except ConfigFault as fault:
        wrong = "\n".join(line.split(": ", 1)[-1] for line in fault.faults)
        raise BadInput(wrong, hint="nothing was made; run it again with other values") from None
    return text.getvalue()


def _on_one_line(pairs: dict[str, Any]) -> CommentedMap:
    found = CommentedMap(pairs)
    found.fa.set_flow_style()
    return found


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    """One at a time in this home; so whatever is half built now was left by a kill."""
    descriptor = Folder(root).open_regular(_LOCK_FILE, os.O_RDWR | os.O_CREAT, mode=0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        for left in root.glob(f"{_BUILDING}*"):
            shutil.rmtree(left, ignore_errors=True)
        yield
    finally:
        os.close(descriptor)
