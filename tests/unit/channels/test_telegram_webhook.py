import time
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette

from runtime.channels import telegram
from runtime.channels.doubles import DeskDouble, TelegramDouble
from runtime.channels.doubles.telegram import BOT, TOKEN
from runtime.channels.doubles.telegram_updates import callback_update, message_update, text_update
from runtime.channels.telegram.webhook import BODY_LIMIT, SECRET_HEADER
from runtime.errors import Unavailable
from runtime.words import Inbound

PATH = "/webhooks/telegram/anden"
RIGHT = {SECRET_HEADER: "hook-secret"}
HELLO = text_update("hello", sender=111, update_id=1)


@pytest.fixture
def desk() -> DeskDouble:
    return DeskDouble(telegram_secrets={"anden": "hook-secret", "empty": ""})


@pytest.fixture
async def http(desk: DeskDouble) -> AsyncIterator[httpx.AsyncClient]:
    app = Starlette(routes=telegram.routes(desk))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        yield client


def refused(desk: DeskDouble, reason: str) -> float:
    found = desk.metrics.registry.get_sample_value("messages_refused_total", {"channel": "telegram", "reason": reason})
    return found or 0.0


async def test_an_update_is_handed_in_before_the_200(http: httpx.AsyncClient, desk: DeskDouble) -> None:
    answer = await http.post(PATH, content=HELLO, headers=RIGHT)
    assert answer.status_code == 200
    ((tenant, message),) = desk.received
    assert (tenant, message.channel, message.id) == ("anden", "telegram", "1")


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        (PATH, {}),
        (PATH, {SECRET_HEADER: ""}),
        (PATH, {SECRET_HEADER: "wrong"}),
        (PATH, {SECRET_HEADER: "hook-secret\u00e9".encode("latin-1")}),
        ("/webhooks/telegram/nobody", RIGHT),
        ("/webhooks/telegram/nobody", {}),
        ("/webhooks/telegram/empty", {SECRET_HEADER: ""}),
        ("/webhooks/telegram/empty", {}),
        ("/webhooks/telegram/Anden", RIGHT),
    ],
)
async def test_an_unknown_tenant_and_a_wrong_secret_look_the_same(
    http: httpx.AsyncClient, desk: DeskDouble, path: str, headers: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    answer = await http.post(path, content=HELLO, headers=headers)
    assert (answer.status_code, answer.text) == (403, "refused\n")
    assert desk.received == []
    assert refused(desk, "bad_secret") == 1
    captured = capsys.readouterr()
    assert captured.out + captured.err == ""


@pytest.mark.parametrize("body", [b"", b"not json", b"[]", b'"x"', b"\xff\xfe\x00", b"[" * 100_000])
async def test_a_malformed_body_is_not_asked_for_again(
    http: httpx.AsyncClient, desk: DeskDouble, body: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (await http.post(PATH, content=body, headers=RIGHT)).status_code == 200
    assert desk.received == []
    assert refused(desk, "malformed") == 1
    assert "webhook.malformed" in capsys.readouterr().out


async def test_a_kind_of_the_future_is_one_series(http: httpx.AsyncClient, desk: DeskDouble) -> None:
    for number in range(5):
        body = f'{{"update_id": {number}, "kind_{number}": {{}}}}'
        assert (await http.post(PATH, content=body, headers=RIGHT)).status_code == 200
    assert refused(desk, "unknown") == 5


async def test_what_could_not_be_written_is_asked_for_again(http: httpx.AsyncClient, desk: DeskDouble) -> None:
    desk.failures.append(Unavailable("the disk is full", hint="make room"))
    answer = await http.post(PATH, content=HELLO, headers=RIGHT)
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert (await http.post(PATH, content=HELLO, headers=RIGHT)).status_code == 200
    assert len(desk.received) == 1


async def test_a_defect_behind_the_desk_is_not_a_loss(http: httpx.AsyncClient, desk: DeskDouble) -> None:
    desk.poison = frozenset({"1"})
    assert (await http.post(PATH, content=HELLO, headers=RIGHT)).status_code == 503


async def test_a_large_body_is_refused_before_it_is_read(http: httpx.AsyncClient, desk: DeskDouble) -> None:
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        while True:
            read += 65536
            yield b" " * 65536

    answer = await http.post(PATH, content=endless(), headers=RIGHT)
    assert answer.status_code == 413
    assert read <= BODY_LIMIT + 2 * 65536
    declared = await http.post(PATH, content=b"{}", headers={**RIGHT, "content-length": str(25 * 1024 * 1024)})
    assert declared.status_code == 413
    assert refused(desk, "too_large") == 2


async def test_only_post_is_there(http: httpx.AsyncClient) -> None:
    assert (await http.get(PATH)).status_code == 405


async def test_old_updates_carry_their_time(http: httpx.AsyncClient, desk: DeskDouble) -> None:
    an_hour_ago = int(time.time()) - 3600
    await http.post(PATH, content=text_update("x", sender=1, update_id=2, at=an_hour_ago), headers=RIGHT)
    ((_, message),) = desk.received
    assert message.sent_at.timestamp() == an_hour_ago  # type: ignore[union-attr]


async def test_a_button_is_answered_with_the_200(http: httpx.AsyncClient, desk: DeskDouble) -> None:
    double = TelegramDouble()
    double.webhooks[TOKEN] = {"url": "https://anden.example", "secret_token": "hook-secret"}
    update = callback_update("yes", sender=111, update_id=1, callback_id="cb-9")
    desk.failures.append(Unavailable("locked", hint="again"))
    assert (await double.deliver(update, to=PATH, http=http)).status_code == 503
    assert double.answered_callbacks == []
    assert (await double.deliver(update, to=PATH, http=http)).status_code == 200
    assert double.answered_callbacks == ["cb-9"]
    assert [message.id for _, message in desk.received] == ["1"]


async def test_the_double_shows_the_secret_it_was_given(http: httpx.AsyncClient, desk: DeskDouble) -> None:
    double = TelegramDouble()
    assert (await double.deliver(HELLO, to=PATH, http=http)).status_code == 403
    double.webhooks[TOKEN] = {"url": "https://anden.example", "secret_token": "hook-secret"}
    assert (await double.deliver(HELLO, to=PATH, http=http)).status_code == 200
    assert len(desk.received) == 1


async def test_a_group_is_heard_where_the_bot_is_known(desk: DeskDouble) -> None:
    app = Starlette(routes=telegram.routes(desk, bot_of=lambda _: telegram.Bot(id="110201543", username="")))
    answered = {"message_id": 3, "date": 1, "from": BOT, "chat": {"id": -1009, "type": "supergroup"}, "text": "Yes?"}
    update = message_update(sender=111, update_id=1, chat=answered["chat"], text="go on", reply_to_message=answered)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as http:
        assert (await http.post(PATH, content=update, headers=RIGHT)).status_code == 200
    ((_, message),) = desk.received
    assert isinstance(message, Inbound)
    assert (message.group, message.address) == (True, "-1009")
