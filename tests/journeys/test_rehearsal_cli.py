"""The real CLI on the rehearsal model, through the real gateway on loopback, without a sandbox."""

import asyncio
import shlex
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import claude_agent_sdk
import pytest
import uvicorn
from claude_agent_sdk import ClaudeAgentOptions, ClaudeSDKClient, ResultMessage, StreamEvent

from runtime.agent.attempts import Patience
from runtime.agent.gateway import Gateway, Limits, SessionToken, Usage
from runtime.agent.ledger import Ledger
from runtime.agent.prices import Prices
from runtime.agent.rehearsal import DEMO, RehearsalUpstream
from runtime.metrics import Metrics
from runtime.words import Conversation, TenantId, TurnId

pytestmark = pytest.mark.journey

TENANT, CONVERSATION = TenantId("anden"), Conversation("web:anden")
CLI = Path(claude_agent_sdk.__file__).parent / "_bundled" / "claude"
BLUEPRINT = Path(__file__).parents[2] / "blueprint"


@dataclass
class House:
    """A gateway that is being served, one tenant's folder, and one session's token."""

    gateway: Gateway
    token: SessionToken
    folder: Path
    options: ClaudeAgentOptions
    turns: int = 0

    async def say(self, client: ClaudeSDKClient, words: str) -> tuple[ResultMessage, Usage, int]:
        """The result, what it used, and how many pieces of text came before it was whole."""
        self.turns += 1
        self.gateway.begin_turn(self.token, TurnId(f"turn:{self.turns}"))
        pieces = 0
        await client.query(words)
        async for message in client.receive_response():
            if isinstance(message, StreamEvent) and message.event.get("delta", {}).get("type") == "text_delta":
                pieces += 1
            if isinstance(message, ResultMessage):
                return message, self.gateway.end_turn(self.token), pieces
        raise AssertionError("the session ended without a result")


@asynccontextmanager
async def house(tmp: Path, *, scenario: Path = DEMO, usd: float | None = None) -> AsyncIterator[House]:
    folder = tmp / "tenant"
    shutil.copytree(BLUEPRINT, folder)
    (tmp / "home").mkdir()
    gateway = Gateway(
        RehearsalUpstream(scenario),
        Ledger(tmp / "ledger.db"),
        Prices(),
        limits=lambda _: Limits(usd, ZoneInfo("America/Denver")),
        metrics=Metrics(),
        patience=Patience(waits=(0.01, 0.01)),
    )
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # asyncio sets it only on sockets of proto 6
        server = uvicorn.Server(uvicorn.Config(gateway.app, log_level="error", lifespan="off"))
        serving = asyncio.create_task(server.serve([listening]))
        token = gateway.open(TENANT, CONVERSATION)
        try:
            yield House(gateway, token, folder, _options(tmp, folder, listening.getsockname()[1], token))
        finally:
            server.should_exit = True
            await serving
            await gateway.aclose()


def _options(tmp: Path, folder: Path, port: int, token: str) -> ClaudeAgentOptions:
    environment = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(tmp / "home"),
        "CLAUDE_CONFIG_DIR": str(tmp / "config"),
        "ANTHROPIC_BASE_URL": f"http://127.0.0.1:{port}",
        "ANTHROPIC_API_KEY": token,
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "DISABLE_AUTOUPDATER": "1",
    }
    given = " ".join(shlex.quote(f"{name}={value}") for name, value in environment.items())
    wrapper = tmp / "claude"
    wrapper.write_text(f'#!/bin/sh\nexec env -i {given} {shlex.quote(str(CLI))} "$@"\n')
    wrapper.chmod(0o755)
    tools = ["Read", "Edit", "Write", "Bash", "Glob", "Grep"]
    return ClaudeAgentOptions(
        cli_path=str(wrapper),
        cwd=str(folder),
        system_prompt="You are a member of staff.",
        tools=tools,
        allowed_tools=tools,
        model="sonnet",
        verbatim_prompts=True,
        setting_sources=["project"],
        include_partial_messages=True,
    )


def text(result: ResultMessage) -> Any:
    return result.result


async def test_a_conversation_greets_and_looks_things_up(tmp_path: Path) -> None:
    async with house(tmp_path) as at, ClaudeSDKClient(at.options) as client:
        result, usage, pieces = await at.say(client, "[Anden · owner]\nhi there")
        assert text(result) == "[rehearsal] Hello! What can I take off your hands today?"
        assert pieces > 1
        assert usage.requests == 1
        assert usage.models == ("claude-sonnet-5-5",)
        assert 0 < usage.first_request_bytes < 40_000
        assert usage.usd == pytest.approx(result.total_cost_usd, rel=0.01), "the CLI reckons as the gateway does"

        result, _, _ = await at.say(client, "[Anden · owner]\nWhat do you know about Sarah?")
        assert text(result) == "Nothing yet about Sarah. Tell me, and I will remember it."


async def test_an_sop_is_changed_on_request(tmp_path: Path) -> None:
    async with house(tmp_path) as at, ClaudeSDKClient(at.options) as client:
        result, _, _ = await at.say(client, "Change the SOP for lead follow-up: call within 5 minutes")
        assert "call a new lead within 5 minutes instead of 30" in text(result)
        assert "the realtor calls within 5," in (at.folder / "directives/lead-follow-up.md").read_text()


@pytest.mark.parametrize("words", ["/context", "@/etc/passwd", "!ls", "#note"])
async def test_words_for_a_command_line_are_only_words(tmp_path: Path, words: str) -> None:
    async with house(tmp_path) as at, ClaudeSDKClient(at.options) as client:
        result, usage, _ = await at.say(client, words)
        assert text(result) == f"[rehearsal] You wrote {words} and that is all it is to me: words."
        assert usage.requests == 1


@pytest.mark.parametrize("words", ["is the model busy?", "lose the line"])
async def test_a_fault_that_passes_is_not_seen(tmp_path: Path, words: str) -> None:
    async with house(tmp_path) as at, ClaudeSDKClient(at.options) as client:
        result, usage, _ = await at.say(client, words)
        assert not result.is_error
        assert "I asked again" in text(result) or "I was asked again" in text(result)
        assert usage.refused == ""


async def test_a_spent_budget_stops_the_turn_at_once(tmp_path: Path) -> None:
    async with house(tmp_path, usd=0.0) as at, ClaudeSDKClient(at.options) as client:
        result, usage, _ = await at.say(client, "hi")
        assert result.is_error
        assert result.api_error_status == 402
        assert "budget_reached" in text(result)
        assert (usage.refused, usage.usd, usage.requests) == ("budget", 0.0, 1)


async def test_a_provider_that_stays_down_is_not_asked_over_and_over(tmp_path: Path) -> None:
    scenario = tmp_path / "down.yaml"
    scenario.write_text("replies:\n  - {when: {first: true}, do: [{error: 529}]}\n")
    async with house(tmp_path, scenario=scenario) as at, ClaudeSDKClient(at.options) as client:
        result, usage, _ = await at.say(client, "hi")
        assert (result.is_error, result.api_error_status) == (True, 529)
        assert (usage.refused, usage.requests) == ("upstream:529", 1)


async def test_a_session_resumed_goes_on_where_it_was(tmp_path: Path) -> None:
    async with house(tmp_path) as at:
        async with ClaudeSDKClient(at.options) as client:
            result, _, _ = await at.say(client, "hello")
        at.options.resume = result.session_id
        async with ClaudeSDKClient(at.options) as client:
            result, _, _ = await at.say(client, "hello")
            assert text(result) == "Hello! What can I take off your hands today?", "announced once a session"
