"""Which files of life/ are over their budgets: by the bytes of the body, and whatever else lies there."""

from pathlib import Path

from runtime.tenant.folder import Folder
from runtime.tenant.git.changes import blob_id
from runtime.tenant.life.budgets import over
from runtime.tenant.life.files import new

PEOPLE = "life/relationships/people.md"
BUDGETS = {"people": 1_000}


def test_a_file_is_over_its_budget_by_the_bytes_of_its_body(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    head = new(PEOPLE).text
    folder.write_text(PEOPLE, head + "é" * 500)
    assert over(folder, BUDGETS) == [], "the head does not count"
    folder.write_text(PEOPLE, head + "é" * 500 + "\n")
    [found] = over(folder, BUDGETS)
    assert (found.rel, found.size, found.budget) == (PEOPLE, 1_001, 1_000)
    assert found.blob == blob_id(folder.read_bytes(PEOPLE))
    assert over(folder, {}) == [], "what is built in is more"


def test_what_cannot_be_read_is_passed_over(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write_text(PEOPLE, "---json\n{" + " " * 2_000)
    folder.write_text("life/relationships/notes.txt", "x" * 90_000)
    folder.write_text("directives/long.md", "x" * 90_000)
    (tmp_path / "life/relationships/link.md").symlink_to(tmp_path / "directives/long.md")
    assert over(folder, BUDGETS) == []
    folder.write_text("life/mine.md", "x" * 90_000)
    assert [(one.rel, one.budget) for one in over(folder, BUDGETS)] == [("life/mine.md", 24_000)]
