"""Files, templates and windows on WhatsApp: our API class against its double, over real sockets."""

import hashlib
import io
import os
from base64 import b64encode
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from runtime.channels import sending
from runtime.channels.base import MediaRefused
from runtime.channels.doubles import Trouble, WhatsAppDouble
from runtime.channels.doubles import whatsapp as double_module
from runtime.channels.doubles.graph import Template
from runtime.channels.doubles.whatsapp import NUMBER, TOKEN, failed, rate_limited, trouble, webhook
from runtime.channels.whatsapp import WhatsAppAccount, WhatsAppApi, is_window_closed, parse
from runtime.channels.whatsapp.files import SIZES, TYPES, may_see_token, same_digest, shape_of
from runtime.errors import Unavailable
from runtime.metrics import Metrics
from runtime.sockets import serving
from runtime.words import GiveUp, Media, Outbound, Sent, StatusUpdate, TenantId, TryLater, Uncertain

PERSON = "13035550100"
PDF = b"%PDF-1.7 the offer"
SHORT = httpx.Timeout(connect=1.0, read=0.5, write=1.0, pool=1.0)


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Line:
    api: WhatsAppApi
    account: WhatsAppAccount
    double: WhatsAppDouble
    clock: Clock
    base: str
    http: httpx.AsyncClient

    async def send(self, text: str = "", **changes: Any) -> Any:
        return await self.api.send(self.account, Outbound(key="out-1", address=PERSON, text=text, **changes))

    async def fetch(self, media_id: str, *, limit: int = 1000) -> tuple[Media, bytes]:
        into = io.BytesIO()
        media = await self.api.fetch(self.account, Media(ref=media_id, kind="document"), into, limit=limit)
        return media, into.getvalue()

    def methods(self) -> list[str]:
        return [request.method for request in self.double.recording.requests]


@pytest.fixture
async def line() -> AsyncIterator[Line]:
    clock = Clock()
    templates = {"reopen": Template(), "hello": Template("en_US", variables=0)}
    double = WhatsAppDouble({NUMBER: TOKEN, "2": "EAAOTHER"}, templates=templates, clock=clock)
    account = WhatsAppAccount(tenant=TenantId("anden"), phone_number_id=NUMBER, access_token=SecretStr(TOKEN))
    async with sending.open_http(SHORT) as http, serving(double.app) as base:
        yield Line(WhatsAppApi(http, base + "/v26.0", Metrics()), account, double, clock, base, http)


@pytest.fixture
def offer(tmp_path: Path) -> str:
    path = tmp_path / "offer.pdf"
    path.write_bytes(PDF)
    return str(path)


# Fetching


async def test_a_file_is_fetched_with_its_type_and_size(line: Line) -> None:
    media, content = await line.fetch(line.double.add_file(PDF, "application/pdf"))
    assert content == PDF
    assert (media.mime, media.size) == ("application/pdf", len(PDF))
    assert line.methods() == ["locate", "download"]


async def test_a_file_above_the_limit_is_not_downloaded(line: Line) -> None:
    with pytest.raises(MediaRefused, match="larger"):
        await line.fetch(line.double.add_file(b"x" * 1001, "text/plain"))
    assert line.methods() == ["locate"]


async def test_a_file_that_lies_about_its_size_is_left_at_the_limit(line: Line) -> None:
    media_id = line.double.add_file(b"x" * 1_000_000, "text/plain")
    told = {"url": f"{line.base}/attachments/2", "mime_type": "text/plain", "file_size": "9", "id": media_id}
    line.double.recording.fail_next(Trouble(status=203, body=told, method="locate"))
    into = io.BytesIO()
    with pytest.raises(MediaRefused, match="larger"):
        await line.api.fetch(line.account, Media(ref=media_id, kind="image"), into, limit=1000)
    assert len(into.getvalue()) <= 1000


@pytest.mark.parametrize("ref", ["123", "../v26.0/1", "a/b", "", "?x=1", "x" * 300, "1\n2"])
async def test_what_is_not_there_is_refused_for_good(line: Line, ref: str) -> None:
    with pytest.raises(MediaRefused) as caught:
        await line.fetch(ref)
    assert "7 days" in caught.value.hint
    assert "download" not in line.methods()


