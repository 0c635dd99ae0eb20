import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.agent.events import AgentEvent, ToolEnded, ToolStarted
from runtime.agent.guards import BUILT_IN, LONGEST, Policy, Receipts, as_text, bounded, deny, follow
from runtime.words import Role

OWNER = Policy(root="/tenant", role=Role.OWNER, shell=True)
GUEST = Policy(root="/tenant", role=Role.GUEST, shell=True)
REACHES = BUILT_IN | {"mcp__staff__send": "external"}
APART = Policy(root="/tenant", role=Role.OWNER, shell=True, apart=True, effects=REACHES)
OPEN = Policy(root="/tenant", role=Role.OWNER, shell=True, confined=False)


class Nothing:
    """A play without recordings."""

    tools = ()

    def answer(self, tool: str, given: Any, effect: str, /) -> None:
        return None


PLAYED = replace(APART, replay=Nothing(), effects=REACHES | {"Bash": "external"})
NO_SHELL = Policy(root="/tenant", role=Role.OWNER, shell=False)


@pytest.mark.parametrize(
    ("policy", "tool", "given_", "allowed"),
    [
        (PLAYED, "mcp__staff__send", {}, True),
        (PLAYED, "Bash", {"command": "ls"}, False),
        (PLAYED, "mcp__other__send", {}, False),
        (OWNER, "Read", {"file_path": "/tenant/life/identity.md"}, True),
        (OWNER, "Read", {"file_path": "life/identity.md"}, True),
        (OWNER, "Read", {"file_path": "/tenant/CLAUDE.md"}, True),
        (OWNER, "Read", {"file_path": "/etc/passwd"}, False),
        (OWNER, "Read", {"file_path": "/tenant/../etc/passwd"}, False),
        (OWNER, "Read", {"file_path": "/tenant-of-another/x"}, False),
        (OWNER, "Read", {"file_path": "/tenant/.secrets/KEY"}, False),
        (OWNER, "Read", {"file_path": "/tenant/life/\0"}, False),
        (OWNER, "Read", {"file_path": 7}, False),
        (OWNER, "Glob", {"pattern": "**/*.md"}, True),
        (OWNER, "Glob", {"pattern": "/etc/*"}, False),
        (OWNER, "Glob", {"pattern": "../*"}, False),
        (OWNER, "Glob", {"pattern": "*", "path": "/"}, False),
        (OWNER, "Grep", {"pattern": "/etc"}, True),
        (OWNER, "Grep", {"pattern": "x", "path": "/root"}, False),
        (OWNER, "Grep", {"pattern": "x", "glob": "../**"}, False),
        (OWNER, "Write", {"file_path": "/tenant/life/new.md"}, False),
        (OWNER, "Write", {"file_path": "/tenant/directives/new.md"}, True),
        (OWNER, "Edit", {"file_path": "/tenant/directives/showings.md"}, True),
        (OWNER, "Write", {"file_path": "/tenant/state/schedules.yaml"}, True),
        (OWNER, "Write", {"file_path": "/tenant/x.md"}, False),
        (OWNER, "Write", {"file_path": "/tenant/life/../tenant.yaml"}, False),
        (OWNER, "Write", {"file_path": "/tenant/CLAUDE.md"}, False),
        (OWNER, "Write", {"file_path": "/tenant/directives/claude.MD"}, False),
        (OWNER, "Write", {"file_path": "/tenant/execution/.claude/settings.json"}, False),
        (OWNER, "Write", {"file_path": "/tenant/directives/.gitattributes"}, False),
        (OWNER, "Write", {"file_path": "/tenant/directives/.git/config"}, False),
        (OWNER, "Write", {"file_path": "/tenant/execution/.mcp.json"}, False),
        (OWNER, "Write", {"file_path": "/tenant/directives/rules/lead/r1.md"}, False),
        (OWNER, "Edit", {"file_path": "directives/../directives/Rules/lead/r1.md"}, False),
        (OWNER, "Read", {"file_path": "/tenant/directives/rules/lead/r1.md"}, True),
        (OWNER, "Write", {"file_path": "/tenant/directives/rules-of-thumb.md"}, True),
        (OWNER, "Write", {"file_path": "/tenant/state/messages/2026-11.jsonl"}, False),
        (OWNER, "Write", {"file_path": "/tenant/state/claude/x"}, False),
        (OWNER, "Write", {"file_path": "/tenant/state/recent_messages.json"}, False),
        (OWNER, "Bash", {"command": "ls"}, True),
        (OWNER, "WebFetch", {"url": "http://example.org"}, False),
        (OWNER, "Bash", {"command": "cat directives/rules/lead/r1.md"}, True),
        (OPEN, "Bash", {"command": "ls"}, True),
        (OPEN, "Bash", {"command": "echo x > directives/rules/lead/r1.md"}, False),
        (NO_SHELL, "Bash", {"command": "ls"}, False),
        (replace(APART, apart=False), "mcp__staff__send", {}, True),
        (APART, "mcp__staff__send", {}, False),
        (APART, "Bash", {"command": "ls"}, True),
        (GUEST, "Read", {"file_path": "/tenant/life/knowledge/business.md"}, True),
        (GUEST, "Read", {"file_path": "/tenant/state/messages/2026-11.jsonl"}, False),
        (GUEST, "Write", {"file_path": "/tenant/life/new.md"}, False),
        (GUEST, "Bash", {"command": "ls"}, False),
    ],
)
def test_the_policy(policy: Policy, tool: str, given_: dict[str, Any], allowed: bool) -> None:
    reason = deny(policy, tool, given_)
    assert (reason == "") is allowed, reason
    assert len(reason) < 200


