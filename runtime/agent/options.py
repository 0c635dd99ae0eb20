"""What a session is started with: the options the SDK is given, and what all sessions share.

Owns the CLI's flags, settings and tools. Each was chosen by looking at the request that leaves: what made it longer,
or different from tenant to tenant, is off. Does not own the environment or the mounts (sandbox.py).
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from claude_agent_sdk import ClaudeAgentOptions, McpServerConfig
from claude_agent_sdk.types import HookEvent, HookMatcher

from runtime.agent import guards
from runtime.agent.doors import Doors
from runtime.agent.events import Effect
from runtime.agent.gateway import SessionToken, Usage
from runtime.agent.isolation import Bwrap, FileToolsOnly, Isolation
from runtime.agent.replaying import Replay
from runtime.agent.sandbox import Machine, Start
from runtime.agent.toolbox import Toolbox
from runtime.words import Conversation, Role, TenantId, TurnId

# With a shell, Glob and Grep are 4 KB of every first request for what grep and find do as well.
WITH_SHELL = ("Read", "Edit", "Write", "Bash")
WITHOUT_SHELL = ("Read", "Edit", "Write", "Glob", "Grep")
ONLY_LOOKING = ("Read", "Glob", "Grep")

_MESSAGE_BYTES = 32 * 1024 * 1024

_SETTINGS = {
    "attribution": {"commit": "", "pr": ""},  # commits are the runtime's, with trailers of their own
    "includeGitInstructions": False,
    "autoMemoryEnabled": False,
    # Instructions are CLAUDE.md at the top, which only the admin writes; never a file the agent put deeper.
    "claudeMdExcludes": [f"**/{name}/**" for name in ("life", "directives", "execution", "state")],
}


class GatewayDoor(Protocol):
    """What a session needs of the model gateway."""

    @property
    def app(self) -> Any: ...
    def open(self, tenant: TenantId, conversation: Conversation) -> SessionToken: ...
    def close(self, token: SessionToken) -> None: ...
    def begin_turn(self, token: SessionToken, turn: TurnId) -> None: ...
    def end_turn(self, token: SessionToken) -> Usage: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """What all sessions of a process share."""

    isolation: Isolation
    machine: Machine
    gateway: GatewayDoor
    doors: Doors
    model: str
    turn_seconds: float
    idle_seconds: float
    toolbox: Toolbox

    @property
    def effects(self) -> Mapping[str, Effect]:
        """What each tool there is can do."""
        return {**guards.BUILT_IN, **self.toolbox.effects}


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """What a session is for, and what it was started on: it serves only asks that would give an equal one."""

    tenant: TenantId
    conversation: Conversation
    folder: Path
    role: Role
    timezone: str
    streams: bool
    apart: bool
    replay: Replay | None
    prompt: str
    rules: tuple[str, ...]
    """The files of those that the prompt holds."""
    stamps: tuple[tuple[str, int, int, int], ...]


def options(
    house: House,
    spec: Spec,
    start: Start,
    *,
    claude_id: str,
    resume: bool,
    hooks: dict[HookEvent, list[HookMatcher]],
    servers: Mapping[str, McpServerConfig],
    stderr: Callable[[str], None],
) -> ClaudeAgentOptions:
    confined = isinstance(house.isolation, Bwrap)
    tools = list(tools_for(house.isolation, spec.role))
    return ClaudeAgentOptions(
        cli_path=start.script,
        cwd=None if confined else start.tenant,
        model=house.model,
        tools=tools,
        # A file, because an argument would show in ``ps``. Without the snapshot, which the CLI keeps in a transcript
        # the agent can write and would go on with after README.md was changed.
        system_prompt={"type": "file", "path": start.prompt},
        extra_args={"system-prompt-snapshot": "off"},
        session_id=None if resume else claude_id,
        resume=claude_id if resume else None,
        verbatim_prompts=True,
        setting_sources=["project"],
        settings=json.dumps(_SETTINGS),
        mcp_servers=dict(servers),
        strict_mcp_config=True,
        # Inside, the sandbox decides; outside of one, only what is named runs, and the guard has seen it.
        permission_mode="bypassPermissions" if confined else "dontAsk",
        allowed_tools=[] if confined else [*tools, *(f"mcp__{name}" for name in servers)],
        include_partial_messages=spec.streams,
        hooks=hooks,
        stderr=stderr,
        max_buffer_size=_MESSAGE_BYTES,
    )


def tools_for(isolation: Isolation, role: Role) -> tuple[str, ...]:
    if role is Role.GUEST:
        return ONLY_LOOKING
    return WITHOUT_SHELL if isinstance(isolation, FileToolsOnly) else WITH_SHELL
