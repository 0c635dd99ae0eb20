"""The doubles refuse what the real ones would, or the tests that run on them prove nothing."""

import asyncio
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from starlette.testclient import TestClient

from runtime.channels import sending
from runtime.channels.doubles import TelegramDouble, Trouble, WhatsAppDouble
from runtime.channels.doubles import telegram as telegram_double
from runtime.channels.doubles import whatsapp as whatsapp_double
from runtime.channels.telegram import TelegramAccount, TelegramApi
from runtime.metrics import Metrics
from runtime.sockets import serving
from runtime.words import Outbound, Sent, TenantId, TryLater

BOT = f"/bot{telegram_double.TOKEN}"
GRAPH = f"/v26.0/{whatsapp_double.NUMBER}/messages"
BEARER = {"authorization": f"Bearer {whatsapp_double.TOKEN}"}
TEXT = {
    "messaging_product": "whatsapp",
    "recipient_type": "individual",
    "to": "13035550100",
    "type": "text",
    "text": {"body": "hello"},
}


@pytest.mark.parametrize(
    ("path", "body", "status", "said"),
    [
        ("/bot1:wrong/sendMessage", {"chat_id": 1, "text": "x"}, 401, "Unauthorized"),
        (f"{BOT}/sendTelepathy", {}, 404, "Not Found"),
        (f"{BOT}/sendMessage", [], 400, "parse the request body"),
        (f"{BOT}/sendMessage", {"text": "x"}, 400, "chat_id is empty"),
        (f"{BOT}/sendMessage", {"chat_id": "someone", "text": "x"}, 400, "chat not found"),
        (f"{BOT}/sendMessage", {"chat_id": 1}, 400, "text is empty"),
        (f"{BOT}/sendMessage", {"chat_id": 1, "text": " "}, 400, "text is empty"),
        (f"{BOT}/sendMessage", {"chat_id": 1, "text": "🏡" * 2049}, 400, "too long"),
        (f"{BOT}/sendMessage", {"chat_id": 1, "text": "x", "txt": "y"}, 400, "unknown parameter"),
        (f"{BOT}/sendMessage", {"chat_id": 1, "text": "x", "reply_parameters": {}}, 400, "message_id"),
        (
            f"{BOT}/sendMessage",
            {"chat_id": 1, "text": "🏡", "entities": [{"type": "bold", "offset": 0, "length": 3}]},
            400,
            "BOUNDS",
        ),
        (f"{BOT}/sendMessage", {"chat_id": 2, "text": "x"}, 403, "blocked"),
        (f"{BOT}/sendChatAction", {"chat_id": 1, "action": "dancing"}, 400, "action"),
        (f"{BOT}/setWebhook", {"url": "http://plain"}, 400, "HTTPS"),
    ],
)
def test_telegram_refuses(path: str, body: Any, status: int, said: str) -> None:
    double = TelegramDouble(blocked_by=frozenset({2}))
    answer = TestClient(double.app).post(path, json=body)
    assert (answer.status_code, answer.json()["ok"], answer.json()["error_code"]) == (status, False, status)
    assert said in answer.json()["description"]
    assert double.recording.sent == []
    assert [request.status for request in double.recording.requests] == [status]


def test_telegram_answers() -> None:
    double = TelegramDouble()
    http = TestClient(double.app)
    message = http.post(f"{BOT}/sendMessage", json={"chat_id": 1, "text": "hi"}).json()["result"]
    assert (message["message_id"], message["text"], message["chat"]["id"]) == (1, "hi", 1)
    assert double.texts == ["hi"]
    assert http.get(f"{BOT}/getMe").json()["result"]["is_bot"] is True
    assert http.post(f"{BOT}/setWebhook", json={"url": "https://a.example/hook"}).json()["result"] is True
    assert http.get(f"{BOT}/getWebhookInfo").json()["result"]["url"] == "https://a.example/hook"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"messaging_product": "sms"}, 100),
        ({"recipient_type": None}, 131008),
        ({"to": None}, 131008),
        ({"text": None}, 131008),
        ({"recipient_type": "crowd"}, 131009),
        ({"to": "someone"}, 131009),
        ({"to": None, "recipient": "13035550100"}, 131009),
        ({"type": "telepathy"}, 131009),
        ({"text": {"body": ""}}, 131009),
        ({"text": {"body": "x" * 4097}}, 131009),
        ({"text": {"body": "x", "size": 7}}, 131009),
        ({"text": "x"}, 131009),
        ({"context": {"message_id": "7"}}, 131009),
        ({"biz_opaque_callback_data": "x" * 513}, 131009),
        ({"txt": "x"}, 100),
        ({"to": "1999"}, 131009),
        ({"to": "19995550100"}, 131047),
    ],
)
def test_whatsapp_refuses(changes: dict[str, Any], code: int) -> None:
    double = WhatsAppDouble(outside_window=frozenset({"19995550100"}))
    body = {name: value for name, value in {**TEXT, **changes}.items() if value is not None}
    answer = TestClient(double.app).post(GRAPH, json=body, headers=BEARER)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)
    assert double.recording.sent == []


