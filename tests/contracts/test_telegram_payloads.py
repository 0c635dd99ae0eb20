"""Every recorded and derived Telegram update is read as its index says, aiogram agrees, and none does worse than
BadInput, however mangled."""

import contextlib
import copy
import json
import random
import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiogram.types import Update
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette

from runtime.channels import telegram
from runtime.channels.doubles import DeskDouble
from runtime.channels.telegram import Bot
from runtime.channels.telegram.parse import REASONS, callback_of, parse
from runtime.errors import BadInput
from runtime.words import Arrival, Ignored, Inbound, StopPressed

DATA = Path(__file__).parents[1] / "data" / "payloads"
CASES: list[dict[str, Any]] = json.loads((DATA / "telegram.json").read_text())["cases"]
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
NAMES = {Inbound: "inbound", Ignored: "ignored", StopPressed: "stoppressed"}
SECRET = "test-secret"
BOT = Bot(id="110201543", username="double_bot")
PATH = "/webhooks/telegram/anden"
HEADERS = {"x-telegram-bot-api-secret-token": SECRET}

by_file = pytest.mark.parametrize("case", CASES, ids=[case["file"] for case in CASES])


def body_of(case: dict[str, Any]) -> bytes:
    return (DATA / case["file"]).read_bytes()


def read(case: dict[str, Any]) -> Arrival:
    (arrival,) = parse(body_of(case), now=NOW, bot=BOT if case.get("bot") else None)
    return arrival


def seen(arrival: Arrival, wanted: dict[str, Any]) -> dict[str, Any]:
    """The part of ``arrival`` that ``wanted`` speaks of, in its form."""
    fields = asdict(arrival) | {"is": NAMES[type(arrival)]}
    found = {name: fields.get(name) for name in wanted}
    if isinstance(found.get("sent_at"), datetime):
        found["sent_at"] = "now" if found["sent_at"] == NOW else found["sent_at"].isoformat()
    if "extra" in found:
        found["extra"] = {name: fields["extra"].get(name) for name in wanted["extra"]}
    if "media" in found and len(fields["media"]) == len(wanted["media"]):
        pairs = zip(fields["media"], wanted["media"], strict=True)
        found["media"] = [{name: media[name] for name in named} for media, named in pairs]
    return found


def served(desk: DeskDouble) -> httpx.AsyncClient:
    app = Starlette(routes=telegram.routes(desk, bot_of=lambda _: BOT))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")


def test_the_index_names_every_file_once() -> None:
    files = sorted(f"telegram/{path.name}" for path in (DATA / "telegram").glob("*.json"))
    assert files == sorted(case["file"] for case in CASES)
    assert len(files) >= 80


@by_file
def test_an_update_is_read_as_the_index_says(case: dict[str, Any]) -> None:
    (wanted,) = case["expect"]
    assert seen(read(case), wanted) == wanted


@by_file
def test_what_an_update_becomes_can_be_stored(case: dict[str, Any]) -> None:
    text = json.dumps(asdict(read(case)), default=str, ensure_ascii=False)
    assert "\x00" not in text
    text.encode()


@by_file
def test_reasons_are_known_or_one_series(case: dict[str, Any]) -> None:
    arrival = read(case)
    if isinstance(arrival, Ignored):
        assert arrival.reason in REASONS or "hologram" in arrival.reason


@by_file
async def test_the_webhook_answers_200_and_hands_in_what_counts(case: dict[str, Any]) -> None:
    desk = DeskDouble(telegram_secrets={"anden": SECRET})
    async with served(desk) as http:
        answer = await http.post(PATH, content=body_of(case), headers=HEADERS)
    assert answer.status_code == 200
    (arrival,) = parse(body_of(case), now=NOW, bot=BOT)
    assert [one.id for _, one in desk.received] == ([] if isinstance(arrival, Ignored) else [arrival.id])
    if callback := callback_of(json.loads(body_of(case))):
        assert answer.json() == {"method": "answerCallbackQuery", "callback_query_id": callback}
    else:
        assert answer.text in ("ok\n", "ignored\n")


# aiogram as oracle


NO_CALENDAR_HAS_IT = "telegram/129-huge-date.json"  # ours reads that moment as now, aiogram does not read it
READ_BY_BOTH = [
    case
    for case in CASES
    if case["expect"][0]["is"] != "ignored" and case["file"] != NO_CALENDAR_HAS_IT and not case.get("beyond_aiogram")
]


@pytest.mark.parametrize("case", READ_BY_BOTH, ids=lambda case: case["file"])
def test_what_we_take_aiogram_takes_too(case: dict[str, Any]) -> None:
    """The official samples are older than aiogram's models: what they lack (chat.type, is_bot …) is given."""
    raw = json.loads(body_of(case))
    ours = read(case)
    theirs = Update.model_validate(modern(copy.deepcopy(raw)))
    assert str(theirs.update_id) == ours.id
    if theirs.stopped_message_generation:
        assert isinstance(ours, StopPressed)
        assert ours.sender == str(theirs.stopped_message_generation.chat.id)
    elif theirs.callback_query:
        assert isinstance(ours, Inbound)
        assert (ours.sender, ours.extra["choice"]) == (
            str(theirs.callback_query.from_user.id),
            theirs.callback_query.data or theirs.callback_query.game_short_name,
        )
    else:
        message = theirs.message or theirs.edited_message
        assert message is not None
        assert isinstance(ours, Inbound)
        said = _storable(message.text or message.caption or "")
        assert ours.text.replace("\ufffd", "").endswith(said.removeprefix("@double_bot ")) or "text_link" in str(raw)
        assert ours.address.partition("_")[0] == str(message.chat.id)
        assert ours.sent_at == message.date or message.edit_date == ours.sent_at.timestamp()
        if message.photo and not message.live_photo:
            assert ours.media[0].ref == max(message.photo, key=lambda size: size.width * size.height).file_id
        for name in ("voice", "audio", "video", "video_note", "document", "sticker", "animation"):
            file = getattr(message, name)
            if file and not (name == "document" and message.animation):
                assert ours.media[0].ref == file.file_id
                assert ours.media[0].size == file.file_size