async def test_the_file_of_another_number_is_not_given(line: Line) -> None:
    with pytest.raises(MediaRefused):
        await line.fetch(line.double.add_file(PDF, "application/pdf", number="2"))


@pytest.mark.parametrize("method", ["locate", "download"])
@pytest.mark.parametrize(
    "failure", [trouble(131000, status=500), rate_limited(), Trouble(status=502), Trouble(status=504)]
)
async def test_a_passing_failure_is_for_later(line: Line, method: str, failure: Trouble) -> None:
    media_id = line.double.add_file(PDF, "application/pdf")
    line.double.recording.fail_next(replace(failure, method=method))
    with pytest.raises(Unavailable):
        await line.fetch(media_id)
    assert (await line.fetch(media_id))[1] == PDF


@pytest.mark.parametrize("method", ["locate", "download"])
async def test_silence_is_for_later(line: Line, method: str) -> None:
    media_id = line.double.add_file(PDF, "application/pdf")
    line.double.recording.fail_next(Trouble(silent=True, method=method))
    with pytest.raises(Unavailable):
        await line.fetch(media_id)


async def test_an_address_is_good_for_five_minutes(line: Line) -> None:
    media_id = line.double.add_file(PDF, "application/pdf")
    bearer = {"authorization": f"Bearer {TOKEN}"}
    url = (await line.http.get(f"{line.base}/v26.0/{media_id}", headers=bearer)).json()["url"]
    line.clock.now += 299
    assert (await line.http.get(url, headers=bearer)).content == PDF
    assert (await line.http.get(url)).status_code == 401
    line.clock.now += 2
    assert (await line.http.get(url, headers=bearer)).status_code == 404


@pytest.mark.parametrize("wrote", [{"sha256": "0" * 64}, {"sha256": b64encode(b"x" * 32).decode()}])
async def test_a_damaged_file_is_for_later(line: Line, wrote: dict[str, str]) -> None:
    media_id = line.double.add_file(PDF, "application/pdf")
    await line.fetch(media_id)
    told = {"url": f"{line.base}/attachments/2", "mime_type": "application/pdf", **wrote}
    line.double.recording.fail_next(Trouble(status=203, body=told, method="locate"))
    with pytest.raises(Unavailable, match="did not arrive"):
        await line.fetch(media_id)


@pytest.mark.parametrize(
    "url", ["https://evil.example/x", "http://127.0.0.1:9/x", "", "file:///etc/passwd", "http://[", 7]
)
async def test_the_token_is_shown_to_meta_only(line: Line, url: object) -> None:
    media_id = line.double.add_file(PDF, "application/pdf")
    line.double.recording.fail_next(Trouble(status=203, body={"url": url}, method="locate"))
    with pytest.raises(MediaRefused, match="where the file is"):
        await line.fetch(media_id)


@pytest.mark.parametrize(
    ("url", "may"),
    [
        ("https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=1", True),
        ("https://scontent.xx.fbcdn.net/v/x", True),
        ("https://graph.facebook.com/x", True),
        ("http://lookaside.fbsbx.com/x", False),
        ("https://fbsbx.com.evil.example/x", False),
        ("https://evilfbsbx.com/x", False),
        ("https://lookaside.fbsbx.com@evil.example/x", False),
        ("https://user:pass@lookaside.fbsbx.com/x", False),
        ("https://api.example/v26.0/x", True),
        ("https://api.example:444/x", False),
    ],
)
def test_which_addresses_are_metas(url: str, may: bool) -> None:
    assert may_see_token(httpx.URL(url), httpx.URL("https://api.example/v26.0/")) is may


def test_a_digest_is_read_in_both_ways() -> None:
    digest = hashlib.sha256(PDF)
    for wrote in (digest.hexdigest(), digest.hexdigest().upper(), b64encode(digest.digest()).decode(), ""):
        assert same_digest(wrote, digest.digest())
    for wrote in ("0" * 64, "no digest", "é", b64encode(b"x" * 32).decode()):
        assert not same_digest(wrote, digest.digest())


