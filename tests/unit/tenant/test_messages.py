"""The message log on real files: durable, append-only, idempotent, readable from its end, tolerant of a torn line."""

import json
import os
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.errors import Refused
from runtime.tenant import monthly
from runtime.tenant.folder import Folder
from runtime.tenant.messages import MessageLine, MessageLog, from_line, merge, sync_recent, to_line
from runtime.words import Conversation, Direction, How, SendState, TurnId

START = datetime(2026, 11, 3, 17, 0, tzinfo=UTC)
ANDEN = Conversation("telegram:1")


def inbound(n: int, *, at: datetime | None = None, conversation: Conversation = ANDEN, text: str = "") -> MessageLine:
    return MessageLine(
        id=f"in-{n}",
        at=at or START + timedelta(seconds=n),
        channel="telegram",
        conversation=conversation,
        person="Anden",
        direction=Direction.INBOUND,
        text=text or f"message {n}",
        how=How.TYPED,
        turn=TurnId("t"),
    )


def outbound(n: int, state: SendState = SendState.QUEUED) -> MessageLine:
    return MessageLine(
        id=f"out-{n}",
        at=START + timedelta(seconds=n),
        channel="telegram",
        conversation=ANDEN,
        direction=Direction.OUTBOUND,
        text=f"reply {n}",
        how=How.AGENT,
        state=state,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


@pytest.fixture
def log(folder: Folder) -> MessageLog:
    return MessageLog(folder)


def raw_lines(folder: Folder, month: str = "2026-11") -> list[str]:
    return (folder.root / f"state/messages/{month}.jsonl").read_text().splitlines()


def test_a_line_has_the_fields_of_the_folders_contract(log: MessageLog, folder: Folder) -> None:
    log.append([inbound(1), outbound(2)])
    first, second = map(json.loads, raw_lines(folder))
    assert first == {
        "id": "in-1",
        "at": "2026-11-03T17:00:01.000Z",
        "channel": "telegram",
        "conversation": "telegram:1",
        "person": "Anden",
        "direction": "inbound",
        "kind": "text",
        "text": "message 1",
        "how": "typed",
        "turn": "t",
    }
    assert second["state"] == "queued"


def test_the_same_line_is_written_once_also_after_a_restart(log: MessageLog, folder: Folder) -> None:
    log.append([inbound(1), outbound(2), inbound(1)])
    log.append([inbound(1), outbound(2)])
    MessageLog(folder).append([inbound(1), outbound(2), outbound(2).later(SendState.SENT, START)])
    log.append([outbound(2).later(SendState.SENT, START)])  # written by the other one meanwhile
    assert [json.loads(line)["id"] for line in raw_lines(folder)] == ["in-1", "out-2", "out-2"]


def test_the_same_id_in_the_other_direction_or_channel_is_another_message(log: MessageLog) -> None:
    both = [inbound(1), outbound(1)]
    other = to_line(both[0]) | {"channel": "whatsapp"}
    line = from_line(other | {"id": "out-1", "direction": "inbound"})
    assert line is not None
    log.append([*both, line])
    assert len(log.recent()) == 3


def test_recent_merges_later_states_and_keeps_the_order(log: MessageLog) -> None:
    sent = outbound(2)
    log.append([inbound(1), sent, inbound(3)])
    log.append([sent.later(SendState.SENT, START, provider_id="77")])
    log.append([sent.later(SendState.READ, START), sent.later(SendState.DELIVERED, START)])
    found = log.recent()
    assert [line.id for line in found] == ["in-1", "out-2", "in-3"]
    assert (found[1].text, found[1].state, found[1].at) == ("reply 2", SendState.READ, sent.at)
    assert found[1].extra == {"provider_id": "77"}
    assert log.recent(1) == [inbound(3)]


def test_a_state_whose_message_is_not_at_hand_is_no_message(log: MessageLog) -> None:
    log.append([outbound(9).later(SendState.READ, START), inbound(1)])
    assert log.recent() == [inbound(1)]


@pytest.mark.parametrize(
    ("states", "last"),
    [
        (("queued", "sent", "delivered", "read"), "read"),
        (("queued", "read", "sent"), "read"),
        (("queued", "unknown", "sent"), "sent"),
        (("queued", "sent", "unknown"), "sent"),
        (("queued", "sent", "failed"), "failed"),
        (("queued", "failed", "delivered"), "delivered"),
    ],
)
def test_the_furthest_state_counts_in_whatever_order_reports_come(states: tuple[str, ...], last: str) -> None:
    lines = [outbound(1), *(outbound(1).later(SendState(state), START) for state in states)]
    assert [line.state for line in merge(lines)] == [SendState(last)]


def test_full_lines_for_each_state_are_one_message_too(log: MessageLog) -> None:
    log.append([outbound(1), outbound(1, SendState.SENT), inbound(2)])
    assert [(line.id, line.state) for line in log.recent()] == [("out-1", SendState.SENT), ("in-2", None)]


def test_recent_goes_back_over_months_and_picks_a_conversation(log: MessageLog) -> None:
    other = Conversation("telegram:2")
    for month in (8, 9, 10, 11):
        at = datetime(2026, month, 5, tzinfo=UTC)
        log.append([inbound(month, at=at), inbound(100 + month, at=at, conversation=other)])
    assert [line.id for line in log.recent(3)] == ["in-110", "in-11", "in-111"]
    assert [line.id for line in log.recent(3, other)] == ["in-109", "in-110", "in-111"]
    assert log.recent(3, Conversation("nobody")) == []


def test_read_gives_lines_as_written_within_times(log: MessageLog) -> None:
    for month in (8, 9, 10):
        log.append([inbound(month, at=datetime(2026, month, 5, tzinfo=UTC))])
    found = log.read(since=datetime(2026, 9, 1, tzinfo=UTC), until=datetime(2026, 10, 5, tzinfo=UTC))
    assert [line.id for line in found] == ["in-9"]
    assert len(list(log.read())) == 3
    assert list(log.read(conversation=Conversation("x"))) == []


@pytest.mark.parametrize("torn", [b'{"id":"x","at":"2026', b"{", b"\x00" * 5000, b"x" * 200_000])
def test_a_torn_last_line_is_passed_over_and_cut_off_by_the_next_append(
    log: MessageLog, folder: Folder, torn: bytes
) -> None:
    log.append([inbound(1), inbound(2)])
    path = folder.root / "state/messages/2026-11.jsonl"
    with path.open("ab") as file:
        file.write(torn)
    assert [line.id for line in log.recent()] == ["in-1", "in-2"]
    assert [line.id for line in log.read()] == ["in-1", "in-2"]
    MessageLog(folder).append([inbound(3)])
    assert [json.loads(line)["id"] for line in raw_lines(folder)] == ["in-1", "in-2", "in-3"]


def test_a_file_that_is_one_torn_line_starts_anew(log: MessageLog, folder: Folder) -> None:
    (folder.root / "state/messages").mkdir(parents=True)
    (folder.root / "state/messages/2026-11.jsonl").write_bytes(b"torn")
    assert log.recent() == []
    log.append([inbound(1)])
    assert log.recent() == [inbound(1)]


def test_damaged_lines_are_passed_over_and_named(log: MessageLog, folder: Folder) -> None:
    log.append([inbound(1)])
    path = folder.root / "state/messages/2026-11.jsonl"
    with path.open("ab") as file:
        file.write(b'not json\n[1]\n{"at":5}\n\xff\xfe\n' + b"[" * 100_000 + b"\n")
        file.write(b'{"at":"2026-11-03","id":"x"}\n{"at":"soon","id":"y","direction":"inbound"}\n')
    log.append([inbound(2)])
    assert [line.id for line in log.recent()] == ["in-1", "in-2"]
    assert log.unreadable() == [f"state/messages/2026-11.jsonl:{n}" for n in (2, 3, 4, 5, 6)]


def test_a_link_or_a_pipe_in_the_logs_place_is_refused(log: MessageLog, folder: Folder, tmp_path: Path) -> None:
    (folder.root / "state/messages").mkdir(parents=True)
    path = folder.root / "state/messages/2026-11.jsonl"
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Refused):
        log.append([inbound(1)])
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(Refused):
        log.append([inbound(1)])
    with pytest.raises(Refused):
        log.recent()