def modern(value: Any) -> Any:
    for kind in ("message", "edited_message"):
        message = value.get(kind, {})
        for chat in (message.get("chat"), message.get("reply_to_message", {}).get("chat")):
            if chat:
                chat.setdefault("type", "private")
        for author in (message.get("from"), message.get("reply_to_message", {}).get("from")):
            if author:
                author.setdefault("is_bot", False)
        for key in ("forward_from", "forward_from_chat", "forward_date"):
            message.pop(key, None)
        for file in (message.get("audio"), message.get("voice"), message.get("document")):
            if file:
                file.setdefault("file_unique_id", "x")
    return value


def _storable(text: str) -> str:
    return "".join(character for character in text if character != "\x00" and not "\ud800" <= character <= "\udfff")


# Mangled


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
BODIES = [json.loads(body_of(case)) for case in CASES]
SEEDS: list[Any] = [None, True, -1, 0, 2**63, 1e308, float("nan"), "", "x", "\ud800\x00", "9" * 300, [], {}, [[]], [{}]]


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every place of ``value``: what holds it, and under which key."""
    found, rest = [], [value]
    while rest:
        holder = rest.pop()
        items = holder.items() if isinstance(holder, dict) else enumerate(holder) if isinstance(holder, list) else ()
        for key, inner in items:
            found.append((holder, key))
            rest.append(inner)
    return found


def mangle(value: Any, dice: random.Random, junk: Any) -> Any:
    """``value`` with one to four places replaced, removed, doubled, or exchanged for one of another update."""
    for _ in range(dice.randint(1, 4)):
        found = places(value)
        if not found:
            break
        holder, key = dice.choice(found)
        match dice.randrange(4):
            case 0:
                holder[key] = copy.deepcopy(junk)
            case 1 if isinstance(holder, dict):
                del holder[key]
            case 2 if isinstance(holder, list):
                holder.extend(copy.deepcopy(holder[:8]))
            case _:
                other, name = dice.choice(places(dice.choice(BODIES)))
                holder[key] = copy.deepcopy(other[name])
    return value


@settings(max_examples=300, deadline=None)
@given(dice=st.randoms(use_true_random=False), junk=JSON)
def test_a_mangled_update_is_read_or_ignored(dice: random.Random, junk: Any) -> None:
    body = json.dumps(mangle(copy.deepcopy(dice.choice(BODIES)), dice, junk)).encode()
    for bot in (BOT, None):
        (arrival,) = parse(body, now=NOW, bot=bot)
        assert isinstance(arrival, Inbound | Ignored | StopPressed)
        json.dumps(asdict(arrival), default=str, ensure_ascii=False).encode()


async def test_five_thousand_mangled_updates_are_answered() -> None:
    """Through the route, as Telegram would post them: no exception, no 5xx, and quick."""
    dice = random.Random(20261120)
    desk = DeskDouble(telegram_secrets={"anden": SECRET})
    start = time.perf_counter()
    async with served(desk) as http:
        for _ in range(5000):
            body = json.dumps(mangle(copy.deepcopy(dice.choice(BODIES)), dice, dice.choice(SEEDS)))
            answer = await http.post(PATH, content=body, headers=HEADERS)
            assert answer.status_code == 200, body
    assert desk.received
    assert time.perf_counter() - start < 60


@given(body=st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_read_or_bad_input(body: bytes) -> None:
    with contextlib.suppress(BadInput):
        assert parse(body, now=NOW, bot=BOT)


@pytest.mark.parametrize("body", [b"[" * 1_000_000, b'{"a":' * 1_000_000, b"1" * 100_000, b"\xff\xfe", b"null", b""])
def test_hostile_json_is_bad_input(body: bytes) -> None:
    with pytest.raises(BadInput):
        parse(body, now=NOW)


def deep(depth: int) -> Any:
    return {"text": deep(depth - 1)} if depth else "deep"


@pytest.mark.parametrize(
    "fields",
    [
        {
            "text": "a" * 200_000,
            "entities": [{"type": "text_link", "offset": 0, "length": 1, "url": "https://x"}] * 20_000,
        },
        {"text": "🏡" * 100_000, "entities": [{"type": "mention", "offset": n, "length": 2} for n in range(20_000)]},
        {"photo": [{"file_id": "x", "width": 10**300, "height": 10**300}] * 20_000},
        {"rich_message": {"blocks": [{"text": [{"text": "x"}] * 50_000}] * 2}},
        {"rich_message": {"blocks": [deep(200)]}},
        {"poll": {"question": "?", "options": [{"text": "x"}] * 100_000}},
        {"text": "x", "reply_to_message": {"text": "y" * 1_000_000}},
    ],
)
def test_a_large_update_costs_little(fields: dict[str, Any]) -> None:
    chat = {"id": -5, "type": "group"}
    message = {"message_id": 1, "date": 1, "from": {"id": 5}, "chat": chat, **fields}
    body = json.dumps({"update_id": 1, "message": message}).encode()
    start = time.process_time()
    parse(body, now=NOW, bot=BOT)
    private = {**message, "chat": {"id": 5, "type": "private"}}
    parse(json.dumps({"update_id": 1, "message": private}).encode(), now=NOW, bot=BOT)
    assert time.process_time() - start < 2
