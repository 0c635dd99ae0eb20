"""Rules as the agent meets them, with the real CLI: a session of its own first, then the whole product."""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from agent_house import ask, make_tenant, pool
from fakes_model import Body, FakeModel, Say, Step, Use, last_result

from runtime.agent.isolation import FileToolsOnly
from runtime.channels.doubles.telegram_updates import message_update
from runtime.stage import OWNER_TELEGRAM, Stage
from runtime.tenant.turnlog import TurnLine, TurnLog
from tests.journeys.rehearsing import rehearsing
from tests.journeys.waiting import until

pytestmark = pytest.mark.journey

LEAD = "directives/lead.md"
RULE = "directives/rules/lead/r1.md"


def put_rule(folder: Path, ref: str, text: str, **head: object) -> Path:
    path = folder / "directives/rules" / f"{ref}.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"---json\n{json.dumps({'id': path.stem, **head})}\n---\n\n{text}\n")
    return path


@pytest.fixture
def anden(tmp_path: Path) -> Path:
    folder = make_tenant(tmp_path / "tenants", "anden")
    (folder / LEAD).write_text("Answer every lead.\n")
    put_rule(folder, "lead/r1", "Call before you text.")
    return folder


def using(steps: Sequence[Use]) -> FakeModel:
    """Uses these tools, one at each request, and then says so."""
    waiting = list(steps)

    def script(body: Body) -> Step:
        return waiting.pop(0) if waiting else Say("done")

    return FakeModel(script)


@pytest.mark.parametrize(
    "use",
    [
        Use("Read", {"file_path": f"/tenant/{LEAD}"}),
        Use("Bash", {"command": f"cat {LEAD}"}),
    ],
    ids=["Read", "cat"],
)
async def test_a_directive_is_read_with_its_rules(anden: Path, tmp_path: Path, use: Use) -> None:
    model = using([use])
    async with pool(tmp_path / "var", model) as sessions:
        answer = await sessions.ask(ask(anden, "a lead"))
        assert answer.exposed == {"directives/README.md": "injected", LEAD: "read", RULE: "read"}
        again = await sessions.ask(ask(anden, "and?"))
    last = json.dumps(model.requests[1]["messages"][-2:])
    assert "hook additional context: Rules you learned for lead:\\n- Call before you text." in last
    assert "Answer every lead." in last
    assert again.exposed == {"directives/README.md": "injected"}


async def test_the_rules_shown_are_those_of_the_sessions_own_folder_at_that_moment(anden: Path, tmp_path: Path) -> None:
    model = using([Use("Read", {"file_path": f"/tenant/{LEAD}"}), Use("Read", {"file_path": f"/tenant/{LEAD}"})])
    other = make_tenant(tmp_path / "runs", "anden")
    (other / LEAD).write_text("Answer every lead.\n")
    put_rule(other, "lead/r2", "Never call.")
    async with pool(tmp_path / "var", model) as sessions:
        answer = await sessions.ask(ask(other, "a lead", conversation="run:1", apart=True))
        assert "Never call." in json.dumps(model.requests[-1]["messages"])
        assert "Call before" not in json.dumps(model.requests)
        assert list(answer.exposed) == ["directives/README.md", LEAD, "directives/rules/lead/r2.md"]
        (other / "directives/rules/lead/r2.md").unlink()
        await sessions.ask(ask(other, "a lead", conversation="run:2", apart=True))
    assert "Never call." not in json.dumps(model.requests[-1])


async def test_a_rule_of_readme_stands_in_the_system_prompt(anden: Path, tmp_path: Path) -> None:
    model = FakeModel()
    async with pool(tmp_path / "var", model) as sessions:
        first = await sessions.ask(ask(anden, "hi"))
        rule = put_rule(anden, "README/tone", "Sign as A.")
        second = await sessions.ask(ask(anden, "hi again"))
        rule.unlink()
        third = await sessions.ask(ask(anden, "and now"))
    systems = [request["system"][-1]["text"] for request in model.requests]
    assert systems[1] == f"{systems[0]}\nRules you learned:\n- Sign as A.\n"
    assert systems[2] == systems[0]
    assert first.session == second.session == third.session
    assert [list(one.exposed)[1:] for one in (first, second, third)] == [[], ["directives/rules/README/tone.md"], []]


async def test_a_rule_in_the_prompt_counts_and_so_does_a_tool(anden: Path, tmp_path: Path) -> None:
    model = using([Use("Bash", {"command": "python3 execution/x.py; true"}), Use("Read", {"file_path": RULE})])
    async with pool(tmp_path / "var", model) as sessions:
        answer = await sessions.ask(ask(anden, "a lead", rules=("directives/rules/lead/r9.md",)))
    assert answer.exposed == {
        "directives/README.md": "injected",
        "directives/rules/lead/r9.md": "injected",
        "execution/x.py": "executed",
        RULE: "read",
    }


WRITES: list[tuple[str, dict[str, Any], str]] = [
    ("Write", {"file_path": f"/tenant/{RULE}x.md", "content": "mine"}, "learned rules are kept by the system"),
    ("Bash", {"command": f"echo mine > {RULE}"}, "Read-only file system"),
    ("Bash", {"command": "mkdir directives/rules/new"}, "Read-only file system"),
    ("Bash", {"command": "mv directives/rules directives/old"}, "Device or resource busy"),
    ("Bash", {"command": "ln -s /tmp directives/rules/lead/l"}, "Read-only file system"),
]


