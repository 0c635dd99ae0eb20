"""The post: for each channel, how a tenant's reply is split, announced and sent from the tenant's own account.

The one place where a tenant's accounts and the channels' APIs meet.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from pydantic import SecretStr

from runtime.channels import outgoing, telegram, whatsapp
from runtime.channels.base import MediaRefused
from runtime.channels.outgoing import OutgoingApi
from runtime.channels.telegram import TelegramAccount, TelegramApi
from runtime.channels.whatsapp import WhatsAppAccount, WhatsAppApi
from runtime.errors import Fault, NotFound
from runtime.tenant.registry import Tenant, Tenants
from runtime.turns import hooks, windows
from runtime.turns.letters import Letter
from runtime.turns.outbox import Planned
from runtime.words import GiveUp, Inbound, Media, Outbound, SendOutcome, Sent, TenantId, TurnId


@dataclass(frozen=True, slots=True)
class _Channel:
    """``typing`` again every ``refresh`` seconds while an answer is coming; 0 where there is no such sign. ``streams``:
    an answer is seen there as it grows."""

    split: Callable[[str], Sequence[str]]
    send: Callable[[Tenant, Outbound], Awaitable[SendOutcome]]
    typing: Callable[[Tenant, Inbound], Awaitable[bool]]
    refresh: float
    streams: bool


class Post:
    def __init__(
        self, tenants: Tenants, telegram_api: TelegramApi, whatsapp_api: WhatsAppApi, outgoing_api: OutgoingApi
    ) -> None:
        self._tenants = tenants
        self._outgoing = outgoing_api
        self._telegram = telegram_api
        self._whatsapp = whatsapp_api
        self._channels = {
            "telegram": _Channel(telegram.split, self._send_telegram, self._type_telegram, 4.0, streams=True),
            "whatsapp": _Channel(whatsapp.split, self._send_whatsapp, self._type_whatsapp, 20.0, streams=False),
            "api": _Channel(lambda text: [text], _hand_over, _no_typing, 0.0, streams=True),
            outgoing.CHANNEL: _Channel(lambda text: [text], self._tell, _no_typing, 0.0, streams=False),
        }

    def streams(self, channel: str) -> bool:
        """Whether somebody sees an answer on ``channel`` as it grows."""
        return self._channels[channel].streams

    def carries_files(self, channel: str) -> bool:
        return channel in (telegram.CHANNEL, whatsapp.CHANNEL)

    def split(self, channel: str, text: str) -> list[str]:
        """``text`` in the messages it takes on ``channel``, in order; at least one."""
        return list(self._channels[channel].split(text)) or [text]

    async def send(self, channel: str, tenant: TenantId, message: Outbound) -> SendOutcome:
        """One attempt. What is missing in the tenant's own configuration is a reason to give up, not an exception."""
        if channel not in self._channels:
            return GiveUp(f"there is no channel {channel}", "upgrade ProxyStaff, or discard the message")
        try:
            return await self._channels[channel].send(self._tenants.get(tenant), message)
        except Fault as fault:
            return GiveUp(fault.problem, fault.hint)

    def way_out(self, row: Planned) -> Letter | None:
        """How a message goes that WhatsApp's window refuses; None when it has to wait."""
        return windows.way_out(row, self._tenants.get(row.tenant))

    async def typing(self, tenant: Tenant, message: Inbound) -> float:
        """Show that an answer to ``message`` is coming; seconds after which to show it again, 0 for never."""
        channel = self._channels[message.channel]
        try:
            shown = await channel.typing(tenant, message)
        except Fault:
            return 0.0
        return channel.refresh if shown else 0.0

    async def draft(self, tenant: Tenant, message: Inbound, turn: TurnId, text: str) -> bool:
        """Show what there is of the answer to ``message``; False where the channel cannot, or would not."""
        if message.channel != telegram.CHANNEL:
            return False
        try:
            return await self._telegram.draft(bot_of(tenant), address=message.address, key=turn, text=text)
        except Fault:
            return False

    async def fetch(self, tenant: Tenant, channel: str, media: Media, into: BinaryIO, *, limit: int) -> Media:
        """Write a file that came on ``channel`` to ``into``. Raises MediaRefused: never; Unavailable: try later."""
        match channel:
            case "telegram":
                return await self._telegram.fetch(bot_of(tenant), media, into, limit=limit)
            case "whatsapp":
                return await self._whatsapp.fetch(_number(tenant), media, into, limit=limit)
            case _:
                raise MediaRefused(f"no files come on {channel}", hint="send it on Telegram or WhatsApp")

    async def _tell(self, tenant: Tenant, message: Outbound) -> SendOutcome:
        hook = hooks.hook_of(tenant)
        if hook is None:
            return GiveUp("the tenant has no webhook any more", "add webhook to its tenant.yaml, or discard this")
        return await self._outgoing.tell(hook, hooks.event_of(message))

    async def _send_telegram(self, tenant: Tenant, message: Outbound) -> SendOutcome:
        return await self._telegram.send(bot_of(tenant), message)

    async def _type_telegram(self, tenant: Tenant, message: Inbound) -> bool:
        return await self._telegram.typing(bot_of(tenant), address=message.address)

    async def _send_whatsapp(self, tenant: Tenant, message: Outbound) -> SendOutcome:
        return await self._whatsapp.send(_number(tenant), message)

    async def _type_whatsapp(self, tenant: Tenant, message: Inbound) -> bool:
        return await self._whatsapp.typing(_number(tenant), address=message.address, message_id=message.id)


async def _hand_over(_tenant: Tenant, message: Outbound) -> SendOutcome:
    """Whoever asked over the API reads the reply from the turn; here it only becomes final."""
    return Sent(message.key)


async def _no_typing(_tenant: Tenant, _message: Inbound) -> bool:
    return False


def bot_of(tenant: Tenant) -> TelegramAccount:
    """Raises NotFound when the tenant has no bot, or its token is not stored."""
    account = tenant.config.channels.telegram
    if account is None:
        raise NotFound(f"{tenant.id} has no Telegram bot", hint="add channels.telegram to its tenant.yaml")
    return TelegramAccount(tenant=tenant.id, token=SecretStr(tenant.secret(account.token)))


def _number(tenant: Tenant) -> WhatsAppAccount:
    account = tenant.config.channels.whatsapp
    if account is None:
        raise NotFound(f"{tenant.id} has no WhatsApp number", hint="add channels.whatsapp to its tenant.yaml")
    token = SecretStr(tenant.secret(account.access_token))
    return WhatsAppAccount(tenant=tenant.id, phone_number_id=account.phone_number_id, access_token=token)
