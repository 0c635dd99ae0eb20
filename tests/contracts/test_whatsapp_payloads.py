"""Every recorded and derived WhatsApp body is read as its index says; none does worse than BadInput, if mangled."""

import contextlib
import copy
import json
import time
import tracemalloc
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette

from runtime.channels import whatsapp
from runtime.channels.doubles import DeskDouble
from runtime.channels.doubles.whatsapp import sign, webhook
from runtime.channels.whatsapp.parse import REASONS
from runtime.channels.whatsapp.webhook import BODY_LIMIT
from runtime.errors import BadInput
from runtime.words import Arrival, Ignored, Inbound, StatusUpdate, TakenOver

DATA = Path(__file__).parents[1] / "data" / "payloads"
CASES = json.loads((DATA / "whatsapp.json").read_text())["cases"]
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
NAMES = {Inbound: "inbound", StatusUpdate: "status", Ignored: "ignored", TakenOver: "takenover"}
SECRET = "test-secret"

by_file = pytest.mark.parametrize("case", CASES, ids=[case["file"] for case in CASES])


def body_of(case: dict[str, Any]) -> bytes:
    return (DATA / case["file"]).read_bytes()


def _messages(body: Any) -> list[Any]:
    """Every message and echo in ``body``, where it has the usual shape."""
    with contextlib.suppress(KeyError, TypeError, IndexError, AttributeError):
        value = body["entry"][0]["changes"][0]["value"]
        return [one for one in [*value.get("messages", []), *value.get("message_echoes", [])] if isinstance(one, dict)]
    return []


def read(body: bytes) -> list[tuple[str, Arrival]]:
    return [(received.number, received.arrival) for received in whatsapp.parse(body, now=NOW)]


def seen(number: str, arrival: Arrival, wanted: dict[str, Any]) -> dict[str, Any]:
    """The part of ``arrival`` that ``wanted`` speaks of, in its form."""
    fields = asdict(arrival) | {"is": NAMES[type(arrival)], "number": number}
    found = {name: fields[name] for name in wanted}
    if isinstance(found.get("sent_at"), datetime):
        found["sent_at"] = "now" if found["sent_at"] == NOW else found["sent_at"].isoformat()
    if "extra" in found:
        found["extra"] = {name: found["extra"].get(name) for name in wanted["extra"]}
    if "media" in found and len(found["media"]) == len(wanted["media"]):
        pairs = zip(found["media"], wanted["media"], strict=True)
        found["media"] = [{name: media[name] for name in named} for media, named in pairs]
    return found


def test_the_index_names_every_file() -> None:
    files = {str(path.relative_to(DATA)) for path in DATA.glob("whatsapp/*.json")}
    assert files == {case["file"] for case in CASES}


@by_file
def test_a_payload_is_read_as_the_index_says(case: dict[str, Any]) -> None:
    arrivals = read(body_of(case))
    assert len(arrivals) == len(case["expect"])
    for (number, arrival), wanted in zip(arrivals, case["expect"], strict=True):
        assert seen(number, arrival, wanted) == wanted


@by_file
def test_what_a_payload_becomes_can_be_stored(case: dict[str, Any]) -> None:
    for _, arrival in read(body_of(case)):
        text = json.dumps(asdict(arrival), default=str, ensure_ascii=False)
        assert "\x00" not in text
        text.encode()


@by_file
def test_reasons_are_known(case: dict[str, Any]) -> None:
    for _, arrival in read(body_of(case)):
        if isinstance(arrival, Ignored):
            assert arrival.reason in REASONS


@by_file
async def test_a_webhook_answers_200_and_hands_in_what_counts(case: dict[str, Any]) -> None:
    body = body_of(case)
    numbers = {number: "anden" for number, _ in read(body) if number}
    desk = DeskDouble(numbers=numbers, app_secret=SECRET)
    app = Starlette(routes=whatsapp.routes(desk))
    headers = sign(body, SECRET)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as http:
        answer = await http.post("/webhooks/whatsapp", content=body, headers=headers)
    assert answer.status_code == 200
    kept = [arrival for _, arrival in read(body) if not isinstance(arrival, Ignored)]
    assert [arrival.id for _, arrival in desk.received] == [arrival.id for arrival in kept]


# What nobody recorded


