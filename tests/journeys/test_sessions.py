"""Warm sessions with the real CLI in the real sandbox: what they are sent, what they keep, and how they end."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import pytest
from agent_house import ask, below, copy_blueprint, make_tenant, pool, running
from fakes_model import Fail, FakeModel, Say, Use, last_words, then_say

from runtime.agent import prompt
from runtime.agent.events import AskedAgain, ModelRefused, Partial, SessionDied, ToolEnded, ToolStarted, TurnTimedOut
from runtime.agent.isolation import FileToolsOnly
from runtime.agent.toolbox import Toolbox
from runtime.errors import Refused
from runtime.tenant.folder import Folder
from runtime.tenant.git.history import History
from runtime.tenant.life.files import Life
from runtime.tenant.life.onboarding import standing
from runtime.words import Conversation, Role, TenantId
from shared_tools.catalog import TOOLS
from shared_tools.offered import Tool

pytestmark = pytest.mark.journey

HEADER = "[Anden Wick · owner · telegram · Fri 20 Nov 2026 09:00 MST]"


@pytest.fixture
def anden(tmp_path: Path) -> Path:
    return make_tenant(tmp_path / "tenants", "anden")


def shell(command: str) -> Use:
    return Use("Bash", {"command": command})


def pids(sessions: Any) -> list[int]:
    return [pid for session in sessions._sessions.values() for pid in below(session.pid)]


async def until(condition: Any, seconds: float = 10.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


# What is sent.


def life(folder: Path) -> Life:
    return Life(Folder(folder), History(Folder(folder)))


async def test_a_turn_is_one_request_and_a_first_one_is_small(tmp_path: Path) -> None:
    model = FakeModel()
    folder = copy_blueprint(tmp_path / "tenants", "anden")
    async with pool(tmp_path / "var", model, toolbox=Toolbox(TOOLS)) as sessions:
        answer = await sessions.ask(ask(folder, f"{standing(life(folder))}\n\n{HEADER}\nhi"))
        await sessions.ask(ask(folder, "and again"))
    assert answer.text.endswith("\nhi")
    assert not answer.stopped
    assert len(model.requests) == 2
    assert model.others == []
    assert model.sizes[0] <= 16 * 1024, model.sizes


async def test_what_stands_before_a_tenants_own_words_is_the_same_for_all(tmp_path: Path) -> None:
    model = FakeModel()
    async with pool(tmp_path / "var", model) as sessions:
        for name, zone in (("anden", "America/Denver"), ("berta", "Asia/Tokyo")):
            folder = make_tenant(tmp_path / "tenants", name)
            await sessions.ask(ask(folder, f"I am {name}", conversation=f"telegram:{name}", timezone=zone))
    first, second = model.requests
    assert first["tools"] == second["tools"]
    *same, ours = first["system"]
    *same_too, ours_too = second["system"]
    assert same == same_too
    assert prompt.own_words(ours["text"]) == "Standing words of anden.\n"
    assert prompt.own_words(ours_too["text"]) == "Standing words of berta.\n"
    assert "anden" not in json.dumps([first["tools"], same, prompt.CONSTANT])


@pytest.mark.parametrize("text", ["/context", "@/etc/passwd", "!ls", "#note", "/clear", "@CLAUDE.md", "/exit"])
async def test_texted_commands_reach_the_model_as_words(anden: Path, tmp_path: Path, text: str) -> None:
    model = FakeModel()
    async with pool(tmp_path / "var", model) as sessions:
        answer = await sessions.ask(ask(anden, text))
    assert answer.text == f"echo: {text}"
    assert last_words(model.requests[0]) == text
    assert "root:" not in json.dumps(model.requests[0]["messages"])


async def test_saving_a_directive_is_in_force_at_the_next_message(anden: Path, tmp_path: Path) -> None:
    model = FakeModel()
    async with pool(tmp_path / "var", model) as sessions:
        first = await sessions.ask(ask(anden, "hi"))
        (anden / "directives" / "README.md").write_text("Be brief.\n")
        new = anden / "new"
        new.write_text("# Blueprint two\n")
        new.rename(anden / "CLAUDE.md")
        second = await sessions.ask(ask(anden, "hi again"))
    assert first.session == second.session
    assert "Be brief." in model.requests[1]["system"][-1]["text"]
    sent = json.dumps(model.requests[1]["messages"])
    assert "Blueprint two" in sent
    assert "echo: hi" in sent


async def test_the_agent_cannot_give_itself_instructions_deeper_in_the_folder(anden: Path, tmp_path: Path) -> None:
    (anden / "life" / "CLAUDE.md").write_text("PLANTED WORDS\n")
    model = FakeModel(then_say(lambda _: Use("Read", {"file_path": "/tenant/life/identity.md"})))
    async with pool(tmp_path / "var", model) as sessions:
        await sessions.ask(ask(anden, "look"))
        await sessions.ask(ask(anden, "look again"))
    assert "PLANTED WORDS" not in json.dumps(model.requests)


# What is told.


async def test_tools_leave_receipts_and_words_stream(anden: Path, tmp_path: Path) -> None:
    model = FakeModel(then_say(lambda text: shell(text)))
    events: list[Any] = []
    async with pool(tmp_path / "var", model) as sessions:
        answer = await sessions.ask(ask(anden, "echo $((6*7)); pwd; env"), events.append)
    (run,) = answer.tools
    assert (run.name, run.ok, run.effect) == ("Bash", True, "write")
    assert run.output.startswith("42\n/tenant")
    assert run.input == {"command": "echo $((6*7)); pwd; env"}
    assert [type(event) for event in events if not isinstance(event, Partial)] == [ToolStarted, ToolEnded]
    assert "".join(event.text for event in events if isinstance(event, Partial)).startswith("result: 42")
    assert not set(os.environ) & {line.partition("=")[0] for line in run.output.splitlines()} - {
        *("PATH", "HOME", "SHELL", "LANG", "TZ", "TMPDIR", "PWD", "OLDPWD", "SHLVL", "_"),
        *("PYTHONDONTWRITEBYTECODE", "GIT_OPTIONAL_LOCKS", "IS_SANDBOX", "GIT_EDITOR"),
    }


async def test_what_the_policy_denies_does_not_happen_and_is_told(anden: Path, tmp_path: Path) -> None:
    write = Use("Write", {"file_path": "/tenant/directives/x.md", "content": "x"})
    model = FakeModel(then_say(lambda _: write))
    async with pool(tmp_path / "var", model) as sessions:
        answer = await sessions.ask(ask(anden, "write", role=Role.GUEST))
    assert not (anden / "life" / "x.md").exists()
    assert [(run.name, run.ok) for run in answer.tools] in ([("Write", False)], [])
    assert {tool["name"] for tool in model.requests[0]["tools"]} == {"Read", "Glob", "Grep"}


async def test_a_refusal_of_the_model_is_a_fault_and_the_session_goes_on(anden: Path, tmp_path: Path) -> None:
    model = FakeModel(lambda _: Fail(402, "billing_error", "budget_reached"))
    async with pool(tmp_path / "var", model) as sessions:
        with pytest.raises(ModelRefused) as caught:
            await sessions.ask(ask(anden, "hi"))
        model.script = lambda _: Say("better")
        answer = await sessions.ask(ask(anden, "hi"))
    assert caught.value.reason == "model"
    assert answer.text == "better"
    assert len(model.requests) == 2


# What is kept.


async def test_a_session_that_made_room_is_resumed(anden: Path, tmp_path: Path) -> None:
    model = FakeModel()
    async with pool(tmp_path / "var", model, settings={"max_warm": 1}) as sessions:
        first = await sessions.ask(ask(anden, "my name is Ada", conversation="telegram:1"))
        await sessions.ask(ask(anden, "hello", conversation="telegram:2"))
        assert sessions.stats().warm == 1
        again = await sessions.ask(ask(anden, "who am I", conversation="telegram:1"))
    assert again.session == first.session
    assert "my name is Ada" in json.dumps(model.requests[-1])
    assert "my name is Ada" not in json.dumps(model.requests[-2])


async def test_a_session_goes_on_after_a_restart_until_it_is_too_old_or_closed(anden: Path, tmp_path: Path) -> None:
    model = FakeModel()
    began = datetime.now(UTC)
    ids = []
    for later in (timedelta(0), timedelta(hours=23), timedelta(days=3)):
        async with pool(tmp_path / "var", model, now=lambda later=later: began + later) as sessions:
            ids.append((await sessions.ask(ask(anden, "hi"))).session)
            if later.days:
                await sessions.close_conversation(TenantId("anden"), Conversation("telegram:1"), anden)
                ids.append((await sessions.ask(ask(anden, "hi"))).session)
    assert ids[0] == ids[1]
    assert len(set(ids)) == 3


async def test_a_transcript_that_cannot_be_read_costs_the_thread_not_the_turn(anden: Path, tmp_path: Path) -> None:
    model = FakeModel()
    async with pool(tmp_path / "var", model) as sessions:
        first = await sessions.ask(ask(anden, "hi"))
    (transcript,) = (anden / "state" / "claude" / "projects" / "-tenant").glob("*.jsonl")
    transcript.write_text('garbage\n{"')
    async with pool(tmp_path / "var", model) as sessions:
        second = await sessions.ask(ask(anden, "hi"))
    assert second.text == "echo: hi"
    assert second.session != first.session


# Many at once.


async def test_who_finds_all_places_taken_waits(anden: Path, tmp_path: Path) -> None:
    model = FakeModel(lambda body: Say(last_words(body), after=0.2))
    async with pool(tmp_path / "var", model, settings={"max_warm": 1}) as sessions:
        asked = [sessions.ask(ask(anden, str(n), conversation=f"telegram:{n}")) for n in range(3)]
        answers = await asyncio.gather(*asked)
        assert sessions.stats().warm == 1
    assert [answer.text for answer in answers] == ["0", "1", "2"]


async def test_a_conversation_has_one_turn_at_a_time(anden: Path, tmp_path: Path) -> None:
    model = FakeModel(lambda body: Say(last_words(body), after=0.1))
    async with pool(tmp_path / "var", model) as sessions:
        answers = await asyncio.gather(*(sessions.ask(ask(anden, str(n))) for n in range(3)))
    assert [answer.text for answer in answers] == ["0", "1", "2"]
    assert len({answer.session for answer in answers}) == 1


async def test_an_idle_session_ends(anden: Path, tmp_path: Path) -> None:
    async with pool(tmp_path / "var", FakeModel(), settings={"idle_minutes": 0.3 / 60}) as sessions:
        await sessions.ask(ask(anden, "hi"))
        started = pids(sessions)
        assert len(started) >= 2
        await until(lambda: sessions.stats().warm == 0 and not running(started))


# Being stopped.


async def test_interrupt_ends_a_tool_within_a_second_and_the_session_goes_on(anden: Path, tmp_path: Path) -> None:
    model = FakeModel(then_say(lambda text: shell(text)))
    begun = asyncio.Event()
    async with pool(tmp_path / "var", model) as sessions:
        turn = asyncio.create_task(
            sessions.ask(ask(anden, "sleep 60"), lambda event: begun.set() if isinstance(event, ToolStarted) else None)
        )
        await begun.wait()
        await asyncio.sleep(0.2)
        began = time.perf_counter()
        assert await sessions.interrupt(TenantId("anden"), Conversation("telegram:1"))
        answer = await turn
        assert time.perf_counter() - began < 1.0
        assert answer.stopped
        again = await sessions.ask(ask(anden, "echo on"))
        assert not await sessions.interrupt(TenantId("anden"), Conversation("telegram:1"))
    assert again.text.startswith("result: on")
    assert again.session == answer.session


async def test_interrupt_ends_a_cli_that_no_longer_listens(anden: Path, tmp_path: Path) -> None:
    model = FakeModel(lambda body: Say(last_words(body), after=60 if last_words(body) == "wait" else 0))
    async with pool(tmp_path / "var", model) as sessions:
        await sessions.ask(ask(anden, "hi"))
        turn = asyncio.create_task(sessions.ask(ask(anden, "wait")))
        await until(lambda: len(model.requests) == 2)
        started = pids(sessions)
        for pid in started:  # all: which of them is the CLI is not known, it may have a child just now
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
        began = time.perf_counter()
        await sessions.interrupt(TenantId("anden"), Conversation("telegram:1"))
        assert (await turn).stopped
        assert time.perf_counter() - began < 1.5
        await until(lambda: not running(started))
        assert (await sessions.ask(ask(anden, "still there?"))).text == "still there?"


async def test_an_ask_that_is_cancelled_stops_its_turn(anden: Path, tmp_path: Path) -> None:
    model = FakeModel(then_say(lambda text: shell(text)))
    async with pool(tmp_path / "var", model) as sessions:
        turn = asyncio.create_task(sessions.ask(ask(anden, "sleep 60; touch /tenant/directives/late")))
        await until(lambda: model.requests)
        await asyncio.sleep(0.3)
        turn.cancel()
        with suppress(asyncio.CancelledError):
            await turn
        assert turn.cancelled()
        assert (await sessions.ask(ask(anden, "echo next"))).text.startswith("result: next")
    assert not (anden / "directives" / "late").exists()


async def test_interrupt_before_the_session_is_there(anden: Path, tmp_path: Path) -> None:
    model = FakeModel()
    async with pool(tmp_path / "var", model) as sessions:
        turn = asyncio.create_task(sessions.ask(ask(anden, "hi")))
        await asyncio.sleep(0.05)
        assert await sessions.interrupt(TenantId("anden"), Conversation("telegram:1"))
        assert (await turn).stopped
        assert (await sessions.ask(ask(anden, "again"))).text == "echo: again"


# Dying.


async def test_a_turn_whose_cli_dies_is_asked_once_more(anden: Path, tmp_path: Path) -> None:
    model = FakeModel(then_say(lambda text: shell(text)))
    events: list[Any] = []

    def tell(event: Any) -> None:
        events.append(event)
        if isinstance(event, ToolStarted) and not any(isinstance(e, AskedAgain) for e in events):
            os.kill(pids(sessions)[1], signal.SIGKILL)

    async with pool(tmp_path / "var", model) as sessions:
        answer = await sessions.ask(ask(anden, "sleep 0.5; echo done"), tell)
        assert answer.text.startswith("result: done")
        assert [type(e) for e in events if isinstance(e, AskedAgain)] == [AskedAgain]
        assert len(answer.usage) == 2


class Outside(Protocol):
    """What the tool below works on."""


def reach(outside: Outside, who: str) -> str:
    """Reach somebody outside.

    who: whom
    """
    return f"{who} was reached"


async def test_a_turn_that_may_have_reached_somebody_is_not_repeated(anden: Path, tmp_path: Path) -> None:
    model = FakeModel(then_say(lambda _: Use("mcp__staff__reach", {"who": "Ann"})))
    toolbox = Toolbox((Tool(reach, "external"),), {Outside: lambda _: None})

    def tell(event: Any) -> None:
        if isinstance(event, ToolStarted):
            os.kill(pids(sessions)[1], signal.SIGKILL)

    async with pool(tmp_path / "var", model, toolbox=toolbox) as sessions:
        with pytest.raises(SessionDied) as caught:
            await sessions.ask(ask(anden, "reach Ann"), tell)
        assert caught.value.external
        assert len(model.requests) == 1
        model.script = lambda _: Say("here again")
        assert (await sessions.ask(ask(anden, "hello?"))).text == "here again"


async def test_a_session_killed_between_turns_is_replaced(anden: Path, tmp_path: Path) -> None:
    async with pool(tmp_path / "var", FakeModel()) as sessions:
        first = await sessions.ask(ask(anden, "hi"))
        os.kill(pids(sessions)[1], signal.SIGKILL)
        second = await sessions.ask(ask(anden, "hi again"))
    assert second.text == "echo: hi again"
    assert second.session == first.session


async def test_a_turn_that_takes_too_long_is_ended(anden: Path, tmp_path: Path) -> None:
    model = FakeModel(lambda body: Say("late", after=60))
    async with pool(tmp_path / "var", model, settings={"turn_timeout_seconds": 1.5}) as sessions:
        with pytest.raises(TurnTimedOut):
            await sessions.ask(ask(anden, "hi"))
        assert sessions.stats().warm == 0
    assert len(model.requests) == 2


async def test_a_folder_that_was_tampered_with_is_not_shown(anden: Path, tmp_path: Path) -> None:
    (anden / "state" / "messages").rename(anden / "state" / "old")
    (anden / "state" / "messages").symlink_to("/etc")
    async with pool(tmp_path / "var", FakeModel()) as sessions:
        with pytest.raises(Refused, match="state/messages"):
            await sessions.ask(ask(anden, "hi"))


async def test_leaving_leaves_nothing_behind(anden: Path, tmp_path: Path) -> None:
    model = FakeModel(then_say(lambda text: shell(text)))
    async with pool(tmp_path / "var", model, settings={"max_warm": 3}) as sessions:
        gateway = sessions._house.gateway
        for n in range(2):
            await sessions.ask(ask(anden, "nohup sleep 300 >/dev/null 2>&1 &", conversation=f"telegram:{n}"))
        busy = asyncio.create_task(sessions.ask(ask(anden, "sleep 60", conversation="telegram:2")))
        await until(lambda: len(model.requests) >= 5)
        started = pids(sessions)
        assert len(started) >= 8
    assert (await busy).stopped
    assert not running(started)
    assert list((tmp_path / "var" / "sandbox").iterdir()) == []
    assert sorted(gateway.closed) == sorted(gateway.tokens)


def test_a_runtime_that_is_killed_takes_its_sandboxes_along(anden: Path, tmp_path: Path) -> None:
    program = """
