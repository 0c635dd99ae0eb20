"""When walks are opened: by the timer, once, and never twice for one look."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.annealing import jobs
from runtime.annealing.jobs import EVERY, WEEK, Kind
from runtime.engine.database import Database
from runtime.words import TenantId, TurnId

ANDEN = TenantId("anden")
NOW = 1_800_000_000.0


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database("sqlite", tmp_path)
    yield made
    made.close()


def due(database: Database, now: float, *, paused: bool = False) -> str | None:
    return database.write_now(lambda tx: jobs.due(tx, ANDEN, now, paused=paused))


def test_a_new_tenant_is_given_its_first_hours(database: Database) -> None:
    assert due(database, NOW) is None
    assert due(database, NOW + EVERY - 1) is None
    assert due(database, NOW + EVERY) == "anneal:anden:000001"


def test_a_look_that_comes_twice_opens_one_walk(database: Database) -> None:
    due(database, NOW)
    first = due(database, NOW + EVERY)
    assert due(database, NOW + EVERY) is None
    assert due(database, NOW + 2 * EVERY) == first, "the open walk is the one that is gone on with"
    assert database.read_now(jobs.unfinished) == [first]


def test_what_was_missed_while_nothing_ran_is_not_caught_up(database: Database) -> None:
    due(database, NOW)
    assert due(database, NOW + 5 * EVERY) is not None
    assert due(database, NOW + 5 * EVERY + 1) is None


def test_a_paused_tenant_is_not_walked_for(database: Database) -> None:
    due(database, NOW)
    assert due(database, NOW + EVERY, paused=True) is None
    assert database.read_now(jobs.unfinished) == []


def test_once_a_week_the_landing_is_an_empty_one(database: Database) -> None:
    due(database, NOW)
    opened = due(database, NOW + WEEK)
    assert opened
    walk = database.read_now(lambda tx: jobs.find(tx, opened))
    assert walk
    assert walk.kind is Kind.EMPTY


def test_attempts_are_counted_but_not_those_that_made_way(database: Database) -> None:
    id = database.write_now(lambda tx: jobs.open_walk(tx, ANDEN, Kind.LOOK, NOW))
    assert database.write_now(lambda tx: jobs.begin(tx, id, NOW)) is not None
    database.write_now(lambda tx: jobs.step_aside(tx, id, "somebody waits", NOW + 5))
    begun = database.write_now(lambda tx: jobs.begin(tx, id, NOW + 5))
    assert begun
    assert begun.attempts == 1
    database.write_now(lambda tx: jobs.end(tx, id, "nothing to do", "", NOW + 6))
    assert database.write_now(lambda tx: jobs.begin(tx, id, NOW + 7)) is None
    assert [walk.outcome for walk in database.read_now(lambda tx: jobs.of_tenant(tx, ANDEN, 5))] == ["nothing to do"]


def test_a_dry_walk_stands_beside_a_real_one(database: Database) -> None:
    real = database.write_now(lambda tx: jobs.open_walk(tx, ANDEN, Kind.LOOK, NOW))
    dry = database.write_now(lambda tx: jobs.open_walk(tx, ANDEN, Kind.LOOK, NOW, dry=True))
    assert real != dry


def test_how_far_the_history_was_seen_is_kept(database: Database) -> None:
    assert database.read_now(lambda tx: jobs.head(tx, ANDEN)) == ""
    database.write_now(lambda tx: jobs.saw_head(tx, ANDEN, "a" * 40, NOW))
    assert due(database, NOW + EVERY), "the timer was set with it"
    assert database.read_now(lambda tx: jobs.head(tx, ANDEN)) == "a" * 40


def test_turns_wait_to_be_judged_in_the_order_they_ended(database: Database) -> None:
    turn = """
        INSERT INTO turn (id, tenant, conversation, state, opened, finished)
        VALUES (:id, 'anden', 'c', :state, 1, :at)"""

    def make(id: str, state: str, at: float | None) -> None:
        database.write_now(lambda tx: tx.run(turn, id=id, state=state, at=at))

    make("turn:anden:c:2", "done", 20)
    make("turn:anden:c:1", "failed", 10)
    make("turn:anden:c:3", "open", None)
    assert database.read_now(jobs.with_unjudged) == [ANDEN]
    assert [row["id"] for row in database.read_now(lambda tx: jobs.unjudged(tx, ANDEN))] == [
        "turn:anden:c:1",
        "turn:anden:c:2",
    ]
    database.write_now(lambda tx: jobs.judged(tx, TurnId("turn:anden:c:1")))
    assert [row["id"] for row in database.read_now(lambda tx: jobs.unjudged(tx, ANDEN))] == ["turn:anden:c:2"]
