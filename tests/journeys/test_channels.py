"""A message comes in over a real webhook; the real CLI changes the folder; the reply leaves, the change is a commit."""

import pytest

from runtime.stage import OWNER_TELEGRAM, Stage
from runtime.tenant.messages import MessageLog
from tests.journeys.waiting import until

pytestmark = [pytest.mark.journey, pytest.mark.sandbox]

FACT = "Please remember that Sarah Lee wants three bedrooms under $650k."
CONTACTS = "life/knowledge/contacts.md"


async def test_a_telegram_message_is_one_reply_and_one_commit(stage: Stage) -> None:
    before = stage.history.head()
    assert (await stage.post_telegram(FACT, 1)).status_code == 200
    (reply,) = await stage.telegram.recording.wait_for_sent(1, timeout=30)
    assert (reply.body["chat_id"], reply.body["text"]) == (OWNER_TELEGRAM, "[rehearsal] Noted and saved.")
    await until(lambda: stage.history.head() != before)
    commit = stage.history.log(limit=1)[0]
    assert commit.author == "ProxyStaff"
    assert commit.files == (CONTACTS,)
    assert commit.trailers["Actor"] == "agent"
    assert commit.trailers["Conversation"] == f"telegram:{OWNER_TELEGRAM}"
    assert commit.trailers["Turn"].endswith(":00000001")
    assert "Sarah Lee" in stage.tenant.folder.read_text(CONTACTS)


async def test_a_whatsapp_message_is_one_reply_and_one_commit(stage: Stage) -> None:
    before = stage.history.head()
    assert (await stage.post_whatsapp(FACT, "wamid.1")).status_code == 200
    (reply,) = await stage.whatsapp.recording.wait_for_sent(1, timeout=30)
    assert reply.body["text"]["body"] == "[rehearsal] Noted and saved."
    assert reply.body["biz_opaque_callback_data"].startswith("turn:")
    await until(lambda: stage.history.head() != before)
    assert stage.history.log(limit=1)[0].files == (CONTACTS,)


async def test_what_was_said_on_one_channel_is_known_on_the_other(stage: Stage) -> None:
    await stage.post_telegram(FACT, 1)
    await stage.telegram.recording.wait_for_sent(1, timeout=30)
    await stage.post_whatsapp("What do you know about Sarah", "wamid.1")
    (reply,) = await stage.whatsapp.recording.wait_for_sent(1, timeout=30)
    assert "three bedrooms under $650k" in reply.body["text"]["body"]


@pytest.mark.parametrize("words", ["/context", "@/etc/passwd", "!ls", "#note"])
async def test_what_a_command_line_would_take_for_something_else_is_plain_words(stage: Stage, words: str) -> None:
    said = await stage.ask(f"{words} please")
    assert "that is all it is to me: words" in said["reply"]
    assert said["commits"] == []


async def test_three_messages_in_a_row_are_one_turn_and_one_answer(stage: Stage) -> None:
    for number, text in enumerate(("Hello", "are you there", "I have a question"), start=1):
        await stage.post_telegram(text, number)
    await stage.telegram.recording.wait_for_sent(1, timeout=30)
    await until(lambda: _settled(stage, 1))
    assert len(stage.telegram.recording.sent) == 1
    lines = MessageLog(stage.tenant.folder).recent(10)
    assert [line.text for line in lines if line.direction == "inbound"] == [
        "Hello",
        "are you there",
        "I have a question",
    ]
    assert len({line.turn for line in lines}) == 1


async def test_an_admins_edit_is_committed_under_their_name_before_the_next_turn(stage: Stage) -> None:
    sop = stage.tenant.folder.root / "directives" / "showings.md"
    sop.write_text(sop.read_text() + "\nAlways confirm the evening before.\n")
    await stage.ask("Hello")
    (newest, *_) = stage.history.log(limit=1)
    assert newest.files == ("directives/showings.md",)
    assert not newest.by_agent


def _settled(stage: Stage, count: int) -> bool:
    lines = MessageLog(stage.tenant.folder).recent(50)
    return sum(line.state == "sent" for line in lines) >= count
