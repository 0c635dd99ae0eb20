"""One suite for both channels' API classes, against their loopback doubles over real sockets.

What each failure means for the message is the contract of delivery: sent, later, never, or not known.
"""

import json
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
from aiogram.methods import SendChatAction, SendMessage
from pydantic import SecretStr

from runtime.channels import sending
from runtime.channels.base import ChannelApi
from runtime.channels.doubles import Recording, TelegramDouble, Trouble, WhatsAppDouble
from runtime.channels.doubles import telegram as telegram_double
from runtime.channels.doubles import whatsapp as whatsapp_double
from runtime.channels.doubles.recording import TAKEN_WITHOUT_ANSWER
from runtime.channels.telegram import TelegramAccount, TelegramApi
from runtime.channels.whatsapp import WhatsAppAccount, WhatsAppApi
from runtime.metrics import Metrics
from runtime.sockets import serving
from runtime.words import GiveUp, Outbound, Sent, TenantId, TryLater, Uncertain

SPECS = Path(__file__).parents[1] / "data" / "specs"
ANDEN = TenantId("anden")
SHORT = httpx.Timeout(connect=1.0, read=0.3, write=1.0, pool=1.0)


@dataclass
class Line:
    """One channel, ready to send: our API class on one end, its double on the other."""

    name: str
    api: ChannelApi[Any]
    account: Any
    recording: Recording
    address: str
    message_id: str
    http: httpx.AsyncClient
    metrics: Metrics

    def message(self, text: str = "Hello there.", **changes: str) -> Outbound:
        return replace(Outbound(key="out-1", address=self.address, text=text), **changes)


@pytest.fixture(params=["telegram", "whatsapp"])
async def line(request: pytest.FixtureRequest) -> AsyncIterator[Line]:
    metrics = Metrics()
    async with sending.open_http(SHORT) as http:
        if request.param == "telegram":
            telegram = TelegramDouble()
            async with serving(telegram.app) as base:
                account = TelegramAccount(tenant=ANDEN, token=SecretStr(telegram_double.TOKEN))
                api = TelegramApi(http, base, metrics)
                yield Line("telegram", api, account, telegram.recording, "111", "7", http, metrics)
        else:
            whatsapp = WhatsAppDouble()
            async with serving(whatsapp.app) as base:
                number, token = whatsapp_double.NUMBER, SecretStr(whatsapp_double.TOKEN)
                business = WhatsAppAccount(tenant=ANDEN, phone_number_id=number, access_token=token)
                graph = WhatsAppApi(http, base + "/v26.0", metrics)
                yield Line("whatsapp", graph, business, whatsapp.recording, "13035550100", "wamid.7", http, metrics)


def text_of(line: Line, body: Any) -> str:
    return str(body["text"] if line.name == "telegram" else body["text"]["body"])


async def test_a_message_is_sent_and_its_id_known(line: Line) -> None:
    outcome = await line.api.send(line.account, line.message())
    assert isinstance(outcome, Sent)
    assert outcome.id
    assert [text_of(line, sent.body) for sent in line.recording.sent] == ["Hello there."]


@pytest.mark.parametrize("text", ["x" * 4096, "🏡" * 2048, "é\n\n\u202e<b>&*_[]()", "a\ud83db\x00c", "\u200d"])
async def test_any_text_within_the_limit_is_taken(line: Line, text: str) -> None:
    assert isinstance(await line.api.send(line.account, line.message(text)), Sent)


@pytest.mark.parametrize("text", ["", " \n", "x" * 4097, "🏡" * 2049])
async def test_a_text_no_message_holds_is_not_even_tried(line: Line, text: str) -> None:
    assert isinstance(await line.api.send(line.account, line.message(text)), GiveUp)
    assert line.recording.requests == []


@pytest.mark.parametrize("status", [500, 502, 503])
async def test_a_server_error_is_for_later(line: Line, status: int) -> None:
    line.recording.fail_next(Trouble(status=status, body="<html>busy</html>"))
    assert isinstance(await line.api.send(line.account, line.message()), TryLater)
    assert isinstance(await line.api.send(line.account, line.message()), Sent)


async def test_a_gateway_that_timed_out_leaves_it_open(line: Line) -> None:
    line.recording.fail_next(Trouble(status=504, body="<html>late</html>"))
    assert isinstance(await line.api.send(line.account, line.message()), Uncertain)


async def test_taken_without_an_answer_is_uncertain(line: Line) -> None:
    line.recording.fail_next(TAKEN_WITHOUT_ANSWER)
    assert isinstance(await line.api.send(line.account, line.message()), Uncertain)
    assert len(line.recording.sent) == 1


async def test_nobody_listening_is_for_later(line: Line) -> None:
    api = type(line.api)(line.http, "http://127.0.0.1:9/base", line.metrics)  # type: ignore[call-arg]
    assert isinstance(await api.send(line.account, line.message()), TryLater)


@pytest.mark.parametrize(
    "body", ["", "<html></html>", {}, {"ok": False}, {"messages": []}, {"messages": [{"id": 1.5}]}]
)
async def test_a_success_that_says_nothing_is_uncertain(line: Line, body: Any) -> None:
    line.recording.fail_next(Trouble(status=202, body=body))
    assert isinstance(await line.api.send(line.account, line.message()), Uncertain)


