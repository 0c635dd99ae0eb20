"""The shared tools as the agent sees them: an MCP server in this process, one for each session.

Owns how a tool's use becomes a call: for whom (the running turn's ask), in a thread, and its faults as words for the
model. Does not own what the tools are (shared_tools/) nor what they work on, which is handed in.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from claude_agent_sdk import McpServerConfig, SdkMcpTool, create_sdk_mcp_server

from runtime.agent.events import Ask, Effect
from runtime.errors import Fault
from runtime.words import Role
from shared_tools.offered import Misused, Tool

SERVER = "staff"

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
                return _said(await asyncio.to_thread(tool.run, self.providers[tool.needs](now), given))
            except Fault as fault:
                return _said(f"Not done: {fault.problem}. {fault.hint}.", failed=True)
            except Misused as fault:
                return _said(f"Not done: {fault}", failed=True)

        return SdkMcpTool(name=tool.name, description=tool.description, input_schema=tool.schema(), handler=handler)


def _said(text: str, *, failed: bool = False) -> dict[str, Any]:
    return {"content": [{"type": "text", "text": text}], "is_error": failed}