@pytest.mark.parametrize(("tool", "given", "why"), WRITES, ids=[str(given)[:40] for _, given, _ in WRITES])
async def test_the_agent_writes_no_rule(
    anden: Path, tmp_path: Path, tool: str, given: dict[str, Any], why: str
) -> None:
    model = using([Use(tool, given)])
    before = _files(anden)
    async with pool(tmp_path / "var", model) as sessions:
        await sessions.ask(ask(anden, "write a rule"))
    assert why in (last_result(model.requests[-1]) or "")
    assert _files(anden) == before


async def test_where_there_is_no_sandbox_the_guard_keeps_rules(anden: Path, tmp_path: Path) -> None:
    model = using([Use("Write", {"file_path": str(anden / RULE), "content": "mine"}), Use("Read", {"file_path": LEAD})])
    async with pool(tmp_path / "var", model, isolation=FileToolsOnly()) as sessions:
        answer = await sessions.ask(ask(anden, "write a rule"))
    assert "say what you would change and why" in (last_result(model.requests[1]) or "")
    assert answer.exposed == {"directives/README.md": "injected", LEAD: "read", RULE: "read"}


def _files(folder: Path) -> str:
    return subprocess.run(
        ["find", "directives", "-type", "f", "-exec", "cksum", "{}", "+"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    ).stdout


# The whole product.

SCENARIO = """
announce: false
replies:
  - {when: {words: [sarah], rules: text first}, do: [{say: I texted her.}]}
  - {when: {words: [sarah], rules: sign as A}, do: [{say: "I called her. A."}]}
  - {when: {words: [sarah]}, do: [{say: I called her.}]}
  - when: {words: [the procedure]}
    do: [{use: {tool: Bash, input: {command: cat directives/lead-follow-up.md}}}, {say: No rule.}]
  - {when: {words: [the procedure], tool_result: '.', rules: always ask}, do: [{say: I always ask.}]}
  - when: {words: write a rule}
    do:
      - use: {tool: Write, input: {file_path: '{folder}/directives/rules/lead-follow-up/mine.md', content: x}}
      - use: {tool: Bash, input: {command: 'echo x > directives/rules/lead-follow-up/mine.md'}}
      - say: Tried.
"""


async def last_turn(stage: Stage, count: int) -> TurnLine:
    log = TurnLog(stage.tenant.folder)
    await until(lambda: len(log.recent()) == count)
    return log.recent()[-1]


async def test_rules_change_answers_and_are_in_the_turns_exposures(tmp_path: Path) -> None:
    async with rehearsing(tmp_path, SCENARIO) as stage:
        folder = stage.tenant.folder.root
        await stage.start()
        assert (await stage.ask("What of Sarah?"))["reply"] == "I called her."
        line = await last_turn(stage, 1)
        assert line.exposures == ("directives/README.md",)
        began = line.extra["head"]
        assert line.extra == {
            "exposed": {"directives/README.md": "injected"},
            "head": began,
            "role": "owner",
            "reached": True,
        }

        put_rule(folder, "lead-follow-up/r1", "Text first.", triggers=["Sarah"])
        assert (await stage.ask("What of SARAH?"))["reply"] == "I texted her."
        line = await last_turn(stage, 2)
        assert line.extra["exposed"]["directives/rules/lead-follow-up/r1.md"] == "injected"
        assert line.extra["head"] == stage.history.head() != began, "the admin's rule was committed before the turn"
        assert stage.history.log(limit=1)[0].subject == "Write rule: lead-follow-up/r1"

        (folder / "directives/rules/lead-follow-up/r1.md").unlink()
        put_rule(folder, "README/tone", "Sign as A.")
        assert (await stage.ask("And Sarah?"))["reply"] == "I called her. A."
        line = await last_turn(stage, 3)
        assert line.exposures == ("directives/README.md", "directives/rules/README/tone.md")

        put_rule(folder, "lead-follow-up/r2", "Always ask.")
        assert (await stage.ask("cat the procedure"))["reply"] == "I always ask."
        line = await last_turn(stage, 4)
        assert line.extra["exposed"] == {
            "directives/README.md": "injected",
            "directives/rules/README/tone.md": "injected",
            "directives/lead-follow-up.md": "read",
            "directives/rules/lead-follow-up/r2.md": "read",
        }

        head = stage.history.head()
        assert (await stage.ask("write a rule"))["reply"] == "Tried."
        line = await last_turn(stage, 5)
        assert [(tool["ok"], tool["name"]) for tool in line.tools] == [(False, "Write"), (False, "Bash")]
        assert "kept by the system" in line.tools[0]["output"]
        assert stage.history.head() == head
        assert line.commits == ()


async def test_what_is_forwarded_brings_up_no_rule(tmp_path: Path) -> None:
    async with rehearsing(tmp_path, SCENARIO) as stage:
        put_rule(stage.tenant.folder.root, "lead-follow-up/r1", "Text first.", triggers=["Sarah"])
        await stage.start()
        origin = {"type": "hidden_user", "sender_user_name": "X", "date": 1_763_600_000}
        body = message_update(sender=OWNER_TELEGRAM, update_id=1, text="Sarah asks", forward_origin=origin)
        header = {"x-telegram-bot-api-secret-token": stage.webhook_secret}
        path = f"{stage.address}/webhooks/telegram/{stage.tenant.id}"
        (await stage.http.post(path, content=body, headers=header)).raise_for_status()
        line = await last_turn(stage, 1)
        assert line.exposures == ("directives/README.md",)
        await until(lambda: stage.telegram.texts == ["I called her."])
