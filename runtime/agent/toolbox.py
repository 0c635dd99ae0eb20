"""The shared tools as the agent sees them: an MCP server in this process, one for each session.

Owns how a tool's use becomes a call: for whom (the running turn's ask), in a thread that is not left before it ends,
and its faults as words for the model. Does not own what the tools are (shared_tools/) nor what they work on, which is
handed in.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from claude_agent_sdk import McpServerConfig, SdkMcpTool, create_sdk_mcp_server

from runtime import logs
from runtime.agent.events import Ask, Effect
from runtime.agent.naming import SERVER, named
from runtime.agent.replaying import NOT_RECORDED, Extra, Recorded, Replay
from runtime.errors import Fault
from runtime.words import Role
from shared_tools.offered import Memory, Misused, Onboarding, Tool

WITHIN = (Memory, Onboarding)
"""What lies in the folder that is asked about, and nowhere else: only on these does a tool work in a play."""

log = logs.get("agent")

Providers = Mapping[type, Callable[[Ask], object]]
"""What a tool works on, by the protocol it needs, made for the turn that uses it."""


@dataclass(frozen=True, slots=True)
class Toolbox:
    """Nobody's by default: no tools. A guest gets none, whoever speaks decides no more than their role.

    In a ``replay`` its answers take the place of the tools, and its own tools are there beside them.
    """

    tools: tuple[Tool, ...] = ()
    providers: Providers = field(default_factory=dict)
    replay: Replay | None = None

    def playing(self, replay: Replay | None) -> "Toolbox":
        """The same, for one session that plays a turn again; for any other one as it is."""
        return replace(self, replay=replay)

    @property
    def effects(self) -> Mapping[str, Effect]:
        extras: dict[str, Effect] = {named(tool.name): tool.effect for tool in self._extras}
        return {named(tool.name): tool.effect for tool in self.tools} | extras

    @property
    def _extras(self) -> tuple[Extra, ...]:
        """Of a play, but for those that are there anyway."""
        known = {tool.name for tool in self.tools}
        return tuple(one for one in (self.replay.tools if self.replay else ()) if one.name not in known)

    def servers(self, role: Role, ask: Callable[[], Ask | None]) -> dict[str, McpServerConfig]:
        """For one session; ``ask`` is its running turn, None between turns."""
        if role is Role.GUEST or not (self.tools or self._extras):
            return {}
        offered = [*(self._offered(tool, ask) for tool in self.tools), *map(self._played, self._extras)]
        return {SERVER: create_sdk_mcp_server(SERVER, tools=offered)}

    def _offered(self, tool: Tool, ask: Callable[[], Ask | None]) -> SdkMcpTool[Any]:
        async def handler(given: Mapping[str, Any]) -> dict[str, Any]:
            now = ask()
            if now is None:
                return _said("No turn is running.", failed=True)
            if recorded := self._recorded(tool.name, given, tool.effect, real=tool.needs in WITHIN):
                return _said(recorded.output, failed=not recorded.ok)
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

    def _played(self, tool: Extra) -> SdkMcpTool[Any]:
        async def handler(given: Mapping[str, Any]) -> dict[str, Any]:
            recorded = self._recorded(tool.name, given, tool.effect, real=False) or Recorded(NOT_RECORDED, ok=False)
            return _said(recorded.output, failed=not recorded.ok)

        return SdkMcpTool(name=tool.name, description=tool.description, input_schema=dict(tool.schema), handler=handler)

    def _recorded(self, name: str, given: Mapping[str, Any], effect: Effect, *, real: bool) -> Recorded | None:
        """What a play gives for the use of a tool; None when the tool is to run. ``real``: it may, in a play too."""
        if self.replay is None:
            return None
        found = self.replay.answer(named(name), given, effect)
        may_run = real and effect != "external"
        return found if found or may_run else Recorded(NOT_RECORDED, ok=False)

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
