"""How a command reaches a tenant's runtime: the process that serves the home, or one of its own for the moment.

Owns var/serving.json, by which a serving process is found: its address and a key for whoever can read the file (0600).
"""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from runtime.app import application, running
from runtime.engine.lease import Lease
from runtime.errors import Fault, NotFound, Unavailable
from runtime.settings import Settings
from runtime.sockets import serving
from runtime.tenant.folder import Folder
from runtime.words import TenantId

SERVING = "serving.json"


@dataclass(frozen=True, slots=True)
class Client:
    """The HTTP API of a running process, with its operator's key."""

    http: httpx.AsyncClient

    async def say(self, tenant: TenantId, text: str, conversation: str) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        """One turn: its events as they come, as (kind, data). Raises Unavailable when the process says no."""
        async with self.http.stream(
            "POST",
            f"/api/v1/tenants/{tenant}/messages",
            json={"text": text, "conversation": conversation},
            headers={"accept": "text/event-stream"},
        ) as answer:
            if answer.status_code != 200:
                said = json.loads(await answer.aread())
                raise Unavailable(said.get("error", f"HTTP {answer.status_code}"), hint=said.get("hint", "try again"))
            kind = ""
            async for line in answer.aiter_lines():
                if line.startswith("event: "):
                    kind = line.removeprefix("event: ")
                elif line.startswith("data: "):
                    yield kind, json.loads(line.removeprefix("data: "))

    async def health(self) -> dict[str, Any]:
        found: dict[str, Any] = (await self.http.get("/health")).json()
        return found


@asynccontextmanager
async def reached(settings: Settings) -> AsyncIterator[Client]:
    """A client of whoever serves the home; where nobody does, of a runtime that lives as long as the block."""
    if Lease(settings.var).held_elsewhere():
        address, key = _found(settings)
        async with _client(address, key) as client:
            yield client
        return
    async with (
        running(settings) as runtime,
        serving(application(runtime)) as address,
        _client(address, runtime.operator.get_secret_value()) as client,
    ):
        yield client


def announce(var: Path, address: str, key: str) -> None:
    """Say where this process is to be found."""
    Folder(var).write_text(SERVING, json.dumps({"address": address, "key": key}), mode=0o600)


def _found(settings: Settings) -> tuple[str, str]:
    try:
        said = json.loads(Folder(settings.var).read_text(SERVING))
        return said["address"], said["key"]
    except (Fault, ValueError, KeyError):
        raise NotFound(
            "a process serves this home and does not say where", hint="wait a moment, or restart proxystaff serve"
        ) from None


@asynccontextmanager
async def _client(address: str, key: str) -> AsyncIterator[Client]:
    timeout = httpx.Timeout(10, read=None)
    headers = {"authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(base_url=address, headers=headers, timeout=timeout, trust_env=False) as http:
        yield Client(http)
