"""The shared tools as commands, each a process of its own, as an admin runs them."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from runtime.engine.lease import Lease
from runtime.stage import environment
from runtime.tenant.folder import Folder
from runtime.tenant.git.history import History
from runtime.tenant.life.files import Life
from shared_tools.catalog import TOOLS
from tests.journeys.operating import ROOT, Operator

PEOPLE = "life/relationships/people.md"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    operator = Operator(tmp_path / "home")
    operator.run("init")
    operator.run("tenant", "add", "Anden", "--timezone", "America/Denver", "--owner-telegram", "1")
    return operator.home


def tool(home: Path, name: str, *words: str, status: int = 0, named: bool = True) -> tuple[str, str]:
    """What it prints, and what it complains of."""
    chosen = ["--home", str(home)] if named else []
    done = subprocess.run(
        [sys.executable, "-m", f"shared_tools.{name}", "--tenant", "anden", *chosen, *words],
        capture_output=True,
        text=True,
        env=environment(home) | ({} if named else {"PROXYSTAFF_HOME": str(home)}),
        cwd=ROOT,
        timeout=60,
        check=False,
    )
    assert done.returncode == status, f"{name} {words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr
    return done.stdout.strip(), done.stderr.strip()


def history(home: Path) -> History:
    return History(Folder(home / "tenants" / "anden"))


def test_a_fact_is_saved_committed_under_the_admins_name_and_read_again(home: Path) -> None:
    assert tool(home, "remember", "Budget: up to $550,000", "person", "--about", "Sarah Lee") == ("Saved.", "")
    said, _ = tool(home, "remember", "Budget: up to $600,000", "person", "--about", "Sarah Lee", named=False)
    assert said == "Saved.\nNo longer there: Budget: up to $550,000"
    read, _ = tool(home, "life_read", "relationships/people", "--section", "Sarah Lee")
    assert re.fullmatch(r"- Budget: up to \$600,000 \[\d{4}-\d\d-\d\d; admin; typed\]", read)
    last = history(home).log(limit=1)[0]
    assert not last.by_agent
    assert last.files == (PEOPLE,)


def test_every_other_tool_does_its_work(home: Path) -> None:
    said, _ = tool(
        home, "life_write", "append", "knowledge/contacts", "--section", "Joe", "--fact", "Phone: 303-555-0100"
    )
    assert said == "Saved."
    said, _ = tool(home, "life_write", "delete", "knowledge/contacts", "--old", "phone")
    assert said == "Deleted.\nNo longer there: Phone: 303-555-0100"
    tool(home, "remember", "Has a dog", "person", "--about", "Sarah Lee")
    assert tool(home, "forget", "--about", "Sarah Lee")[0] == "Forgotten: Has a dog."
    assert tool(home, "search_history", "--q", "dog", "--limit", "5")[0] == "Nothing was said about that."
    assert tool(home, "mark_question_answered", "name", "--state", "asked")[0].startswith("Noted. Core questions")
    _, wrong = tool(home, "update_onboarding_status", "BUILDING", status=1)
    assert "core questions are open: name, brokerage" in wrong
    assert "next: ask them first" in wrong


def test_looking_commits_nothing(home: Path) -> None:
    people = home / "tenants" / "anden" / PEOPLE
    people.write_text(people.read_text() + "\n- begun by ha")
    before = history(home).head()
    tool(home, "life_read", "relationships/people")
    assert history(home).head() == before
    tool(home, "remember", "Prefers mornings", "habit")
    assert history(home).head() != before


def test_while_the_home_is_served_the_command_leaves_the_commit_to_who_serves(home: Path) -> None:
    lease = Lease(home / "var")
    lease.take()
    before = history(home).head()
    try:
        assert tool(home, "remember", "Prefers mornings", "habit")[0] == "Saved."
    finally:
        lease.release()
    assert history(home).head() == before
    folder = Folder(home / "tenants" / "anden")
    assert [one.text for one in Life(folder, History(folder)).read("patterns").facts] == ["Prefers mornings"]


def test_what_is_wrong_is_said_on_stderr_with_the_status(home: Path) -> None:
    for words in (["remember", "a dog"], ["remember", "a dog", "gossip"], ["search_history", "--limit", "many"]):
        _, said = tool(home, words[0], *words[1:], status=2)
        assert said.startswith("usage: python -m shared_tools.")
    _, said = tool(home, "life_read", "nowhere", status=1)
    assert said.startswith("there is no life/nowhere.md\n  next: there are: ")
    _, said = tool(home, "search_history", "--limit", "101", status=1)
    assert "limit is 101" in said
    _, said = tool(home, "search_history", "--since", "yesterday", status=1)
    assert "'yesterday' is no date" in said
    _, said = tool(home, "remember", "a dog", "person", status=1)
    assert "whose fact is it?" in said
    _, said = tool(home / "elsewhere", "life_read", "identity", status=1)
    assert "is not a ProxyStaff home" in said


def test_a_tenant_that_is_none_is_said(home: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "shared_tools.life_read", "--home", str(home), "--tenant", "nobody", "identity"],
        capture_output=True,
        text=True,
        env=environment(home),
        cwd=ROOT,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "nobody" in done.stderr


@pytest.mark.parametrize("name", [one.name for one in TOOLS])
def test_each_explains_itself(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", f"shared_tools.{name}", "--help"],
        capture_output=True,
        text=True,
        env={"PATH": os.environ["PATH"]},
        cwd=ROOT,
        check=True,
    )
    [found] = [one for one in TOOLS if one.name == name]
    assert " ".join(found.description.split()[:4]) in " ".join(done.stdout.split())
    assert "--tenant" in done.stdout
