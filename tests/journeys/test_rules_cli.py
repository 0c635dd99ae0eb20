"""``proxystaff rules``: what was learned is listed, protected, and taken over for good."""

import json
import subprocess
from pathlib import Path

import pytest

from runtime.stage import environment
from runtime.tenant.checks import check
from runtime.tenant.folder import Folder
from runtime.tenant.git.history import History
from tests.journeys.operating import Operator

pytestmark = pytest.mark.journey

LEAD = "directives/lead-follow-up.md"


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    one = Operator(tmp_path / "home")
    one.run("init")
    (one.home / "proxystaff.yaml").write_text("model: {upstream: rehearsal}\n")
    one.run("tenant", "add", "Anden")
    return one


def put_rule(operator: Operator, ref: str, text: str, **head: object) -> Path:
    path = operator.home / "tenants/anden/directives/rules" / f"{ref}.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"---json\n{json.dumps({'id': path.stem, **head})}\n---\n\n{text}\n")
    return path


def history(operator: Operator) -> History:
    return History(Folder(operator.home / "tenants/anden"), home=operator.home, check=check)


def test_rules_are_listed_by_directive_and_what_is_none_is_told_of(operator: Operator) -> None:
    assert "no rules yet" in operator.run("rules", "anden").stdout
    assert operator.json("rules", "anden") == []
    put_rule(operator, "showings/map", "Send a map.")
    put_rule(operator, "lead-follow-up/r1", "Call first.", state="kept", triggers=["lead"], helpful=4, improvement="i7")
    put_rule(operator, "lead-follow-up/r2", "Text.", state="probation").with_name("r3.md").write_text("no head\n")
    listed = operator.json("rules", "anden")
    assert [(one["directive"], one["id"], one["state"]) for one in listed] == [
        ("lead-follow-up", "r1", "kept"),
        ("lead-follow-up", "r2", "probation"),
        ("showings", "map", "pinned"),
    ]
    assert listed[0] | {"hash": ""} == {
        "directive": "lead-follow-up",
        "id": "r1",
        "state": "kept",
        "text": "Call first.",
        "triggers": ["lead"],
        "helpful": 4,
        "harmful": 0,
        "since": None,
        "improvement": "i7",
        "idea": "",
        "hash": "",
    }
    shown = operator.run("rules", "anden")
    assert "showings/map  pinned\n  Send a map.\n  helpful 0, harmful 0 · written by a person\n" in shown.stdout
    assert "helpful 4, harmful 0 · from i7 · brought up by lead\n" in shown.stdout
    assert "passed over: directives/rules/lead-follow-up/r3.md:1: wanted ---json" in shown.stderr
    assert [one["id"] for one in operator.json("rules", "anden", "map")] == ["map"]
    assert "there is no rule none" in operator.run("rules", "anden", "none", status=1).stderr


def test_a_kept_rule_is_taken_over_into_its_directive_as_the_admins_commit(operator: Operator) -> None:
    rule = put_rule(operator, "lead-follow-up/r1", "Call first.", state="kept")
    trial = put_rule(operator, "lead-follow-up/r2", "Text.", state="probation")
    put_rule(operator, "README/tone", "Sign as A.")
    put_rule(operator, "gone/x", "Nobody reads this.")
    folder = operator.home / "tenants/anden"
    refused = operator.run("rules", "anden", "r1", "--promote", status=1).stderr
    assert "directives/rules/lead-follow-up/r1.md is not committed yet" in refused
    history(operator).commit_admin()
    made = operator.json("rules", "anden", "lead-follow-up/r1", "--promote")
    commit = history(operator).find(made["commit"])
    assert (commit.subject, commit.by_agent) == ("Promote rule: lead-follow-up/r1", False)
    assert set(commit.files) == {LEAD, "directives/rules/lead-follow-up/r1.md"}
    assert commit.trailers["Rule"] == "lead-follow-up/r1"
    assert (folder / LEAD).read_text().endswith("\n\n## Learned\n- Call first.\n")
    assert not rule.exists()
    assert _git(folder, "status", "--porcelain") == ""
    assert "in probation" in operator.run("rules", "anden", "r2", "--promote", status=1).stderr
    assert "there is no directives/gone.md" in operator.run("rules", "anden", "x", "--promote", status=1).stderr
    operator.run("rules", "anden", "tone", "--promote")
    assert (folder / "directives/README.md").read_text().endswith("\n\n## Learned\n- Sign as A.\n")
    assert trial.exists()
    assert "has rules, and there is no such directive" in operator.run("doctor").stdout


def test_an_edit_of_the_directive_is_not_written_over(operator: Operator) -> None:
    rule = put_rule(operator, "lead-follow-up/r1", "Call first.", state="kept")
    history(operator).commit_admin()
    sop = operator.home / "tenants/anden" / LEAD
    sop.write_text(edited := f"{sop.read_text()}My own line.\n")
    said = operator.run("rules", "anden", "r1", "--promote", status=1).stderr
    assert f"somebody is editing {LEAD}\n  next: commit or undo that" in said
    assert sop.read_text() == edited
    assert rule.exists()


def test_a_rule_is_pinned_and_unpinned_by_a_commit(operator: Operator) -> None:
    rule = put_rule(operator, "lead-follow-up/r1", "Call first.", state="probation", harmful=2, note="mine")
    history(operator).commit_admin()
    operator.run("rules", "anden", "r1", "--pin")
    (listed,) = operator.json("rules", "anden")
    assert (listed["state"], listed["harmful"]) == ("pinned", 2)
    assert '"note": "mine"' in rule.read_text()
    assert "is pinned already" in operator.run("rules", "anden", "r1", "--pin", status=1).stderr
    operator.run("rules", "anden", "r1", "--unpin")
    assert operator.json("rules", "anden")[0]["state"] == "kept"
    assert [one.subject for one in history(operator).log(limit=2)] == [
        "Unpin rule: lead-follow-up/r1",
        "Pin rule: lead-follow-up/r1",
    ]
    put_rule(operator, "showings/r1", "Another.")
    assert "could be lead-follow-up/r1, showings/r1" in operator.run("rules", "anden", "r1", "--pin", status=1).stderr
    operator.run("rules", "anden", "r1", "--pin", "--promote", status=2)
    operator.run("rules", "anden", "--pin", status=2)


def _git(folder: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", *words], cwd=folder, env=environment(folder.parent), capture_output=True, text=True, check=True
    )
    return done.stdout
