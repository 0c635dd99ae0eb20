"""What the runtime adds to a turn, on the same instant model, in one run.

    scripts/bench turn [--turns 200] [--seconds 10] [--rate 100] [--json]

*Bare* is a warm SDK client on the CLI, with the runtime's tools and prompt, asked directly. *Runtime* is the same words
from the webhook's POST to the channel's API call, through the process that ``proxystaff serve`` is. The turns
alternate, so that a machine that slows down slows both; what is added is the difference pair by pair.
"""

import argparse
import asyncio
import json
import os
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from _instant import instant_model
from _wire import Line, sink
from claude_agent_sdk import ClaudeAgentOptions, ClaudeSDKClient

from runtime.agent import memory, prompt
from runtime.agent.options import WITH_SHELL
from runtime.agent.sandbox import Machine
from runtime.channels.doubles.telegram import text_update
from runtime.stage import OWNER_TELEGRAM, Stage, staged

WORDS = "How are we doing today?"
WARM_UP = 10


@asynccontextmanager
async def bare_client(folder: Path, model: str) -> AsyncIterator[ClaudeSDKClient]:
    """The CLI as the SDK starts it, in an empty folder, with nothing of the host's environment."""
    wrapper = folder / "claude"
    values = {"HOME": folder, "PATH": os.defpath, "ANTHROPIC_BASE_URL": model, "ANTHROPIC_API_KEY": "bench"}
    quiet = {"CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": 1, "DISABLE_AUTOUPDATER": 1, "IS_SANDBOX": 1}
    given = " ".join(f"{name}={value}" for name, value in {**values, **quiet}.items())
    wrapper.write_text(f'#!/bin/sh\nexec env -i {given} {Machine.this().cli} "$@"\n')
    wrapper.chmod(0o700)
    options = ClaudeAgentOptions(
        cli_path=wrapper,
        cwd=folder,
        model="sonnet",
        tools=list(WITH_SHELL),
        system_prompt=prompt.CONSTANT,
        setting_sources=[],
        permission_mode="bypassPermissions",
        verbatim_prompts=True,
    )
    async with ClaudeSDKClient(options) as client:
        yield client


async def bare_turn(client: ClaudeSDKClient) -> float:
    began = time.perf_counter()
    await client.query(WORDS)
    async for _ in client.receive_response():
        pass
    return time.perf_counter() - began


async def post(line: Line, stage: Stage, number: int) -> tuple[float, float]:
    body = text_update(WORDS, sender=OWNER_TELEGRAM, update_id=number)
    secret = {"x-telegram-bot-api-secret-token": stage.webhook_secret}
    return await line.post(f"/webhooks/telegram/{stage.tenant.id}", body, secret)


async def runtime_turn(line: Line, stage: Stage, arrived: "asyncio.Queue[float]", number: int) -> float:
    began, _ = await post(line, stage, number)
    return await asyncio.wait_for(arrived.get(), 60) - began


async def accepts(stage: Stage, *, rate: float, seconds: float) -> list[float]:
    """POST to 200 of messages that come at ``rate`` a second whatever the answers do (an open loop)."""
    found: list[float] = []
    lines: asyncio.Queue[Line] = asyncio.Queue()
    for _ in range(20):
        lines.put_nowait(await Line.open(stage.address))

    async def one(number: int) -> None:
        line = await lines.get()
        began, ended = await post(line, stage, number)
        lines.put_nowait(line)
        found.append(ended - began)

    start = time.perf_counter()
    waiting = []
    for number in range(int(rate * seconds)):
        await asyncio.sleep(max(0.0, start + number / rate - time.perf_counter()))
        waiting.append(asyncio.create_task(one(1_000_000 + number)))
    await asyncio.gather(*waiting)
    return found


def warm_bytes(pid: int) -> Iterator[int]:
    """Private memory of each Claude Code process below ``pid``."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text()
        except OSError:
            continue
        parents[int(text.split()[0])] = (
            int(text.rpartition(")")[2].split()[1]),
            text.partition("(")[2].rpartition(")")[0],
        )
    for child, (_, name) in parents.items():
        above = child
        while above in parents and above != pid:
            above = parents[above][0]
        if above == pid and name == "claude":
            yield memory.private_bytes(child)


def percentile(values: Sequence[float], share: float) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[round(share * 100) - 1]


async def measure(turns: int, rate: float, seconds: float) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "bare").mkdir()
        async with (
            instant_model(folder) as model,
            sink() as (channel, arrived),
            httpx.AsyncClient(trust_env=False) as http,
        ):
            settings = {
                "model": {"upstream": "anthropic", "base_url": model, "api_key": "bench"},
                "telegram": {"api_base": channel},
                "logs": {"level": "warning"},
            }
            async with staged(folder / "home", sessions={"coalesce_seconds": 0.0}, **settings) as stage:
                _lift_limits(stage)
                await stage.start()
                line = await Line.open(stage.address)
                await runtime_turn(line, stage, arrived, 1)
                first = (await http.get(f"{model}/stats")).json()["first_request_bytes"]
                pairs = []
                async with bare_client(folder / "bare", model) as client:
                    for number in range(WARM_UP + turns):
                        bare = await bare_turn(client)
                        pairs.append((bare, await runtime_turn(line, stage, arrived, 2 + number)))
                assert stage.process is not None
                resident = list(warm_bytes(stage.process.pid))
            async with staged(folder / "load", **settings) as stage:
                _lift_limits(stage)
                await stage.start()
                await runtime_turn(await Line.open(stage.address), stage, arrived, 1)
                accepted = await accepts(stage, rate=rate, seconds=seconds)
    pairs = pairs[WARM_UP:]
    added = [runtime - bare for bare, runtime in pairs]
    return {
        "bare turn p50 ms": 1000 * statistics.median(bare for bare, _ in pairs),
        "runtime turn p50 ms": 1000 * statistics.median(runtime for _, runtime in pairs),
        "added p50 ms": 1000 * statistics.median(added),
        "added p95 ms": 1000 * percentile(added, 0.95),
        "accept p50 ms": 1000 * statistics.median(accepted),
        "accept p99 ms": 1000 * percentile(accepted, 0.99),
        "first request KB": first / 1024,
        "memory per warm session MB": statistics.mean(resident) / 1024**2 if resident else 0.0,
    }


def _lift_limits(stage: Stage) -> None:
    """The instant model costs what the real one would, and a benchmark is more than a day's work."""
    text = stage.tenant.folder.read_text("tenant.yaml")
    lines = [line for line in text.splitlines() if not line.startswith(("limits", "  usd_per_day", "  turns_per_day"))]
    lines.append("limits: {usd_per_day: 100000, turns_per_day: 1000000, messages_per_minute: 1000000}")
    stage.tenant.folder.write_text("tenant.yaml", "\n".join(lines) + "\n")


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(prog="scripts/bench turn", description=__doc__)
    parser.add_argument("--turns", type=int, default=200)
    parser.add_argument("--rate", type=float, default=100, help="messages a second for the accept time")
    parser.add_argument("--seconds", type=float, default=10, help="how long they come")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found = asyncio.run(measure(given.turns, given.rate, given.seconds))
    if given.json:
        print(json.dumps(found, indent=2))
        return
    for name, value in found.items():
        print(f"{name:<28} {value:8.1f}")


if __name__ == "__main__":
    main()