async def test_without_a_token_nothing_is_asked(line: Line) -> None:
    account = replace(line.account, access_token=SecretStr(""))
    with pytest.raises(MediaRefused, match="token"):
        await line.api.fetch(account, Media(ref="1", kind="image"), io.BytesIO(), limit=10)
    assert line.methods() == []


# Sending files


async def test_a_file_is_uploaded_and_sent_with_its_caption(line: Line, offer: str) -> None:
    assert isinstance(await line.send("The **offer**.", file=offer, reply_to="wamid.7"), Sent)
    (sent,) = line.double.recording.sent
    assert sent.body["type"] == "document"
    assert sent.body["document"]["caption"] == "The *offer*."
    assert sent.body["document"]["filename"] == "offer.pdf"
    assert (sent.body["biz_opaque_callback_data"], sent.body["context"]) == ("out-1", {"message_id": "wamid.7"})
    assert line.double.files[sent.body["document"]["id"]].content == PDF
    assert line.double.texts == ["The *offer*."]


@pytest.mark.parametrize("suffix", sorted(TYPES))
async def test_every_type_we_send_is_one_meta_takes(line: Line, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"file{suffix.upper()}"
    path.write_bytes(b"content")
    assert isinstance(await line.send(file=str(path)), Sent)
    assert line.double.recording.sent[0].body["type"] == TYPES[suffix][0]


@pytest.mark.parametrize("name", ["a.zip", "a.exe", "a.heic", "a.gif", "a", ".pdf", "a.pdf.sh"])
async def test_other_types_are_refused_before_they_leave(line: Line, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"x")
    outcome = await line.send(file=str(tmp_path / name))
    assert isinstance(outcome, GiveUp)
    assert "PDF" in outcome.hint
    assert line.methods() == []


async def test_a_file_too_large_is_not_read(line: Line, tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.touch()
    os.truncate(path, SIZES["image"] + 1)
    outcome = await line.send(file=str(path))
    assert outcome == GiveUp("WhatsApp takes image files up to 5 MB", "make it smaller, or send a link to it")
    assert line.methods() == []


@pytest.mark.parametrize("make", ["missing", "empty", "folder", "pipe", "link"])
async def test_what_is_no_file_is_refused(line: Line, tmp_path: Path, make: str, offer: str) -> None:
    path = tmp_path / "a.pdf"
    match make:
        case "empty":
            path.touch()
        case "folder":
            path.mkdir()
        case "pipe":
            os.mkfifo(path)
        case "link":
            path.symlink_to(offer)
    assert isinstance(await line.send(file=str(path)), GiveUp)
    assert line.methods() == []


async def test_words_that_no_file_carries_are_refused_before_the_upload(line: Line, tmp_path: Path, offer: str) -> None:
    voice = tmp_path / "a.mp3"
    voice.write_bytes(b"x")
    assert isinstance(await line.send("listen", file=str(voice)), GiveUp)
    assert isinstance(await line.send("x" * 1025, file=offer), GiveUp)
    assert line.methods() == []
    shape = shape_of(str(voice))
    assert shape is not None
    assert not shape.captioned


async def test_until_the_message_left_nothing_is_uncertain(line: Line, offer: str) -> None:
    for failure in (Trouble(silent=True), Trouble(status=504), Trouble(status=202, body={}), rate_limited()):
        line.double.recording.fail_next(replace(failure, method="media"))
        assert isinstance(await line.send(file=offer), TryLater)
    line.double.recording.fail_next(replace(trouble(190, status=401), method="media"))
    assert isinstance(await line.send(file=offer), GiveUp)
    assert line.double.recording.sent == []
    line.double.recording.fail_next(Trouble(taken=True, silent=True, method="messages"))
    assert isinstance(await line.send(file=offer), Uncertain)
    assert len(line.double.recording.sent) == 1


# The window, templates, rates


async def test_outside_the_window_only_a_template_goes(line: Line) -> None:
    line.double.outside_window.add(PERSON)
    outcome = await line.send("Good morning")
    assert isinstance(outcome, GiveUp)
    assert (outcome.code, is_window_closed(outcome)) == ("131047", True)
    assert isinstance(await line.send("Good\n\n**morning**,  \t here", template="reopen"), Sent)
    assert line.double.texts == ["[reopen] Good *morning*, here"]
    line.double.outside_window.discard(PERSON)
    assert isinstance(await line.send("Good morning"), Sent)


async def test_a_window_that_closed_later_comes_as_a_status(line: Line) -> None:
    await line.send("Good morning")
    body = webhook(statuses=[line.double.status(0, "failed", **failed(131047, "Re-engagement message"))])
    (received,) = parse(body, now=datetime.now(UTC))
    status = received.arrival
    assert isinstance(status, StatusUpdate)
    assert is_window_closed(status)
    assert (status.tracker, status.id) == ("out-1", line.double.ids[0])


@pytest.mark.parametrize(
    ("template", "text", "code"),
    [
        ("reopen", "", "132000"),
        ("reopen:de", "x", "132001"),
        ("unknown", "x", "132001"),
        ("hello:en_US", "x", "132000"),
    ],
)
async def test_a_template_that_does_not_fit_is_refused_by_meta(line: Line, template: str, text: str, code: str) -> None:
    outcome = await line.send(text, template=template)
    assert isinstance(outcome, GiveUp)
    assert outcome.code == code
    assert "WhatsApp Manager" in outcome.hint
    assert not is_window_closed(outcome)


@pytest.mark.parametrize(("template", "text"), [("Re open", "x"), ("reopen:english", "x"), ("reopen", "x" * 901)])
async def test_what_cannot_be_a_template_is_not_tried(line: Line, template: str, text: str) -> None:
    assert isinstance(await line.send(text, template=template), GiveUp)
    assert line.methods() == []


async def test_a_template_may_have_no_variables_and_another_language(line: Line) -> None:
    assert isinstance(await line.send("", template="hello:en_US"), Sent)
    (sent,) = line.double.recording.sent
    assert sent.body["template"] == {"name": "hello", "language": {"code": "en_US"}}


async def test_the_pair_rate_is_paid_back_in_time(line: Line) -> None:
    line.double.pair_limit = 2
    assert [type(await line.send("x")) for _ in range(3)] == [Sent, Sent, TryLater]
    line.clock.now += 7
    assert isinstance(await line.send("x"), Sent)
    line.double.recording.fail_next(rate_limited(), rate_limited(pair=True))
    assert await line.send("x") == TryLater("WhatsApp: 130429 Rate limit hit")
    outcome = await line.send("x")
    assert isinstance(outcome, TryLater)
    assert outcome.after == 6.0


async def test_a_group_and_a_person_without_a_number_are_written_to(line: Line) -> None:
    for address in ("US.13491208655302741918", "US.ENT.1181", "Y2FwaV9ncm91cDoxODA1NTU1MDE3Mg", "+13035550100"):
        outcome = await line.api.send(line.account, Outbound(key="k", address=address, text="hi"))
        assert isinstance(outcome, Sent)
    kinds = [(sent.body["recipient_type"], "to" in sent.body) for sent in line.double.recording.sent]
    assert kinds == [("individual", False), ("individual", False), ("group", True), ("individual", True)]


async def test_a_message_is_marked_read_without_typing(line: Line) -> None:
    assert await line.api.read(line.account, message_id="wamid.7")
    assert "typing_indicator" not in line.double.recording.requests[0].body
    assert not await line.api.read(line.account, message_id="7")


async def test_echoes_and_files_of_the_double_are_read_by_ours(line: Line) -> None:
    voice = double_module.file_message("audio", "9", sender=PERSON, id_="wamid.1", mime="audio/ogg", voice=True)
    echo = double_module.echo("I have it", to=PERSON, id_="wamid.2")
    kinds = [
        type(one.arrival).__name__ for one in parse(webhook(messages=[voice], echoes=[echo]), now=datetime.now(UTC))
    ]
    assert kinds == ["Inbound", "TakenOver"]
