"""tenant.yaml: who a tenant is, whom it serves, over which channels, within which limits. Read-only to the agent.

Owns the shape of the file and every check of it. Does not own secret values (only their names stand here) nor when the
file is read again (registry). The file, key by key: docs/configuration.md.
"""

import io
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from typing import Annotated, Any
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BeforeValidator, Field, field_validator
from pydantic_core import PydanticCustomError
from ruamel.yaml import YAML

from runtime import checked_yaml
from runtime.checked_yaml import Strict
from runtime.errors import ConfigFault, NotFound, Refused
from runtime.tenant.folder import Folder
from runtime.tenant.secrets import SecretRef
from runtime.words import Person, Role

TENANT_FILE = "tenant.yaml"

_USER_ID = re.compile(r"[A-Z]{2}\.[A-Za-z0-9]{1,128}")
_PUNCTUATION = str.maketrans("", "", " ()-.")
_SECRET = "secret:"  # noqa: S105 - the mark of a name, not a value


@dataclass(frozen=True, slots=True)
class _Taken:
    """Put by ``_mark_taken`` in the place of an address that somebody else already has."""

    address: str
    by: str


def _fault(message: str, **values: object) -> PydanticCustomError:
    """A fault that is complete in itself; ``message`` is a template, so that braces in a value stay what they are."""
    return PydanticCustomError(checked_yaml.COMPLETE, message, values)


def _secret(value: object) -> SecretRef:
    if isinstance(value, SecretRef):
        return value
    if not isinstance(value, str) or not value.startswith(_SECRET):
        raise _fault(
            "a secret does not stand in this file; put it with: proxystaff secret set TENANT NAME, "
            "and write secret:NAME here"
        )
    try:
        return SecretRef(value.removeprefix(_SECRET))
    except ValueError:
        raise _fault("wanted secret:NAME with a name of capitals, digits and _, such as secret:API_KEY") from None


def _digits(value: object) -> str:
    """An id made of digits, written as a number or as text."""
    if isinstance(value, _Taken):
        raise _fault("{address} is already the address of {by}", address=value.address, by=value.by)
    text = str(value).strip()
    if isinstance(value, bool | float) or not (text.isascii() and text.isdigit()):
        raise ValueError("wanted a number of digits only (on Telegram the numeric id, not the @name)")
    return text


def _telephone(value: object) -> str:
    """The digits of an international number, as WhatsApp writes it; people write it with + ( ) - . and spaces. Or
    Meta's own id of somebody who has a user name and shows no number (US.1349…)."""
    if isinstance(value, str) and _USER_ID.fullmatch(value.strip()):
        return value.strip()
    return _digits(value.translate(_PUNCTUATION).removeprefix("+") if isinstance(value, str) else value)


def _timezone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):  # unknown; not a name; the name of a folder of zones
        near = get_close_matches(value, available_timezones(), n=1)
        example = near[0] if near else "America/Denver"
        raise _fault(
            "there is no time zone {value}; wanted one such as {example}", value=value, example=example
        ) from None
    return value


Secret = Annotated[SecretRef, BeforeValidator(_secret)]
TelegramId = Annotated[str, Field(min_length=1, max_length=19), BeforeValidator(_digits)]
WhatsAppNumber = Annotated[str, Field(min_length=7, max_length=132), BeforeValidator(_telephone)]
Name = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f]+$")]


ADDRESSED: Mapping[str, Callable[[object], str]] = {"telegram": _digits, "whatsapp": _telephone}
"""The channels on which a person has an address, and how one is read. On the others (api, web) the owner speaks."""


KEYED = frozenset({"api", "web"})
"""Channels on which a key opens the tenant, and nobody has an address."""


class Entry(Strict):
    """One of ``people``, with a field for each of the channels in ``ADDRESSED``."""

    name: Name
    role: Role
    telegram: TelegramId | None = None
    whatsapp: WhatsAppNumber | None = None

    @property
    def addresses(self) -> Mapping[str, str]:
        pairs = ((channel, getattr(self, channel)) for channel in ADDRESSED)
        return {channel: address for channel, address in pairs if address is not None}


class TelegramAccount(Strict):
    token: Secret
    webhook_secret: Secret


class WhatsAppAccount(Strict):
    phone_number_id: Annotated[str, Field(min_length=1, max_length=32), BeforeValidator(_digits)]
    access_token: Secret
    template: Annotated[str, Field(max_length=512, pattern=r"^([a-z0-9_]+(:[A-Za-z_]+)?)?$")] = ""
    """An approved template with one parameter in its body, for what is said outside the 24-hour window."""


class ApiAccount(Strict):
    key: Secret


class Channels(Strict):
    """A channel that is not named here is closed for the tenant."""

    telegram: TelegramAccount | None = None
    whatsapp: WhatsAppAccount | None = None
    api: ApiAccount | None = None


class Webhook(Strict):
    """Where the tenant's own systems are told what is said."""

    url: Annotated[str, Field(pattern=r"^https?://[^\s@]+$")]
    secret: Secret


