"""The folder of a run and what lands of it, on real git: whole or not at all, once, and never over other edits."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from runtime.tenant.folder import Folder
from runtime.tenant.git import worktrees
from runtime.tenant.git.history import ADMIN, AGENT, History, Origin
from runtime.tenant.git.worktrees import Conflict, Merged, NoChanges, Worktree

RUN = "run:anden:reflection:telegram:1:000001"
ORIGIN = Origin(actor=AGENT, tenant="anden", turn=RUN, trigger="reflection", reason="end of conversation")
FACTS = "".join(f"- fact {n}\n" for n in range(12))
BASE = {
    "CLAUDE.md": "the blueprint\n",
    "tenant.yaml": "name: Anden\n",
    ".gitignore": "state/*\n!state/schedules.yaml\n",
    "life/identity.md": "Anden\n",
    "life/people.md": FACTS,
    "execution/send.py": "print('sent')\n",
    "state/messages/2026-11.jsonl": '{"id": "1"}\n',
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "anden"
    for name, text in BASE.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    (root / "execution/send.py").chmod(0o755)
    return root


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    return tmp_path / "runs"


@pytest.fixture
def history(root: Path, tmp_path: Path) -> History:
    made = History(Folder(root), home=tmp_path)
    made.create(Origin(actor=ADMIN, tenant="anden"))
    return made


def say(folder: Folder, rel: str, old: str, new: str) -> None:
    text = folder.read_text(rel)
    assert old in text
    folder.write_text(rel, text.replace(old, new))


def worked(runs: Path, history: History, *, old: str = "fact 3\n", new: str = "fact three\n") -> Worktree:
    """A run that has changed one line and kept it."""
    tree = worktrees.make(runs, RUN, history)
    say(tree.folder, "life/people.md", old, new)
    tree.keep(list(tree.difference().changes), ORIGIN)
    return tree


def git(root: Path, *words: str) -> str:
    home = {"PATH": os.defpath, "HOME": str(root.parent), "GIT_CONFIG_NOSYSTEM": "1"}
    return subprocess.run(["git", *words], cwd=root, env=home, capture_output=True, text=True, check=True).stdout


def test_it_holds_what_was_committed_and_nothing_else(root: Path, runs: Path, history: History) -> None:
    (root / "life/identity.md").write_text("not committed\n")
    tree = worktrees.make(runs, RUN, history)
    there = {str(p.relative_to(tree.folder.root)) for p in tree.folder.root.rglob("*") if p.is_file()}
    assert there == BASE.keys() - {"state/messages/2026-11.jsonl"}
    assert tree.folder.read_text("life/identity.md") == "Anden\n"
    assert os.access(tree.folder.root / "execution/send.py", os.X_OK)
    assert not (tree.folder.root / ".git").exists()
    assert tree.difference().changes == ()


def test_what_it_changed_lands_as_one_commit_that_keeps_what_others_did(
    root: Path, runs: Path, history: History
) -> None:
    tree = worktrees.make(runs, RUN, history)
    say(tree.folder, "life/people.md", "fact 3\n", "fact three\n")
    tree.folder.write_text("life/events/2026-11.md", "- a day\n")
    changed = list(tree.difference().changes)
    assert tree.before("life/people.md") == FACTS.encode()
    say(Folder(root), "life/people.md", "fact 10\n", "fact ten\n")
    history.commit_agent(Origin(actor=AGENT, tenant="anden", turn="turn:1"))
    before = history.head()
    tree.keep(changed, ORIGIN)
    assert history.head() == before, "kept, and not landed"
    outcome = worktrees.land(history, RUN)
    assert isinstance(outcome, Merged)
    landed = history.find(outcome.commit)
    assert landed.parents == (before,)
    assert (landed.author, landed.trailers["Turn"], landed.trailers["Trigger"]) == ("ProxyStaff", RUN, "reflection")
    assert set(landed.files) == {"life/people.md", "life/events/2026-11.md"}
    text = (root / "life/people.md").read_text()
    assert "fact three\n" in text
    assert "fact ten\n" in text
    assert git(root, "status", "--porcelain") == ""


def test_landing_twice_is_once_even_when_it_was_taken_back(root: Path, runs: Path, history: History) -> None:
    worked(runs, history)
    first = worktrees.land(history, RUN)
    assert worktrees.land(history, RUN) == first
    assert isinstance(first, Merged)
    history.revert(first.commit, Origin(actor="owner", tenant="anden", turn="command:1"))
    assert worktrees.land(history, RUN) == first
    assert "fact 3\n" in (root / "life/people.md").read_text()
    worktrees.discard(runs, RUN, history)
    assert not git(root, "for-each-ref", "refs/proxystaff")
    assert list(runs.iterdir()) == []
    worktrees.discard(runs, RUN, history)


def test_what_is_there_already_is_no_change(root: Path, runs: Path, history: History) -> None:
    worked(runs, history)
    say(Folder(root), "life/people.md", "fact 3\n", "fact three\n")
    history.commit_agent(Origin(actor=AGENT, tenant="anden", turn="turn:1"))
    head = history.head()
    assert worktrees.land(history, RUN) == NoChanges()
    assert history.head() == head


def test_the_same_line_changed_by_both_is_a_conflict_and_changes_nothing(
    root: Path, runs: Path, history: History
) -> None:
    worked(runs, history)
    say(Folder(root), "life/people.md", "fact 3\n", "fact 3, says Anden\n")
    history.commit_agent(Origin(actor=AGENT, tenant="anden", turn="turn:1"))
    head = history.head()
    outcome = worktrees.land(history, RUN)
    assert isinstance(outcome, Conflict)
    assert outcome.files == ("life/people.md",)
    assert history.head() == head
    assert "fact 3, says Anden\n" in (root / "life/people.md").read_text()
    assert git(root, "status", "--porcelain") == ""


def test_a_file_somebody_is_editing_is_in_the_way(root: Path, runs: Path, history: History) -> None:
    worked(runs, history)
    say(Folder(root), "life/people.md", "fact 11\n", "fact 11 and a ha")
    outcome = worktrees.land(history, RUN)
    assert isinstance(outcome, Conflict)
    assert (outcome.files, "somebody is editing" in outcome.problem) == (("life/people.md",), True)
    assert "fact 11 and a ha" in (root / "life/people.md").read_text()
    (root / "life/people.md").write_text(FACTS)
    say(Folder(root), "life/identity.md", "Anden", "Andy")  # another file is no obstacle, and stays as it is
    assert isinstance(worktrees.land(history, RUN), Merged)
    assert git(root, "status", "--porcelain") == " M life/identity.md\n"


def test_a_second_start_throws_the_first_ones_folder_away(runs: Path, history: History, tmp_path: Path) -> None:
    first = worktrees.make(runs, RUN, history)
    first.folder.write_text("life/left.md", "by the first\n")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/kept").write_text("kept")
    (first.folder.root / "life/link").symlink_to(tmp_path / "outside")
    (first.folder.root / "life").chmod(0o500)
    second = worktrees.make(runs, RUN, history)
    assert second.folder.root == first.folder.root
    assert second.difference().changes == ()
    assert (tmp_path / "outside/kept").read_text() == "kept"


def test_a_link_or_another_history_in_it_is_not_taken(runs: Path, history: History) -> None:
    tree = worktrees.make(runs, RUN, history)
    (tree.folder.root / "life/identity.md").unlink()
    (tree.folder.root / "life/identity.md").symlink_to("/etc/passwd")
    (tree.folder.root / "life/.git").mkdir()
    (tree.folder.root / "life/.git/config").write_text("[core]\n")
    found = tree.difference()
    assert found.changes == ()
    assert {one.path for one in found.refused} == {"life/identity.md", "life/.git"}


def test_ids_of_any_length_and_kind_have_a_folder_of_their_own(runs: Path, history: History) -> None:
    names = [
        "run:a:reflection:telegram:-5/../44:1",
        f"run:a:reflection:{'é' * 200}:1",
        f"run:a:reflection:{'é' * 200}:2",
    ]
    folders = {worktrees.make(runs, name, history).folder.root for name in names}
    assert len(folders) == 3
    assert {folder.parent for folder in folders} == {runs}


# Dies just before the named call of a function while the run lands, and lands again.
KILLED = """
import os, signal, sys
from pathlib import Path
from runtime.tenant.git import worktrees
from runtime.tenant.folder import Folder
from runtime.tenant.git.history import History

