"""Erasing a person from everywhere at once: what goes, what stays, the proof, and a kill at each step."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.tenant.erasure.journal import Journal
from runtime.tenant.git.history import History
from runtime.tenant.search.index import Index
from runtime.turns import dossier, erasing
from tests.erasure_house import (
    CLEAN_SESSION,
    MAIL,
    NAME,
    NOW,
    OWNERS,
    PHONE,
    SECRET,
    TALK,
    Town,
    build,
    git,
    left,
)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("built") / "home"
    home.mkdir()
    build(home)
    return home


@pytest.fixture
def town(built: Path, tmp_path: Path) -> Iterator[Town]:
    shutil.copytree(built, tmp_path / "home", symlinks=True)
    town = Town(tmp_path / "home")
    yield town
    town.database.close()


def erase(town: Town, said: str = NAME) -> object:
    who = erasing.whom(town.places, town.tenant, said)
    return erasing.erase(town.places, town.tenant, who, now=NOW)


def test_nothing_is_left_of_them_anywhere(town: Town) -> None:
    before = left(town.settings.home)
    assert len(before) > 50
    found = erase(town)
    town.database.close()
    assert left(town.settings.home) == set()
    assert str(found).endswith("rows: nothing")
    git(town.root, "fsck", "--strict")
    assert git(town.root, "status", "--porcelain") == b""


def test_others_keep_what_is_theirs(town: Town) -> None:
    erase(town)
    people = town.read("life/relationships/people.md")
    assert "## Ann Lee\n- Budget: $550k. [2026-11-02; Anden; typed; 6]\n" in people
    assert "Ann Brown" in people
    assert [one.name for one in town.tenant.config.people] == ["Anden", "Mia Stone"]
    assert "Where it can be reached" in town.read("tenant.yaml")
    first, *others = town.lines("state/messages/2026-11.jsonl")
    assert (first["id"], first["text"]) == ("71", "Call [removed] at [removed]")
    assert [(one["id"], one.get("state")) for one in others] == [("72", "queued"), ("72", "sent")]
    assert [one["id"] for one in json.loads(town.read("state/recent_messages.json"))] == ["71", "72"]
    assert list(json.loads(town.read("state/sessions/conversations.json"))) == ["telegram:4441"]
    assert [path.stem for path in (town.root / "state/claude").rglob("*.jsonl")] == [CLEAN_SESSION]
    assert sorted(path.name for path in (town.root / "state/media/2026-11").iterdir()) == ["77-0.txt", "99-0.csv"]
    rows = town.database.read_now(lambda tx: tx.run("SELECT conversation, state, problem FROM turn"))
    assert [(row["conversation"], row["problem"]) for row in rows] == [(OWNERS, "for [removed]")]
    assert town.database.read_now(lambda tx: tx.run("SELECT workflow_uuid FROM workflow_status")) == [
        {"workflow_uuid": f"turn:anden:{OWNERS}:00000001"}
    ]
    index = Index(town.places.index(town.tenant))
    assert [hit.line.id for hit in index.search("call")] == ["71"]


def test_commits_are_found_by_their_old_ids_and_named_by_their_new(town: Town) -> None:
    before = git(town.root, "log", "--format=%H %at %P", "main").decode().splitlines()
    erase(town)
    after = git(town.root, "log", "--format=%H %at %P", "main").decode().splitlines()
    assert len(after) == len(before) + 1
    history = History(town.tenant.folder)
    for old, new in zip(before, after[1:], strict=True):
        assert old.split()[1] == new.split()[1]
        assert history.find(old.split()[0]).id == new.split()[0]
    here = {line.split()[0] for line in after}
    (turn,) = town.lines("state/turns/2026-11.jsonl")
    (row,) = town.database.read_now(lambda tx: tx.run("SELECT commits FROM turn"))
    assert set(turn["commits"]) <= here  # type: ignore[call-overload]
    assert set(json.loads(row["commits"])) <= here
    last = history.log(limit=1)[0]
    assert last.subject == "Forget one person"
    assert last.trailers["Erasure"] == "2026-11-20-1"
    assert last.files == ()
    reverts = [one for one in history.log(limit=50) if one.reverts]
    assert len(reverts) == 2
    assert all(one.reverts in here for one in reverts)


def test_the_plan_says_what_goes_and_changes_nothing(town: Town) -> None:
    files = {path: path.read_bytes() for path in town.root.rglob("*") if path.is_file() and not path.is_symlink()}
    who = erasing.whom(town.places, town.tenant, "garcia")
    plan = erasing.plan(town.places, town.tenant, who)
    assert {one.path: one.lines for one in plan.touched if one.lines}["directives/showings.md"] == (52,)
    assert plan.lines["state/messages"].gone == 2
    assert plan.rows["inbox"].gone == plan.rows["inbox"].cleaned == 1
    assert files == {path: path.read_bytes() for path in files}
    assert len(left(town.settings.home)) > 50


def test_once_more_there_is_nothing_to_do(town: Town) -> None:
    erase(town)
    who = erasing.whom(town.places, town.tenant, NAME)
    assert erasing.plan(town.places, town.tenant, who).is_empty
    assert not erasing.prove(town.places, town.tenant, who).places


def test_the_proof_names_each_place_where_they_still_stand(town: Town) -> None:
    who = erasing.whom(town.places, town.tenant, NAME)
    places = erasing.prove(town.places, town.tenant, who).places
    erase(town)
    loose = git(town.root, "hash-object", "-w", "--stdin", stdin=f"x {NAME}".encode()).decode().strip()
    (town.root / "state/new.txt").write_text(json.dumps(NAME))
    assert erasing.prove(town.places, town.tenant, who).places == ["state/new.txt", f"git object {loose}"]
    assert {"a row of inbox", "a row of workflow_status", "a row of spent", "state/link"} <= set(places)


def test_a_persons_data_as_they_may_ask_for_it(town: Town) -> None:
    who = erasing.whom(town.places, town.tenant, "garcia")
    data = json.loads(dossier.written(dossier.gather(town.places, town.tenant, who)))
    assert data["person"]["name"] == NAME
    assert data["person"]["addresses"] == [PHONE, MAIL]
    facts = {(one["file"], one["text"]) for one in data["facts"]}
    assert ("life/relationships/people.md", "Phone: (303) 555-0100.") in facts
    assert ("life/events/2026-11.md", "2026-11-22 Showing with josé  garcía") in facts
    assert not [text for _, text in facts if "550k" in text]
    (visit, *_) = [one for one in data["facts"] if one["text"] == "Visit 0."]
    assert visit["source"]["who"] == NAME
    assert [(one["id"], one.get("state")) for one in data["messages"]][1:] == [("turn:1:0", "queued"), ("71", None)]
    assert data["messages"][0]["text"] == SECRET
    assert [one["conversation"] for one in data["turns"]] == [TALK]
    assert data["media"] == ["state/media/2026-11/55-0.jpg"]
    assert {one["file"] for one in data["decided"]} >= {"directives/showings.md", "execution/find.py", "tenant.yaml"}
    assert {one["table"] for one in data["runtime"]} == {"conversation", "inbox", "outbox", "pairing", "turn"}
    assert any(one["subject"] == "Remember: people" for one in data["commits"])
    assert not [one for one in data["commits"] if one["subject"] == "Mine"]


KILLED = """
import os, signal, sys
from pathlib import Path
from tests.erasure_house import NAME, NOW, Town
from runtime.turns import erasing

