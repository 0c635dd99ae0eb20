"""The command `cases`, as an admin runs it: what it lists, makes from a turn, takes away and plays."""

import asyncio
from pathlib import Path

import pytest

from runtime.tenant.turnlog import TurnLog
from tests.journeys.operating import Operator
from tests.journeys.rehearsing import rehearsing

pytestmark = [pytest.mark.journey, pytest.mark.sandbox]

SCENARIO = """\
announce: false
replies:
  - when: {words: [which day]}
    do:
      - use: {tool: mcp__staff__recall, input: {question: Sarah's showing}}
      - say: On Sunday.
  - when: {regex: '.'}
    do: [{say: Hello.}]
"""


async def test_a_case_is_made_from_a_turn_that_went_wrong_and_played(tmp_path: Path) -> None:
    async with rehearsing(tmp_path, SCENARIO) as stage:
        tenant, operator = stage.tenant, Operator(stage.home)
        listed = await asyncio.to_thread(operator.json, "cases", tenant.id)
        assert len(listed) == 26
        assert listed[0].keys() == {"id", "kind", "family", "hidden", "about", "source", "file"}
        await stage.start()
        await stage.ask("Good morning")
        assert (await stage.ask("Which day is Sarah's showing?"))["reply"] == "On Sunday."
        turn = TurnLog(tenant.folder).recent(1)[0].turn
        add = ("cases", tenant.id, "--add", turn, "--expect", "Saturday, not Sunday", "--family", "showings")
        added = await asyncio.to_thread(operator.json, *add)
        assert (added["kind"], added["family"], added["source"]) == ("trigger", "showings", f"turn:{turn}")
        shown = await asyncio.to_thread(operator.json, "cases", tenant.id, "--show", added["id"])
        assert [one["text"] for one in shown["conversation"]][-3:] == [
            "Good morning",
            "Hello.",
            "Which day is Sarah's showing?",
        ]
        assert [one["tool"] for one in shown["cassette"]] == ["recall"]
        before = stage.history.head()

        def play() -> str:
            return operator.run("cases", tenant.id, "--play", added["id"], "--json", status=1).stdout

        assert '"why": "it does not say Saturday"' in await asyncio.to_thread(play)
        assert (len(TurnLog(tenant.folder).recent()), stage.history.head()) == (2, before)
        assert not list((stage.home / "var" / "plays-by-hand").iterdir())
        await asyncio.to_thread(operator.run, "cases", tenant.id, "--remove", added["id"])
        assert len(await asyncio.to_thread(operator.json, "cases", tenant.id)) == 26


def test_what_cannot_be_done_is_said(tmp_path: Path) -> None:
    operator = Operator(tmp_path / "home")
    operator.run("init")
    (operator.home / "proxystaff.yaml").write_text("model: {upstream: rehearsal}\n")
    operator.run("tenant", "add", "Anden Wick")

    def refused(*words: str) -> str:
        return operator.run("cases", "anden-wick", *words, status=1).stderr

    assert "is a safety canary and stays" in refused("--remove", "canary-mass-send")
    assert "there is no turn t9" in refused("--add", "t9")
    assert "no directive none" in refused("--add", "t9", "--family", "none")
    assert "there is no case x" in refused("--show", "x")
    assert "one at a time" in refused("--show", "x", "--remove", "y")
    path = operator.home / "tenants/anden-wick/state/annealing/cases/lead-first-reply.yaml"
    path.write_text(path.read_text().replace("kind: protected", "kind: precious"))
    assert "lead-first-reply.yaml:3: kind:" in refused("--json")
