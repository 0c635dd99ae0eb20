"""What the agent may do, checked before a tool runs, and the receipt of what it did.

Owns the policy (a pure function) and the record of a turn's tools. It guides a model that means well and writes the
receipts; what confines one that does not is the sandbox. Only where there is no sandbox is it also the fence,
and then ``resolve`` follows links.
"""

import json
import os
import posixpath
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from claude_agent_sdk import HookContext, HookMatcher
from claude_agent_sdk.types import HookEvent, HookJSONOutput, PreToolUseHookSpecificOutput

from runtime.agent.events import AgentEvent, Effect, ToolEnded, ToolRun, ToolStarted
from runtime.agent.exposing import Exposure, Reading
from runtime.agent.replaying import Replay, printing
from runtime.agent.views import CONFIG, HIDDEN, KEPT, VIEWS
from runtime.tenant.rules.files import RULES
from runtime.words import Role

BUILT_IN: Mapping[str, Effect] = {
    "Read": "read",
    "Glob": "read",
    "Grep": "read",
    "Edit": "write",
    "Write": "write",
    "Bash": "write",
}
"""The CLI's own tools that are used here. A tool that nobody named is denied."""

LONGEST = 4096
"""Characters of a tool's input and output that are kept."""

_FILE_TOOLS = {"Read": "file_path", "Edit": "file_path", "Write": "file_path", "Glob": "path", "Grep": "path"}
_PATTERNS = {"Glob": "pattern", "Grep": "glob"}
_MAY_CHANGE = ("directives/", "execution/", "state/")
_RUNTIMES_OWN = (*KEPT, CONFIG, "state/recent_messages.json")
_RULES_KEPT = "learned rules are kept by the system; say what you would change and why."
_NEVER_WRITTEN = frozenset({"claude.md", "claude.local.md", "agents.md", ".claude", ".mcp.json"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """For one session. ``root`` is the tenant's folder as the agent sees it; ``effects`` names every tool there is.
    ``apart``: nobody asked for what is done, so nobody outside is reached; in a ``replay`` what would reach them is
    kept by it instead. ``confined``: in a sandbox."""

    root: str
    role: Role
    shell: bool
    apart: bool = False
    replay: Replay | None = None
    confined: bool = True
    effects: Mapping[str, Effect] = field(default_factory=lambda: BUILT_IN)
    resolve: Callable[[str], str] = posixpath.normpath


def deny(policy: Policy, tool: str, given: Mapping[str, Any]) -> str:
    """Why this use of a tool is not allowed, in words the model can act on; empty when it is allowed."""
    effect = policy.effects.get(tool)
    if effect is None:
        return f"There is no tool {tool} here; use one of {', '.join(sorted(policy.effects))}."
    if policy.role is Role.GUEST and effect != "read":
        return "This person is a guest and may only ask; answer from what you can read, or offer to pass it on."
    if policy.apart and effect == "external" and (policy.replay is None or tool in BUILT_IN):
        return "Nobody is here to be reached; work with the files only."
    if tool == "Bash" and not policy.shell:
        return "There is no shell on this machine; use Read, Edit, Write, Glob and Grep."
    if tool == "Bash" and not policy.confined and RULES in str(given.get("command")):
        return f"{_RULES_KEPT} Read them with Read."
    if tool in _FILE_TOOLS:
        return _deny_file(policy, tool, given, writes=effect != "read")
    return ""


def _deny_file(policy: Policy, tool: str, given: Mapping[str, Any], *, writes: bool) -> str:
    named = given.get(_FILE_TOOLS[tool]) or "."
    if not isinstance(named, str) or "\0" in named:
        return "Name a file inside your folder."
    if tool in _PATTERNS and _leads_away(given.get(_PATTERNS[tool])):
        return "Patterns are relative to your folder and have no '..' in them."
    path = policy.resolve(posixpath.join(policy.root, named))
    inside = posixpath.relpath(path, policy.root)
    if inside == ".." or inside.startswith("../"):
        return f"Only files under {policy.root} can be used; {named} is outside."
    if writes:
        return _deny_write(inside, policy.role)
    return _deny_read(inside, policy.role)


def _leads_away(pattern: object) -> bool:
    return isinstance(pattern, str) and (pattern.startswith(("/", "~")) or ".." in pattern)


def _deny_write(inside: str, role: Role) -> str:
    parts = inside.lower().split("/")
    if not _NEVER_WRITTEN.isdisjoint(parts) or any(part.startswith(".git") for part in parts):
        return f"{inside} is the admin's to change. Tell the person what you would change in it and why."
    if _is_under(inside.lower(), (RULES,)):
        return f"{inside} cannot be changed: {_RULES_KEPT}"
    if _is_under(inside, ("life",)):
        return "What you know is written with remember, life_write and forget, a fact at a time, not as files."
    if not inside.startswith(_MAY_CHANGE):
        return f"{inside} cannot be changed. Write under directives/, execution/ or state/."
    if not _is_under(inside, VIEWS[role].writable):
        return f"{inside} is the owner's to change. Tell the person, and offer to pass it on."
    if _is_under(inside, _RUNTIMES_OWN):
        return f"{inside} is kept by the system. What you want to remember you save with remember."
    return ""


def _deny_read(inside: str, role: Role) -> str:
    if _is_under(inside, (".secrets",)):
        return "Credentials are not for you; a tool that needs one is given it."
    if _is_under(inside, HIDDEN):
        return "By what you are judged is not for you to see."
    if role is Role.GUEST and _is_under(inside, ("state", ".git")):
        return "What others wrote is not shown to a guest."
    return ""


def _is_under(inside: str, places: tuple[str, ...]) -> bool:
    return any(inside == place or inside.startswith(f"{place}/") for place in places)


@dataclass
class Receipts:
    """The tools of one turn, as they run. ``external``: one that reaches others was begun, whether or not it ended."""

    effects: Mapping[str, Effect]
    tell: Callable[[AgentEvent], None]
    exposed: dict[str, Exposure] = field(default_factory=dict)
    runs: list[ToolRun] = field(default_factory=list)
    external: bool = False

    def denied(self, tool: str, given: Mapping[str, Any], reason: str) -> None:
        self._add(tool, given, output=reason, ok=False, ms=0)

    def began(self, tool: str, given: Mapping[str, Any]) -> None:
        self.external = self.external or self._effect(tool) == "external"
        self.tell(ToolStarted(tool, bounded(given)))

    def ended(self, tool: str, given: Mapping[str, Any], response: object, *, ok: bool, ms: int) -> None:
        self._add(tool, given, output=as_text(response), ok=ok, ms=ms)

    def _add(self, tool: str, given: Mapping[str, Any], *, output: str, ok: bool, ms: int) -> None:
        run = ToolRun(name=tool, input=bounded(given), output=_cut(output), ok=ok, ms=ms, effect=self._effect(tool))
        self.runs.append(run)
        self.tell(ToolEnded(run))

    def _effect(self, tool: str) -> Effect:
        return self.effects.get(tool, "external")  # what is not known is taken for the worst


def hooks(
    policy: Policy, receipts: Callable[[], Receipts | None], reading: Reading
) -> dict[HookEvent, list[HookMatcher]]:
    """What the SDK calls around every tool. ``receipts`` are those of the running turn; outside of one nothing runs.
    What ``reading`` has to show stands beside the tool's result.

    A hook that fails blocks the tool.
    """

    async def before(given: Any, _id: str | None, _context: HookContext) -> HookJSONOutput:
        name, arguments, turn = given["tool_name"], given["tool_input"], receipts()
        reason = deny(policy, name, arguments) if turn else "No turn is running."
        if turn and reason:
            turn.denied(name, arguments, reason)
        elif turn:
            turn.began(name, arguments)
        if not reason:
            allowed: PreToolUseHookSpecificOutput = {
                "hookEventName": "PreToolUse",
                "permissionDecision": "allow",
            }
            if instead := _played(policy, name, arguments):
                allowed["updatedInput"] = instead
            return {"hookSpecificOutput": allowed}
        return {
            "hookSpecificOutput": {
                "hookEventName": "PreToolUse",
                "permissionDecision": "deny",
                "permissionDecisionReason": reason,
            }
        }

    async def after(given: Any, _id: str | None, _context: HookContext) -> HookJSONOutput:
        if turn := receipts():
            ok = given["hook_event_name"] == "PostToolUse"
            response = given.get("tool_response") if ok else given.get("error", "")
            name, arguments = given["tool_name"], given["tool_input"]
            turn.ended(name, arguments, response, ok=ok, ms=given.get("duration_ms", 0))
            if shown := reading.after(name, arguments, turn.exposed, ok=ok):
                return {"hookSpecificOutput": {"hookEventName": "PostToolUse", "additionalContext": shown}}
        return {}

    return {
        "PreToolUse": [HookMatcher(hooks=[before], on_failure="block")],
        "PostToolUse": [HookMatcher(hooks=[after])],
        "PostToolUseFailure": [HookMatcher(hooks=[after])],
    }


def _played(policy: Policy, tool: str, given: Mapping[str, Any]) -> dict[str, Any] | None:
    """In a play: what one of the CLI's own tools is given in place of ``given``. Only a command is ever replaced; files
    are those of the play's folder. Our own tools ask for themselves (toolbox.py)."""
    if policy.replay is None or tool not in BUILT_IN:
        return None
    recorded = policy.replay.answer(tool, given, BUILT_IN[tool])
    if recorded is None or tool != "Bash":
        return None
    return {**given, "command": printing(recorded)}


def bounded(given: Mapping[str, Any]) -> dict[str, Any]:
    """A tool's input, JSON-able and of at most about 4 KB: long texts are cut, then the whole."""
    text = json.dumps(given, default=str)
    if len(text) <= LONGEST:
        return dict(json.loads(text))
    room = LONGEST // max(1, len(given)) - 64
    short = {str(name)[:64]: _cut(value, room) if isinstance(value, str) else value for name, value in given.items()}
    text = json.dumps(short, default=str)
    return dict(json.loads(text)) if len(text) <= LONGEST else {"cut": text[:LONGEST]}


def as_text(response: object) -> str:
    """What a tool gave, as text: its output for a command, the words of content blocks, otherwise JSON."""
    match response:
        case str():
            return response
        case {"stdout": str(out), "stderr": str(error)}:
            return "\n".join(part for part in (out, error) if part)
        case {"type": "text", "file": {"content": str(content)}}:
            return content
        case [{"type": "text", "text": str()}, *_]:
            return "\n".join(str(block.get("text", "")) for block in response if isinstance(block, dict))
        case _:
            return json.dumps(response, default=str)


def _cut(text: str, longest: int = LONGEST) -> str:
    if len(text) <= longest:
        return text
    note = f" […{len(text) - longest} more]"
    return text[: max(0, longest - len(note))] + note


def follow(path: str) -> str:
    """For a machine without a sandbox: where a path really leads."""
    return os.path.realpath(path)