@given(st.lists(st.sampled_from(["..", ".", "directives", "/", "tenant", "etc", "~", "x"]), max_size=8))
def test_no_name_writes_outside_the_folder(parts: list[str]) -> None:
    path = "/".join(parts)
    if deny(OWNER, "Write", {"file_path": path}) == "":
        assert (Path("/tenant") / path).resolve().is_relative_to("/tenant/directives")


def test_without_a_sandbox_links_are_followed_before_deciding(tmp_path: Path) -> None:
    root = tmp_path / "tenant"
    (root / "directives").mkdir(parents=True)
    (root / "directives" / "out").symlink_to("/etc")
    policy = Policy(root=str(root), role=Role.OWNER, shell=False, resolve=follow)
    assert deny(policy, "Read", {"file_path": str(root / "directives" / "out" / "passwd")})
    assert deny(policy, "Write", {"file_path": str(root / "directives" / "out" / "new")})
    assert not deny(policy, "Write", {"file_path": str(root / "directives" / "new")})


def test_receipts_are_bounded_and_know_what_reaches_others() -> None:
    told: list[AgentEvent] = []
    receipts = Receipts({**BUILT_IN, "mcp__crm__email": "external"}, told.append)
    receipts.began("Bash", {"command": "x" * 10_000})
    assert not receipts.external
    receipts.ended("Bash", {"command": "x" * 10_000}, {"stdout": "y" * 10_000, "stderr": ""}, ok=True, ms=3)
    receipts.began("mcp__crm__email", {})
    assert receipts.external
    (run,) = receipts.runs
    assert len(run.output) <= LONGEST
    assert len(json.dumps(run.input)) <= LONGEST
    assert [type(event) for event in told] == [ToolStarted, ToolEnded, ToolStarted]


@given(st.dictionaries(st.text(max_size=200), st.recursive(st.text() | st.integers() | st.none(), st.lists)))
def test_any_input_is_kept_within_bounds(arguments: dict[str, Any]) -> None:
    kept = bounded({"command": "z" * 5000, **arguments})
    assert len(json.dumps(kept)) <= 3 * LONGEST


@pytest.mark.parametrize(
    ("response", "text"),
    [
        ("plain", "plain"),
        ({"stdout": "out", "stderr": "err", "interrupted": False}, "out\nerr"),
        ({"type": "text", "file": {"filePath": "/x", "content": "words"}}, "words"),
        ([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}], "a\nb"),
        ({"other": 1}, '{"other": 1}'),
        (None, "null"),
    ],
)
def test_what_a_tool_gave_as_text(response: object, text: str) -> None:
    assert as_text(response) == text
