"""A message on its way out, before it is planned: to whom, on which channel, with what."""

from collections.abc import Sequence
from dataclasses import dataclass

from runtime.tenant.registry import Tenant
from runtime.words import Conversation, Inbound, Person

PREFERRED = ("telegram", "whatsapp")
"""Where somebody is told something they did not ask for: first where it costs nothing and no window closes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """``file`` is a path inside the tenant's folder; ``template`` an approved template's name; ``within`` the
    conversation it is a part of, where that is not all that is said at the address (a group)."""

    channel: str
    address: str
    text: str
    file: str = ""
    template: str = ""
    within: Conversation | None = None

    @property
    def conversation(self) -> Conversation:
        return self.within or Conversation(f"{self.channel}:{self.address}")


def answers(message: Inbound, parts: Sequence[str]) -> list[Letter]:
    """``parts`` in order, to where ``message`` came from."""
    within = message.conversation if message.group else None
    return [Letter(channel=message.channel, address=message.address, text=part, within=within) for part in parts]


def reachable(tenant: Tenant, person: Person) -> list[tuple[str, str]]:
    """(channel, address) of ``person`` on the channels the tenant has, the preferred one first."""
    open_channels = {name for name, account in tenant.config.channels if account is not None}
    return [(name, person.addresses[name]) for name in PREFERRED if name in open_channels and name in person.addresses]


def notice(tenant: Tenant, person: Person, text: str) -> list[Letter]:
    """``text`` to ``person`` where they are reached best; nothing when they are reached nowhere."""
    return [Letter(channel=channel, address=address, text=text) for channel, address in reachable(tenant, person)[:1]]
