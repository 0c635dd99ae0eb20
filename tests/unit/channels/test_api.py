import asyncio
import json
import os
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from runtime.channels import api
from runtime.channels.base import Commits, Done, Failed, Partial, Progress, Reply, ToolRan, TurnEvent
from runtime.channels.doubles import DeskDouble
from runtime.channels.event_stream import describe
from runtime.errors import Refused, Unavailable
from runtime.sockets import serving

DOCUMENT = (Path(__file__).parents[3] / "docs" / "http-api.md").read_text()
MESSAGES = "/api/v1/tenants/anden/messages"
CANCEL = "/api/v1/tenants/anden/cancel"
KEY = {"authorization": "Bearer the-key"}
STREAM = {**KEY, "accept": "text/event-stream"}
STORY = [
    TurnEvent(1, Progress("working")),
    TurnEvent(2, ToolRan(name="Edit")),
    TurnEvent(3, ToolRan(name="Edit", ok=True, ms=12)),
    TurnEvent(4, Partial("All\ndone")),
    TurnEvent(5, Reply("All\ndone 🏡")),
    TurnEvent(6, Commits(("a1", "b2"))),
    TurnEvent(7, Done()),
]


@pytest.fixture
def desk() -> DeskDouble:
    return DeskDouble(keys={"anden": "the-key", "keyless": ""}, script=list(STORY))


@pytest.fixture
async def http(desk: DeskDouble) -> AsyncIterator[httpx.AsyncClient]:
    app = Starlette(routes=api.routes(desk, keep_alive=0.05))
    async with serving(app) as base, httpx.AsyncClient(base_url=base, trust_env=False, timeout=10) as client:
        yield client


def frames(text: str) -> list[tuple[str, str, Any]]:
    """(id, event, data) of each frame; a comment is ("", "", its text)."""
    found = []
    for block in text.removesuffix("\n\n").split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.split("\n"))
        if "event" in fields:
            found.append((fields.get("id", ""), fields["event"], json.loads(fields["data"])))
        else:
            found.append(("", "", fields[""]))
    return found


# JSON


async def test_the_answer_comes_when_the_turn_is_done(http: httpx.AsyncClient, desk: DeskDouble) -> None:
    answer = await http.post(MESSAGES, json={"text": "hello", "conversation": "a@b.c", "id": "m-1"}, headers=KEY)
    assert answer.status_code == 200
    turn = "turn:anden:api:a@b.c:00000001"
    assert answer.json() == {"turn": turn, "reply": "All\ndone 🏡", "commits": ["a1", "b2"]}
    (message,) = desk.submitted.values()
    assert (message.channel, message.id, message.sender, message.address) == ("api", "m-1", "a@b.c", "a@b.c")
    assert message.sent_at.tzinfo is not None
    assert desk.following == 0


async def test_a_message_may_be_only_a_text(http: httpx.AsyncClient, desk: DeskDouble) -> None:
    first = await http.post(MESSAGES, json={"text": "hello"}, headers=KEY)
    second = await http.post(MESSAGES, json={"text": "hello"}, headers=KEY)
    assert first.json()["turn"] != second.json()["turn"]
    assert {message.conversation for message in desk.submitted.values()} == {"api:default"}


async def test_the_same_id_is_the_same_turn(http: httpx.AsyncClient) -> None:
    answers = [await http.post(MESSAGES, json={"text": "hello", "id": "m-1"}, headers=KEY) for _ in range(3)]
    assert len({answer.text for answer in answers}) == 1


async def test_a_failed_turn_says_so(http: httpx.AsyncClient, desk: DeskDouble) -> None:
    desk.script = [TurnEvent(1, Failed("the budget is spent", "raise limits.usd_per_day"))]
    answer = await http.post(MESSAGES, json={"text": "hello"}, headers=KEY)
    assert answer.status_code == 502
    assert answer.json()["error"] == "the budget is spent"
    assert answer.json()["hint"] == "raise limits.usd_per_day"
    assert answer.json()["turn"]


async def test_a_turn_that_cannot_be_followed_is_for_later(http: httpx.AsyncClient, desk: DeskDouble) -> None:
    desk.script = STORY[:3]
    answer = await http.post(MESSAGES, json={"text": "hello"}, headers=KEY)
    assert answer.status_code == 503
    assert "same id" in answer.json()["hint"]


