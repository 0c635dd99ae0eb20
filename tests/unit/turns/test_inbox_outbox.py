"""Accept and send, at the level of the tables: once, in order, and never sent twice knowingly."""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from runtime.engine.database import Database, Transaction
from runtime.turns import inbox, outbox
from runtime.turns.letters import answers
from runtime.turns.triage import Way
from runtime.words import Inbound, Person, Role, SendState, Sent, StatusUpdate, TenantId, TryLater, TurnId, Uncertain

ANDEN = TenantId("anden")
ANDEN_PERSON = Person(name="Anden", role=Role.OWNER, addresses={})


@pytest.fixture
def database(tmp_path: Path):
    opened = Database("sqlite", tmp_path)
    yield opened
    opened.close()


def said(id: str, text: str = "hi", sender: str = "111") -> Inbound:
    return Inbound(channel="telegram", id=id, sender=sender, address=sender, text=text, sent_at=datetime.now(UTC))


def accept(database: Database, message: Inbound, tenant: TenantId = ANDEN) -> inbox.Accepted:
    return database.write_now(lambda tx: inbox.accept(tx, tenant, message, ANDEN_PERSON, time.time(), pace=30))


def test_the_same_message_twice_is_one_message(database: Database) -> None:
    first = accept(database, said("1"))
    assert first == inbox.Accepted(TurnId("turn:anden:telegram:111:00000001"), Way.TURN, opened=True)
    assert accept(database, said("1")) == inbox.Accepted(first.turn, Way.TURN, again=True)
    assert len(database.read_now(lambda tx: inbox.messages(tx, first.turn))) == 1


def test_it_is_known_again_after_its_turn_is_long_over(database: Database) -> None:
    first = accept(database, said("1"))
    database.write_now(lambda tx: inbox.close(tx, first.turn))
    accept(database, said("2"))
    assert accept(database, said("1")).turn == first.turn


def test_the_same_id_is_another_message_for_another_tenant(database: Database) -> None:
    accept(database, said("1"))
    assert not accept(database, said("1"), TenantId("beth")).again


def test_messages_before_the_close_are_taken_together_in_order(database: Database) -> None:
    turns = {accept(database, said(str(n), text=f"word {n}")).turn for n in range(5)}
    (turn,) = turns
    assert [one.text for one in database.read_now(lambda tx: inbox.messages(tx, turn))] == [
        f"word {n}" for n in range(5)
    ]


def test_a_message_after_the_close_opens_the_next_turn_which_waits(database: Database) -> None:
    first = accept(database, said("1")).turn
    database.write_now(lambda tx: inbox.close(tx, first))
    second = accept(database, said("2"))
    assert (second.turn, second.opened) == (TurnId("turn:anden:telegram:111:00000002"), True)
    assert not database.read_now(lambda tx: inbox.previous_is_finished(tx, second.turn))
    database.write_now(lambda tx: tx.run("UPDATE turn SET state = 'done' WHERE id = :id", id=first))
    assert database.read_now(lambda tx: inbox.previous_is_finished(tx, second.turn))


def test_two_people_do_not_wait_for_each_other(database: Database) -> None:
    assert accept(database, said("1", sender="1")).turn != accept(database, said("2", sender="2")).turn


@pytest.mark.parametrize(
    ("first", "last", "quiet", "until"),
    [(0, 0, 1, 1), (0, 0.9, 1, 1.9), (0, 4.9, 1, 5), (0, 100, 1, 5), (3, 3, 0, 3)],
)
def test_a_turn_closes_after_a_pause_but_not_never(first: float, last: float, quiet: float, until: float) -> None:
    assert inbox.wait_until(first, last, quiet) == pytest.approx(until)


def planned(database: Database) -> str:
    turn = accept(database, said("1")).turn
    database.write_now(lambda tx: inbox.close(tx, turn))
    (key,) = database.write_now(lambda tx: outbox.plan(tx, turn, ANDEN, answers(said("1"), ["hello"]), time.time()))
    return key


def state(database: Database, key: str) -> str:
    return database.read_now(lambda tx: outbox.find(tx, key)).state


def test_a_reply_is_planned_once_however_often_the_step_runs(database: Database) -> None:
    key = planned(database)
    turn = TurnId(key.rpartition(":")[0])
    again = database.write_now(lambda tx: outbox.plan(tx, turn, ANDEN, answers(said("1"), ["other"]), time.time()))
    assert {one.text for one in again.values()} == {"hello"}
    assert database.read_now(lambda tx: outbox.find(tx, key)).outbound.text == "hello"


