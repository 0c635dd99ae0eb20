"""Killed at any moment, the product loses no message and answers none twice."""

import asyncio

import pytest

from runtime.channels.doubles.recording import TAKEN_WITHOUT_ANSWER, Trouble
from runtime.channels.doubles.telegram import too_many_requests
from runtime.stage import Stage
from runtime.tenant.messages import MessageLog
from runtime.words import SendState
from tests.journeys.waiting import until

pytestmark = [pytest.mark.journey, pytest.mark.sandbox]


async def test_the_same_post_five_times_across_a_restart_is_answered_once(stage: Stage) -> None:
    for _ in range(2):
        assert (await stage.post_telegram("Hello", 1)).status_code == 200
    await stage.telegram.recording.wait_for_sent(1, timeout=30)
    assert await stage.stop() == 0
    await stage.start()
    for _ in range(3):
        assert (await stage.post_telegram("Hello", 1)).status_code == 200
    await stage.post_telegram("Hello again", 2)
    await stage.telegram.recording.wait_for_sent(2, timeout=30)
    await asyncio.sleep(0.5)
    assert len(stage.telegram.recording.sent) == 2


async def test_a_message_accepted_before_a_kill_is_answered_after_it(stage: Stage) -> None:
    assert (await stage.post_telegram("Hello", 1)).status_code == 200
    await stage.kill()
    assert stage.telegram.recording.sent == []
    await stage.start()
    (reply,) = await stage.telegram.recording.wait_for_sent(1, timeout=30)
    assert "Hello!" in reply.body["text"]


@pytest.mark.parametrize("after", [0.25, 0.45, 0.6, 0.75])
async def test_a_kill_in_the_middle_of_a_turn_loses_and_doubles_nothing(stage: Stage, after: float) -> None:
    await stage.post_telegram("Please remember that Bill sells in May.", 1)
    await asyncio.sleep(after)
    await stage.kill()
    await stage.start()
    await until(lambda: _states(stage) != [])
    await until(lambda: _states(stage)[-1] in (SendState.SENT, SendState.UNKNOWN))
    assert len(stage.telegram.recording.sent) == 1
    facts = stage.tenant.folder.read_text("life/knowledge/contacts.md").count("Bill sells in May")
    assert facts == 1
    await stage.ask("Hello")
    assert sum("contacts" in "".join(commit.files) for commit in stage.history.log(limit=10, by_agent=True)) == 1


async def test_a_send_of_unknown_outcome_is_recorded_and_not_repeated(stage: Stage) -> None:
    stage.telegram.recording.fail_next(TAKEN_WITHOUT_ANSWER)
    await stage.post_telegram("Hello", 1)
    await stage.telegram.recording.wait_for_sent(1, timeout=30)
    await stage.kill()
    await stage.start()
    await until(lambda: _states(stage)[-1:] == [SendState.UNKNOWN])
    assert len(stage.telegram.recording.sent) == 1


async def test_replies_come_once_and_in_order_through_a_storm_of_refusals(stage: Stage) -> None:
    stage.telegram.recording.fail_next(
        *(Trouble(status=status, method="sendMessage") for status in (502, 500)), too_many_requests(1)
    )
    await stage.post_telegram("/one", 1)
    await asyncio.sleep(0.4)
    await stage.post_telegram("/two", 2)
    sent = await stage.telegram.recording.wait_for_sent(2, timeout=60)
    texts = [message.body["text"] for message in sent]
    assert len(texts) == 2
    assert "/one" in texts[0]
    assert "/two" in texts[1]


def _states(stage: Stage) -> list[SendState | None]:
    return [line.state for line in MessageLog(stage.tenant.folder).recent(20) if line.direction == "outbound"]