@pytest.mark.parametrize(
    ("failure", "status"),
    [(Unavailable("locked", hint="again"), 503), (Refused("turns_per_day is reached", hint="tomorrow"), 403)],
)
async def test_a_fault_is_an_answer(http: httpx.AsyncClient, desk: DeskDouble, failure: Exception, status: int) -> None:
    for headers in (KEY, STREAM):
        desk.failures.append(failure)
        answer = await http.post(MESSAGES, json={"text": "hello"}, headers=headers)
        assert answer.status_code == status
        assert answer.json().keys() == {"error", "hint"}
        assert ("retry-after" in answer.headers) == (status == 503)


# Keys


@pytest.mark.parametrize("path", [MESSAGES, CANCEL])
@pytest.mark.parametrize(
    ("tenant", "authorization"),
    [
        ("anden", None),
        ("anden", "Bearer"),
        ("anden", "Bearer wrong"),
        ("anden", "Basic the-key"),
        ("anden", "the-key"),
        ("nobody", "Bearer the-key"),
        ("keyless", "Bearer x"),
        ("ANDEN", "Bearer the-key"),
    ],
)
async def test_without_the_key_nothing_can_be_told_apart(
    http: httpx.AsyncClient, desk: DeskDouble, path: str, tenant: str, authorization: str | None
) -> None:
    headers = {"authorization": authorization} if authorization else {}
    answer = await http.post(path.replace("anden", tenant), json={"text": "hello"}, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["error"] == "no valid key"
    assert desk.submitted == {}
    assert desk.cancelled == []


# Bad input


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (b"", "text"),
        (b"{", "body"),
        (b"[]", "body"),
        (b"[" * 100_000, "body"),
        (b"\xff", "body"),
        ({}, "text"),
        ({"text": ""}, "text"),
        ({"text": " \n"}, "text"),
        ({"text": 7}, "text"),
        ({"text": ["hello"]}, "text"),
        ({"text": "x" * (64 * 1024 + 1)}, "text"),
        ({"text": "é" * (32 * 1024 + 1)}, "text"),
        ({"text": "hi", "conversation": ""}, "conversation"),
        ({"text": "hi", "conversation": "a b"}, "conversation"),
        ({"text": "hi", "conversation": "a\n"}, "conversation"),
        ({"text": "hi", "conversation": "x" * 65}, "conversation"),
        ({"text": "hi", "conversation": None}, "conversation"),
        ({"text": "hi", "id": ""}, "id"),
        ({"text": "hi", "id": 7}, "id"),
        ({"text": "hi", "id": "a b"}, "id"),
        ({"text": "hi", "id": "x" * 129}, "id"),
    ],
)
async def test_bad_input_names_the_place(http: httpx.AsyncClient, desk: DeskDouble, body: Any, place: str) -> None:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = await http.post(MESSAGES, content=content, headers=KEY)
    assert answer.status_code == 400
    assert place in answer.json()["error"]
    assert answer.json()["hint"]
    assert desk.submitted == {}


@pytest.mark.parametrize("text", ["x" * 64 * 1024, "🏡" * 16 * 1024, "\x01" * 64 * 1024])
async def test_a_text_of_the_full_size_is_taken(http: httpx.AsyncClient, text: str) -> None:
    assert (await http.post(MESSAGES, json={"text": text}, headers=KEY)).status_code == 200


async def test_a_text_nothing_could_store_is_cleaned(http: httpx.AsyncClient, desk: DeskDouble) -> None:
    assert (await http.post(MESSAGES, content=b'{"text": "a\\ud800b\\u0000c"}', headers=KEY)).status_code == 200
    assert [message.text for message in desk.submitted.values()] == ["a\ufffdb\ufffdc"]


async def test_a_large_body_is_refused(http: httpx.AsyncClient, desk: DeskDouble) -> None:
    answer = await http.post(MESSAGES, content=b" " * (api.BODY_LIMIT + 1), headers=KEY)
    assert answer.status_code == 413
    assert desk.submitted == {}


# The event stream


