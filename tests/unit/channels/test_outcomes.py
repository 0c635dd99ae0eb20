"""The error tables: a table of cases each."""

import json
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pywa.errors import WhatsAppError

from runtime.channels import sending
from runtime.channels.doubles.telegram import TelegramDouble, server_error, too_many_requests
from runtime.channels.telegram.calls import outcome_of as telegram_outcome
from runtime.channels.whatsapp.errors import outcome_of as whatsapp_outcome
from runtime.words import GiveUp, SendOutcome, Sent, TryLater, Uncertain

OUTCOMES = (Sent, TryLater, GiveUp, Uncertain)


def telegram(status: int, description: str = "", **parameters: Any) -> SendOutcome:
    body = {"ok": False, "error_code": status, "description": description, "parameters": parameters}
    return telegram_outcome(status, json.dumps(body).encode())


def whatsapp(code: Any, status: int = 400, **fields: Any) -> SendOutcome:
    error = {"message": "said", "type": "OAuthException", "code": code, **fields}
    return whatsapp_outcome(status, json.dumps({"error": error}).encode())


@pytest.mark.parametrize(
    ("status", "description", "wanted"),
    [
        (400, "Bad Request: chat not found", GiveUp),
        (400, "Bad Request: message text is empty", GiveUp),
        (401, "Unauthorized", GiveUp),
        (403, "Forbidden: bot was blocked by the user", GiveUp),
        (404, "Not Found", GiveUp),
        (409, "Conflict", GiveUp),
        (413, "Request Entity Too Large", GiveUp),
        (500, "Internal Server Error", TryLater),
        (502, "Bad Gateway", TryLater),
        (504, "Gateway Timeout", Uncertain),
    ],
)
def test_telegram_table(status: int, description: str, wanted: type) -> None:
    outcome = telegram(status, description)
    assert type(outcome) is wanted
    assert description in outcome.problem  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("given", "after"), [(7, 7.0), ("3", 3.0), (0, 0.0), (10**9, 3600.0), (-1, None), ("soon", None), (None, None)]
)
def test_telegram_says_when(given: Any, after: float | None) -> None:
    outcome = telegram(429, "Too Many Requests", retry_after=given)
    assert isinstance(outcome, TryLater)
    assert outcome.after == after


def test_telegram_names_the_chat_a_group_became() -> None:
    outcome = telegram(400, "Bad Request: group chat was upgraded to a supergroup chat", migrate_to_chat_id=-1001)
    assert isinstance(outcome, GiveUp)
    assert "-1001" in outcome.hint


LATER = (1, 2, 4, 80007, 130429, 131000, 131016, 131056, 131057, 133004)
NEVER = (
    *(0, 3, 10, 33, 100, 190, 200, 230, 299, 368, 130472, 130497, 131005, 131008, 131009, 131021, 131026, 131030),
    *(131031, 131037, 131042, 131045, 131047, 131048, 131049, 131050, 131051, 131052, 131053, 131062, 132000),
    *(132001, 132005, 132007, 132012, 132015, 132016, 132068, 135000, 137000, 999999),
)


@pytest.mark.parametrize("code", LATER)
@pytest.mark.parametrize("status", [200 + 200, 429, 500])
def test_whatsapp_codes_to_try_again(code: int, status: int) -> None:
    assert isinstance(whatsapp(code, status), TryLater)


@pytest.mark.parametrize("code", NEVER)
def test_whatsapp_codes_that_end_it(code: int) -> None:
    outcome = whatsapp(code, error_data={"details": "the details"})
    assert isinstance(outcome, GiveUp)
    assert outcome.problem == f"WhatsApp: {code} the details"
    assert outcome.hint


def test_the_code_counts_and_not_the_http_status() -> None:
    assert isinstance(whatsapp(131047, 500), GiveUp)
    assert isinstance(whatsapp(190, 503), GiveUp)


def test_what_meta_calls_transient_is_tried_again() -> None:
    assert isinstance(whatsapp(131009, is_transient=True), TryLater)
    assert isinstance(whatsapp(424242, is_transient=True), TryLater)
    assert isinstance(whatsapp(424242, is_transient="yes"), GiveUp)


def test_the_pair_rate_gives_one_message_back_in_six_seconds() -> None:
    assert whatsapp(131056) == TryLater("WhatsApp: 131056 said", 6.0)


def test_a_retry_after_header_is_heard() -> None:
    assert whatsapp_outcome(429, b"", retry_after="12") == TryLater("WhatsApp: HTTP 429", 12.0)


def test_every_code_pywa_knows_of_sending_has_an_outcome() -> None:
    def codes(kind: type[WhatsAppError]) -> set[int]:
        own = set(kind.__error_codes__ or ())
        return own.union(*(codes(under) for under in kind.__subclasses__()))

    for code in codes(WhatsAppError):
        outcome = whatsapp(code)
        assert isinstance(outcome, TryLater if code in LATER else GiveUp)


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
BODIES = st.binary(max_size=40) | st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(("error", "messages", "ok", "result", "parameters", "description"), ANY_JSON),
        "error": st.fixed_dictionaries({"code": ANY_JSON, "message": ANY_JSON, "error_data": ANY_JSON}),
        "parameters": st.fixed_dictionaries({"retry_after": ANY_JSON, "migrate_to_chat_id": ANY_JSON}),
    },
).map(lambda body: json.dumps(body).encode())


@given(status=st.integers(100, 599), body=BODIES, header=st.text(max_size=10))
def test_any_answer_is_one_of_four_outcomes(status: int, body: bytes, header: str) -> None:
    assert isinstance(telegram_outcome(status, body), OUTCOMES)
    assert isinstance(whatsapp_outcome(status, body, retry_after=header), OUTCOMES)


@pytest.mark.parametrize(
    ("error", "wanted"),
    [
        (httpx.ConnectError("x"), TryLater),
        (httpx.ConnectTimeout("x"), TryLater),
        (httpx.PoolTimeout("x"), TryLater),
        (httpx.ProxyError("x"), TryLater),
        (httpx.UnsupportedProtocol("x"), GiveUp),
        (httpx.LocalProtocolError("x"), GiveUp),
        (httpx.ReadTimeout("x"), Uncertain),
        (httpx.WriteTimeout("x"), Uncertain),
        (httpx.ReadError("x"), Uncertain),
        (httpx.WriteError("x"), Uncertain),
        (httpx.RemoteProtocolError("x"), Uncertain),
        (httpx.DecodingError("x"), Uncertain),
    ],
)
def test_a_transport_error_counts_as_sent_once_anything_may_have_left(error: httpx.HTTPError, wanted: type) -> None:
    assert type(sending.after_transport_error("it", error)) is wanted


def test_the_doubles_refuse_in_the_words_of_the_tables() -> None:
    assert telegram_outcome(429, json.dumps(too_many_requests(5).body).encode()) == TryLater(
        "Telegram: Too Many Requests: retry after 5", 5.0
    )
    assert isinstance(telegram_outcome(502, json.dumps(server_error().body).encode()), TryLater)
    assert TelegramDouble().tokens
