"""What a phone does that a keyboard does not: pictures, voices, windows that close, somebody who takes over."""

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from runtime.channels.doubles import whatsapp as meta
from runtime.channels.doubles.graph import Template
from runtime.channels.doubles.telegram import text_update
from runtime.channels.outgoing import sign
from runtime.sockets import serving
from runtime.stage import OWNER_TELEGRAM, OWNER_WHATSAPP, PHONE_NUMBER_ID, Stage, staged
from runtime.tenant.messages import MessageLog
from tests.journeys.rehearsing import rehearsing
from tests.journeys.waiting import until

pytestmark = [pytest.mark.journey, pytest.mark.sandbox]

PICTURE = b"\x89PNG\r\n\x1a\n" + b"0" * 64
HOOK_SECRET = "a-secret-of-the-tenants-own"
GROUP = "Y2FwaV9ncm91cDoxNzA1NTU1MDEzOToxMjAzNjM0MDQ2OTQyMzM4MjAZD"
VOICE = b"OggS" + b"0" * 64


FILES = """\
announce: false
replies:
  - when: {words: send the contacts}
    do: [{say: "Here they are.\\nFILE: life/knowledge/contacts.md"}]
  - when: {words: send the log}
    do: [{say: "FILE: state/messages/2026-11.jsonl"}]
  - when: {words: think long}
    do: [{say: I am thinking.}, {delay: 30}, {say: At last.}]
"""


async def post(stage: Stage, *messages: dict[str, object], statuses: tuple[dict[str, object], ...] = ()) -> None:
    body = meta.webhook(messages=messages, statuses=statuses, number=PHONE_NUMBER_ID)
    header = meta.sign(body, stage.app_secret)
    answer: httpx.Response = await stage.http.post(f"{stage.address}/webhooks/whatsapp", content=body, headers=header)
    answer.raise_for_status()


async def test_a_photo_and_a_voice_note_are_files_the_agent_can_open(stage: Stage) -> None:
    photo = stage.whatsapp.add_file(PICTURE, "image/png", number=PHONE_NUMBER_ID)
    voice = stage.whatsapp.add_file(VOICE, "audio/ogg; codecs=opus", number=PHONE_NUMBER_ID)
    await post(
        stage,
        meta.file_message(
            "image", photo, sender=OWNER_WHATSAPP, id_="wamid.1", mime="image/png", caption="The kitchen"
        ),
        meta.file_message(
            "audio", voice, sender=OWNER_WHATSAPP, id_="wamid.2", mime="audio/ogg; codecs=opus", voice=True
        ),
    )
    (reply,) = await stage.whatsapp.recording.wait_for_sent(1, timeout=30)
    said = reply.body["text"]["body"]
    assert "The kitchen" in said, "the rehearsal says what it heard"
    files = sorted((stage.tenant.folder.root / "state" / "media").rglob("*.*"))
    assert [file.read_bytes() for file in files] == [PICTURE, VOICE]
    for file in files:
        assert str(file.relative_to(stage.tenant.folder.root)).rpartition("/")[2] in said
    kinds = [line.kind for line in MessageLog(stage.tenant.folder).recent(5) if line.direction == "inbound"]
    assert kinds == ["image", "voice"]


async def test_a_reply_brings_the_words_it_is_about(stage: Stage) -> None:
    await stage.post_whatsapp("Shall I list Elm Street on Friday?", "wamid.1")
    await stage.whatsapp.recording.wait_for_sent(1, timeout=30)
    about = meta.text_message("yes that one", sender=OWNER_WHATSAPP, id_="wamid.2") | {"context": {"id": "wamid.1"}}
    await post(stage, about)
    await stage.whatsapp.recording.wait_for_sent(2, timeout=30)
    assert "> Shall I list Elm Street on Friday?" in stage.whatsapp.texts[1], "the rehearsal says what it heard"


async def test_a_closed_window_is_answered_with_the_approved_template(stage: Stage) -> None:
    stage.whatsapp.outside_window.add(OWNER_WHATSAPP)
    stage.whatsapp.templates["follow_up"] = Template()
    yaml = stage.tenant.folder.read_text("tenant.yaml")
    yaml = yaml.replace("{phone_number_id:", "{template: follow_up, phone_number_id:")
    stage.tenant.folder.write_text("tenant.yaml", yaml)
    await stage.post_whatsapp("Hello", "wamid.1")
    (sent,) = await stage.whatsapp.recording.wait_for_sent(1, timeout=30)
    assert sent.body["type"] == "template"
    assert "Hello! What can I take off your hands today?" in stage.whatsapp.texts[0]