town = Town(Path(sys.argv[1]))
who = erasing.whom(town.places, town.tenant, NAME)
seen = 0
def trace(frame, event, arg):
    global seen
    if event == "call" and frame.f_code.co_qualname == sys.argv[2]:
        seen += 1
        if seen == int(sys.argv[3]):
            os.kill(os.getpid(), signal.SIGKILL)

sys.setprofile(trace)
erasing.erase(town.places, town.tenant, who, now=NOW)
"""

STEPS = [
    ("Journal.begin", 1),
    ("_clean_files", 1),
    ("Folder.remove", 3),
    ("Folder.replacing", 4),
    ("rewrite", 1),
    ("Rewriting.write", 1),
    ("Rewriting.move", 1),
    ("purge", 1),
    ("_settle", 5),
    ("_clean_logs", 1),
    ("sync_recent", 1),
    ("_clean_rows", 1),
    ("compact", 1),
    ("Ledger.forget", 1),
    ("_reindex", 1),
    ("prove", 1),
    ("Journal.end", 1),
]


@pytest.mark.parametrize(("function", "call"), STEPS)
def test_a_kill_at_any_step_is_mended_by_the_next_start(town: Town, function: str, call: int) -> None:
    town.database.close()
    before = len(git(town.root, "log", "--format=%H", "main").split())
    run = subprocess.run(
        [sys.executable, "-c", KILLED, str(town.settings.home), function, str(call)],
        env={"PYTHONPATH": os.pathsep.join(sys.path), "HOME": os.environ["HOME"], "PATH": os.environ["PATH"]},
        capture_output=True,
        check=False,
    )
    assert run.returncode == -9, run.stderr.decode()
    again = Town(town.settings.home)
    begun = bool(Journal(again.settings.var).open())
    assert begun == (function != "Journal.begin")
    erasing.finish_erasures(again.places, again.tenants)
    if not begun:
        erase(again)
    assert not Journal(again.settings.var).open()
    again.database.close()
    assert left(again.settings.home) == set()
    subjects = git(again.root, "log", "--format=%s", "main").decode().splitlines()
    assert subjects.count("Forget one person") == 1
    assert len(subjects) == before + 1
    (turn,) = again.lines("state/turns/2026-11.jsonl")
    assert set(turn["commits"]) <= set(git(again.root, "log", "--format=%H", "main").decode().split())  # type: ignore[call-overload]
    assert git(again.root, "status", "--porcelain") == b""
