"""What a bot does, against the double over real sockets: files both ways, drafts, buttons, webhooks, and the token."""

import asyncio
import io
import json
import logging
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiogram import methods as aiogram_methods
from pydantic import SecretStr

from runtime.background import beside
from runtime.channels import sending
from runtime.channels.base import MediaRefused
from runtime.channels.doubles import TelegramDouble, Trouble
from runtime.channels.doubles import telegram as double_module
from runtime.channels.doubles.bot_api import METHODS
from runtime.channels.doubles.recording import TAKEN_WITHOUT_ANSWER
from runtime.channels.telegram import Bot, Conflict, DraftStream, TelegramAccount, TelegramApi, Webhook
from runtime.channels.telegram.calls import Later
from runtime.channels.telegram.files import FETCH_LIMIT, SEND_LIMIT
from runtime.errors import Fault, Refused, Unavailable
from runtime.metrics import Metrics
from runtime.sockets import serving
from runtime.words import GiveUp, Media, Outbound, Sent, TenantId, TryLater, Uncertain

SPEC = json.loads((Path(__file__).parents[2] / "data" / "specs" / "telegram-methods.json").read_text())
SHORT = httpx.Timeout(connect=1.0, read=0.5, write=1.0, pool=1.0)
ACCOUNT = TelegramAccount(tenant=TenantId("anden"), token=SecretStr(double_module.TOKEN))
PERSON = "111"


@dataclass
class Line:
    api: TelegramApi
    double: TelegramDouble
    http: httpx.AsyncClient
    base: str

    async def send(self, text: str = "Hello.", **changes: str) -> Any:
        fields = {"key": "out-1", "address": PERSON, "text": text, **changes}
        return await self.api.send(ACCOUNT, Outbound(**fields))

    @property
    def last(self) -> Any:
        return self.double.recording.requests[-1].body

    @property
    def methods(self) -> list[str]:
        return [request.method for request in self.double.recording.requests]


async def lined(double: TelegramDouble) -> AsyncIterator[Line]:
    async with serving(double.app) as base, sending.open_http(SHORT) as http:
        yield Line(TelegramApi(http, base, Metrics()), double, http, base)


@pytest.fixture
async def line() -> AsyncIterator[Line]:
    double = TelegramDouble(blocked_by=frozenset({222}), moved={-5: -1005})
    async for one in lined(double):
        yield one


# Words


async def test_markdown_leaves_as_entities(line: Line) -> None:
    assert isinstance(await line.send("## Oak St\n**$450k** and [more](https://homes.example/1) 🏡 `x`"), Sent)
    assert line.double.texts == ["Oak St\n$450k and more 🏡 x"]
    assert [(one["type"], one["offset"], one["length"]) for one in line.last["entities"]] == [
        ("bold", 0, 6),
        ("bold", 7, 5),
        ("text_link", 17, 4),
        ("code", 25, 1),
    ]
    assert "parse_mode" not in line.last


async def test_a_reply_names_what_it_answers(line: Line) -> None:
    await line.send(reply_to="7")
    assert line.last["reply_parameters"] == {"message_id": 7, "allow_sending_without_reply": True}


async def test_a_topic_is_answered_in_it(line: Line) -> None:
    await line.send(address="-1009_12")
    assert (line.last["chat_id"], line.last["message_thread_id"]) == (-1009, 12)
    await line.api.typing(ACCOUNT, address="-1009_12")
    assert line.last == {"chat_id": -1009, "message_thread_id": 12, "action": "typing"}


async def test_who_blocked_the_bot_is_given_up_with_a_code(line: Line) -> None:
    outcome = await line.send(address="222")
    assert isinstance(outcome, GiveUp)
    assert outcome.code == "blocked"
    assert "unblock" in outcome.hint


async def test_a_group_that_moved_is_followed(line: Line) -> None:
    assert isinstance(await line.send(address="-5_12", reply_to="7"), Sent)
    (sent,) = line.double.recording.sent
    assert sent.body == {"chat_id": -1005, "text": "Hello."}