KNOWN = [json.loads(body_of(case)) for case in CASES]
MESSAGES = [message for body in KNOWN for message in _messages(body)]
BODIES = 5_000
A_BATCH = 100
STRANGE: list[Any] = [
    *(None, True, -1, 0, 1.5, 10**30, -(10**400), float("nan"), float("inf"), "", " ", "\x00", "\ud800", "x" * 5000),
    *("wamid.A", "{}", "[]", '{"a": [[[1]]]}', "\u202e\u2028", "0", "99999999999", "1e400", [], {}, [None], [[]], [{}]),
    *(
        {"id": {"id": []}},
        {"": ""},
        json.loads("[" * 90 + "]" * 90),
        "🏡" * 300,
        "BEGIN:VCARD\nTEL:1\nFN:" + "x" * 2000,
    ),
]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        found += places(inner, (*path, key))
    return found


def mutate(value: Any, chance: Random) -> None:
    """One place replaced, removed, doubled, or in another's place."""
    if not (found := places(value)):
        return
    *above, last = chance.choice(found)
    parent = value
    for key in above:
        parent = parent[key]
    match chance.randrange(5):
        case 0:
            parent[last] = copy.deepcopy(chance.choice(STRANGE))
        case 1:
            del parent[last]
        case 2 if isinstance(parent, list):
            parent.extend(copy.deepcopy(parent[last]) for _ in range(chance.randint(1, 20)))
        case 3:
            parent[last] = copy.deepcopy(chance.choice(MESSAGES))
        case _ if isinstance(parent, dict):
            parent[chance.choice(["type", "text", "from", "id", "group_id", "errors", "context"])] = parent[last]


def mutated(chance: Random) -> bytes:
    """A known body, or one with messages of several, with up to six mutations; now and then not quite JSON."""
    value = copy.deepcopy(chance.choice(KNOWN))
    if chance.random() < 0.3:
        value = json.loads(webhook(messages=[{}]))
        value["entry"][0]["changes"][0]["value"]["messages"] = copy.deepcopy(chance.sample(MESSAGES, 6))
    for _ in range(chance.randint(0, 6)):
        mutate(value, chance)
    body = json.dumps(value).encode()
    if chance.random() < 0.05:
        cut = chance.randrange(len(body))
        body = body[:cut] + bytes([chance.randrange(256)]) + body[cut + chance.randint(0, 9) :]
    return body


@settings(max_examples=BODIES // A_BATCH, deadline=None)
@given(seed=st.integers(0, 2**32))
async def test_any_post_of_meta_is_answered_200_and_what_is_kept_can_be_stored(seed: int) -> None:
    chance = Random(seed)
    desk = DeskDouble(numbers={"106540352242922": "anden", "200000000000002": "betty"}, app_secret=SECRET)
    app = Starlette(routes=whatsapp.routes(desk, groups=chance.random() < 0.5))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as http:
        for _ in range(A_BATCH):
            body = mutated(chance)
            answer = await http.post("/webhooks/whatsapp", content=body, headers=sign(body, SECRET))
            assert answer.status_code == 200
    for _, arrival in desk.received:
        json.dumps(asdict(arrival), default=str, ensure_ascii=False).encode()
        assert not isinstance(arrival, Ignored)
        assert arrival.id
        if isinstance(arrival, Inbound):
            assert arrival.sender
            assert arrival.address
            assert arrival.text.strip() or arrival.media or arrival.kind in ("reaction", "revoke")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(body=st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_read_or_bad_input(body: bytes) -> None:
    with contextlib.suppress(BadInput):
        assert whatsapp.parse(body, now=NOW)


@pytest.mark.parametrize("body", [b"[" * 1_000_000, b'{"a":' * 1_000_000, b"1" * 100_000, b"\xff\xfe", b"null", b""])
def test_hostile_json_is_bad_input(body: bytes) -> None:
    with pytest.raises(BadInput):
        whatsapp.parse(body, now=NOW)


@pytest.mark.parametrize("field", ["entry", "changes", "messages", "contacts", "statuses"])
def test_a_body_full_of_nothing_is_one_thing_ignored(field: str) -> None:
    """The most objects a body can hold become no more than one line of the log, in bounded memory."""
    whole = json.loads(webhook(messages=[{}]))
    value = whole["entry"][0]["changes"][0]["value"]
    if field in ("entry", "changes"):
        (whole if field == "entry" else whole["entry"][0])[field] = "NOTHING"
    else:
        value.pop("messages")
        value[field] = "NOTHING"
    body = json.dumps(whole).replace('"NOTHING"', "[" + "{}," * 200_000 + "{}]").encode()
    tracemalloc.start()
    start = time.perf_counter()
    received = whatsapp.parse(body, now=NOW)
    assert time.perf_counter() - start < 10
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(received) == 1
    assert peak < 50 * len(body)  # and a body has at most 4 MB
    assert BODY_LIMIT <= 4 * 1024 * 1024