async def test_a_window_reported_closed_after_the_send_leads_to_another_way_once(stage: Stage) -> None:
    await stage.post_whatsapp("Hello", "wamid.1")
    await stage.whatsapp.recording.wait_for_sent(1, timeout=30)
    late = stage.whatsapp.status(0, "failed", **meta.failed(131047))
    for _ in range(3):
        await post(stage, statuses=(late,))
    (sent,) = await stage.telegram.recording.wait_for_sent(1, timeout=30)
    assert sent.body["chat_id"] == OWNER_TELEGRAM
    await asyncio.sleep(0.5)
    assert (len(stage.whatsapp.recording.sent), len(stage.telegram.recording.sent)) == (1, 1)


async def test_a_closed_window_without_a_template_leads_to_another_channel(stage: Stage) -> None:
    stage.whatsapp.outside_window.add(OWNER_WHATSAPP)
    await stage.post_whatsapp("Hello", "wamid.1")
    (sent,) = await stage.telegram.recording.wait_for_sent(1, timeout=30)
    assert sent.body["chat_id"] == OWNER_TELEGRAM
    assert stage.whatsapp.recording.sent == []


async def test_a_template_that_meta_refuses_leads_to_another_channel(stage: Stage) -> None:
    stage.whatsapp.outside_window.add(OWNER_WHATSAPP)
    yaml = stage.tenant.folder.read_text("tenant.yaml")
    stage.tenant.folder.write_text("tenant.yaml", yaml.replace("{phone_number_id:", "{template: no, phone_number_id:"))
    await stage.post_whatsapp("Hello", "wamid.1")
    (sent,) = await stage.telegram.recording.wait_for_sent(1, timeout=10)
    assert sent.body["chat_id"] == OWNER_TELEGRAM
    assert stage.whatsapp.recording.sent == []


async def test_a_template_that_meta_refuses_is_held_as_plain_words(stage: Stage) -> None:
    stage.whatsapp.outside_window.add(OWNER_WHATSAPP)
    yaml = stage.tenant.folder.read_text("tenant.yaml").replace("{phone_number_id:", "{template: no, phone_number_id:")
    yaml = yaml.replace(f"telegram: {OWNER_TELEGRAM}, ", "")
    stage.tenant.folder.write_text("tenant.yaml", yaml)
    await stage.post_whatsapp("/one", "wamid.1")
    await until(lambda: "send.held" in stage.tail(100), seconds=10)
    stage.whatsapp.outside_window.clear()
    await stage.post_whatsapp("/two", "wamid.2")
    sent = await stage.whatsapp.recording.wait_for_sent(2, timeout=30)
    assert {one.body["type"] for one in sent} == {"text"}


async def test_without_any_way_a_reply_is_held_until_they_write_again(stage: Stage) -> None:
    stage.whatsapp.outside_window.add(OWNER_WHATSAPP)
    yaml = stage.tenant.folder.read_text("tenant.yaml")
    lines = [line for line in yaml.splitlines() if str(OWNER_TELEGRAM) not in line]
    people = f'  - {{name: Anden, role: owner, whatsapp: "{OWNER_WHATSAPP}"}}'
    stage.tenant.folder.write_text("tenant.yaml", _with_people("\n".join(lines), people))
    await stage.post_whatsapp("/one", "wamid.1")
    await until(lambda: "send.held" in stage.tail(100))
    stage.whatsapp.outside_window.clear()
    await stage.kill()
    await stage.start()
    await stage.post_whatsapp("/two", "wamid.2")
    sent = await stage.whatsapp.recording.wait_for_sent(2, timeout=30)
    assert {"/one" in one.body["text"]["body"] for one in sent} == {True, False}
    await asyncio.sleep(0.3)
    assert len(stage.whatsapp.recording.sent) == 2


async def test_where_the_business_took_over_the_assistant_is_silent_until_released(stage: Stage) -> None:
    echo = meta.echo("I'll answer this one myself", to=OWNER_WHATSAPP, id_="wamid.echo")
    await _post_raw(stage, echo)
    await stage.post_whatsapp("Hello", "wamid.1")
    await until(lambda: len(MessageLog(stage.tenant.folder).recent(5)) == 2)
    assert stage.whatsapp.recording.sent == []
    await stage.post_whatsapp("/release", "wamid.2")
    await stage.whatsapp.recording.wait_for_sent(1, timeout=30)
    await stage.post_whatsapp("Hello", "wamid.3")
    await stage.whatsapp.recording.wait_for_sent(2, timeout=30)
    assert "Hello!" in stage.whatsapp.texts[1]
    heard = [(line.how, line.text) for line in MessageLog(stage.tenant.folder).recent(10)]
    assert ("echo", "I'll answer this one myself") in heard