async def test_a_redirect_is_not_followed(line: Line) -> None:
    line.recording.fail_next(Trouble(status=302, headers={"location": "http://127.0.0.1:9/elsewhere"}))
    assert isinstance(await line.api.send(line.account, line.message()), GiveUp)


async def test_typing_is_shown_and_its_failure_is_nobodys_problem(line: Line) -> None:
    assert await line.api.typing(line.account, address=line.address, message_id=line.message_id)
    line.recording.fail_next(Trouble(status=500), TAKEN_WITHOUT_ANSWER)
    assert not await line.api.typing(line.account, address=line.address, message_id=line.message_id)
    assert not await line.api.typing(line.account, address=line.address, message_id=line.message_id)


async def test_requests_are_counted_by_outcome(line: Line) -> None:
    line.recording.fail_next(Trouble(status=500))
    await line.api.send(line.account, line.message())
    await line.api.send(line.account, line.message())
    text = line.metrics.render().decode()
    for outcome in ("sent", "try_later"):
        series = f'channel_requests_total{{channel="{line.name}",outcome="{outcome}",tenant="anden"}} 1.0'
        assert series in text
    assert f'channel_request_seconds_count{{channel="{line.name}",tenant="anden"}} 2.0' in text


async def test_no_secret_is_in_a_log_or_an_outcome(line: Line, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    line.recording.fail_next(Trouble(status=500), Trouble(status=401), TAKEN_WITHOUT_ANSWER)
    outcomes = [await line.api.send(line.account, line.message()) for _ in range(4)]
    nowhere = type(line.api)(line.http, "http://127.0.0.1:9", line.metrics)  # type: ignore[call-arg]
    outcomes.append(await nowhere.send(line.account, line.message()))
    token = telegram_double.TOKEN if line.name == "telegram" else whatsapp_double.TOKEN
    assert "HTTP Request: POST" in caplog.text  # httpx logs every URL; it must not hold the token
    assert token not in caplog.text
    assert token not in repr(outcomes) + repr(line.account)


async def test_a_token_that_is_none_never_leaves(line: Line) -> None:
    for token in ("", "line\r\nbreak", "1:ü", "../getMe"):
        name = "token" if line.name == "telegram" else "access_token"
        account = replace(line.account, **{name: SecretStr(token)})
        outcome = await line.api.send(account, line.message())
        assert isinstance(outcome, GiveUp) or line.name == "whatsapp"
    assert all(request.status == 401 for request in line.recording.requests)


# Every request, against what the official specifications say of it


def check_whatsapp(body: Any) -> None:
    specs = json.loads((SPECS / "whatsapp-requests.json").read_text())
    jsonschema.validate(body, specs["read" if body.get("status") == "read" else "text"])


def check_telegram(method: str, body: Any) -> None:
    specs = json.loads((SPECS / "telegram-methods.json").read_text())
    check_fields(specs, specs["methods"][method], body)


def check_fields(specs: Any, fields: Any, body: Any) -> None:
    known = {field["name"]: field for field in fields}
    assert body.keys() <= known.keys()
    assert {name for name, field in known.items() if field["required"]} <= body.keys()
    for name, value in body.items():
        assert any(fits(specs, kind, value) for kind in known[name]["types"]), (name, value)


def fits(specs: Any, kind: str, value: Any) -> bool:
    match kind:
        case "Integer":
            return isinstance(value, int) and not isinstance(value, bool)
        case "String":
            return isinstance(value, str)
        case "Boolean":
            return isinstance(value, bool)
        case _ if kind.startswith("Array of "):
            return isinstance(value, list) and all(fits(specs, kind.removeprefix("Array of "), item) for item in value)
        case _:
            check_fields(specs, specs["types"][kind], value)
            return True


async def test_every_request_is_one_the_specification_allows(line: Line) -> None:
    for changes in ({}, {"reply_to": line.message_id}, {"text": "🏡" * 100}, {"key": "k" * 512}):
        assert isinstance(await line.api.send(line.account, line.message(**changes)), Sent)
    await line.api.typing(line.account, address=line.address, message_id=line.message_id)
    for request in line.recording.requests:
        if line.name == "whatsapp":
            check_whatsapp(request.body)
        else:
            check_telegram(request.method, request.body)
            {"sendMessage": SendMessage, "sendChatAction": SendChatAction}[request.method].model_validate(request.body)


async def test_the_specification_would_notice(line: Line) -> None:
    """The checks above are not empty: a typo, a missing and a mistyped field are caught."""
    await line.api.send(line.account, line.message())
    (request,) = line.recording.requests
    check = check_whatsapp if line.name == "whatsapp" else lambda body: check_telegram("sendMessage", body)
    check(request.body)
    address = "to" if line.name == "whatsapp" else "chat_id"
    for wrong in ({"txt": "x"}, {"text": 7}, {address: None}):
        with pytest.raises((AssertionError, jsonschema.ValidationError)):
            check({**request.body, **wrong})
    with pytest.raises((AssertionError, jsonschema.ValidationError)):
        check({name: value for name, value in request.body.items() if name != "text"})
