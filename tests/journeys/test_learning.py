"""What is learned without anybody typing: after a conversation and from time to time, once, and never in the way."""

import asyncio
import json
import re
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest

from runtime.stage import Stage
from runtime.tenant.turnlog import TurnLog
from tests.journeys.operating import Operator
from tests.journeys.rehearsing import rehearsing
from tests.journeys.waiting import until

pytestmark = [pytest.mark.journey, pytest.mark.sandbox]

HOUR = 3600
CONTACTS = "life/knowledge/contacts.md"
LEARNS = """\
announce: false
replies:
  - name: a run that finds what was missed
    when: {regex: 'This is a run[\\s\\S]*nothing to learn[\\s\\S]*> By the way, (?P<fact>\\w+ sells in \\w+)'}
    do:
      - delay: DELAY
      - use: {tool: mcp__staff__remember, input: {fact: '{fact}.', kind: contact}}
      - say: 'Saved: {fact}'
  - name: a run with nothing in it
    when: {words: [this is a run]}
    do: [{say: nothing to learn}]
  - name: a turn that saves
    when: {regex: 'note (?P<fact>.+)'}
    do:
      - use: {tool: mcp__staff__remember, input: {fact: '{fact}.', kind: KIND}}
      - say: Noted.
  - when: {regex: '.'}
    do: [{say: Hello.}]
"""


def learning(delay: float = 0, *, kind: str = "habit") -> str:
    """``kind`` is what a turn takes a fact for; a run takes it for a contact."""
    return LEARNS.replace("DELAY", str(delay)).replace("KIND", kind)


def rows(stage: Stage, sql: str, *values: object) -> list[dict[str, Any]]:
    """What the product's database says, or is made to say."""
    with sqlite3.connect(stage.home / "var" / "proxystaff.db", timeout=30) as database:
        database.row_factory = sqlite3.Row
        return [dict(row) for row in database.execute(sql, values)]


def runs(stage: Stage) -> list[dict[str, Any]]:
    return rows(stage, "SELECT * FROM run ORDER BY opened, id")


def cursor(stage: Stage, conversation: str) -> int | None:
    found = rows(stage, "SELECT upto FROM learned WHERE conversation = ?", conversation)
    return found[0]["upto"] if found else None


def ended(stage: Stage, count: int = 1) -> bool:
    found = runs(stage)
    return len(found) >= count and all(run["state"] == "done" for run in found)


def by_runs(stage: Stage) -> list[str]:
    return [one.trailers["Turn"] for one in stage.history.log(limit=20) if "run:" in one.trailers.get("Turn", "")]


async def say(stage: Stage, text: str, number: int) -> str:
    before = len(stage.telegram.recording.sent)
    (await stage.post_telegram(text, number)).raise_for_status()
    await until(lambda: len(stage.telegram.recording.sent) > before)
    return str(stage.telegram.recording.sent[before].body["text"])


