"""A file of life/ that has grown over its budget is made smaller as one commit, or not at all."""

import asyncio
from pathlib import Path

import pytest

from runtime.stage import Stage
from runtime.tenant.life.budgets import size_of
from runtime.tenant.life.files import new, parse
from runtime.tenant.turnlog import TurnLog
from tests.journeys.operating import Operator
from tests.journeys.rehearsing import rehearsing
from tests.journeys.test_learning import by_runs, ended, rows, runs, say
from tests.journeys.waiting import until

pytestmark = [pytest.mark.journey, pytest.mark.sandbox]

HOUR = 3600
PEOPLE = "life/relationships/people.md"
BUDGET = 2_000
SMALL = {"budgets": {"people": BUDGET}}

SCENARIO = """\
announce: false
replies:
  - name: the consolidation
    when: {regex: 'This is a run, not a turn: the consolidation of one file. life/relationships/people.md'}
    do:
      - delay: DELAY
      - use: {tool: mcp__staff__life_write, input: {op: set, file: relationships/people, section: Sarah Lee,
              fact: 'FACT', old: Likes Boulder}}
      - use: {tool: mcp__staff__life_write, input: {op: delete, file: relationships/people, old: Likes a garage}}
      - use: {tool: mcp__staff__life_write, input: {op: delete, file: relationships/people, old: Showing of 12 Oak}}
      - say: Merged what Sarah likes, dropped a showing that is over.
  - when: {words: [this is a run]}
    do: [{say: nothing to learn}]
  - when: {regex: '.'}
    do: [{say: Hello.}]
"""


def scenario(fact: str = "Likes Boulder, a garage", *, delay: float = 0) -> str:
    return SCENARIO.replace("FACT", fact).replace("DELAY", str(delay))


def grown(beyond: int) -> str:
    """people.md, larger than its budget by ``beyond`` bytes also when nothing stands twice in it."""
    sarah = [
        "## Sarah Lee",
        "- Likes Boulder [2026-01-02; Anden Wick; typed; m1]",
        "- Likes a garage [2026-01-03; Anden Wick; typed; m2]",
        "- Showing of 12 Oak on 2026-02-03 at 16:00 [2026-02-01; Anden Wick; typed; m3]",
        "- Phone: 303-555-0101 [2026-01-02; Anden Wick; typed; m4]",
    ]
    wanted = BUDGET + beyond - size_of("\n".join([*sarah, "", "## Bob Ray", "- Wants ", ""]))
    bob = ["", "## Bob Ray", f"- Wants {'much' * (wanted // 4)}{'.' * (wanted % 4)}"]
    again = "- Phone: 303-555-0101 [2026-01-05; Anden Wick; voice; m5]"
    return "\n".join([*sarah, again, *bob, ""])


def write(stage: Stage, body: str) -> None:
    stage.tenant.folder.write_text(PEOPLE, new(PEOPLE).text + body)


def body(stage: Stage) -> str:
    return parse(PEOPLE, stage.tenant.folder.read_text(PEOPLE)).body


