"""The desk the channels report to: whose secret opens what, and where arrivals go. Closed by default.

Nothing here raises for an unknown or broken tenant: from outside they look like a wrong key.
"""

from collections.abc import AsyncIterator, Callable, Sequence

from pydantic import SecretStr

from runtime.agent.pool import Sessions
from runtime.channels.arriving import any_secret, same_secret
from runtime.channels.base import Delivered, TurnEvent, WhatsAppKeys
from runtime.channels.telegram import Bot, TelegramAccount
from runtime.errors import Fault
from runtime.metrics import Metrics
from runtime.tenant.registry import Tenant, Tenants
from runtime.tenant.secrets import SecretRef
from runtime.turns.intake import Intake
from runtime.turns.post import bot_of
from runtime.words import Conversation, Inbound, TenantId, TurnId


class Desk:
    """What every channel's routes are given. ``operator`` is a key of this process alone, for the command line."""

    def __init__(
        self,
        *,
        tenants: Tenants,
        intake: Intake,
        sessions: Sessions,
        keys: WhatsAppKeys,
        bots: Callable[[TelegramAccount], Bot],
        operator: SecretStr,
    ) -> None:
        self._tenants = tenants
        self._bots = bots
        self._intake = intake
        self._sessions = sessions
        self._keys = keys
        self._operator = operator

    @property
    def metrics(self) -> Metrics:
        return self._intake.metrics

    async def receive(self, tenant: TenantId, arrivals: Sequence[Delivered]) -> None:
        await self._intake.receive(tenant, arrivals)

    def telegram_secret(self, tenant: TenantId) -> SecretStr | None:
        return self._secret(tenant, _webhook_secret)

    def telegram_bot(self, tenant: TenantId) -> Bot | None:
        """Whom a group addresses; None where there is no bot."""
        try:
            return self._bots(bot_of(self._tenants.get(tenant)))
        except Fault:
            return None

    def whatsapp_keys(self) -> WhatsAppKeys:
        return self._keys

    def tenant_of_number(self, phone_number_id: str) -> TenantId | None:
        found = self._tenants.by_whatsapp_number(phone_number_id)
        return found.id if found else None

    def authorize(self, tenant: TenantId, key: str) -> bool:
        own = any_secret(key, self._secret(tenant, _api_key))  # a new key and the one before it, with a comma
        return own or (same_secret(key, self._operator) and self._exists(tenant))

    def tenant_of_key(self, key: str) -> Tenant | None:
        """Whose API key it is. All are looked at, so that the time taken tells nothing."""
        found = [one for one in self._tenants.all() if any_secret(key, self._secret(one.id, _api_key))]
        return found[0] if found else None

    async def submit(self, tenant: TenantId, message: Inbound) -> TurnId:
        return await self._intake.submit(tenant, message)

    def follow(self, turn: TurnId, *, after: int = 0) -> AsyncIterator[TurnEvent]:
        return self._intake.follow(turn, after=after)

    async def cancel(self, tenant: TenantId, conversation: Conversation) -> bool:
        return await self._sessions.interrupt(tenant, conversation)

    def _secret(self, tenant: TenantId, ref: Callable[[Tenant], SecretRef | None]) -> SecretStr | None:
        try:
            one = self._tenants.get(tenant)
            named = ref(one)
            return SecretStr(one.secret(named)) if named else None
        except Fault:
            return None

    def _exists(self, tenant: TenantId) -> bool:
        try:
            self._tenants.get(tenant)
        except Fault:
            return False
        return True


def _webhook_secret(tenant: Tenant) -> SecretRef | None:
    account = tenant.config.channels.telegram
    return account.webhook_secret if account else None


def _api_key(tenant: Tenant) -> SecretRef | None:
    account = tenant.config.channels.api
    return account.key if account else None
