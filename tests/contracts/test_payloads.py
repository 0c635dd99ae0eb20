"""Every recorded and derived WhatsApp body is read as its index says; none does worse than BadInput, however mangled."""

import contextlib
import copy
import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette

from runtime.channels import whatsapp
from runtime.channels.doubles import DeskDouble
from runtime.channels.doubles.whatsapp import sign
from runtime.channels.whatsapp.parse import REASONS
from runtime.errors import BadInput
from runtime.words import Arrival, Ignored, Inbound, StatusUpdate, TakenOver

DATA = Path(__file__).parents[1] / "data" / "payloads"
CASES = json.loads((DATA / "whatsapp.json").read_text())["cases"]
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
NAMES = {Inbound: "inbound", StatusUpdate: "status", Ignored: "ignored", TakenOver: "takenover"}
SECRET = "test-secret"

by_file = pytest.mark.parametrize("case", CASES, ids=[case["file"] for case in CASES])


def of(channel: str) -> list[dict[str, Any]]:
    return [case for case in CASES if case["file"].startswith(channel)]


def body_of(case: dict[str, Any]) -> bytes:
    return (DATA / case["file"]).read_bytes()


def read(case: dict[str, Any], body: bytes) -> list[tuple[str, Arrival]]:
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
    arrivals = read(case, body_of(case))
    assert len(arrivals) == len(case["expect"])
    for (number, arrival), wanted in zip(arrivals, case["expect"], strict=True):
        assert seen(number, arrival, wanted) == wanted


@by_file
def test_what_a_payload_becomes_can_be_stored(case: dict[str, Any]) -> None:
    for _, arrival in read(case, body_of(case)):
        text = json.dumps(asdict(arrival), default=str, ensure_ascii=False)
        assert "\x00" not in text
        text.encode()


@by_file
def test_reasons_are_known_or_one_series(case: dict[str, Any]) -> None:
    for _, arrival in read(case, body_of(case)):
        if isinstance(arrival, Ignored):
            assert arrival.reason in REASONS or "hologram" in arrival.reason


@by_file
async def test_a_webhook_answers_200_and_hands_in_what_counts(case: dict[str, Any]) -> None:
    body = body_of(case)
    numbers = {number: "anden" for number, _ in read(case, body) if number}
    desk = DeskDouble(numbers=numbers, app_secret=SECRET)
    app = Starlette(routes=whatsapp.routes(desk))
    headers = sign(body, SECRET)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as http:
        answer = await http.post("/webhooks/whatsapp", content=body, headers=headers)
    assert answer.status_code == 200
    kept = [arrival for _, arrival in read(case, body) if not isinstance(arrival, Ignored)]
    assert [arrival.id for _, arrival in desk.received] == [arrival.id for arrival in kept]


# Mutations


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        found += places(inner, (*path, key))
    return found


@st.composite
def mutated(draw: st.DrawFn, channel: str) -> bytes:
    """A real payload with one to four places replaced, removed or doubled."""
    value = copy.deepcopy(draw(st.sampled_from([json.loads(body_of(case)) for case in of(channel)])))
    for _ in range(draw(st.integers(1, 4))):
        if not (found := places(value)):
            break
        *above, last = draw(st.sampled_from(found))
        parent = value
        for key in above:
            parent = parent[key]
        match draw(st.sampled_from(("replace", "remove", "double"))):
            case "replace":
                parent[last] = draw(JSON)
            case "remove":
                del parent[last]
            case "double" if isinstance(parent, list):
                parent.append(copy.deepcopy(parent[last]))
    return json.dumps(value).encode()


@given(body=mutated("whatsapp/"))
def test_a_mutated_whatsapp_post_is_read_or_ignored(body: bytes) -> None:
    assert whatsapp.parse(body, now=NOW)


@given(body=st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_read_or_bad_input(body: bytes) -> None:
    with contextlib.suppress(BadInput):
        assert whatsapp.parse(body, now=NOW)


@pytest.mark.parametrize("body", [b"[" * 1_000_000, b'{"a":' * 1_000_000, b"1" * 100_000, b"\xff\xfe", b"null", b""])
def test_hostile_json_is_bad_input(body: bytes) -> None:
    with pytest.raises(BadInput):
        whatsapp.parse(body, now=NOW)
