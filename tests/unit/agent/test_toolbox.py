"""A tool's use becomes a call for the running turn: faults are lines for the model, and its end is waited for."""

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import pytest
from claude_agent_sdk._internal.sdk_mcp_bridge import SdkMcpBridge
from structlog.testing import capture_logs

from runtime.agent.events import Ask
from runtime.agent.naming import SERVER
from runtime.agent.replaying import NOT_RECORDED, Extra, Recorded
from runtime.agent.toolbox import Toolbox
from runtime.errors import BadInput, Refused
from runtime.words import Conversation, Role, TenantId, TurnId
from shared_tools.offered import Memory, Tool


class Desk(Protocol):
    def note(self, text: str) -> str: ...


def note(desk: Desk, text: str, times: int = 1) -> str:
    """Note something.

    text: what
    """
    return desk.note(text) * times


NOTE = Tool(note, "write")


class Notes:
    """``does`` is what noting does."""

    def __init__(self, does: Callable[[str], str] = str) -> None:
        self.note = does


def ask(turn: str = "t1") -> Ask:
    return Ask(
        tenant=TenantId("anden"),
        folder=Path("/nowhere"),
        conversation=Conversation("telegram:1"),
        turn=TurnId(turn),
        prompt="",
        role=Role.OWNER,
    )


def handler(does: Callable[[str], str] = str, running: Callable[[], Ask | None] = ask) -> Any:
    return Toolbox((NOTE,), {Desk: lambda _: Notes(does)})._offered(NOTE, running).handler


def told(answer: Any) -> tuple[str, bool]:
    [content] = answer["content"]
    return content["text"], answer["is_error"]


async def test_a_tool_says_what_it_did() -> None:
    assert told(await handler()({"text": "a", "times": 2})) == ("aa", False)


async def test_it_works_for_the_turn_that_is_running() -> None:
    seen: list[str] = []
    turns = iter([ask("t1"), ask("t2")])
    box = Toolbox((NOTE,), {Desk: lambda one: Notes(lambda text: seen.append(one.turn) or text)})  # type: ignore[func-returns-value]
    offered = box._offered(NOTE, lambda: next(turns)).handler
    await offered({"text": "a"})
    await offered({"text": "b"})
    assert seen == ["t1", "t2"]


async def test_between_turns_nothing_is_done() -> None:
    assert told(await handler(running=lambda: None)({"text": "a"})) == ("No turn is running.", True)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "text is missing"),
        ({"text": 7}, "text: input should be a valid string"),
        ({"text": "a", "times": "many"}, "times: input should be a valid integer"),
        ({"text": "a", "color": "red"}, "there is no color"),
        ({"times": []}, "text is missing; times: input should be a valid integer"),
    ],
)
async def test_what_is_wrong_with_the_arguments_is_said(given: dict[str, Any], said: str) -> None:
    text, failed = told(await handler()(given))
    assert failed
    assert text.startswith(f"Not done: note takes text, times; {said}")
    assert "\n" not in text
    assert len(text) < 200


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (BadInput("no such day", hint="give it as 2026-11-27"), "Not done: no such day. Give it as 2026-11-27."),
        (Refused("It is so.", hint="ask them."), "Not done: It is so. Ask them."),
    ],
)
async def test_a_fault_is_said_with_what_to_do_next(fault: Exception, said: str) -> None:
    def broken(_: str) -> str:
        raise fault

    assert told(await handler(broken)({"text": "a"})) == (said, True)


@pytest.mark.parametrize("where", ["desk", "provider"])
async def test_what_breaks_is_logged_and_the_model_learns_nothing_of_its_inside(where: str) -> None:
    def broken(_: object) -> Any:
        raise RuntimeError("/srv/home/var/secret.key: no such file")

    providers = {Desk: broken if where == "provider" else lambda _: Notes(broken)}
    offered = Toolbox((NOTE,), providers)._offered(NOTE, ask).handler
    with capture_logs() as seen:
        text, failed = told(await offered({"text": "a"}))
    assert (text, failed) == ("Not done: note is broken. Go on without it, and say so.", True)
    assert [(one["event"], one["tool"], one["tenant"], one["turn"]) for one in seen] == [
        ("tool.failed", "note", "anden", "t1")
    ]


async def test_a_tool_nobody_provides_for_is_broken_not_fatal() -> None:
    offered = Toolbox((NOTE,), {})._offered(NOTE, ask).handler
    assert told(await offered({"text": "a"}))[1]


async def test_neither_desk_nor_tool_is_made_in_the_loops_thread() -> None:
    threads: list[int] = []

    def provide(_: Ask) -> Notes:
        threads.append(threading.get_ident())
        return Notes(lambda text: threads.append(threading.get_ident()) or text)  # type: ignore[func-returns-value]

    await Toolbox((NOTE,), {Desk: provide})._offered(NOTE, ask).handler({"text": "a"})
    assert len(threads) == 2
    assert threading.get_ident() not in threads