async def test_after_a_reset_what_was_missed_is_saved_as_one_commit(tmp_path: Path) -> None:
    async with rehearsing(tmp_path, learning()) as stage:
        await stage.start()
        assert await say(stage, "By the way, Bill sells in May", 1) == "Hello."
        assert stage.history.log(limit=5, by_agent=True) == []
        assert "afresh" in await say(stage, "/reset", 2)
        await until(lambda: ended(stage))
        [run] = runs(stage)
        conversation = run["conversation"]
        assert (run["outcome"], run["attempts"], run["problem"]) == ("merged", 1, "")
        [commit] = stage.history.log(limit=5, by_agent=True)
        assert (commit.id, commit.files) == (run["landed"], (CONTACTS,))
        assert commit.trailers["Turn"] == run["id"] == f"run:{stage.tenant.id}:reflection:{conversation}:000001"
        assert commit.trailers["Trigger"] == "reflection"
        assert commit.trailers["Conversation"] == conversation
        assert commit.trailers["Reason"] == "Saved: Bill sells in May"
        fact = r"^- Bill sells in May\. \[\d{4}-\d\d-\d\d; Anden Wick; typed; \S+\]$"
        contacts = stage.tenant.folder.read_text(CONTACTS)
        assert re.search(fact, contacts, re.MULTILINE), "with the message it was said in"
        line = TurnLog(stage.tenant.folder).find(run["id"])
        assert line
        assert (line.trigger, line.commits, line.extra["outcome"]) == ("reflection", (commit.id,), "merged")
        assert [tool["name"] for tool in line.tools] == ["mcp__staff__remember"]
        await until(lambda: not any((stage.home / "var/runs").iterdir()))
        # Nothing was said since: nothing is looked at.
        assert "afresh" in await say(stage, "/reset", 3)
        assert len(runs(stage)) == 1
        assert len(stage.telegram.recording.sent) == 3, "a run says nothing to anybody"
        operator = Operator(stage.home)
        [told] = await asyncio.to_thread(operator.json, "runs", stage.tenant.id)
        assert (told["outcome"], told["commit"], told["kind"]) == ("merged", commit.id, "reflection")
        status = await asyncio.to_thread(operator.json, "status")
        assert status["last_runs"][stage.tenant.id]["run"] == run["id"]
        assert "Undone: Remember: contacts" in await say(stage, "/undo", 4)


async def test_a_message_during_a_reflection_is_answered_at_once_and_both_are_kept(tmp_path: Path) -> None:
    async with rehearsing(tmp_path, learning(delay=20), sessions={"max_warm": 1}) as stage:
        await stage.start()
        await say(stage, "By the way, Bill sells in May", 1)
        await say(stage, "/reset", 2)
        await until(lambda: [run["state"] for run in runs(stage)] == ["running"])
        await asyncio.sleep(2)
        assert await say(stage, "note Anden likes mornings", 3) == "Noted."
        assert runs(stage)[0]["state"] == "running", "the reply did not wait for the run"
        await until(lambda: ended(stage), seconds=60)
        assert runs(stage)[0]["outcome"] == "merged"
        assert "Bill sells in May" in stage.tenant.folder.read_text(CONTACTS)
        assert "likes mornings" in stage.tenant.folder.read_text("life/patterns.md")
        assert len(stage.history.log(limit=5, by_agent=True)) == 2


async def test_where_both_write_in_the_same_place_the_run_looks_again(tmp_path: Path) -> None:
    async with rehearsing(tmp_path, learning(delay=6, kind="contact")) as stage:
        await stage.start()
        await say(stage, "By the way, Bill sells in May", 1)
        await say(stage, "/reset", 2)
        await until(lambda: [run["state"] for run in runs(stage)] == ["running"])
        await asyncio.sleep(2)
        assert await say(stage, "note Ann lends money", 3) == "Noted."
        assert runs(stage)[0]["attempts"] == 1
        await until(lambda: ended(stage), seconds=60)
        [run] = runs(stage)
        assert (run["outcome"], run["attempts"]) == ("merged", 2)
        contacts = stage.tenant.folder.read_text(CONTACTS)
        assert (contacts.count("Bill sells in May"), contacts.count("Ann lends money")) == (1, 1)
        assert len(stage.history.log(limit=5, by_agent=True)) == 2


@pytest.mark.parametrize("how", ["kill", "stop"])
async def test_an_end_during_a_reflection_loses_and_doubles_nothing(tmp_path: Path, how: str) -> None:
    async with rehearsing(tmp_path, learning(delay=3)) as stage:
        await stage.start()
        await say(stage, "By the way, Bill sells in May", 1)
        await say(stage, "/reset", 2)
        await until(lambda: [run["state"] for run in runs(stage)] == ["running"])
        await asyncio.sleep(1.5)
        await getattr(stage, how)()
        assert by_runs(stage) == []
        assert cursor(stage, runs(stage)[0]["conversation"]) is None
        await stage.start()
        await until(lambda: ended(stage), seconds=60)
        [run] = runs(stage)
        assert run["outcome"] == "merged"
        assert by_runs(stage) == [run["id"]]
        assert stage.tenant.folder.read_text(CONTACTS).count("Bill sells in May") == 1
        assert cursor(stage, run["conversation"]) == run["upto"]
        refs = stage.tenant.folder.root / ".git/refs/proxystaff"
        await until(lambda: not [*(stage.home / "var/runs").iterdir(), *refs.rglob("runs/*")])