root, home, run, function, count = sys.argv[1:]
seen = 0
def trace(frame, event, arg):
    global seen
    seen += frame.f_code.co_name == function and event == "call"
    if seen == int(count):
        os.kill(os.getpid(), signal.SIGKILL)

history = History(Folder(Path(root)), home=Path(home))
sys.settrace(trace)
worktrees.land(history, run)
"""


@pytest.mark.parametrize(
    ("function", "count"),
    [
        ("merge", 1),
        ("make", 1),
        ("move", 1),
        ("_finish", 1),
        ("bring", 1),
        ("write_bytes", 2),
        ("drop", 1),
        ("find", 1),
    ],
)
def test_killed_at_any_step_it_lands_once_and_whole(
    root: Path, runs: Path, history: History, tmp_path: Path, function: str, count: int
) -> None:
    tree = worktrees.make(runs, RUN, history)
    say(tree.folder, "life/people.md", "fact 3\n", "fact three\n")
    tree.folder.write_text("life/events/2026-11.md", "- a day\n")
    tree.keep(list(tree.difference().changes), ORIGIN)
    died = subprocess.run(
        [sys.executable, "-c", KILLED, str(root), str(tmp_path), RUN, function, str(count)],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
    )
    assert died.returncode == -9
    assert history.commit_admin().commits == (), "nothing half landed is taken for an admin's edit"
    assert isinstance(worktrees.land(history, RUN), Merged)
    assert [one.trailers.get("Turn") for one in history.log(limit=5, by_agent=True)] == [RUN]
    assert "fact three\n" in (root / "life/people.md").read_text()
    assert (root / "life/events/2026-11.md").read_text() == "- a day\n"
    assert git(root, "status", "--porcelain") == ""