async def test_a_file_over_its_budget_is_merged_as_one_commit_that_can_be_undone(tmp_path: Path) -> None:
    async with rehearsing(tmp_path, scenario(), memory=SMALL) as stage:
        write(stage, grown(100))
        before = body(stage)
        operator = Operator(stage.home)
        [told] = (await asyncio.to_thread(operator.json, "status"))["over_budget"]
        assert told == {"tenant": stage.tenant.id, "file": PEOPLE, "bytes": size_of(before), "budget": BUDGET}
        checks = await asyncio.to_thread(operator.json, "doctor")
        assert [one["found"] for one in checks if one["name"] == f"memory {stage.tenant.id}"] == [
            f"{PEOPLE} has {size_of(before):,} bytes, its budget is 2,000"
        ]
        await stage.start()
        await until(lambda: ended(stage))
        [run] = runs(stage)
        assert (run["kind"], run["file"], run["outcome"], run["attempts"]) == ("consolidation", PEOPLE, "merged", 1)
        after = body(stage)
        assert size_of(after) <= BUDGET
        assert "- Likes Boulder, a garage [2026-01-03; Anden Wick; typed; m2]\n" in after
        assert (after.count("303-555-0101"), after.count("garage"), "12 Oak" in after) == (1, 1, False)
        [commit] = stage.history.log(limit=5, by_agent=True)
        assert (commit.subject, commit.id, commit.files) == ("Consolidate: people", run["landed"], (PEOPLE,))
        assert (commit.trailers["Trigger"], commit.trailers["Turn"]) == ("consolidation", run["id"])
        assert commit.trailers["Reason"].startswith("Merged what Sarah likes")
        gone = ["Likes Boulder", "Likes a garage", "Showing of 12 Oak on 2026-02-03 at 16:00", "Phone: 303-555-0101"]
        listed = "\n".join(f"- Sarah Lee: {one}" for one in gone)
        assert f"No longer there:\n{listed}\nInstead:\n- Sarah Lee: Likes Boulder, a garage" in commit.body
        [told] = await asyncio.to_thread(operator.json, "runs", stage.tenant.id)
        assert (told["kind"], told["file"], told["commit"]) == ("consolidation", PEOPLE, commit.id)
        assert (await asyncio.to_thread(operator.json, "status"))["over_budget"] == []
        assert "Undone: Consolidate: people" in await say(stage, "/undo", 1)
        assert body(stage) == before
        await stage.stop()
        rows(stage, "UPDATE run SET opened = opened - ?, finished = finished - ?", 25 * HOUR, 25 * HOUR)
        await stage.start()
        assert await say(stage, "Hi", 2) == "Hello."
        await asyncio.sleep(2)
        assert len(runs(stage)) == 1, "what somebody took back is not done again"


async def test_a_model_that_invents_changes_nothing_and_is_not_asked_again(tmp_path: Path) -> None:
    async with rehearsing(tmp_path, scenario("Likes Boulder, a garage and a dog"), memory=SMALL) as stage:
        write(stage, grown(100))
        before = body(stage)
        await stage.start()
        await until(lambda: ended(stage))
        [run] = runs(stage)
        assert (run["outcome"], run["attempts"], run["landed"]) == ("failed", 1, "")
        assert run["problem"] == "“Likes Boulder, a garage and a dog” is carried by no lines of its section"
        assert body(stage) == before
        assert by_runs(stage) == []
        await stage.stop()
        await stage.start()
        assert await say(stage, "Hi", 1) == "Hello."
        await asyncio.sleep(2)
        assert len(runs(stage)) == 1, "not again today"


async def test_what_stands_twice_is_merged_without_a_model(tmp_path: Path) -> None:
    async with rehearsing(tmp_path, scenario(), memory=SMALL) as stage:
        write(stage, grown(-20))
        await stage.start()
        await until(lambda: ended(stage))
        [run] = runs(stage)
        assert run["outcome"] == "merged"
        assert body(stage).count("303-555-0101") == 1
        assert body(stage).count("Likes") == 2
        line = TurnLog(stage.tenant.folder).find(run["id"])
        assert line
        assert (line.usage, line.tools, line.extra["outcome"]) == ({}, (), "merged")


async def test_a_message_during_a_consolidation_is_answered_at_once(tmp_path: Path) -> None:
    async with rehearsing(tmp_path, scenario(delay=15), memory=SMALL, sessions={"max_warm": 1}) as stage:
        write(stage, grown(100))
        await stage.start()
        await until(lambda: [run["state"] for run in runs(stage)] == ["running"])
        await asyncio.sleep(2)
        assert await say(stage, "Hi", 1) == "Hello."
        assert runs(stage)[0]["state"] == "running", "the reply did not wait for the run"
        await until(lambda: ended(stage), seconds=60)
        assert runs(stage)[0]["outcome"] == "merged"


async def test_a_kill_during_a_consolidation_leaves_it_whole_or_not_there(tmp_path: Path) -> None:
    async with rehearsing(tmp_path, scenario(delay=2), memory=SMALL) as stage:
        write(stage, grown(100))
        before = body(stage)
        await stage.start()
        await until(lambda: [run["state"] for run in runs(stage)] == ["running"])
        await asyncio.sleep(1.5)
        await stage.kill()
        assert body(stage) == before
        await stage.start()
        await until(lambda: ended(stage), seconds=60)
        [run] = runs(stage)
        assert run["outcome"] == "merged"
        assert by_runs(stage) == [run["id"]]
        assert body(stage).count("Likes Boulder, a garage") == 1