async def test_the_stream_tells_the_whole_turn(http: httpx.AsyncClient) -> None:
    answer = await http.post(MESSAGES, json={"text": "hello"}, headers=STREAM)
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["cache-control"] == "no-store"
    told = frames(answer.text)
    assert [(number, name) for number, name, _ in told] == [
        ("", "status"),
        ("1", "status"),
        ("2", "tool"),
        ("3", "tool"),
        ("4", "partial"),
        ("5", "reply"),
        ("6", "commits"),
        ("7", "done"),
    ]
    assert len({data["turn"] for _, _, data in told}) == 1
    assert told[2][2]["state"] == "started"
    assert (told[3][2]["state"], told[3][2]["ok"], told[3][2]["ms"]) == ("ended", True, 12)
    assert told[5][2]["text"] == "All\ndone 🏡"
    assert told[6][2]["commits"] == ["a1", "b2"]


async def test_events_come_as_they_happen(http: httpx.AsyncClient, desk: DeskDouble) -> None:
    desk.pause = 0.02
    async with http.stream("POST", MESSAGES, json={"text": "hello"}, headers=STREAM) as answer:
        first = await anext(answer.aiter_text())
    assert "event: status" in first
    assert "event: done" not in first


async def test_silence_is_kept_open(http: httpx.AsyncClient, desk: DeskDouble) -> None:
    desk.pause, desk.script = 0.18, [TurnEvent(1, Done())]
    told = frames((await http.post(MESSAGES, json={"text": "hello"}, headers=STREAM)).text)
    assert [name for _, name, _ in told] == ["status", "", "", "", "done"]


@pytest.mark.parametrize(("last", "names"), [("5", ["commits", "done"]), ("7", []), ("nonsense", None), ("-1", None)])
async def test_a_broken_stream_goes_on_where_it_was(
    http: httpx.AsyncClient, last: str, names: list[str] | None
) -> None:
    message = {"text": "hello", "id": "m-1"}
    told = frames((await http.post(MESSAGES, json=message, headers={**STREAM, "last-event-id": last})).text)
    wanted = ["status", "tool", "tool", "partial", "reply", "commits", "done"] if names is None else names
    assert [name for number, name, _ in told if number] == wanted


async def test_an_error_ends_the_stream(http: httpx.AsyncClient, desk: DeskDouble) -> None:
    desk.script = [TurnEvent(1, Failed("it broke", "look")), TurnEvent(2, Done())]
    told = frames((await http.post(MESSAGES, json={"text": "hello"}, headers=STREAM)).text)
    assert [name for _, name, _ in told] == ["status", "error"]
    assert told[-1][2] == {"turn": told[0][2]["turn"], "error": "it broke", "hint": "look"}


async def test_who_hangs_up_is_followed_no_longer(http: httpx.AsyncClient, desk: DeskDouble) -> None:
    desk.pause = 30.0
    async with http.stream("POST", MESSAGES, json={"text": "hello"}, headers=STREAM) as answer:
        await anext(answer.aiter_text())
        assert desk.following == 1
    async with asyncio.timeout(5):
        while desk.following:
            await asyncio.sleep(0.01)


# Resumed without posting again


EVENTS = "/api/v1/tenants/anden/turns/turn:anden:api:default:00000001/events"


@pytest.mark.parametrize(("last", "names"), [("5", ["commits", "done"]), ("", None), ("nonsense", None)])
async def test_a_turn_is_followed_by_its_name(http: httpx.AsyncClient, last: str, names: list[str] | None) -> None:
    answer = await http.get(EVENTS, headers={**KEY, "last-event-id": last})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/event-stream")
    told = frames(answer.text)
    assert told[0][1:] == ("status", {"turn": "turn:anden:api:default:00000001", "status": "resumed"})
    wanted = ["status", "tool", "tool", "partial", "reply", "commits", "done"] if names is None else names
    assert [name for number, name, _ in told if number] == wanted


async def test_a_turn_that_is_wholly_told_is_not_asked_for_again(http: httpx.AsyncClient, desk: DeskDouble) -> None:
    answer = await http.get(EVENTS, headers={**KEY, "last-event-id": "7"})
    assert (answer.status_code, answer.content) == (204, b"")
    assert desk.following == 0


async def test_a_working_turn_is_followed_as_it_goes_on(http: httpx.AsyncClient, desk: DeskDouble) -> None:
    desk.pause, desk.script = 1.2, [TurnEvent(1, Progress("working")), TurnEvent(2, Done())]
    told = frames((await http.get(EVENTS, headers=KEY)).text)
    assert [name for _, name, _ in told if name] == ["status", "status", "done"]
    assert desk.following == 0