async def test_marks_that_telegram_cannot_read_are_left_out(line: Line) -> None:
    said = {"ok": False, "error_code": 400, "description": "Bad Request: can't parse entities: odd"}
    line.double.recording.fail_next(Trouble(status=400, body=said))
    assert isinstance(await line.send("**Hello.**"), Sent)
    assert line.double.texts == ["Hello."]
    assert "entities" not in line.last


async def test_a_topic_that_is_gone_is_left(line: Line) -> None:
    said = {"ok": False, "error_code": 400, "description": "Bad Request: message thread not found"}
    line.double.recording.fail_next(Trouble(status=400, body=said))
    assert isinstance(await line.send(address="-1009_12"), Sent)
    assert "message_thread_id" not in line.last


async def test_what_cannot_be_put_right_is_tried_once(line: Line) -> None:
    said = {"ok": False, "error_code": 400, "description": "Bad Request: chat not found"}
    line.double.recording.fail_next(Trouble(status=400, body=said))
    assert isinstance(await line.send(), GiveUp)
    assert len(line.methods) == 1


async def test_an_unknown_outcome_is_never_tried_twice(line: Line) -> None:
    line.double.recording.fail_next(TAKEN_WITHOUT_ANSWER)
    assert isinstance(await line.send("**x**"), Uncertain)
    assert len(line.methods) == 1


# Files out


@pytest.mark.parametrize(
    ("name", "method", "field", "mime"),
    [
        ("house.jpg", "sendPhoto", "photo", "image/jpeg"),
        ("plan.PNG", "sendPhoto", "photo", "image/png"),
        ("tour.mp4", "sendVideo", "video", "video/mp4"),
        ("note.ogg", "sendVoice", "voice", "audio/ogg"),
        ("jingle.mp3", "sendAudio", "audio", "audio/mpeg"),
        ("wave.gif", "sendAnimation", "animation", "image/gif"),
        ("contract.pdf", "sendDocument", "document", "application/pdf"),
        ("listings.csv", "sendDocument", "document", "text/csv"),
        ("noname", "sendDocument", "document", "application/octet-stream"),
    ],
)
async def test_a_file_is_sent_as_what_it_is(
    line: Line, tmp_path: Path, name: str, method: str, field: str, mime: str
) -> None:
    (tmp_path / name).write_bytes(b"content of " + name.encode())
    assert isinstance(await line.send("**450** rooms", file=str(tmp_path / name), reply_to="7"), Sent)
    (sent,) = line.double.recording.sent
    assert sent.method == method
    assert sent.body[field] == {"name": name, "mime": mime, "bytes": b"content of " + name.encode()}
    assert sent.body["caption"] == "450 rooms"
    assert sent.body["caption_entities"] == [{"type": "bold", "offset": 0, "length": 3}]
    assert sent.body["reply_parameters"]["message_id"] == 7


