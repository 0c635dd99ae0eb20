import json
import time
from collections.abc import AsyncIterator

import httpx
import pytest
from pydantic import SecretStr
from pywa.utils import webhook_updates_validator  # type: ignore[attr-defined]
from starlette.applications import Starlette

from runtime.channels import whatsapp
from runtime.channels.doubles import DeskDouble
from runtime.channels.doubles.whatsapp import NUMBER, sign, text_message, webhook
from runtime.errors import Unavailable
from runtime.words import Inbound

PATH = "/webhooks/whatsapp"
SECRET = "app-secret"
OTHER = "200000000000002"


@pytest.fixture
def desk() -> DeskDouble:
    return DeskDouble(numbers={NUMBER: "anden", OTHER: "betty"}, app_secret=SECRET, verify_token="verify-me")


@pytest.fixture
async def http(desk: DeskDouble) -> AsyncIterator[httpx.AsyncClient]:
    app = Starlette(routes=whatsapp.routes(desk))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        yield client


def hello(*ids: str, number: str = NUMBER) -> bytes:
    found = [text_message(f"hello {id_}", sender="13035550100", id_=f"wamid.{id_}") for id_ in ids]
    return webhook(messages=found, number=number)


def together(*bodies: bytes) -> bytes:
    posts = [json.loads(body) for body in bodies]
    return json.dumps({**posts[0], "entry": [entry for post in posts for entry in post["entry"]]}).encode()


async def deliver(http: httpx.AsyncClient, body: bytes) -> httpx.Response:
    return await http.post(PATH, content=body, headers=sign(body, SECRET))


def refused(desk: DeskDouble, reason: str) -> float:
    labels = {"channel": "whatsapp", "reason": reason}
    return desk.metrics.registry.get_sample_value("messages_refused_total", labels) or 0.0


def ids(desk: DeskDouble) -> list[tuple[str, str]]:
    return [(tenant, arrival.id) for tenant, arrival in desk.received]


# Verification of the address


async def test_the_challenge_comes_back_for_the_right_token(http: httpx.AsyncClient) -> None:
    query = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": "verify-me"}
    answer = await http.get(PATH, params=query)
    assert (answer.status_code, answer.text) == (200, "1158201444")
    assert answer.headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"hub.mode": "subscribe", "hub.challenge": "1"},
        {"hub.mode": "subscribe", "hub.challenge": "1", "hub.verify_token": "wrong"},
        {"hub.mode": "subscribe", "hub.challenge": "1", "hub.verify_token": ""},
        {"hub.mode": "unsubscribe", "hub.challenge": "1", "hub.verify_token": "verify-me"},
        {"hub.mode": "subscribe", "hub.challenge": "1" * 300, "hub.verify_token": "verify-me"},
    ],
)
async def test_any_other_question_is_refused(http: httpx.AsyncClient, query: dict[str, str]) -> None:
    assert (await http.get(PATH, params=query)).status_code == 403


