"""What the history of life/ tells about messages, from real git."""

from pathlib import Path

import pytest

from runtime.tenant.folder import Folder
from runtime.tenant.git.history import AGENT, History, Origin

NOTES = "life/notes.md"


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    (tmp_path / "anden").mkdir()
    return Folder(tmp_path / "anden")


@pytest.fixture
def history(folder: Folder, tmp_path: Path) -> History:
    made = History(folder, home=tmp_path)
    folder.write_text("tenant.yaml", "name: Anden\n")
    made.create(Origin(actor="admin", tenant="anden"))
    return made


def commit(folder: Folder, history: History, text: str, turn: str, rel: str = NOTES) -> None:
    folder.write_text(rel, text)
    assert history.commit_agent(Origin(actor=AGENT, tenant="anden", turn=turn)).commits


def test_messages_and_turns_of_every_fact_that_ever_was_and_the_facts_that_went(
    folder: Folder, history: History
) -> None:
    lee = "## Ann Lee\n- Budget: $500,000. [2026-11-01; Anden; typed; m1]\n- Has a boat.\n"
    commit(folder, history, lee, "turn:1")
    commit(folder, history, lee.replace("500,000", "550,000").replace("m1", "m2"), "turn:2")
    first = history.learned()
    assert first.names == {"turn:1", "turn:2", "m1", "m2"}
    assert first.gone == {("Ann Lee", "Budget: $500,000.")}
    assert (first.after, first.head) == ("", history.head())
    commit(folder, history, "- Something else\n", "turn:3")
    later = history.learned(first.head)
    assert later.names == {"turn:3"}
    assert later.gone == {("Ann Lee", "Budget: $550,000."), ("Ann Lee", "Has a boat.")}
    assert later.after == first.head
    assert history.learned(later.head).names == frozenset()


def test_only_life_counts_and_a_commit_that_is_gone_means_from_the_beginning(folder: Folder, history: History) -> None:
    commit(folder, history, "- Has a boat. [2026-11-01; Anden; typed; m1]\n", "turn:1")
    commit(folder, history, "- No fact. [2026-11-01; Anden; typed; m9]\n", "turn:9", "directives/README.md")
    found = history.learned("f" * 40)
    assert (found.names, found.after) == ({"turn:1", "m1"}, "")


def test_what_a_file_says_is_never_taken_for_the_log_of_git(folder: Folder, history: History) -> None:
    hostile = (
        "## A\n- x [2026-11-01; A; typed; m1]\n@@ -1 +1 @@ ## B\ndiff --git a/life b/life\n-- Gone. [2026-11-01]\n"
    )
    commit(folder, history, hostile, "turn:1")
    found = history.learned()
    assert found.names == {"turn:1", "m1"}
    assert found.gone == frozenset()
