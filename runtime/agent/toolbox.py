"""The shared tools as the agent sees them: an MCP server in this process, one for each session.

Owns how a tool's use becomes a call: for whom (the running turn's ask), in a thread that is not left before it ends,
and its faults as words for the model. Does not own what the tools are (shared_tools/) nor what they work on, which is
handed in.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from claude_agent_sdk import McpServerConfig, SdkMcpTool, create_sdk_mcp_server

from runtime import logs
from runtime.agent.events import Ask, Effect
from runtime.errors import Fault
from runtime.words import Role
from shared_tools.offered import Misused, Tool

SERVER = "staff"

log = logs.get("agent")

Providers = Mapping[type, Callable[[Ask], object]]
"""What a tool works on, by the protocol it needs, made for the turn that uses it."""


@dataclass(frozen=True, slots=True)
class Toolbox:
    """Nobody's by default: no tools. A guest gets none, whoever speaks decides no more than their role."""

    tools: tuple[Tool, ...] = ()
    providers: Providers = field(default_factory=dict)

    @property
    def effects(self) -> Mapping[str, Effect]:
        return {f"mcp__{SERVER}__{tool.name}": tool.effect for tool in self.tools}

    def servers(self, role: Role, ask: Callable[[], Ask | None]) -> dict[str, McpServerConfig]:
        """For one session; ``ask`` is its running turn, None between turns."""
        if role is Role.GUEST or not self.tools:
            return {}
        return {SERVER: create_sdk_mcp_server(SERVER, tools=[self._offered(tool, ask) for tool in self.tools])}

    def _offered(self, tool: Tool, ask: Callable[[], Ask | None]) -> SdkMcpTool[Any]:
        async def handler(given: Mapping[str, Any]) -> dict[str, Any]:
            now = ask()
            if now is None:
                return _said("No turn is running.", failed=True)
            try:
                return _said(await _to_its_end(partial(self._use, tool, now, given)))
            except Fault as fault:
                return _said(f"Not done: {fault.problem.rstrip('.')}. {_sentence(fault.hint)}", failed=True)
            except Misused as fault:
                return _said(f"Not done: {fault}", failed=True)
            except Exception:  # the border to the agent: whatever broke, the turn goes on
                log.exception("tool.failed", tool=tool.name, tenant=now.tenant, turn=now.turn)
                return _said(f"Not done: {tool.name} is broken. Go on without it, and say so.", failed=True)

        return SdkMcpTool(name=tool.name, description=tool.description, input_schema=tool.schema(), handler=handler)

    def _use(self, tool: Tool, ask: Ask, given: Mapping[str, Any]) -> str:
        return tool.run(self.providers[tool.needs](ask), given)


async def _to_its_end(call: Callable[[], str]) -> str:
    """In a thread. A cancelled turn waits for it: what it writes must be there before the turn is committed."""
    running = asyncio.ensure_future(asyncio.to_thread(call))
    cancelled: asyncio.CancelledError | None = None
    while not running.done():
        try:
            await asyncio.wait([running])
        except asyncio.CancelledError as one:
            cancelled = one
    if cancelled is not None:
        if not running.cancelled():
            running.exception()  # is nobody's any more
        raise cancelled
    return running.result()


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


def _said(text: str, *, failed: bool = False) -> dict[str, Any]:
    return {"content": [{"type": "text", "text": text}], "is_error": failed}