async def test_a_bot_is_polled_where_there_is_no_public_address(tmp_path: Path) -> None:
    async with staged(tmp_path / "home", telegram={"mode": "polling"}) as stage:
        await stage.start()
        stage.telegram.give(text_update("Hello", sender=OWNER_TELEGRAM, update_id=7), token=stage.bot_token)
        await stage.telegram.recording.wait_for_sent(1, timeout=30)
        await stage.kill()
        await stage.start()
        stage.telegram.give(text_update("Hello again", sender=OWNER_TELEGRAM, update_id=8), token=stage.bot_token)
        await stage.telegram.recording.wait_for_sent(2, timeout=30)
        await asyncio.sleep(0.5)
        assert len(stage.telegram.recording.sent) == 2


def _with_people(yaml: str, people: str) -> str:
    head, _, rest = yaml.partition("people:")
    kept = rest.splitlines()
    after = next((n for n, line in enumerate(kept) if line and not line.startswith((" ", "#", "-"))), len(kept))
    return f"{head}people:\n{people}\n" + "\n".join(kept[after:]) + "\n"


async def _post_raw(stage: Stage, echo: dict[str, object]) -> None:
    body = meta.webhook(echoes=[echo], number=PHONE_NUMBER_ID)
    header = meta.sign(body, stage.app_secret)
    (await stage.http.post(f"{stage.address}/webhooks/whatsapp", content=body, headers=header)).raise_for_status()


async def test_an_answer_carries_a_file_and_nothing_that_may_not_leave(tmp_path: Path) -> None:
    async with rehearsing(tmp_path, FILES) as stage:
        await stage.start()
        await stage.post_telegram("send the contacts", 1)
        words, document = await stage.telegram.recording.wait_for_sent(2, timeout=30)
        assert (words.method, words.body["text"]) == ("sendMessage", "Here they are.")
        assert document.method == "sendDocument"
        await stage.post_telegram("send the log", 2)
        *_, refused = await stage.telegram.recording.wait_for_sent(3, timeout=30)
        assert refused.body["text"] == "I could not send 2026-11.jsonl."


async def test_the_stop_button_of_a_draft_stops_the_turn(tmp_path: Path) -> None:
    async with rehearsing(tmp_path, FILES) as stage:
        await stage.start()
        await stage.post_telegram("think long", 1)
        await until(lambda: any("I am" in draft for draft in stage.telegram.drafts))
        update = {
            "update_id": 2,
            "stopped_message_generation": {"chat": {"id": OWNER_TELEGRAM, "type": "private"}, "draft_id": 1},
        }
        secret = {"x-telegram-bot-api-secret-token": stage.webhook_secret}
        path = f"{stage.address}/webhooks/telegram/{stage.tenant.id}"
        (await stage.http.post(path, json=update, headers=secret)).raise_for_status()
        async with asyncio.timeout(5):
            (stopped,) = await stage.telegram.recording.wait_for_sent(1)
        assert stopped.body["text"] == "Stopped."


async def test_the_tenants_own_systems_are_told_what_is_said(tmp_path: Path) -> None:
    told: list[dict[str, Any]] = []
    statuses = iter([503, *[200] * 9])

    async def listen(request: Request) -> Response:
        body = await request.body()
        stamp = request.headers["x-proxystaff-timestamp"]
        assert request.headers["x-proxystaff-signature"] == sign(SecretStr(HOOK_SECRET), stamp, body)
        status = next(statuses)
        if status == 200:
            told.append(json.loads(body))
        return Response(status_code=status)

    receiver = Starlette(routes=[Route("/told", listen, methods=["POST"])])
    async with serving(receiver) as address, staged(tmp_path / "home") as stage:
        stage.tenant.secrets.set("HOOK_SECRET", HOOK_SECRET)
        yaml = stage.tenant.folder.read_text("tenant.yaml")
        hook = f"webhook: {{url: {address}/told, secret: secret:HOOK_SECRET}}\n"
        stage.tenant.folder.write_text("tenant.yaml", yaml + hook)
        await stage.start()
        await stage.post_telegram("Hello", 1)
        await stage.telegram.recording.wait_for_sent(1, timeout=30)
        await until(lambda: len(told) == 2)
        assert sorted((one["kind"], one["text"]) for one in told) == [
            ("message.received", "Hello"),
            ("message.sent", "[rehearsal] Hello! What can I take off your hands today?"),
        ]
        await stage.post_telegram("Let me in", 2, sender=999)
        await until(lambda: any(one["kind"] == "notification" for one in told))
        (notice,) = (one for one in told if one["kind"] == "notification")
        assert "Let me in" in notice["text"]
        assert "/approve" not in notice["text"]


async def test_a_group_that_is_enabled_is_answered_there(tmp_path: Path) -> None:
    async with staged(tmp_path / "home", whatsapp={"groups": True}) as stage:
        await stage.start()
        said = meta.text_message("Hello", sender=OWNER_WHATSAPP, id_="wamid.1") | {"group_id": GROUP}
        await post(stage, said)
        (sent,) = await stage.whatsapp.recording.wait_for_sent(1, timeout=30)
        assert (sent.body["recipient_type"], sent.body["to"]) == ("group", GROUP)