@pytest.mark.parametrize(
    ("path", "headers", "status", "code"),
    [(GRAPH, {}, 401, 190), (GRAPH, {"authorization": "Bearer x"}, 401, 190), ("/v26.0/1/messages", BEARER, 400, 100)],
)
def test_whatsapp_wants_the_numbers_own_token(path: str, headers: dict[str, str], status: int, code: int) -> None:
    answer = TestClient(WhatsAppDouble().app).post(path, json=TEXT, headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


def test_whatsapp_answers() -> None:
    double = WhatsAppDouble()
    http = TestClient(double.app)
    by_number = http.post(GRAPH, json=TEXT, headers=BEARER).json()
    assert by_number["contacts"] == [{"input": "13035550100", "wa_id": "13035550100"}]
    body = {name: value for name, value in TEXT.items() if name != "to"} | {"recipient": "US.1349"}
    by_user = http.post(GRAPH, json=body, headers=BEARER).json()
    assert by_number["messages"][0]["id"] != by_user["messages"][0]["id"]
    read = {"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.1"}
    assert http.post(GRAPH, json=read, headers=BEARER).json() == {"success": True}
    wrong = http.post(GRAPH, json={**read, "typing_indicator": {"type": "song"}}, headers=BEARER)
    assert wrong.json()["error"]["code"] == 131009
    assert double.texts == ["hello", "hello"]


async def test_a_storm_of_429_ends_in_every_message_once_and_in_order() -> None:
    double = TelegramDouble()
    double.recording.fail_next(*(telegram_double.too_many_requests(1) for _ in range(7)))
    async with serving(double.app) as base, sending.open_http() as http:
        api = TelegramApi(http, base, Metrics())
        account = TelegramAccount(tenant=TenantId("anden"), token=SecretStr(telegram_double.TOKEN))
        for number in range(3):
            message = Outbound(key=str(number), address="1", text=f"part {number}")
            while not isinstance(outcome := await api.send(account, message), Sent):
                assert outcome == TryLater("Telegram: Too Many Requests: retry after 1", 1.0)
        assert [sent.body["text"] for sent in await double.recording.wait_for_sent(3)] == ["part 0", "part 1", "part 2"]
    assert double.texts == ["part 0", "part 1", "part 2"]
    assert len(double.recording.requests) == 10


async def test_trouble_may_be_slow_or_meant_for_one_method() -> None:
    double = TelegramDouble()
    double.recording.fail_next(Trouble(method="sendMessage"), Trouble(status=200, delay=0.05))
    async with serving(double.app) as base, httpx.AsyncClient(base_url=base, trust_env=False) as http:
        start = asyncio.get_running_loop().time()
        action = await http.post(f"{BOT}/sendChatAction", json={"chat_id": 1, "action": "typing"})
        assert action.json()["ok"] is True
        assert asyncio.get_running_loop().time() - start >= 0.05
        assert (await http.post(f"{BOT}/sendMessage", json={"chat_id": 1, "text": "x"})).status_code == 500
    assert double.texts == []


async def test_waiting_has_an_end() -> None:
    with pytest.raises(TimeoutError):
        await TelegramDouble().recording.wait_for_sent(1, timeout=0.01)


def test_a_status_brings_the_tracker_back() -> None:
    double = WhatsAppDouble()
    answer = TestClient(double.app).post(GRAPH, json={**TEXT, "biz_opaque_callback_data": "out-1"}, headers=BEARER)
    (sent,) = double.recording.sent
    report = whatsapp_double.status(sent, answer.json()["messages"][0]["id"], "read")
    assert report["biz_opaque_callback_data"] == "out-1"


async def test_answers_do_not_wait_for_an_ack() -> None:
    """With Nagle's algorithm on, each of these takes 40 ms."""
    async with serving(TelegramDouble().app) as base, httpx.AsyncClient(base_url=base, trust_env=False) as http:
        start = asyncio.get_running_loop().time()
        for _ in range(25):
            await http.post(f"{BOT}/getMe", json={})
        assert asyncio.get_running_loop().time() - start < 0.8