async def test_a_caption_of_digits_stays_words(line: Line, tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(b"x")
    assert isinstance(await line.send("450", file=str(tmp_path / "a.pdf")), Sent)
    assert isinstance(await line.send("", file=str(tmp_path / "a.pdf")), Sent)
    assert line.double.texts == ["450", ""]


async def test_what_is_no_file_is_not_sent(line: Line, tmp_path: Path) -> None:
    (tmp_path / "empty.pdf").touch()
    (tmp_path / "real.pdf").write_bytes(b"x")
    (tmp_path / "link.pdf").symlink_to(tmp_path / "real.pdf")
    os.mkfifo(tmp_path / "pipe.pdf")
    with (tmp_path / "large.pdf").open("wb") as file:
        file.truncate(SEND_LIMIT + 1)
    for name in ("empty.pdf", "link.pdf", "pipe.pdf", "large.pdf", "missing.pdf", ".", "nul\0.pdf"):
        outcome = await asyncio.wait_for(line.send(file=str(tmp_path / name)), 5)
        assert isinstance(outcome, GiveUp), name
        assert outcome.hint
    outcome = await line.send("x" * 1025, file=str(tmp_path / "real.pdf"))
    assert isinstance(outcome, GiveUp)
    assert line.methods == []


async def test_a_photo_that_is_none_is_a_document(line: Line, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"not a picture")
    said = {"ok": False, "error_code": 400, "description": "Bad Request: PHOTO_INVALID_DIMENSIONS"}
    line.double.recording.fail_next(Trouble(status=400, body=said))
    assert isinstance(await line.send(file=str(tmp_path / "a.jpg")), Sent)
    assert line.methods == ["sendPhoto", "sendDocument"]
    assert line.last["document"]["bytes"] == b"not a picture"
    with (tmp_path / "b.jpg").open("wb") as file:
        file.truncate(10 * 1024 * 1024 + 1)
    assert isinstance(await line.send(file=str(tmp_path / "b.jpg")), Sent)
    assert line.methods[-1] == "sendDocument"


async def test_a_file_follows_its_group(line: Line, tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(b"whole")
    assert isinstance(await line.send(file=str(tmp_path / "a.pdf"), address="-5"), Sent)
    assert line.last["document"]["bytes"] == b"whole"


# Files in


def media(ref: str, **changes: Any) -> Media:
    return Media(**{"ref": ref, "kind": "document", **changes})


async def test_a_file_is_fetched(line: Line) -> None:
    content = os.urandom(300_000)
    ref = line.double.add_file(content, "documents/file 1ü.pdf")
    into = io.BytesIO()
    found = await line.api.fetch(ACCOUNT, media(ref, name="c.pdf"), into, limit=1_000_000)
    assert into.getvalue() == content
    assert (found.size, found.mime, found.name, found.ref) == (300_000, "application/pdf", "c.pdf", ref)


async def test_a_file_that_is_too_large_is_refused_before_it_is_fetched(line: Line) -> None:
    ref = line.double.add_file(b"x" * 2000)
    with pytest.raises(MediaRefused):
        await line.api.fetch(ACCOUNT, media(ref, size=2000), io.BytesIO(), limit=1000)
    assert line.methods == []
    with pytest.raises(MediaRefused):
        await line.api.fetch(ACCOUNT, media(ref), io.BytesIO(), limit=1000)
    assert line.methods == ["getFile"]
    huge = line.double.add_file(b"x" * (FETCH_LIMIT + 1))
    with pytest.raises(MediaRefused, match="20 MB"):
        await line.api.fetch(ACCOUNT, media(huge), io.BytesIO(), limit=10**9)


async def test_a_file_that_is_larger_than_it_says_is_cut_off(line: Line) -> None:
    ref = line.double.add_file(b"x" * 2000)
    said = {"ok": True, "result": {"file_id": ref, "file_size": 10, "file_path": "documents/file_1.bin"}}
    line.double.recording.fail_next(Trouble(status=202, body=said, method="getFile"))
    into = io.BytesIO()
    with pytest.raises(MediaRefused):
        await line.api.fetch(ACCOUNT, media(ref), into, limit=1000)
    assert len(into.getvalue()) <= 1000


@pytest.mark.parametrize("path", [None, "", "/etc/passwd", "../bot/getMe", "a/../../b"])
async def test_a_path_that_is_none_is_refused(line: Line, path: Any) -> None:
    said = {"ok": True, "result": {"file_id": "x", "file_path": path}}
    line.double.recording.fail_next(Trouble(status=202, body=said))
    with pytest.raises(MediaRefused):
        await line.api.fetch(ACCOUNT, media("x"), io.BytesIO(), limit=1000)
    assert line.methods == ["getFile"]


@pytest.mark.parametrize(
    ("troubles", "wanted"),
    [
        ([Trouble(status=404, method="file")], MediaRefused),
        ([Trouble(status=500, method="file")], Unavailable),
        ([Trouble(status=500, method="getFile")], Unavailable),
        ([double_module.too_many_requests(3)], Unavailable),
        ([Trouble(status=0, silent=True, method="file")], Unavailable),
        ([Trouble(status=0, silent=True, method="getFile")], Unavailable),
        ([Trouble(status=401, method="getFile", body={"ok": False})], MediaRefused),
    ],
)
async def test_what_goes_wrong_with_a_file_is_for_later_or_for_good(
    line: Line, troubles: list[Trouble], wanted: type[Fault]
) -> None:
    ref = line.double.add_file(b"x")
    line.double.recording.fail_next(*troubles)
    with pytest.raises(wanted) as caught:
        await line.api.fetch(ACCOUNT, media(ref), io.BytesIO(), limit=1000)
    assert caught.value.hint


async def test_a_file_nobody_knows_is_refused(line: Line) -> None:
    with pytest.raises(MediaRefused, match="invalid file_id"):
        await line.api.fetch(ACCOUNT, media("unknown"), io.BytesIO(), limit=1000)


# Drafts, buttons


async def test_a_draft_grows_under_one_id(line: Line) -> None:
    for text in ("", "**Hel", "**Hello** th", "x" * 5000):
        assert await line.api.draft(ACCOUNT, address=PERSON, key="turn-1", text=text)
    ids = {request.body["draft_id"] for request in line.double.recording.requests}
    assert len(ids) == 1
    assert 0 < ids.pop() < 2**31
    assert line.double.drafts[:3] == ["", "**Hel", "Hello th"]
    assert line.double.drafts[3] == "x" * (5000 - 4096)
    assert line.last["can_stop"] is True
    assert line.double.recording.sent == []


async def test_a_draft_that_cannot_be_shown_is_nobodys_problem(line: Line) -> None:
    assert not await line.api.draft(ACCOUNT, address="-1009", key="k", text="x")
    assert line.methods == []
    line.double.recording.fail_next(Trouble(status=500), double_module.too_many_requests(9))
    for _ in range(2):
        assert not await line.api.draft(ACCOUNT, address=PERSON, key="k", text="x")
    async for old in lined(TelegramDouble(drafts=False)):
        assert not await old.api.draft(ACCOUNT, address=PERSON, key="k", text="x")


async def test_a_stream_is_shown_at_most_every_so_often() -> None:
    shown: list[str] = []

    async def show(text: str) -> bool:
        shown.append(text)
        return True

    stream = DraftStream(show, every=0.05)
    async with beside(stream.run()):
        for word in ("I", "am", "looking", "at", "it", "now"):
            stream.add(word + " ")
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.12)
    assert shown[0] in ("", "I ")
    assert shown[-1].strip() == "I am looking at it now"
    assert len(shown) <= 5
    assert all(later.startswith(earlier) for earlier, later in pairwise(shown))


async def test_a_stream_that_does_not_grow_is_shown_again() -> None:
    shown: list[str] = []

    async def show(text: str) -> bool:
        shown.append(text)
        return True

    stream = DraftStream(show, every=0.01, refresh=0.03)
    async with beside(stream.run()):
        stream.add("x")
        await asyncio.sleep(0.2)
    assert 3 <= shown.count("x") <= 7
    count = len(shown)
    await asyncio.sleep(0.05)
    assert len(shown) == count


async def test_a_stream_stops_where_there_are_no_drafts() -> None:
    shown: list[str] = []

    async def show(text: str) -> bool:
        shown.append(text)
        return False

    stream = DraftStream(show, every=0.01, refresh=0.02)
    async with beside(stream.run()):
        stream.add("x")
        await asyncio.sleep(0.1)
        stream.restart()
        stream.add("y")
        await asyncio.sleep(0.05)
    assert len(shown) == 1


async def test_a_button_is_answered(line: Line) -> None:
    assert await line.api.answer_callback(ACCOUNT, "cb-1", text="x" * 300)
    assert line.double.answered_callbacks == ["cb-1"]
    line.double.recording.fail_next(Trouble(status=400))
    assert not await line.api.answer_callback(ACCOUNT, "cb-1")


# Who and how


async def test_who_the_bot_is(line: Line) -> None:
    assert line.api.bot(ACCOUNT) == Bot(id="110201543", username="")
    assert await line.api.me(ACCOUNT) == Bot(id="110201543", username="double_bot")
    assert line.api.bot(ACCOUNT) == Bot(id="110201543", username="double_bot")


async def test_a_webhook_is_set_with_a_secret_and_what_we_read(line: Line) -> None:
    url = "https://anden.example/webhooks/telegram/anden"
    await line.api.set_webhook(ACCOUNT, url=url, secret=SecretStr("hook-secret"))
    assert line.double.webhooks[double_module.TOKEN]["secret_token"] == "hook-secret"
    assert "message" in line.double.webhooks[double_module.TOKEN]["allowed_updates"]
    assert await line.api.webhook(ACCOUNT) == Webhook(url, 0, "")
    with pytest.raises(Conflict, match="webhook is active"):
        await line.api.updates(ACCOUNT, offset=0, wait=0)
    await line.api.delete_webhook(ACCOUNT)
    assert (await line.api.webhook(ACCOUNT)).url == ""
    for secret in ("", "not allowed", "x" * 257):
        with pytest.raises(Refused):
            await line.api.set_webhook(ACCOUNT, url=url, secret=SecretStr(secret))
    with pytest.raises(Refused, match="HTTPS"):
        await line.api.set_webhook(ACCOUNT, url="http://plain.example", secret=SecretStr("x"))


@pytest.mark.parametrize(
    ("trouble", "wanted"),
    [
        (Trouble(status=500), Unavailable),
        (Trouble(status=0, silent=True), Unavailable),
        (Trouble(status=202, body="<html></html>"), Unavailable),
        (Trouble(status=401, body={"ok": False}), Refused),
        (Trouble(status=409, body={"ok": False}), Conflict),
    ],
)
async def test_a_question_without_an_answer_is_a_fault(line: Line, trouble: Trouble, wanted: type[Fault]) -> None:
    line.double.recording.fail_next(trouble)
    short = TelegramApi(line.http, line.base, Metrics())
    with pytest.raises(wanted) as caught:
        await asyncio.wait_for(short._calls.ask(ACCOUNT, "getMe", patience=0.3), 5)
    assert caught.value.hint


async def test_how_long_to_wait_is_in_the_fault(line: Line) -> None:
    line.double.recording.fail_next(double_module.too_many_requests(7))
    with pytest.raises(Later) as caught:
        await line.api.me(ACCOUNT)
    assert caught.value.after == 7


# The token


async def test_the_token_is_in_no_log_fault_or_outcome(
    line: Line, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    caplog.set_level(logging.DEBUG)
    (tmp_path / "a.pdf").write_bytes(b"x")
    ref = line.double.add_file(b"x")
    nowhere = TelegramApi(line.http, "http://127.0.0.1:9", Metrics())
    told: list[object] = []
    for api in (line.api, nowhere):
        line.double.recording.fail_next(Trouble(status=500), Trouble(status=401), TAKEN_WITHOUT_ANSWER)
        for number in range(4):
            file = str(tmp_path / "a.pdf") if number % 2 else ""
            told.append(await api.send(ACCOUNT, Outbound(key="k", address=PERSON, text="x", file=file)))
        for work in (
            api.me(ACCOUNT),
            api.fetch(ACCOUNT, media(ref), io.BytesIO(), limit=10),
            api.fetch(ACCOUNT, media("none"), io.BytesIO(), limit=10),
            api.updates(ACCOUNT, offset=0, wait=0),
        ):
            outcome = (await asyncio.gather(work, return_exceptions=True))[0]
            told.append(outcome)
            if isinstance(outcome, BaseException):
                told += [str(outcome), outcome.__context__, getattr(outcome.__context__, "request", None)]
        line.double.recording.troubles.clear()
    secret = double_module.TOKEN.partition(":")[2]
    ours = "".join(record.getMessage() for record in caplog.records if record.name != "uvicorn.access")  # the double's
    assert "HTTP Request: GET" in ours
    written = ours + repr(told) + repr(ACCOUNT) + "".join(capsys.readouterr())
    assert secret not in written


async def test_a_token_that_is_none_never_leaves(line: Line, tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(b"x")
    for token in ("", "line\r\nbreak", "1:ü", "../getMe", "1:x/../y"):
        account = TelegramAccount(tenant=TenantId("anden"), token=SecretStr(token))
        assert account.bot_id == ""
        for file in ("", str(tmp_path / "a.pdf")):
            outcome = await line.api.send(account, Outbound(key="k", address=PERSON, text="x", file=file))
            assert isinstance(outcome, GiveUp)
            assert "secret set" in outcome.hint
        with pytest.raises(Refused):
            await line.api.me(account)
        with pytest.raises(MediaRefused):
            await line.api.fetch(account, media("x"), io.BytesIO(), limit=10)
        assert not await line.api.typing(account, address=PERSON)
    assert line.methods == []


# What the double refuses is what the specification refuses


def spec_of(method: str) -> dict[str, tuple[bool, list[str]]]:
    short = {
        "Integer": "int",
        "String": "str",
        "Boolean": "bool",
        "InputFile": "file",
        "Array of String": "strs",
        "Array of MessageEntity": "entities",
        "LinkPreviewOptions": "object",
        "ReplyParameters": "reply",
    }
    fields = SPEC["methods"][method]
    return {field["name"]: (field["required"], [short[kind] for kind in field["types"]]) for field in fields}


def test_the_double_knows_the_fields_of_the_specification() -> None:
    assert METHODS.keys() == SPEC["methods"].keys()
    for method, line in METHODS.items():
        fields = dict(field.split(":") for field in line.split())
        ours = {name.rstrip("!"): (name.endswith("!"), kinds.split("|")) for name, kinds in fields.items()}
        assert ours == spec_of(method), method


async def test_every_call_is_one_that_aiogram_could_make(line: Line, tmp_path: Path) -> None:
    ref = line.double.add_file(b"x")
    await line.send("**x**", reply_to="7")
    await line.api.typing(ACCOUNT, address=PERSON)
    await line.api.draft(ACCOUNT, address=PERSON, key="k", text="**x**")
    await line.api.answer_callback(ACCOUNT, "1", text="x")
    await line.api.fetch(ACCOUNT, media(ref), io.BytesIO(), limit=10)
    await line.api.me(ACCOUNT)
    await line.api.set_webhook(ACCOUNT, url="https://a.example/x", secret=SecretStr("x"))
    await line.api.delete_webhook(ACCOUNT)
    await line.api.webhook(ACCOUNT)
    await line.api.updates(ACCOUNT, offset=5, wait=0)
    for name in ("a.jpg", "a.pdf", "a.mp4", "a.mp3", "a.ogg", "a.gif"):
        (tmp_path / name).write_bytes(b"x")
        await line.send("x", file=str(tmp_path / name))
    assert set(line.methods) - {"file"} == METHODS.keys()
    for request in line.double.recording.requests:
        assert request.ok, request
        if request.method != "file":
            named = request.method[0].upper() + request.method[1:]
            body = {
                name: "file-id" if isinstance(value, dict) and "bytes" in value else value
                for name, value in request.body.items()
            }
            made = getattr(aiogram_methods, named).model_validate(body)
            assert not made.model_extra, request.method


async def test_a_storm_of_429_is_for_later_each_time(line: Line) -> None:
    line.double.recording.fail_next(*(double_module.too_many_requests(2) for _ in range(3)))
    for _ in range(3):
        assert await line.send() == TryLater("Telegram: Too Many Requests: retry after 2", 2.0)
    assert isinstance(await line.send(), Sent)
