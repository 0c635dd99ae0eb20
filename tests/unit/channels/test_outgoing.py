"""The outbound webhook against a receiver on loopback, which verifies as the documentation says."""

import json
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from runtime.channels import sending
from runtime.channels.outgoing import Event, Hook, OutgoingApi, body_of, outcome_of, sign
from runtime.metrics import Metrics
from runtime.sockets import serving
from runtime.words import GiveUp, Sent, TenantId, TryLater

DOCUMENT = (Path(__file__).parents[3] / "docs" / "channels" / "outbound-webhook.md").read_text()
SECRET = "a-secret-of-the-tenant"
NOW = 1_795_000_000.0
EVENT = Event(
    id="turn:anden:telegram:111:00000007:1",
    kind="message.sent",
    at=datetime(2026, 11, 20, 12, 0, tzinfo=UTC),
    text="Sarah is booked for Tuesday at 10 🏡\u2028.",
    channel="telegram",
    conversation="telegram:111",
    person="Anden",
    turn="turn:anden:telegram:111:00000007",
)


def documented() -> Callable[..., bool]:
    """The verification of the documentation, as it stands there."""
    (code,) = re.findall(r"```python\n(.*?)```", DOCUMENT, re.DOTALL)
    found: dict[str, Any] = {}
    exec(compile(code, "outbound-webhook.md", "exec"), found)
    return found["is_from_proxystaff"]  # type: ignore[no-any-return]