@pytest.mark.parametrize(
    "path",
    [
        EVENTS.replace("turn:anden:api:default:00000001", "turn:anden:api:default:00000009"),
        EVENTS.replace("turn:anden:api", "turn:anden:telegram"),
        EVENTS.replace("turn:anden:api", "turn:other:api"),
        EVENTS.replace("turn:anden:api:default:00000001", "x"),
    ],
)
async def test_only_turns_of_this_api_are_told(http: httpx.AsyncClient, desk: DeskDouble, path: str) -> None:
    desk.unknown_turns = frozenset({"turn:anden:api:default:00000009"})
    answer = await http.get(path, headers=KEY)
    assert (answer.status_code, answer.json().keys()) == (404, {"error", "hint"})
    assert (await http.get(path)).status_code == 401


async def test_who_hangs_up_a_resumed_stream_is_followed_no_longer(http: httpx.AsyncClient, desk: DeskDouble) -> None:
    desk.pause = 30.0
    async with http.stream("GET", EVENTS, headers=KEY) as answer:
        await anext(answer.aiter_text())
        assert desk.following == 1
    async with asyncio.timeout(5):
        while desk.following:
            await asyncio.sleep(0.01)


async def test_a_key_changes_without_a_gap(http: httpx.AsyncClient, desk: DeskDouble) -> None:
    desk.keys["anden"] = "the-new-key, the-key"
    for key, status in (("the-new-key", 200), ("the-key", 200), ("the-new-key, the-key", 401), (",", 401)):
        answer = await http.post(MESSAGES, json={"text": "hi"}, headers={"authorization": f"Bearer {key}"})
        assert answer.status_code == status, key
    desk.keys["anden"] = ","
    assert (await http.post(MESSAGES, json={"text": "hi"}, headers={"authorization": "Bearer x"})).status_code == 401


# Cancel


@pytest.mark.parametrize(("body", "conversation"), [(None, "api:default"), ({"conversation": "x"}, "api:x")])
async def test_cancel_interrupts_a_conversation(
    http: httpx.AsyncClient, desk: DeskDouble, body: Any, conversation: str
) -> None:
    answer = await http.post(CANCEL, json=body, headers=KEY) if body else await http.post(CANCEL, headers=KEY)
    assert (answer.status_code, answer.json()) == (200, {"cancelled": False})
    assert desk.cancelled == [("anden", conversation)]


async def test_cancel_wants_a_conversation_that_can_be(http: httpx.AsyncClient) -> None:
    assert (await http.post(CANCEL, json={"conversation": 7}, headers=KEY)).status_code == 400


# The documentation


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
async def test_the_documented_calls_work(desk: DeskDouble) -> None:
    desk.keys = {"anden": "the-key"}
    calls = re.findall(r"```sh\n(curl [^`]*/api/v1/.*?)```", DOCUMENT, re.DOTALL)
    assert len(calls) == 4
    told = []
    async with serving(Starlette(routes=api.routes(desk))) as base:
        for call in calls:
            env = {"BASE": base, "KEY": "the-key", "PATH": os.environ["PATH"]}
            process = await asyncio.create_subprocess_exec("sh", "-ec", call, env=env, stdout=asyncio.subprocess.PIPE)
            told.append((await asyncio.wait_for(process.communicate(), 20))[0].decode())
    whole, stream, resumed, cancelled = told
    (shown,) = re.findall(r"```json\n(.*?)```", DOCUMENT, re.DOTALL)
    assert json.loads(whole).keys() == json.loads(shown).keys()
    assert stream.startswith("event: status\ndata: ")
    assert [name for _, name, _ in frames(stream) if name][-1] == "done"
    assert [number for number, _, _ in frames(resumed) if number] == ["2", "3", "4", "5", "6", "7"]
    assert json.loads(cancelled) == {"cancelled": True}


def test_every_event_and_route_is_documented() -> None:
    for event in STORY:
        assert f"| `{describe(event.what)[0]}` |" in DOCUMENT
    for route in api.routes(DeskDouble()):
        assert route.path.removeprefix("/api/v1/tenants/{tenant}") in DOCUMENT
