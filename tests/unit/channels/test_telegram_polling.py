"""Polling: an update is confirmed when it is durable and not before, whatever fails in between."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from pydantic import SecretStr

from runtime.channels import sending
from runtime.channels.base import Delivered
from runtime.channels.doubles import TelegramDouble, Trouble
from runtime.channels.doubles import telegram as double_module
from runtime.channels.doubles.telegram_updates import callback_update, message_update, stop_update, text_update
from runtime.channels.telegram import Conflict, TelegramAccount, TelegramApi, poll
from runtime.channels.telegram.polling import DEFECT_TRIES
from runtime.errors import Refused, Unavailable
from runtime.metrics import Metrics
from runtime.sockets import serving
from runtime.words import Inbound, StopPressed, TenantId

ACCOUNT = TelegramAccount(tenant=TenantId("anden"), token=SecretStr(double_module.TOKEN))


@dataclass
class House:
    """What a runtime keeps over a restart: the arrivals, each once, and the offset."""

    double: TelegramDouble
    offset: int = 0
    taken: dict[str, Delivered] = field(default_factory=dict)
    failures: list[Exception] = field(default_factory=list)
    poison: str = ""
    pauses: list[float] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def receive(self, arrivals: Sequence[Delivered], offset: int) -> None:
        if self.failures:
            raise self.failures.pop(0)
        if any(arrival.id == self.poison for arrival in arrivals):
            raise RuntimeError("a defect")
        self.taken.update({arrival.id: arrival for arrival in arrivals})
        self.offset = offset
        self.changed.set()

    async def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        await asyncio.sleep(0)

    async def until(self, *ids: str) -> None:
        async with asyncio.timeout(10):
            while not self.taken.keys() >= set(ids):
                self.changed.clear()
                await self.changed.wait()

    @asynccontextmanager
    async def polling(self) -> AsyncIterator[asyncio.Task[None]]:
        async with serving(self.double.app) as base, sending.open_http() as http:
            api = TelegramApi(http, base, Metrics())
            task = asyncio.create_task(poll(api, ACCOUNT, offset=self.offset, receive=self.receive, pause=self.pause))
            try:
                yield task
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    @property
    def questions(self) -> int:
        return len(self.double.recording.requests)


@pytest.fixture
def house() -> House:
    return House(TelegramDouble())


def waiting(house: House) -> list[int]:
    return [update["update_id"] for update in house.double.pending.get(double_module.TOKEN, [])]


async def test_updates_come_in_order_and_are_confirmed(house: House) -> None:
    house.double.give(*(text_update(f"part {number}", sender=111, update_id=number) for number in range(10, 15)))
    async with house.polling():
        await house.until("14")
        house.double.give(text_update("more", sender=111, update_id=15), stop_update(sender=111, update_id=16))
        await house.until("16")
        async with asyncio.timeout(10):
            while waiting(house):
                await asyncio.sleep(0.01)
    assert list(house.taken) == ["10", "11", "12", "13", "14", "15", "16"]
    assert house.offset == 17
    assert isinstance(house.taken["16"], StopPressed)
    assert isinstance(house.taken["10"], Inbound)


async def test_what_is_not_durable_is_not_confirmed(house: House) -> None:
    house.double.give(text_update("hello", sender=111, update_id=10))
    house.failures = [Unavailable("the disk is full", hint="make room") for _ in range(3)]
    async with house.polling():
        await house.until("10")
    assert house.pauses == [1.0, 2.0, 4.0]
    asked = [one.body.get("offset") for one in house.double.recording.requests if one.method == "getUpdates"]
    assert asked[0] is None


async def test_a_kill_before_the_confirmation_brings_it_again(house: House) -> None:
    house.double.give(text_update("hello", sender=111, update_id=10))
    blocked = asyncio.Event()

    async def never(arrivals: Sequence[Delivered], offset: int) -> None:
        blocked.set()
        await asyncio.Event().wait()

    house.receive = never  # type: ignore[method-assign]
    async with house.polling():
        await asyncio.wait_for(blocked.wait(), 10)
    assert waiting(house) == [10]
    again = House(house.double)
    async with again.polling():
        await again.until("10")


async def test_a_restart_goes_on_at_the_stored_offset(house: House) -> None:
    house.double.give(text_update("one", sender=111, update_id=10))
    async with house.polling():
        await house.until("10")
    house.double.give(text_update("two", sender=111, update_id=11))
    again = House(house.double, offset=house.offset)
    async with again.polling():
        await again.until("11")
    assert list(again.taken) == ["11"]


async def test_after_a_quiet_week_telegram_may_count_from_anywhere(house: House) -> None:
    house.double.give(text_update("one", sender=111, update_id=1_000_000))
    house.double.recording.fail_next(Trouble(status=202, body={"ok": True, "result": []}, method="getUpdates"))
    async with house.polling():
        await house.until("1000000")
        # The question that confirmed it is answered with nothing; then a smaller id comes.
        house.double.recording.fail_next(Trouble(status=202, body={"ok": True, "result": []}, method="getUpdates"))
        async with asyncio.timeout(10):
            while house.double.recording.troubles:
                house.double.give(text_update("wake", sender=111, update_id=1_000_001))
                await asyncio.sleep(0.02)
        house.double.pending[double_module.TOKEN] = []
        house.double.give(text_update("two", sender=111, update_id=5))
        await house.until("5")


async def test_one_bad_update_does_not_hold_up_the_others(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    house.poison = "11"
    house.double.give(*(text_update("x", sender=111, update_id=number) for number in (10, 11, 12)))
    async with house.polling():
        await house.until("10", "12")
        house.double.give(text_update("x", sender=111, update_id=13))
        await house.until("13")
    assert list(house.taken) == ["10", "12", "13"]
    assert [house.pauses.count(2.0**number) >= 1 for number in range(DEFECT_TRIES)] == [True] * DEFECT_TRIES
    assert max(house.pauses) == 2.0 ** (DEFECT_TRIES - 1)
    assert "update.passed_over" in capsys.readouterr().out


async def test_what_telegram_cannot_do_for_now_is_asked_again(house: House) -> None:
    house.double.recording.fail_next(
        Trouble(status=502, body="<html></html>", method="getMe"),
        Trouble(status=500, method="getUpdates"),
        double_module.too_many_requests(9),
    )
    house.double.give(text_update("x", sender=111, update_id=10))
    async with house.polling():
        await house.until("10")
    assert sorted(house.pauses) == [1.0, 1.0, 9.0]


async def test_a_button_is_answered_when_it_is_durable(house: House) -> None:
    house.failures = [Unavailable("locked", hint="again")]
    house.double.give(callback_update("yes", sender=111, update_id=10, callback_id="cb-7"))
    async with house.polling():
        await house.until("10")
        async with asyncio.timeout(10):
            while not house.double.answered_callbacks:
                await asyncio.sleep(0.01)
    assert house.double.answered_callbacks == ["cb-7"]


async def test_a_group_is_heard_by_name(house: House) -> None:
    entities = [{"type": "mention", "offset": 0, "length": 11}]
    chat = {"id": -1009, "type": "supergroup", "title": "Deal"}
    house.double.give(
        message_update(sender=111, update_id=10, chat=chat, text="not for the bot"),
        message_update(sender=111, update_id=11, chat=chat, text="@double_bot hi", entities=entities),
    )
    async with house.polling():
        await house.until("11")
    assert list(house.taken) == ["11"]


async def test_a_webhook_is_deleted_first(house: House) -> None:
    house.double.webhooks[double_module.TOKEN] = {"url": "https://a.example/x"}
    house.double.give(text_update("x", sender=111, update_id=10))
    async with house.polling():
        await house.until("10")
    assert house.double.webhooks == {}


async def test_another_poller_is_a_clear_fault(house: House) -> None:
    async with house.polling() as first:
        async with asyncio.timeout(10):
            while house.questions < 2:
                await asyncio.sleep(0.01)
        other = House(house.double)
        async with other.polling() as second:
            with pytest.raises(Conflict, match="terminated by other getUpdates") as caught:
                await asyncio.wait_for(asyncio.shield(first), 10)
            assert "stop the other process" in caught.value.hint
            assert not second.done()


async def test_a_wrong_token_is_a_clear_fault(house: House) -> None:
    house.double.tokens = frozenset({"1:other"})
    async with house.polling() as task:
        with pytest.raises(Refused, match="Unauthorized") as caught:
            await asyncio.wait_for(asyncio.shield(task), 10)
    assert "secret set" in caught.value.hint


async def test_polling_and_its_end_are_quick(house: House) -> None:
    start = asyncio.get_running_loop().time()
    async with house.polling():
        async with asyncio.timeout(10):
            while house.questions < 2:
                await asyncio.sleep(0.01)
        house.double.give(text_update("x", sender=111, update_id=10))
        await house.until("10")
    assert asyncio.get_running_loop().time() - start < 8
