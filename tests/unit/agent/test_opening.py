from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import pytest

from runtime.agent.gateway import Gateway, Limits
from runtime.agent.opening import open_gateway
from runtime.errors import ConfigFault
from runtime.metrics import Metrics
from runtime.settings import load_settings
from runtime.words import Conversation, TenantId, TurnId


def opened(home: Path, text: str) -> Gateway:
    (home / "proxystaff.yaml").write_text(text)
    return open_gateway(load_settings(home, {}), limits=lambda _: Limits(None, ZoneInfo("UTC")), metrics=Metrics())


async def ask(gateway: Gateway) -> str:
    token = gateway.open(TenantId("anden"), Conversation("web:x"))
    gateway.begin_turn(token, TurnId("turn:1"))
    body = {"model": "claude-sonnet-5-5", "messages": [{"role": "user", "content": "hi"}]}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(gateway.app), base_url="http://gateway") as client:
        answer = (await client.post("/v1/messages", json=body, headers={"x-api-key": token})).json()
    await gateway.aclose()
    return str(answer["content"][0]["text"])


async def test_a_home_rehearses_the_demo_until_it_names_a_scenario(tmp_path: Path) -> None:
    assert "Hello!" in await ask(opened(tmp_path, "model: {upstream: rehearsal}"))
    (tmp_path / "mine.yaml").write_text("default: mine\nannounce: false")
    assert await ask(opened(tmp_path, "model: {upstream: rehearsal, rehearsal: mine.yaml}")) == "mine"
    assert (tmp_path / "var" / "ledger.db").is_file()


def test_a_home_without_a_key_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigFault, match="ANTHROPIC_API_KEY"):
        opened(tmp_path, "")
