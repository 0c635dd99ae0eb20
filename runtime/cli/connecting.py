"""The command that tells a channel where its webhook is: connect. WhatsApp's is set at Meta, by hand."""

import asyncio
from typing import Annotated

import typer
from pydantic import SecretStr

from runtime.channels import sending
from runtime.channels.telegram import TelegramApi, Webhook
from runtime.cli.terminal import HERE, Home, Json, TenantName, out, print_json, settings_of, tenant_of
from runtime.errors import BadInput, NotFound
from runtime.metrics import Metrics
from runtime.settings import Settings
from runtime.tenant.registry import Tenant
from runtime.turns.post import bot_of


def register(root: typer.Typer) -> None:
    root.command()(connect)


def connect(
    tenant: TenantName,
    url: Annotated[str, typer.Argument(help="Where the world reaches this server, such as https://staff.example.com.")],
    json: Json = False,
    home: Home = HERE,
) -> None:
    """Tell Telegram to deliver this tenant's messages to the webhook under URL, and with which secret."""
    settings = settings_of(home)
    one = tenant_of(settings, tenant)
    if not url.startswith("https://"):
        raise BadInput(
            f"{url} is not an https address", hint="Telegram delivers to https only, ports 443, 80, 88, 8443"
        )
    address = f"{url.rstrip('/')}/webhooks/telegram/{one.id}"
    found = asyncio.run(_connect(settings, one, address))
    if json:
        print_json({"url": found.url, "pending": found.pending})
        return
    out.print(f"Telegram delivers to {found.url}; {found.pending} messages wait", highlight=False)


async def _connect(settings: Settings, tenant: Tenant, address: str) -> Webhook:
    account = tenant.config.channels.telegram
    if account is None:
        raise NotFound(f"{tenant.id} has no Telegram bot", hint="add channels.telegram to its tenant.yaml")
    async with sending.open_http() as http:
        api = TelegramApi(http, settings.file.telegram.api_base, Metrics())
        await api.set_webhook(bot_of(tenant), url=address, secret=SecretStr(tenant.secret(account.webhook_secret)))
        return await api.webhook(bot_of(tenant))