@pytest.mark.parametrize("after", [0.2, 0.5, 0.8, 1.1])
async def test_killed_at_any_moment_after_a_reset_it_is_learned_once(tmp_path: Path, after: float) -> None:
    async with rehearsing(tmp_path, learning()) as stage:
        await stage.start()
        await say(stage, "By the way, Bill sells in May", 1)
        await say(stage, "/reset", 2)
        await asyncio.sleep(after)
        await stage.kill()
        await stage.start()
        await until(lambda: ended(stage), seconds=60)
        [run] = runs(stage)
        assert run["outcome"] == "merged"
        assert by_runs(stage) == [run["id"]]
        assert stage.tenant.folder.read_text(CONTACTS).count("Bill sells in May") == 1
        assert cursor(stage, run["conversation"]) == run["upto"]
        assert await say(stage, "Hello", 3) == "Hello."
        assert len(stage.history.log(limit=10)) == 2, "nothing half done became somebody's commit"


async def test_a_conversation_that_fell_silent_is_looked_at_once(tmp_path: Path) -> None:
    async with rehearsing(tmp_path, learning()) as stage:
        await stage.start()
        await say(stage, "By the way, Bill sells in May", 1)
        await stage.stop()
        rows(stage, "UPDATE inbox SET received = received - ?", 25 * HOUR)
        for _ in range(2):
            await stage.start()
            await until(lambda: ended(stage))
            assert [(run["kind"], run["outcome"]) for run in runs(stage)] == [("reflection", "merged")]
            await stage.stop()
        assert by_runs(stage) == [runs(stage)[0]["id"]]


async def test_two_reviews_within_twelve_hours_are_one(tmp_path: Path) -> None:
    async with rehearsing(tmp_path, learning()) as stage:
        await stage.start()
        await say(stage, "By the way, Bill sells in May", 1)
        await until(lambda: rows(stage, "SELECT * FROM review") != [])
        assert runs(stage) == [], "the first look is eight hours after the first start"
        await _later(stage, 8 * HOUR)
        await until(lambda: ended(stage))
        [first] = runs(stage)
        assert (first["kind"], first["outcome"], first["conversation"]) == ("review", "merged", "")
        assert cursor(stage, "") == first["upto"]
        await say(stage, "By the way, Ann sells in June", 2)
        await _later(stage, 8 * HOUR)
        await until(lambda: rows(stage, "SELECT due FROM review")[0]["due"] > time.time())
        assert len(runs(stage)) == 1, "the second look comes within twelve hours of the first review"
        await _later(stage, 8 * HOUR)
        await until(lambda: ended(stage, 2))
        assert [run["kind"] for run in runs(stage)] == ["review", "review"]
        contacts = stage.tenant.folder.read_text(CONTACTS)
        assert (contacts.count("Bill sells in May"), contacts.count("Ann sells in June")) == (1, 1)
        await _later(stage, 16 * HOUR)
        await until(lambda: rows(stage, "SELECT due FROM review")[0]["due"] > time.time())
        assert len(runs(stage)) == 2, "nothing was said since"


