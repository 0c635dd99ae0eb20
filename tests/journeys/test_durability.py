"""Killed at any moment, the product loses no message and answers none twice."""

import asyncio
from pathlib import Path

import httpx
import pytest

from runtime.channels.doubles.recording import TAKEN_WITHOUT_ANSWER, Trouble
from runtime.channels.doubles.telegram import too_many_requests
from runtime.stage import OWNER_TELEGRAM, Stage
from runtime.tenant.messages import MessageLog
from runtime.words import SendState
from tests.journeys.rehearsing import rehearsing
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
    stage.telegram.recording.fail_next(*[too_many_requests(0)] * 6, Trouble(status=502, method="sendMessage"))
    await stage.post_telegram("/one", 1)
    await asyncio.sleep(0.5)
    await stage.post_telegram("/two", 2)
    await stage.telegram.recording.wait_for_sent(2, timeout=60)
    await asyncio.sleep(0.5)
    first, second = (message.body["text"] for message in stage.telegram.recording.sent)
    assert "/one" in first
    assert "/two" in second


def _states(stage: Stage) -> list[SendState | None]:
    return [line.state for line in MessageLog(stage.tenant.folder).recent(20) if line.direction == "outbound"]


SLOW = """\
announce: false
replies:
  - when: {words: work slowly}
    do:
      - use: {tool: Bash, input: {command: "echo '- half done' >> directives/showings.md; sleep 4"}}
      - say: Finished.
  - when: {regex: '.'}
    do: [{say: Hello.}]
"""


async def test_half_done_work_is_nobodys_commit_even_when_another_turn_comes_first(tmp_path: Path) -> None:
    async with rehearsing(tmp_path, SLOW) as stage:
        await stage.start()
        await stage.post_telegram("Please work slowly", 1)
        await until(lambda: "half done" in stage.tenant.folder.read_text("directives/showings.md"))
        await stage.kill()
        await stage.start()
        assert (await stage.ask("Hello"))["commits"] == []
        await stage.telegram.recording.wait_for_sent(1, timeout=30)
        await until(lambda: len(stage.history.log(limit=10, by_agent=True)) == 1)
        assert stage.tenant.folder.read_text("directives/showings.md").count("half done") == 1
        newest, *older = stage.history.log(limit=10)
        assert (newest.files, len(older)) == (("directives/showings.md",), 1), "the turn's own, and the first commit"


async def test_whoever_was_removed_while_waiting_is_not_answered_least_of_all_as_the_owner(tmp_path: Path) -> None:
    async with rehearsing(tmp_path, SLOW) as stage:
        await stage.start()
        yaml = stage.tenant.folder.read_text("tenant.yaml")
        with_gus = yaml.replace("people:", "people:\n  - {name: Gus, role: guest, telegram: 555}")
        stage.tenant.folder.write_text("tenant.yaml", with_gus)
        await stage.post_telegram("Please work slowly", 1)
        await asyncio.sleep(1.5)
        await stage.post_telegram("guest speaks", 2, sender=555)
        stage.tenant.folder.write_text("tenant.yaml", yaml)
        await stage.telegram.recording.wait_for_sent(1, timeout=30)
        await stage.ask("Hello")
        assert [one.body["chat_id"] for one in stage.telegram.recording.sent] == [OWNER_TELEGRAM]


async def test_the_same_id_in_another_conversation_is_refused(stage: Stage) -> None:
    await stage.ask("Hello", id="k1", conversation="one")
    with pytest.raises(httpx.HTTPStatusError, match="400"):
        await stage.ask("Hello", id="k1", conversation="two")
