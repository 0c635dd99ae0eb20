"""Commands that let people talk to tenants: serve, chat, send.

The runtime is imported inside them: the agent's SDK and the engine take a second that no other command should cost.
"""

import asyncio
import contextlib
import gc
from signal import SIGINT, SIGTERM
from typing import Annotated

import typer

from runtime import __version__, logs
from runtime.cli.terminal import HERE, Home, Json, TenantName, err, out, plain, print_json, settings_of, tenant_of
from runtime.errors import Refused
from runtime.settings import Settings
from runtime.sockets import listen, serving
from runtime.words import TenantId

CONVERSATION = "terminal"
GRACE = 10
"""Seconds that requests under way have when the process is told to end."""


def register(root: typer.Typer) -> None:
    root.command()(serve)
    root.command()(chat)
    root.command()(send)


def serve(
    host: Annotated[str, typer.Option(help="The address to listen on; proxystaff.yaml otherwise.")] = "",
    port: Annotated[int, typer.Option(help="0 lets the system choose.", min=-1, max=65535)] = -1,
    home: Home = HERE,
) -> None:
    """Serve every tenant of the home until it is told to end (Ctrl-C, SIGTERM)."""
    settings = settings_of(home)
    logs.configure(form=settings.file.logs.form, level=settings.file.logs.level)
    host = host or settings.file.server.host
    asyncio.run(_serve(settings, host, settings.file.server.port if port < 0 else port))


async def _serve(settings: Settings, host: str, port: int) -> None:
    from runtime.app import application, running
    from runtime.cli import reach

    ended = asyncio.Event()
    for signal in (SIGINT, SIGTERM):
        asyncio.get_running_loop().add_signal_handler(signal, ended.set)
    async with (
        running(settings) as runtime,
        serving(application(runtime), listen(host, port), patience=GRACE) as address,
    ):
        gc.collect()
        gc.freeze()  # what was imported stays; going through it again and again cost 100 ms at a time
        reach.announce(settings.var, address, runtime.operator.get_secret_value())
        print(f"ProxyStaff {__version__} serves {len(runtime.tenants.all())} tenants at {address}", flush=True)  # noqa: T201 - a command's output
        await ended.wait()


def send(
    tenant: TenantName,
    text: Annotated[str, typer.Argument(help="What to say, as the tenant's owner.")],
    json: Json = False,
    home: Home = HERE,
) -> None:
    """One turn through the durable path; prints the reply."""
    settings = settings_of(home)
    logs.configure(level="error")
    one = tenant_of(settings, tenant)
    said = asyncio.run(_send(settings, one.id, text))
    if json:
        print_json(said)
        return
    out.print(plain(str(said["reply"])), markup=False, highlight=False)


async def _send(settings: Settings, tenant: TenantId, text: str) -> dict[str, object]:
    from runtime.cli import reach

    said: dict[str, object] = {"turn": "", "reply": "", "commits": []}
    async with reach.reached(settings) as client:
        async for kind, data in client.say(tenant, text, CONVERSATION):
            said["turn"] = data["turn"]
            match kind:
                case "reply":
                    said["reply"] = data["text"]
                case "commits":
                    said["commits"] = data["commits"]
                case "error":
                    raise Refused(str(data["error"]), hint=str(data["hint"]))
    return said


def chat(tenant: TenantName, home: Home = HERE) -> None:
    """Talk with a tenant as its owner; words appear as they are written. An empty line or Ctrl-D ends."""
    settings = settings_of(home)
    logs.configure(level="error")
    one = tenant_of(settings, tenant)
    out.print(f"Chatting with {one.config.name}'s assistant. An empty line ends.", style="dim")
    with contextlib.suppress(EOFError, KeyboardInterrupt):
        asyncio.run(_chat(settings, one.id))


async def _chat(settings: Settings, tenant: TenantId) -> None:
    from runtime.cli import reach

    async with reach.reached(settings) as client:
        while text := (await asyncio.to_thread(input, "> ")).strip():
            shown = ""
            async for kind, data in client.say(tenant, text, CONVERSATION):
                match kind:
                    case "partial":
                        shown += str(data["text"])
                        out.print(plain(str(data["text"])), end="", markup=False, highlight=False)
                    case "tool" if data.get("ok") is None:
                        err.print(f"[{data['name']}]", style="dim", end=" ", markup=False)
                    case "reply":
                        out.print("\r" + plain(str(data["text"])) if data["text"] != shown else "", markup=False)
                    case "commits":
                        for commit in data["commits"]:
                            err.print(f"commit {commit[:10]}", style="yellow")
                    case "error":
                        err.print(f"{data['error']} (next: {data['hint']})", style="red", markup=False)
