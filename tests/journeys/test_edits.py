"""An admin edits the running product's files: what is good is committed at once, what is bad is answered."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from runtime.stage import OWNER_TELEGRAM, Stage
from tests.journeys.operating import Operator
from tests.journeys.rehearsing import rehearsing
from tests.journeys.waiting import until

pytestmark = [pytest.mark.journey, pytest.mark.sandbox]

SOP = "directives/lead-follow-up.md"
READS = f"""\
announce: false
replies:
  - when: {{words: follow up}}
    do:
      - use: {{tool: Bash, input: {{command: "grep -c 'within 5 minutes' {SOP}; head -3 {SOP}; ls state/aside"}}}}
      - say: Read.
  - when: {{words: break it}}
    do:
      - use: {{tool: Bash, input: {{command: "sed -i 's/---json/---yaml/' {SOP}; echo 'one = 1' >> execution/one.py"}}}}
      - say: Changed.
  - when: {{regex: '.'}}
    do: [{{say: Hello.}}]
"""


def told(stage: Stage) -> list[str]:
    return [one.body["text"] for one in stage.telegram.recording.sent if one.body["chat_id"] == OWNER_TELEGRAM]


def identify(stage: Stage) -> None:
    (stage.home / ".gitconfig").write_text("[user]\n\tname = Ada Admin\n\temail = ada@example.org\n")


def write_in_place(path: Path, text: str) -> None:
    with path.open("r+") as file:
        file.write(text)
        file.truncate()


def rename_over(path: Path, text: str) -> None:
    """As vim does: a backup, a new file under another name, and that over the old one."""
    beside = path.with_name(f".{path.name}.swp")
    beside.write_text("swap")
    new = path.with_name("4913")
    new.write_text(text)
    new.replace(path)
    beside.unlink()


def truncate_then_write(path: Path, text: str) -> None:
    """Slow: the file is empty for a while, then half there."""
    descriptor = os.open(path, os.O_WRONLY | os.O_TRUNC)
    with os.fdopen(descriptor, "w") as file:
        for part in (text[: len(text) // 2], text[len(text) // 2 :]):
            file.flush()
            os.fsync(descriptor)
            file.write(part)


def delete_then_write(path: Path, text: str) -> None:
    path.unlink()
    path.write_text(text)


@pytest.mark.parametrize("save", [write_in_place, rename_over, truncate_then_write, delete_then_write])
async def test_a_saved_sop_is_committed_under_the_admins_name_without_a_message(
    tmp_path: Path, save: Callable[[Path, str], None]
) -> None:
    async with rehearsing(tmp_path, READS) as stage:
        identify(stage)
        await stage.start()
        path = stage.tenant.folder.root / SOP
        before = stage.history.head()
        await asyncio.to_thread(save, path, path.read_text().replace("within 5 minutes", "within 3 minutes"))
        await until(lambda: stage.history.head() != before)
        (commit,) = stage.history.log(limit=20, by_agent=False)[:-1]
        assert (commit.author, commit.email) == ("Ada Admin", "ada@example.org")
        assert (commit.subject, commit.files) == ("Change directive: lead-follow-up", (SOP,))
        assert "within 3 minutes" in stage.history.diff(commit.id)
        assert told(stage) == []
        assert not (stage.tenant.folder.root / "state/aside").exists()


async def test_a_bad_edit_is_answered_and_the_version_before_holds_until_it_is_mended(tmp_path: Path) -> None:
    async with rehearsing(tmp_path, READS) as stage:
        identify(stage)
        await stage.start()
        path = stage.tenant.folder.root / SOP
        good = path.read_text()
        bad = good.replace('"owner": "admin"', '"owner": admin').replace("within 5 minutes", "within 3 minutes")
        rename_over(path, bad)
        await until(lambda: len(told(stage)) == 1)
        assert told(stage)[0].startswith(f"Your edit of {SOP} is not in force: line 6: not JSON")
        assert path.read_text() == bad, "it is not pulled from under the editor"
        status = await asyncio.to_thread(Operator(stage.home).json, "status")
        assert [(one["file"], one["faults"][0][:8]) for one in status["not_in_force"]] == [(SOP, "line 6: ")]
        write_in_place(path, bad + "\nOne more line.\n")
        before = stage.history.head()

        answer = await stage.ask("Please follow up")
        assert answer["reply"] == "Read."
        assert path.read_text() == good, "the turn works by the version before"
        assert stage.history.head() == before
        (kept,) = (stage.tenant.folder.root / "state/aside/directives").iterdir()
        assert kept.read_text() == bad + "\nOne more line.\n"
        await stage.ask("Hello")
        assert len(told(stage)) == 1, "the same fault is told once"

        rename_over(path, bad.replace('"owner": admin', '"owner": "admin"'))
        await until(lambda: len(told(stage)) == 2)
        assert told(stage)[1] == f"The edit of {SOP} is in force now."
        newest = stage.history.log(limit=1)[0]
        assert (newest.author, newest.files) == ("Ada Admin", (SOP,))
        await stage.ask("Please follow up")
        assert "within 3 minutes" in path.read_text()
        assert (await asyncio.to_thread(Operator(stage.home).json, "status"))["not_in_force"] == []
        assert kept.exists(), "what was kept stays"


async def test_what_the_agent_breaks_is_put_back_and_told(tmp_path: Path) -> None:
    async with rehearsing(tmp_path, READS) as stage:
        await stage.start()
        good = stage.tenant.folder.read_text(SOP)
        answer = await stage.ask("Please break it")
        assert len(answer["commits"]) == 1, "what is good of it is committed"
        await until(lambda: len(told(stage)) == 1)
        assert told(stage)[0].startswith(f"My change of {SOP} is not in force: line 1: wanted ---json")
        assert stage.tenant.folder.read_text(SOP) == good
        assert [one.files for one in stage.history.log(limit=5, by_agent=True)] == [("execution/one.py",)]


async def test_broken_settings_stay_where_they_are_and_the_old_ones_hold(tmp_path: Path) -> None:
    async with rehearsing(tmp_path, READS) as stage:
        await stage.start()
        good = stage.tenant.folder.read_text("tenant.yaml")
        (stage.tenant.folder.root / "tenant.yaml").write_text(good.replace("America/Denver", "Mars/Olympus"))
        await until(lambda: len(told(stage)) == 1)
        assert "Your edit of tenant.yaml is not in force: line 6: timezone" in told(stage)[0]
        before = stage.history.head()
        assert (await stage.ask("Hello"))["reply"] == "Hello."
        assert "Mars" in stage.tenant.folder.read_text("tenant.yaml")
        assert stage.history.head() == before
        doctor = await asyncio.to_thread(Operator(stage.home).run, "doctor", "--json", status=1)
        assert "tenant.yaml:6: timezone" in doctor.stdout
        (stage.tenant.folder.root / "tenant.yaml").write_text(good)
        await until(lambda: len(told(stage)) == 2)
        assert told(stage)[1] == "tenant.yaml is in order again, as it was before the edit."


async def test_what_was_edited_while_nothing_ran_is_seen_at_the_start(tmp_path: Path) -> None:
    async with rehearsing(tmp_path, READS) as stage:
        identify(stage)
        (stage.tenant.folder.root / "directives/new.md").write_text("No head.\n")
        (stage.tenant.folder.root / "life/notes.md").write_text("- Likes tea.\n")
        await stage.start()
        await until(lambda: len(told(stage)) == 1)
        assert told(stage)[0] == (
            "Your edit of directives/new.md is not in force: line 1: wanted ---json in the first line. "
            "Until it is mended, it is left out."
        )
        assert stage.history.log(limit=1)[0].files == ("life/notes.md",)
        await stage.ask("Hello")
        assert not (stage.tenant.folder.root / "directives/new.md").exists()
