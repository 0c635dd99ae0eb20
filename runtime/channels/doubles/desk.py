"""A double of the desk: keeps in memory what the channels hand in, and tells a turn as it was told to."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

from pydantic import SecretStr

from runtime.channels.arriving import any_secret
from runtime.channels.base import Delivered, TurnEvent, WhatsAppKeys
from runtime.errors import NotFound
from runtime.metrics import Metrics
from runtime.words import Conversation, Inbound, TenantId, TurnId


@dataclass
class DeskDouble:
    """Everything a channel may ask of the runtime, without one. ``failures`` are raised one a call to ``receive``
    or ``submit``; a message whose id is in ``poison`` is a defect each time it comes."""

    telegram_secrets: dict[str, str] = field(default_factory=dict)
    numbers: dict[str, str] = field(default_factory=dict)
    app_secret: str = ""
    verify_token: str = ""
    keys: dict[str, str] = field(default_factory=dict)
    script: list[TurnEvent] = field(default_factory=list)
    pause: float = 0.0
    """Seconds before each event of the script."""
    failures: list[Exception] = field(default_factory=list)
    poison: frozenset[str] = frozenset()
    received: list[tuple[TenantId, Delivered]] = field(default_factory=list)
    submitted: dict[tuple[TenantId, str], Inbound] = field(default_factory=dict)
    cancelled: list[tuple[TenantId, Conversation]] = field(default_factory=list)
    unknown_turns: frozenset[str] = frozenset()
    following: int = 0
    metrics: Metrics = field(default_factory=Metrics)

    async def receive(self, tenant: TenantId, arrivals: Sequence[Delivered]) -> None:
        if self.failures:
            raise self.failures.pop(0)
        if spoiled := self.poison.intersection(arrival.id for arrival in arrivals):
            raise RuntimeError(f"cannot take {sorted(spoiled)}")
        self.received.extend((tenant, arrival) for arrival in arrivals)

    def telegram_secret(self, tenant: TenantId) -> SecretStr | None:
        found = self.telegram_secrets.get(tenant)
        return None if found is None else SecretStr(found)

    def whatsapp_keys(self) -> WhatsAppKeys:
        return WhatsAppKeys(SecretStr(self.app_secret), SecretStr(self.verify_token))

    def tenant_of_number(self, phone_number_id: str) -> TenantId | None:
        found = self.numbers.get(phone_number_id)
        return None if found is None else TenantId(found)

    def authorize(self, tenant: TenantId, key: str) -> bool:
        return any_secret(key, SecretStr(self.keys.get(tenant, "")))

    async def submit(self, tenant: TenantId, message: Inbound) -> TurnId:
        if self.failures:
            raise self.failures.pop(0)
        self.submitted.setdefault((tenant, message.id), message)
        number = list(self.submitted).index((tenant, message.id)) + 1
        return TurnId(f"turn:{tenant}:{message.conversation}:{number:08}")

    async def follow(self, turn: TurnId, *, after: int = 0) -> AsyncIterator[TurnEvent]:
        if turn in self.unknown_turns:
            raise NotFound(f"there is no turn {turn}", hint="send the message again")
        self.following += 1
        try:
            for event in self.script:
                await asyncio.sleep(self.pause)
                if event.id > after:
                    yield event
        finally:
            self.following -= 1

    async def cancel(self, tenant: TenantId, conversation: Conversation) -> bool:
        self.cancelled.append((tenant, conversation))
        return bool(self.submitted)
