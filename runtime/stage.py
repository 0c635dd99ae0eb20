"""A whole product on loopback: a home, doubles of the channels' APIs, and ``proxystaff serve`` in its own process.

For the demo, the journeys and the benchmarks. Nothing here is on the way of a real message.
"""

import asyncio
import os
import secrets
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from ruamel.yaml import YAML

from runtime.channels.doubles import TelegramDouble, WhatsAppDouble
from runtime.channels.doubles import telegram as telegram_double
from runtime.channels.doubles import whatsapp as whatsapp_double
from runtime.errors import Unavailable
from runtime.settings import HOME_FILE, Settings, load_settings
from runtime.sockets import serving
from runtime.tenant import blueprint
from runtime.tenant.git.history import History
from runtime.tenant.registry import Tenant
from runtime.tenant.secrets import Keys

OWNER_TELEGRAM = 111222333
OWNER_WHATSAPP = "13035550100"
PHONE_NUMBER_ID = "106540352242922"
START_SECONDS = 60.0


@dataclass(kw_only=True)
class Stage:
    """One tenant and everything around it. ``address`` is where the product answers while it runs."""

    home: Path
    settings: Settings
    tenant: Tenant
    telegram: TelegramDouble
    whatsapp: WhatsAppDouble
    app_secret: str
    webhook_secret: str
    api_key: str
    bot_token: str
    http: httpx.AsyncClient
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    address: str = ""
    process: asyncio.subprocess.Process | None = field(default=None, repr=False)

    @property
    def history(self) -> History:
        return History(self.tenant.folder, home=self.home)

    @property
    def log(self) -> Path:
        return self.home / "serve.log"

    async def start(self) -> None:
        """Start the product and wait until it answers. Raises Unavailable with the end of its log."""
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "runtime", "serve", "--home", str(self.home), "--port", "0"),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                env={**environment(self.home), **self.environ},
                start_new_session=True,
            )
        assert self.process.stdout is not None
        try:
            line = await asyncio.wait_for(self.process.stdout.readline(), START_SECONDS)
        except TimeoutError:
            line = b""
        self.address = line.decode().strip().rpartition(" ")[2]
        if not self.address.startswith("http://"):
            await self.kill()
            raise Unavailable(f"the product did not start:\n{self.tail()}", hint=f"see {self.log}")

    async def stop(self) -> int:
        """Ask it to end (SIGTERM) and wait; its exit status."""
        return await self._end(signal.SIGTERM)

    async def kill(self) -> int:
        """SIGKILL: no handler, no goodbye."""
        return await self._end(signal.SIGKILL)

    async def _end(self, how: signal.Signals) -> int:
        process, self.process = self.process, None
        if process is None:
            return 0
        if process.returncode is None:
            process.send_signal(how)
        return await process.wait()

    def tail(self, lines: int = 30) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    async def post_telegram(self, text: str, update_id: int, *, sender: int = OWNER_TELEGRAM) -> httpx.Response:
        """What Telegram posts when somebody writes to the bot."""
        body = telegram_double.text_update(text, sender=sender, update_id=update_id)
        header = {"x-telegram-bot-api-secret-token": self.webhook_secret}
        path = f"/webhooks/telegram/{self.tenant.id}"
        return await self.http.post(self.address + path, content=body, headers=header)

    async def post_whatsapp(self, text: str, id_: str, *, sender: str = OWNER_WHATSAPP) -> httpx.Response:
        """What Meta posts when somebody writes to the number."""
        message = whatsapp_double.text_message(text, sender=sender, id_=id_)
        body = whatsapp_double.webhook(messages=[message], number=PHONE_NUMBER_ID)
        header = whatsapp_double.sign(body, self.app_secret)
        return await self.http.post(f"{self.address}/webhooks/whatsapp", content=body, headers=header)

    async def ask(self, text: str, **body: object) -> dict[str, Any]:
        """One turn over the HTTP API; its JSON."""
        answer = await self.http.post(
            f"{self.address}/api/v1/tenants/{self.tenant.id}/messages",
            json={"text": text, **body},
            headers={"authorization": f"Bearer {self.api_key}"},
        )
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found


def environment(home: Path) -> dict[str, str]:
    """What a child process is given: nothing of ours but the way to programs."""
    return {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(home), "LANG": "C.UTF-8", "PYTHONUNBUFFERED": "1"}


@asynccontextmanager
async def staged(
    home: Path, *, environ: Mapping[str, str] | None = None, **settings: Mapping[str, object] | str
) -> AsyncIterator[Stage]:
    """A stage in the empty folder ``home``; the product is not started yet, and is ended with the block.

    ``settings`` are sections of proxystaff.yaml; what is not named is a rehearsal on loopback. ``environ`` is
    given to the product on top of ``environment``.
    """
    bot = f"{secrets.randbelow(10**9) + 10**8}:{secrets.token_urlsafe(26)}"
    access, app_secret, webhook_secret, api_key = (secrets.token_hex(16) for _ in range(4))
    telegram, whatsapp = TelegramDouble(bot), WhatsAppDouble({PHONE_NUMBER_ID: access})
    async with (
        serving(telegram.app) as telegram_base,
        serving(whatsapp.app) as whatsapp_base,
        httpx.AsyncClient(trust_env=False, timeout=httpx.Timeout(60)) as http,
    ):
        defaults: dict[str, object] = {
            "model": {"upstream": "rehearsal"},
            "telegram": {"api_base": telegram_base},
            "whatsapp": {
                "api_base": f"{whatsapp_base}/v26.0",
                "app_secret": app_secret,
                "verify_token": secrets.token_hex(8),
            },
            "sessions": {"coalesce_seconds": 0.2},
        }
        home.mkdir(parents=True, exist_ok=True)
        with (home / HOME_FILE).open("w") as file:
            YAML().dump(_merged(defaults, settings), file)
        loaded = load_settings(home, {})
        Keys.of(loaded).create()
        tenant = blueprint.create(
            loaded,
            "Anden Wick",
            timezone="America/Denver",
            owner_telegram=str(OWNER_TELEGRAM),
            owner_whatsapp=OWNER_WHATSAPP,
            phone_number_id=PHONE_NUMBER_ID,
        )
        stored = zip(
            ("token", "webhook_secret", "access_token", "key"), (bot, webhook_secret, access, api_key), strict=True
        )
        values = dict(stored)
        for place, ref in tenant.config.secrets().items():
            tenant.secrets.set(ref.name, values[place.partition(".")[2]])
        stage = Stage(
            home=home,
            settings=loaded,
            tenant=tenant,
            telegram=telegram,
            whatsapp=whatsapp,
            app_secret=app_secret,
            webhook_secret=webhook_secret,
            api_key=api_key,
            bot_token=bot,
            http=http,
            environ=environ or {},
        )
        try:
            yield stage
        finally:
            await stage.kill()


def _merged(defaults: Mapping[str, object], given: Mapping[str, object]) -> dict[str, object]:
    merged = dict(defaults)
    for name, section in given.items():
        known = defaults.get(name)
        if isinstance(known, Mapping) and isinstance(section, Mapping):
            section = {**known, **section}
        merged[name] = section
    return merged
