"""A commit made beside the folder, what git would take back, and the names of good commits, on real git."""

import os
import subprocess
from pathlib import Path

import pytest

from runtime.errors import Refused
from runtime.tenant.checks import check
from runtime.tenant.folder import Folder
from runtime.tenant.git.changes import FILE, PROGRAM, Content
from runtime.tenant.git.history import ADMIN, AGENT, Conflict, History, Origin

ORIGIN = Origin(actor=AGENT, tenant="anden", reason="because")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "anden/life").mkdir(parents=True)
    for name in ("one", "two"):
        (tmp_path / f"anden/life/{name}.txt").write_text("a\nb\nc\nd\ne\n")
    return tmp_path / "anden"


@pytest.fixture
def history(root: Path) -> History:
    made = History(Folder(root), home=root.parent, check=check)
    made.create(Origin(actor=ADMIN, tenant="anden"))
    return made


def git(root: Path, *words: str) -> str:
    who = {f"GIT_{one}_{what}": "pat@example.org" for one in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    home = {"PATH": os.defpath, "HOME": str(root.parent), "GIT_CONFIG_NOSYSTEM": "1"}
    return subprocess.run(["git", *words], cwd=root, env=home | who, capture_output=True, text=True, check=True).stdout


def text(data: str, mode: str = FILE) -> Content:
    return Content(mode, data.encode())


def test_files_are_put_in_one_commit_and_others_stay(history: History, root: Path) -> None:
    base = history.head()
    (root / "life/two.txt").write_text("being edited\n")
    files = {"life/one.txt": None, "execution/new.py": text("A = 1\n", PROGRAM)}
    made = history.put(files, ORIGIN, base=base, title="Put", first="A paragraph.")
    assert (made.id, made.parents, made.subject) == (history.head(), (base,), "Put")
    assert (made.files, made.trailers["Reason"]) == (("execution/new.py", "life/one.txt"), "because")
    assert made.body.startswith("A paragraph.")
    assert not (root / "life/one.txt").exists()
    assert os.access(root / "execution/new.py", os.X_OK)
    assert git(root, "status", "--porcelain") == " M life/two.txt\n"


def test_nothing_is_put_on_another_commit_than_it_was_made_for(history: History, root: Path) -> None:
    base = history.head()
    git(root, "commit", "--allow-empty", "-m", "meanwhile")
    head = history.head()
    with pytest.raises(Conflict) as raised:
        history.put({"life/one.txt": text("x\n")}, ORIGIN, base=base, title="Put")
    assert (raised.value.files, history.head()) == ((), head)


def test_nothing_is_put_over_an_edit_nor_a_bad_file_nor_the_same(history: History, root: Path) -> None:
    base = history.head()
    (root / "life/one.txt").write_text("being edited\n")
    with pytest.raises(Conflict) as raised:
        history.put({"life/one.txt": text("x\n")}, ORIGIN, base=base, title="Put")
    assert raised.value.files == ("life/one.txt",)
    with pytest.raises(Refused):
        history.put({"life/two.txt": text("a\nb\nc\nd\ne\n")}, ORIGIN, base=base, title="Put")
    good = history.put({"execution/a.py": text("A = 1\n")}, ORIGIN, base=base, title="Put")
    with pytest.raises(Refused):
        history.put({"execution/a.py": text("A = = 1\n")}, ORIGIN, base=good.id, title="Put")
    assert (history.head(), (root / "life/one.txt").read_text()) == (good.id, "being edited\n")


def test_what_git_would_take_back_is_told_and_nothing_done(history: History) -> None:
    changed = history.put({"life/one.txt": text("A\nb\nc\nd\ne\n")}, ORIGIN, base=history.head(), title="1")
    far = history.put({"life/one.txt": text("A\nb\nc\nd\nE\n")}, ORIGIN, base=changed.id, title="2")
    assert history.without(changed, far.id) == {"life/one.txt": text("a\nb\nc\nd\nE\n")}
    near = history.put({"life/one.txt": text("Aa\nb\nc\nd\nE\n")}, ORIGIN, base=far.id, title="3")
    assert history.without(changed, near.id) is None
    assert history.head() == near.id
    assert [one.id for one in history.since(changed.id)] == [far.id, near.id]
    assert len(history.since("0" * 40)) == 4


def test_good_commits_have_numbers(history: History, root: Path) -> None:
    assert history.goods() == []
    first = history.head()
    assert history.mark_good() == history.mark_good() == "annealed-good/1"
    second = history.put({"life/one.txt": text("x\n")}, ORIGIN, base=first, title="Put")
    git(root, "tag", "-a", "-m", "by a person", "annealed-good/10")
    git(root, "tag", "annealed-good/x")
    assert history.mark_good() == "annealed-good/10"
    assert history.goods() == [("annealed-good/10", second.id), ("annealed-good/1", first)]