async def test_a_guests_words_become_no_memory(tmp_path: Path) -> None:
    async with rehearsing(tmp_path, learning()) as stage:
        yaml = stage.tenant.folder.read_text("tenant.yaml")
        guest = "people:\n  - {name: Gus, role: guest, telegram: 555}"
        stage.tenant.folder.write_text("tenant.yaml", yaml.replace("people:", guest))
        await stage.start()
        for number, text in enumerate(("By the way, Bill sells in May", "/reset"), start=1):
            before = len(stage.telegram.recording.sent)
            await stage.post_telegram(text, number, sender=555)
            await until(lambda before=before: len(stage.telegram.recording.sent) > before)
        await _later(stage, 25 * HOUR)
        await until(lambda: rows(stage, "SELECT due FROM review")[0]["due"] > time.time())
        assert runs(stage) == []


async def _later(stage: Stage, seconds: int) -> None:
    """Everything that was, was ``seconds`` earlier."""
    await stage.stop()
    rows(stage, "UPDATE review SET due = due - ?", seconds)
    rows(stage, "UPDATE run SET opened = opened - ?, finished = finished - ?", seconds, seconds)
    if seconds > 24 * HOUR:
        rows(stage, "UPDATE inbox SET received = received - ?", seconds)
    await stage.start()


async def test_a_members_words_are_learned_from(tmp_path: Path) -> None:
    async with rehearsing(tmp_path, learning()) as stage:
        yaml = stage.tenant.folder.read_text("tenant.yaml")
        member = "people:\n  - {name: May, role: member, telegram: 555}"
        stage.tenant.folder.write_text("tenant.yaml", yaml.replace("people:", member))
        await stage.start()
        for number, text in enumerate(("By the way, Bill sells in May", "/reset"), start=1):
            await stage.post_telegram(text, number, sender=555)
            await stage.telegram.recording.wait_for_sent(number, timeout=30)
        await until(lambda: ended(stage))
        assert [run["outcome"] for run in runs(stage)] == ["merged"]
        assert "Bill sells in May. [" in stage.tenant.folder.read_text(CONTACTS)
        assert "; May; typed; " in stage.tenant.folder.read_text(CONTACTS)


async def test_a_run_that_fails_changes_nothing_and_waits_to_be_tried_again(tmp_path: Path) -> None:
    broken = "  - when: {words: [this is a run]}\n    do: [{error: 500}]\n  - name: a run that finds"
    async with rehearsing(tmp_path, learning().replace("  - name: a run that finds", broken)) as stage:
        await stage.start()
        await say(stage, "By the way, Bill sells in May", 1)
        await say(stage, "/reset", 2)
        await until(lambda: runs(stage)[0]["outcome"] != "")
        [run] = runs(stage)
        assert (run["outcome"], run["problem"].partition(":")[0]) == ("failed", "model")
        assert cursor(stage, run["conversation"]) is None
        assert by_runs(stage) == []
        (tmp_path / "scenario.yaml").write_text(learning())
        assert await say(stage, "Hello", 3) == "Hello."
        await until(lambda: ended(stage), seconds=60)
        [run] = runs(stage)
        assert (run["outcome"], run["attempts"]) == ("merged", 2)
        assert cursor(stage, run["conversation"]) == run["upto"]


async def test_a_session_that_grew_too_long_ends_and_what_was_said_is_reflected_on(tmp_path: Path) -> None:
    async with rehearsing(tmp_path, learning(), sessions={"max_context_tokens": 10_000}) as stage:
        await stage.start()
        await stage.ask("Hello")
        first = sessions_of(stage)["api:default"]["session"]
        await stage.ask("By the way, Bill sells in May. " + "And so it went on. " * 2_500)
        await until(lambda: "api:default" not in sessions_of(stage))
        await until(lambda: ended(stage))
        assert [run["conversation"] for run in runs(stage)] == ["api:default"]
        assert "Bill sells in May" in stage.tenant.folder.read_text(CONTACTS)
        assert (await stage.ask("Hello again"))["reply"] == "Hello."
        assert sessions_of(stage)["api:default"]["session"] != first


def sessions_of(stage: Stage) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(stage.tenant.folder.read_text("state/sessions/conversations.json"))
    return found