async def test_a_cancelled_turn_waits_for_what_is_being_written() -> None:
    begun, go_on, written = threading.Event(), threading.Event(), []

    def slow(text: str) -> str:
        begun.set()
        go_on.wait()
        written.append(text)
        return text

    running = asyncio.create_task(handler(slow)({"text": "a"}))
    await asyncio.to_thread(begun.wait)
    for _ in range(3):
        running.cancel()
        await asyncio.sleep(0)
    assert not running.done()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert written == ["a"]


async def test_a_fault_after_the_turn_was_cancelled_is_nobodys() -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow(_: str) -> str:
        begun.set()
        go_on.wait()
        raise BadInput("too late", hint="none")

    running = asyncio.create_task(handler(slow)({"text": "a"}))
    await asyncio.to_thread(begun.wait)
    running.cancel()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await running


def test_a_guest_is_offered_nothing() -> None:
    box = Toolbox((NOTE,), {Desk: lambda _: Notes()})
    assert box.servers(Role.GUEST, ask) == {}
    assert Toolbox().servers(Role.OWNER, ask) == {}
    assert set(box.servers(Role.MEMBER, ask)) == {SERVER}
    assert box.effects == {"mcp__staff__note": "write"}


async def test_the_cli_sees_the_tools_and_uses_them() -> None:
    [server] = Toolbox((NOTE,), {Desk: lambda _: Notes()}).servers(Role.OWNER, ask).values()
    bridge = SdkMcpBridge(SERVER, server["instance"])  # type: ignore[typeddict-item]
    hello = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
    number = 0

    async def call(method: str, params: dict[str, Any]) -> Any:
        nonlocal number
        number += 1
        answer = await bridge.handle({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
        assert answer is not None
        return answer["result"]

    try:
        await call("initialize", hello)
        await bridge.handle({"jsonrpc": "2.0", "method": "notifications/initialized"})
        [tool] = (await call("tools/list", {}))["tools"]
        assert (tool["name"], tool["description"]) == ("note", "Note something.")
        assert tool["inputSchema"] == NOTE.schema()
        done = await call("tools/call", {"name": "note", "arguments": {"text": "a"}})
        assert (done["content"][0]["text"], done["isError"]) == ("a", False)
        wrong = await call("tools/call", {"name": "note", "arguments": {"text": "a", "color": "red"}})
        assert wrong["isError"]
    finally:
        await bridge.aclose()


# In a play.


class Playing:
    """Answers what it was told to, and remembers what it was asked."""

    tools = (Extra(name="wire", description="Wire.", schema={"type": "object"}, effect="external"),)

    def __init__(self, answer: Recorded | None = None) -> None:
        self.given, self.asked = answer, list[tuple[str, str]]()

    def answer(self, tool: str, given: Any, effect: str, /) -> Recorded | None:
        self.asked.append((tool, effect))
        return self.given


class Noting(Notes):
    """Says that it was called."""

    def __init__(self) -> None:
        super().__init__(self.call)
        self.calls = 0

    def call(self, text: str) -> str:
        self.calls += 1
        return text


def remembering(memory: Memory, fact: str) -> str:
    """Remember."""
    return memory.read(fact)


async def in_play(tool: Tool, replay: Playing, notes: object) -> tuple[str, bool]:
    box = Toolbox((tool,), {tool.needs: lambda _: notes}).playing(replay)
    given = {"text": "a"} if tool is not REMEMBERING else {"fact": "a"}
    return told(await box._offered(tool, ask).handler(given))


REMEMBERING = Tool(remembering, "write")


async def test_in_a_play_what_was_recorded_takes_the_place_of_a_tool() -> None:
    notes = Noting()
    replay = Playing(Recorded("as it was", ok=False))
    assert await in_play(NOTE, replay, notes) == ("as it was", True)
    assert (notes.calls, replay.asked) == (0, [("mcp__staff__note", "write")])


@pytest.mark.parametrize("effect", ["read", "write", "external"])
async def test_in_a_play_a_tool_that_works_elsewhere_or_reaches_others_never_runs(effect: Any) -> None:
    notes = Noting()
    assert await in_play(Tool(note, effect), Playing(None), notes) == (NOT_RECORDED, True)
    assert notes.calls == 0


async def test_in_a_play_only_what_works_in_the_folder_runs() -> None:
    class Life:
        def read(self, fact: str) -> str:
            return f"read {fact}"

    assert await in_play(REMEMBERING, Playing(None), Life()) == ("read a", False)
    reaching = Tool(remembering, "external")
    box = Toolbox((reaching,), {Memory: lambda _: Life()}).playing(Playing(None))
    assert told(await box._offered(reaching, ask).handler({"fact": "a"})) == (NOT_RECORDED, True)


async def test_a_play_offers_tools_of_its_own_which_only_it_answers() -> None:
    box = Toolbox((NOTE,), {}).playing(Playing(None))
    assert box.effects == {"mcp__staff__note": "write", "mcp__staff__wire": "external"}
    assert told(await box._played(box._extras[0]).handler({})) == (NOT_RECORDED, True)
    answered = Toolbox((NOTE,), {}).playing(Playing(Recorded("queued")))
    assert told(await answered._played(answered._extras[0]).handler({})) == ("queued", False)
    assert Toolbox((NOTE,), {}).playing(None).effects == {"mcp__staff__note": "write"}
    assert not box.servers(Role.GUEST, ask)