def test_unknown_keys_are_kept(log: MessageLog, folder: Folder) -> None:
    (folder.root / "state/messages").mkdir(parents=True)
    line = to_line(inbound(1)) | {"weather": "snow", "extra": {"n": 1}}
    (folder.root / "state/messages/2026-11.jsonl").write_bytes(monthly.encode(line))
    assert log.recent()[0].extra == {"weather": "snow", "n": 1}


@given(st.text(), st.dictionaries(st.text(), st.integers() | st.text()))
def test_any_text_comes_back_as_it_was(text: str, extra: dict[str, int | str]) -> None:
    line = MessageLine(
        id="1", at=START, channel="x", conversation=ANDEN, direction=Direction.INBOUND, text=text, extra=extra
    )
    encoded = monthly.encode(to_line(line))
    assert encoded.count(b"\n") == 1
    parsed = monthly.parse(encoded)
    assert parsed is not None
    assert from_line(parsed) == line


def test_half_a_surrogate_pair_is_written_and_read(log: MessageLog) -> None:
    log.append([inbound(1, text="cut \ud83d emoji")])
    assert log.recent()[0].text == "cut \ud83d emoji"


@given(st.lists(st.binary(max_size=40).map(lambda raw: raw.replace(b"\n", b"")), max_size=30), st.binary(max_size=9))
def test_reading_backwards_is_reading_forwards_backwards(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], torn: bytes
) -> None:
    folder = Folder(tmp_path_factory.mktemp("log"))
    log = monthly.MonthlyLog(folder, "x", lambda line: line["at"])
    folder.write_bytes("x/2026-11.jsonl", b"".join(raw + b"\n" for raw in lines) + torn.replace(b"\n", b""))
    forwards = list(log.places("2026-11.jsonl"))
    assert [place.raw for place in forwards] == lines
    descriptor = folder.open_regular("x/2026-11.jsonl")
    try:
        assert list(monthly._backwards(descriptor, "2026-11.jsonl")) == forwards[::-1]
    finally:
        os.close(descriptor)