@dataclass
class Receiver:
    """Takes each event once, and only from ProxyStaff."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    now: float = NOW
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    events: dict[str, Any] = field(default_factory=dict)

    async def take(self, request: Request) -> Response:
        body = await request.body()
        self.requests.append((dict(request.headers), body))
        if not documented()(request.headers, body, SECRET, now=self.now):
            return Response(status_code=401)
        self.events.setdefault(json.loads(body)["id"], json.loads(body))
        return Response("x" * 100_000, self.status, self.headers)


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
async def base(receiver: Receiver) -> AsyncIterator[str]:
    async with serving(Starlette(routes=[Route("/hook", receiver.take, methods=["POST"])])) as found:
        yield found


@pytest.fixture
async def api() -> AsyncIterator[OutgoingApi]:
    async with sending.open_http(httpx.Timeout(0.5)) as http:
        yield OutgoingApi(http, Metrics(), clock=lambda: NOW)


def hook(url: str, secret: str = SECRET) -> Hook:
    return Hook(tenant=TenantId("anden"), url=url, secret=SecretStr(secret))


async def test_an_event_arrives_and_verifies(api: OutgoingApi, base: str, receiver: Receiver) -> None:
    assert await api.tell(hook(base + "/hook"), EVENT) == Sent(EVENT.id)
    (event,) = receiver.events.values()
    assert event == {
        "id": EVENT.id,
        "kind": "message.sent",
        "tenant": "anden",
        "at": "2026-11-20T12:00:00+00:00",
        "text": EVENT.text,
        "channel": "telegram",
        "conversation": "telegram:111",
        "person": "Anden",
        "turn": "turn:anden:telegram:111:00000007",
        "extra": {},
    }
    ((headers, body),) = receiver.requests
    assert headers["x-proxystaff-id"] == EVENT.id
    assert headers["x-proxystaff-timestamp"] == str(int(NOW))
    assert body.isascii()


def test_the_documented_event_is_one_of_ours() -> None:
    (shown,) = re.findall(r"```json\n(.*?)```", DOCUMENT, re.DOTALL)
    assert json.loads(shown).keys() == json.loads(body_of(TenantId("anden"), EVENT)).keys()


@pytest.mark.parametrize("age", [301, -301])
async def test_a_replay_is_refused(api: OutgoingApi, base: str, receiver: Receiver, age: int) -> None:
    receiver.now = NOW + age
    outcome = await api.tell(hook(base + "/hook"), EVENT)
    assert isinstance(outcome, GiveUp)
    assert receiver.events == {}


def test_what_was_changed_on_the_way_does_not_verify() -> None:
    body = body_of(TenantId("anden"), EVENT)
    stamp = str(int(NOW))
    right = {"x-proxystaff-timestamp": stamp, "x-proxystaff-signature": sign(SecretStr(SECRET), stamp, body)}
    verify = documented()
    assert verify(right, body, SECRET, now=NOW)
    assert not verify(right, body + b" ", SECRET, now=NOW)
    assert not verify(right, body, "another-secret-here", now=NOW)
    assert not verify({**right, "x-proxystaff-timestamp": str(int(NOW) + 1)}, body, SECRET, now=NOW)
    assert not verify({**right, "x-proxystaff-signature": ""}, body, SECRET, now=NOW)
    assert not verify({**right, "x-proxystaff-signature": "sha256=ü"}, body, SECRET, now=NOW)
    assert not verify({}, body, SECRET, now=NOW)


async def test_the_same_event_again_is_taken_once(api: OutgoingApi, base: str, receiver: Receiver) -> None:
    for _ in range(3):
        assert await api.tell(hook(base + "/hook"), EVENT) == Sent(EVENT.id)
    assert len(receiver.events) == 1
    assert len({body for _, body in receiver.requests}) == 1


@pytest.mark.parametrize(
    ("status", "wanted"),
    [
        *((status, Sent) for status in (200, 201, 202, 204)),
        *((status, TryLater) for status in (408, 425, 429, 500, 502, 503, 504)),
        *((status, GiveUp) for status in (301, 302, 307, 400, 401, 403, 404, 410, 413, 422)),
    ],
)
async def test_the_status_decides(api: OutgoingApi, base: str, receiver: Receiver, status: int, wanted: type) -> None:
    receiver.status = status
    assert isinstance(await api.tell(hook(base + "/hook"), EVENT), wanted)
    assert len(receiver.requests) == 1


def test_a_receiver_may_say_when() -> None:
    assert outcome_of(503, "12", "k") == TryLater("the outbound webhook answered 503", 12.0)
    assert outcome_of(429, "soon", "k") == TryLater("the outbound webhook answered 429", None)


async def test_nobody_there_and_no_answer_are_for_later(api: OutgoingApi) -> None:
    assert isinstance(await api.tell(hook("http://127.0.0.1:9/hook"), EVENT), TryLater)

    async def silent(request: Request) -> Response:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        return Response()

    async with serving(Starlette(routes=[Route("/", silent, methods=["POST"])])) as base, sending.open_http() as http:
        impatient = OutgoingApi(http, Metrics(), clock=lambda: NOW, timeout=httpx.Timeout(0.2))
        assert isinstance(await impatient.tell(hook(base), EVENT), TryLater)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "not an address",
        "http://example.com/hook",
        "https://user:password@example.com/hook",
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "https://",
        "http://[",
        "http://127.0.0.1.example.com/",
    ],
)
async def test_an_address_that_shows_it_to_others_is_not_used(api: OutgoingApi, url: str) -> None:
    outcome = await api.tell(hook(url), EVENT)
    assert isinstance(outcome, GiveUp)
    assert outcome.code == "url"


async def test_a_secret_is_needed(api: OutgoingApi, base: str, receiver: Receiver) -> None:
    for secret in ("", "short"):
        outcome = await api.tell(hook(base + "/hook", secret), EVENT)
        assert isinstance(outcome, GiveUp)
        assert outcome.code == "secret"
    assert receiver.requests == []


async def test_the_secret_is_in_nothing_that_is_shown(api: OutgoingApi, base: str) -> None:
    outcome = await api.tell(hook(base + "/nowhere"), EVENT)
    assert SECRET not in repr(outcome) + repr(hook(base))


async def test_an_odd_id_does_not_break_the_request(api: OutgoingApi, base: str, receiver: Receiver) -> None:
    odd = Event(id="turn:ü\r\nx: y\x00", kind="notification", at=EVENT.at, text="a\ud800b")
    assert isinstance(await api.tell(hook(base + "/hook"), odd), Sent)
    assert "x" not in receiver.requests[0][0]