def test_of_two_senders_one_gets_the_row(database: Database) -> None:
    key = planned(database)
    claims = [database.write_now(lambda tx: outbox.claim(tx, key, time.time())) for _ in range(2)]
    assert [claim is not None for claim in claims] == [True, False]


def test_a_refusal_for_now_gives_the_row_back(database: Database) -> None:
    key = planned(database)
    database.write_now(lambda tx: outbox.claim(tx, key, time.time()))
    database.write_now(lambda tx: outbox.mark(tx, key, TryLater("busy"), time.time()))
    again = database.write_now(lambda tx: outbox.claim(tx, key, time.time()))
    assert again is not None
    assert again.attempts == 2


def test_an_unknown_outcome_is_shown_and_a_status_settles_it(database: Database) -> None:
    key = planned(database)
    database.write_now(lambda tx: outbox.claim(tx, key, time.time()))
    database.write_now(lambda tx: outbox.mark(tx, key, Uncertain("no answer"), time.time()))
    assert [row["key"] for row in database.read_now(lambda tx: outbox.troubled(tx, 10))] == [key]
    status = StatusUpdate(
        channel="telegram", id="wamid.1", state=SendState.DELIVERED, at=datetime.now(UTC), tracker=key
    )
    database.write_now(lambda tx: outbox.resolve(tx, ANDEN, status, time.time()))
    assert state(database, key) == "sent"


def test_a_status_of_nothing_of_ours_changes_nothing(database: Database) -> None:
    key = planned(database)
    status = StatusUpdate(channel="telegram", id="", state=SendState.READ, at=datetime.now(UTC))
    assert database.write_now(lambda tx: outbox.resolve(tx, ANDEN, status, time.time())) is None
    assert state(database, key) == "planned"


def test_a_mark_counts_only_for_the_claim(database: Database) -> None:
    key = planned(database)
    database.write_now(lambda tx: outbox.mark(tx, key, Sent("7"), time.time()))
    assert state(database, key) == "planned"


def test_a_persons_pace_is_that_of_all_their_channels(database: Database) -> None:
    ann = Person(name="Ann", role=Role.OWNER, addresses={"telegram": "1", "whatsapp": "2"})

    def hear(channel: str, address: str, number: int) -> Way:
        message = replace(said(f"{channel}{number}"), channel=channel, sender=address, address=address)
        return database.write_now(lambda tx: inbox.accept(tx, ANDEN, message, ann, time.time(), pace=3)).way

    ways = [hear("telegram", "1", 1), hear("whatsapp", "2", 1), hear("telegram", "1", 2), hear("whatsapp", "2", 2)]
    assert ways == [Way.TURN, Way.TURN, Way.TURN, Way.DROP]
    assert hear("telegram", "1", 3) is Way.DROP


def report(id: str, state: SendState, key: str) -> StatusUpdate:
    return StatusUpdate(channel="telegram", id=id, state=state, at=datetime.now(UTC), tracker=key)


def test_a_report_told_again_is_not_about_what_was_sent_in_its_place(database: Database) -> None:
    key = planned(database)
    (letter,) = answers(said("1"), ["hello"])
    lost = report("first", SendState.FAILED, key)

    def run(work: Callable[[Transaction], object]) -> None:
        database.write_now(work)

    run(lambda tx: outbox.claim(tx, key, 1.0))
    run(lambda tx: outbox.mark(tx, key, Sent("first"), 1.0))
    run(lambda tx: outbox.resolve(tx, ANDEN, lost, 1.0))
    run(lambda tx: outbox.reopen(tx, key, TurnId("notice:anden:telegram:111:x"), letter, 1.0))
    run(lambda tx: outbox.claim(tx, key, 1.0))
    run(lambda tx: outbox.resolve(tx, ANDEN, lost, 1.0))
    assert state(database, key) == "claimed"
    run(lambda tx: outbox.mark(tx, key, Sent("second"), 1.0))
    run(lambda tx: outbox.resolve(tx, ANDEN, lost, 1.0))
    assert state(database, key) == "sent"
    run(lambda tx: outbox.resolve(tx, ANDEN, report("second", SendState.FAILED, key), 1.0))
    assert state(database, key) == "failed"