def test_long_lines_over_many_blocks_read_backwards(log: MessageLog) -> None:
    log.append([inbound(n, text=str(n) * size) for n, size in enumerate((10, 70_000, 200_000, 1, 65_536), start=1)])
    assert [len(line.text) for line in log.recent()] == [10, 70_000, 200_000, 1, 65_536]


def test_many_threads_write_whole_lines_and_none_twice(folder: Folder) -> None:
    logs = [MessageLog(folder), MessageLog(folder)]

    def write(log: MessageLog) -> None:
        for n in range(30):
            log.append([inbound(n)])

    threads = [threading.Thread(target=write, args=(log,)) for log in logs * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(json.loads(line)["id"] for line in raw_lines(folder)) == sorted(f"in-{n}" for n in range(30))


def test_recent_does_not_read_whole_years(folder: Folder) -> None:
    (folder.root / "state/messages").mkdir(parents=True)
    data = b"".join(monthly.encode(to_line(inbound(n))) for n in range(40_000))
    (folder.root / "state/messages/2026-11.jsonl").write_bytes(data)
    log = MessageLog(folder)
    begun = time.perf_counter()
    assert len(log.recent()) == 25
    assert time.perf_counter() - begun < 0.1  # reading all takes several times as long


# recent_messages.json


def test_recent_messages_are_synced_for_the_agent(log: MessageLog, folder: Folder) -> None:
    log.append([inbound(n) for n in range(30)])
    log.append([outbound(31), outbound(31).later(SendState.SENT, START), inbound(32, text="x" * 3000)])
    sync_recent(folder, log)
    path = folder.root / "state/recent_messages.json"
    found = json.loads(path.read_text())
    assert len(found) == 25
    assert found[-2] == {
        "id": "out-31",
        "at": "2026-11-03T17:00:31.000Z",
        "conversation": "telegram:1",
        "direction": "outbound",
        "kind": "text",
        "text": "reply 31",
        "how": "agent",
        "state": "sent",
    }
    assert len(found[-1]["text"]) == 2001
    before = path.stat().st_ino
    sync_recent(folder, log)
    assert path.stat().st_ino == before  # nothing new: not written


def test_a_planted_recent_file_is_replaced_not_followed(log: MessageLog, folder: Folder, tmp_path: Path) -> None:
    (folder.root / "state").mkdir()
    target = tmp_path / "target"
    target.write_text("untouched")
    (folder.root / "state/recent_messages.json").symlink_to(target)
    log.append([inbound(1, text="odd \ud83d")])
    sync_recent(folder, log)
    assert target.read_text() == "untouched"
    assert json.loads((folder.root / "state/recent_messages.json").read_text())[0]["text"] == "odd \ud83d"