import asyncio, sys
from pathlib import Path
from agent_house import ask, below, pool
from fakes_model import FakeModel
async def main():
    async with pool(Path(sys.argv[2]), FakeModel()) as sessions:
        await sessions.ask(ask(Path(sys.argv[1]), "hi"))
        print('PIDS', *[pid for s in sessions._sessions.values() for pid in below(s.pid)], flush=True)
        await asyncio.sleep(60)
asyncio.run(main())
"""
    here = Path(__file__).parent
    environment = {"PATH": os.defpath, "PYTHONPATH": f"{here.parent}:{here.parent.parent}"}
    with subprocess.Popen(
        [sys.executable, "-c", program, str(anden), str(tmp_path / "var")],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment,
    ) as runtime:
        assert runtime.stdout
        line = next(line for line in iter(runtime.stdout.readline, "") if line.startswith("PIDS"))
        started = [int(pid) for pid in line.split()[1:]]
        assert len(running(started)) >= 2
        runtime.kill()
    deadline = time.monotonic() + 5
    while running(started) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not running(started)


# Without a sandbox.


async def test_with_file_tools_only_the_guard_is_the_fence(anden: Path, tmp_path: Path) -> None:
    (tmp_path / "outside.md").write_text("SECRET OF THE HOST")
    (anden / "life" / "link.md").symlink_to(tmp_path / "outside.md")
    steps = {
        "read": Use("Read", {"file_path": str(anden / "life" / "identity.md")}),
        "link": Use("Read", {"file_path": str(anden / "life" / "link.md")}),
        "up": Use("Read", {"file_path": str(tmp_path / "outside.md")}),
        "write": Use("Write", {"file_path": str(anden / "directives" / "new.md"), "content": "kept"}),
        "memory": Use("Write", {"file_path": str(anden / "life" / "new.md"), "content": "kept"}),
        "blueprint": Use("Write", {"file_path": str(anden / "CLAUDE.md"), "content": "mine"}),
    }
    model = FakeModel(then_say(steps.__getitem__))
    async with pool(tmp_path / "var", model, isolation=FileToolsOnly()) as sessions:
        ran = {name: (await sessions.ask(ask(anden, name))).tools for name in steps}
    assert [run.ok for runs in ran.values() for run in runs] == [True, False, False, True, False, False]
    assert "I work for anden" in ran["read"][0].output
    assert (anden / "directives" / "new.md").read_text() == "kept"
    assert "SECRET OF THE HOST" not in json.dumps(model.requests)
    assert "Bash" not in {tool["name"] for tool in model.requests[0]["tools"]}