class Limits(Strict):
    """By day in the tenant's time zone. 0 stops the agent."""

    usd_per_day: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 5.00
    turns_per_day: Annotated[int, Field(ge=0)] = 300
    messages_per_minute: Annotated[int, Field(ge=1)] = 30
    """Of one person on all their channels; what comes faster is not heard."""


class Improvements(Strict):
    """What the assistant may change about itself. ``paused``: nothing new; what has landed is still watched, and taken
    back. ``tell``: the owner hears in one line when a rule is kept or undone."""

    paused: bool = False
    tell: bool = True


class TenantConfig(Strict):
    """tenant.yaml. ``people`` are read as records of runtime.words; secrets stay names."""

    name: Name
    timezone: Annotated[str, Field(min_length=1)]
    entries: Annotated[tuple[Entry, ...], Field(alias="people")]
    channels: Channels = Channels()
    limits: Limits = Limits()
    improvements: Improvements = Improvements()
    webhook: Webhook | None = None
    stranger_line: Annotated[str, Field(max_length=500)] = (
        "Thanks for writing. I work for one client and will ask whether I may help you."
    )
    """What somebody who is not among ``people`` is told, once; empty: nothing."""

    _check_timezone = field_validator("timezone")(_timezone)

    @field_validator("entries", mode="before")
    @classmethod
    def _mark_taken(cls, value: Any) -> Any:
        return list(_marked(value)) if isinstance(value, list) else value

    @field_validator("entries")
    @classmethod
    def _needs_an_owner(cls, entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
        if not any(entry.role is Role.OWNER for entry in entries):
            raise _fault("wanted at least one person with role: owner")
        return entries

    @cached_property
    def people(self) -> tuple[Person, ...]:
        return tuple(Person(name=one.name, role=one.role, addresses=one.addresses) for one in self.entries)

    @cached_property
    def owner(self) -> Person:
        """The first owner; who speaks on channels where nobody has an address."""
        return next(person for person in self.people if person.role is Role.OWNER)

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    def person(self, channel: str, address: str) -> Person | None:
        """Who has this address on this channel; None for a stranger. Whoever holds a key speaks as the owner."""
        if channel in KEYED:
            return self.owner
        return next((one for one in self.people if one.addresses.get(channel) == address), None)

    def secrets(self) -> dict[str, SecretRef]:
        """Every secret the file names, by its place: ``{"telegram.token": SecretRef(…)}``."""
        accounts = [(channel, account) for channel, account in self.channels if account is not None]
        if self.webhook is not None:
            accounts.append(("webhook", self.webhook))
        return {
            f"{channel}.{key}": value
            for channel, account in accounts
            for key, value in account
            if isinstance(value, SecretRef)
        }


def load_config(folder: Folder) -> TenantConfig:
    """Read and check the folder's tenant.yaml. Raises ConfigFault with a line for everything that is wrong at once;
    Refused or Broken when it cannot be read as a file."""
    path = folder.root / TENANT_FILE
    try:
        text = folder.read_text(TENANT_FILE)
    except NotFound:
        raise ConfigFault([f"{path}:1: there is no such file"], hint="bring it back from the tenant's git") from None
    return checked_yaml.load(path, TenantConfig, text=text)


def edit_config(folder: Folder, change: Callable[[Any], None]) -> None:
    """Change tenant.yaml as ``change`` changes its tree, keeping its comments. What would not be read again is not
    written: one bad value must not close a tenant. Raises Refused: somebody is editing it and it is not in order."""
    path = folder.root / TENANT_FILE
    yaml, text = YAML(), folder.read_text(TENANT_FILE)
    yaml.preserve_quotes, yaml.width = True, 4096
    yaml.indent(mapping=2, sequence=4, offset=2)
    try:
        checked_yaml.load(path, TenantConfig, text=text)
    except ConfigFault:  # whoever is at work on it is told what is wrong by whoever watches the file
        raise Refused("tenant.yaml cannot be read now", hint="Mend it, then say this again") from None
    tree = yaml.load(text)
    change(tree)
    made = io.StringIO()
    yaml.dump(tree, made)
    checked_yaml.load(path, TenantConfig, text=made.getvalue())
    folder.write_text(TENANT_FILE, made.getvalue())


def _marked(people: list[Any]) -> Iterator[Any]:
    """The people as they came, but an address that somebody above already has is a _Taken. Shapes are not known yet."""
    owners: dict[tuple[str, str], tuple[int, str]] = {}
    for number, person in enumerate(people, start=1):
        if not isinstance(person, Mapping):
            yield person
            continue
        marked = dict(person)
        for channel, read in ADDRESSED.items():
            try:
                address = read(person.get(channel))
            except ValueError:
                continue
            first, name = owners.setdefault((channel, address), (number, str(person.get("name"))))
            if first != number:
                marked[channel] = _Taken(address, name)
        yield marked