async def test_without_a_verify_token_nothing_verifies(
    http: httpx.AsyncClient, desk: DeskDouble, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.verify_token = ""
    query = {"hub.mode": "subscribe", "hub.challenge": "1", "hub.verify_token": ""}
    assert (await http.get(PATH, params=query)).status_code == 403
    assert "WHATSAPP_VERIFY_TOKEN" in capsys.readouterr().out


# Signatures


async def test_a_message_is_handed_in_before_the_200(http: httpx.AsyncClient, desk: DeskDouble) -> None:
    assert (await deliver(http, hello("A"))).status_code == 200
    assert ids(desk) == [("anden", "wamid.A")]


@pytest.mark.parametrize("header", ["", "sha256=", "sha256=" + "0" * 64, "sha1=abc", "nonsense", "sha256=é"])
async def test_a_wrong_signature_leaves_a_count_and_nothing_else(
    http: httpx.AsyncClient, desk: DeskDouble, header: str, capsys: pytest.CaptureFixture[str]
) -> None:
    headers = [(b"x-hub-signature-256", header.encode("latin-1"))]
    assert (await http.post(PATH, content=hello("A"), headers=headers)).status_code == 403
    assert desk.received == []
    assert refused(desk, "bad_signature") == 1
    captured = capsys.readouterr()
    assert captured.out + captured.err == ""


async def test_the_signature_is_over_the_very_bytes(http: httpx.AsyncClient, desk: DeskDouble) -> None:
    body = hello("A")
    same_json = json.dumps(json.loads(body), indent=1).encode()
    assert (await http.post(PATH, content=same_json, headers=sign(body, SECRET))).status_code == 403
    assert desk.received == []


async def test_without_an_app_secret_it_is_closed(
    http: httpx.AsyncClient, desk: DeskDouble, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.app_secret = ""
    body = hello("A")
    for headers in (sign(body, ""), {}):
        assert (await http.post(PATH, content=body, headers=headers)).status_code == 503
    assert desk.received == []
    assert "WHATSAPP_APP_SECRET" in capsys.readouterr().out


@pytest.mark.parametrize("body", [b"{}", b"", b"\x00\xff", "é".encode()])
def test_pywa_checks_signatures_as_we_do(body: bytes) -> None:
    (header,) = sign(body, SECRET).values()
    assert whatsapp.verify(body, header, SecretStr(SECRET))
    assert webhook_updates_validator(app_secret=SECRET, request_body=body, x_hub_signature=header)


# Batches


async def test_every_message_of_a_batch_comes_in_order(http: httpx.AsyncClient, desk: DeskDouble) -> None:
    body = together(hello("A", "B"), hello("C", number=OTHER), hello("D"))
    assert (await deliver(http, body)).status_code == 200
    assert [one for one in ids(desk) if one[0] == "anden"] == [("anden", f"wamid.{id_}") for id_ in "ABD"]
    assert ("betty", "wamid.C") in ids(desk)


async def test_nobodys_number_is_counted(
    http: httpx.AsyncClient, desk: DeskDouble, capsys: pytest.CaptureFixture[str]
) -> None:
    body = together(hello("A", number="999"), hello("B"))
    assert (await deliver(http, body)).status_code == 200
    assert ids(desk) == [("anden", "wamid.B")]
    assert refused(desk, "unknown_number") == 1
    assert "message.nobodys_number" in capsys.readouterr().out


async def test_a_message_that_breaks_the_desk_does_not_lose_the_others(
    http: httpx.AsyncClient, desk: DeskDouble
) -> None:
    desk.poison = frozenset({"wamid.B"})
    assert (await deliver(http, together(hello("A", "B", "C"), hello("D", number=OTHER)))).status_code == 503
    assert sorted(ids(desk)) == [("anden", "wamid.A"), ("anden", "wamid.C"), ("betty", "wamid.D")]


async def test_a_tenant_that_cannot_write_does_not_keep_the_others(http: httpx.AsyncClient, desk: DeskDouble) -> None:
    desk.failures.append(Unavailable("locked", hint="try again"))
    answer = await deliver(http, together(hello("A"), hello("B", number=OTHER)))
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert len(desk.received) == 1


@pytest.mark.parametrize("body", [b"", b"no", b"[]", b"7", b'{"object": 7}', b"[" * 100_000, b'{"a": NaN}'])
async def test_a_signed_malformed_body_is_not_asked_for_again(
    http: httpx.AsyncClient, desk: DeskDouble, body: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (await deliver(http, body)).status_code == 200
    assert desk.received == []
    assert refused(desk, "malformed") + refused(desk, "unknown") == 1
    assert capsys.readouterr().out


async def test_a_batch_of_3_mb_is_taken(http: httpx.AsyncClient, desk: DeskDouble) -> None:
    found = [text_message("x" * 2900, sender="13035550100", id_=f"wamid.{number}") for number in range(1000)]
    body = webhook(messages=found)
    assert len(body) > 3_000_000
    start = time.perf_counter()
    assert (await deliver(http, body)).status_code == 200
    assert time.perf_counter() - start < 2
    assert len(desk.received) == 1000


async def test_a_body_of_25_mb_is_refused_unread(http: httpx.AsyncClient, desk: DeskDouble) -> None:
    read = 0

    async def large() -> AsyncIterator[bytes]:
        nonlocal read
        for _ in range(400):
            read += 65536
            yield b" " * 65536

    headers = {"x-hub-signature-256": "sha256=" + "0" * 64}
    assert (await http.post(PATH, content=large(), headers=headers)).status_code == 413
    assert read < 10_000_000
    declared = {**headers, "content-length": str(25 * 1024 * 1024)}
    assert (await http.post(PATH, content=b"", headers=declared)).status_code == 413
    assert (await http.post(PATH, content=b"", headers={**headers, "content-length": "9" * 400})).status_code == 413
    assert refused(desk, "too_large") == 3


async def test_old_redeliveries_carry_their_time(http: httpx.AsyncClient, desk: DeskDouble) -> None:
    days_ago = int(time.time()) - 5 * 86400
    body = webhook(messages=[text_message("x", sender="1303555", id_="wamid.A", at=days_ago)])
    await deliver(http, body)
    ((_, message),) = desk.received
    assert isinstance(message, Inbound)
    assert message.sent_at.timestamp() == days_ago
