"""What the use of a tool says about which instructions were read, and the rules that are then shown."""

from pathlib import Path
from typing import Any

import pytest

from runtime.agent import exposing
from runtime.agent.exposing import Exposure, Reading
from runtime.tenant.folder import Folder

KNOWN = ["directives/README.md", "directives/lead.md", "directives/lead-follow-up.md", "directives/rules/lead/r1.md"]


@pytest.mark.parametrize(
    ("tool", "given", "found"),
    [
        ("Read", {"file_path": "/tenant/directives/lead.md"}, ["directives/lead.md"]),
        ("Read", {"file_path": "directives/./lead.md"}, ["directives/lead.md"]),
        ("Read", {"file_path": "/tenant/directives/rules/lead/r1.md"}, ["directives/rules/lead/r1.md"]),
        ("Read", {"file_path": "/tenant/life/lead.md"}, []),
        ("Read", {"file_path": "/elsewhere/directives/lead.md"}, []),
        ("Read", {}, []),
        ("Grep", {"pattern": "hot", "path": "directives/lead.md"}, ["directives/lead.md"]),
        ("Grep", {"pattern": "directives/lead.md"}, []),
        ("Write", {"file_path": "/tenant/directives/lead.md"}, []),
        ("Bash", {"command": "cat directives/lead.md"}, ["directives/lead.md"]),
        ("Bash", {"command": "cat '/tenant/directives/lead.md' | head -5"}, ["directives/lead.md"]),
        ("Bash", {"command": "cat ./directives/lead.md; ls"}, ["directives/lead.md"]),
        ("Bash", {"command": "cd directives && cat lead.md"}, ["directives/lead.md"]),
        ("Bash", {"command": "x=$(<directives/lead.md)"}, ["directives/lead.md"]),
        ("Bash", {"command": "cat directives/lead*.md"}, ["directives/lead.md", "directives/lead-follow-up.md"]),
        ("Bash", {"command": "cd directives; cat l*d.md"}, ["directives/lead.md"]),
        ("Bash", {"command": "cat directives/rules/lead/*.md"}, ["directives/rules/lead/r1.md"]),
        ("Bash", {"command": "cat *.md"}, []),
        ("Bash", {"command": "cat life/lead.md . /"}, []),
        ("Bash", {"command": "ls -l directives/lead.md"}, []),
        ("Bash", {"command": "echo lead.md"}, []),
        ("Bash", {"command": ""}, []),
        ("Bash", {}, []),
    ],
)
def test_which_files_a_tool_reads(tool: str, given: dict[str, Any], found: list[str]) -> None:
    assert exposing.read(tool, given, "/tenant", KNOWN) == found


@pytest.mark.parametrize(
    ("tool", "given", "found"),
    [
        ("Bash", {"command": "python execution/mail.py --to x"}, ["execution/mail.py"]),
        ("Bash", {"command": "cd /tenant && /usr/bin/python3.11 /tenant/execution/mail.py"}, ["execution/mail.py"]),
        ("Bash", {"command": "./execution/mail.py"}, ["execution/mail.py"]),
        ("Bash", {"command": "cat execution/mail.py"}, []),
        ("mcp__staff__remember", {"fact": "x"}, ["mcp__staff__remember"]),
        ("Read", {"file_path": "execution/mail.py"}, []),
    ],
)
def test_what_a_tool_runs(tool: str, given: dict[str, Any], found: list[str]) -> None:
    assert exposing.ran(tool, given, "/tenant") == found


@pytest.fixture
def reading(tmp_path: Path) -> Reading:
    for path in ("README.md", "lead.md", "showings.md"):
        (tmp_path / "directives").mkdir(exist_ok=True)
        (tmp_path / "directives" / path).write_text("Do it.\n")
    for ref, text in (("lead/r1", "Call first."), ("lead/r2", "Text never."), ("README/r3", "Be brief.")):
        path = tmp_path / "directives/rules" / f"{ref}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'---json\n{{"id": "{path.stem}"}}\n---\n\n{text}\n')
    return Reading(Folder(tmp_path), "/tenant")


def test_a_directive_is_read_with_its_rules_once_in_a_turn(reading: Reading) -> None:
    exposed = exposing.at_first(["directives/rules/README/r3.md"], [])
    shown = reading.after("Read", {"file_path": "/tenant/directives/lead.md"}, exposed, ok=True)
    assert shown == "Rules you learned for lead:\n- Call first.\n- Text never."
    assert exposed == {
        "directives/README.md": "injected",
        "directives/rules/README/r3.md": "injected",
        "directives/lead.md": "read",
        "directives/rules/lead/r1.md": "read",
        "directives/rules/lead/r2.md": "read",
    }
    assert reading.after("Bash", {"command": "cat directives/*.md"}, exposed, ok=True) == ""
    assert exposed["directives/showings.md"] == "read"
    assert exposed["directives/README.md"] == "injected"


def test_a_rule_that_came_with_the_message_is_not_shown_again(reading: Reading) -> None:
    exposed = exposing.at_first([], ["directives/rules/lead/r1.md"])
    shown = reading.after("Bash", {"command": "cat directives/lead.md directives/rules/lead/r2.md"}, exposed, ok=True)
    assert shown == ""
    assert exposed["directives/rules/lead/r1.md"] == "injected"
    assert exposed["directives/rules/lead/r2.md"] == "read"


def test_what_failed_was_not_read_but_what_ran_did(reading: Reading) -> None:
    exposed: dict[str, Exposure] = {}
    assert reading.after("Read", {"file_path": "directives/lead.md"}, exposed, ok=False) == ""
    assert reading.after("mcp__staff__recall", {}, exposed, ok=False) == ""
    assert reading.after("Bash", {"command": "python execution/x.py < directives/lead.md"}, exposed, ok=False) == ""
    assert exposed == {"mcp__staff__recall": "executed", "execution/x.py": "executed"}
