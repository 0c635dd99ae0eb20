import sqlite3
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.agent.ledger import Entry, Ledger
from runtime.agent.prices import Tokens
from runtime.errors import Broken
from runtime.words import Conversation, TenantId, TurnId

ANDEN, OTHER = TenantId("anden"), TenantId("other")
DENVER = ZoneInfo("America/Denver")
NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)


def entry(at: datetime, usd: float = 0.5, *, tenant: TenantId = ANDEN, turn: str = "t1", **more: object) -> Entry:
    known = {"model": "claude-sonnet-5-5", "upstream": "anthropic", "tokens": Tokens(input=10, output=5), **more}
    return Entry(at=at, tenant=tenant, conversation=Conversation("web:x"), turn=TurnId(turn), usd=usd, **known)  # type: ignore[arg-type]


def test_a_day_begins_at_midnight_where_the_tenant_is(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "var" / "ledger.db")
    now = datetime(2026, 11, 20, 12, tzinfo=DENVER)
    ledger.record(entry(datetime(2026, 11, 19, 23, 59, 59, tzinfo=DENVER), 1.0))
    ledger.record(entry(datetime(2026, 11, 20, 0, 0, 0, tzinfo=DENVER), 2.0))
    ledger.record(entry(now, 4.0, tenant=OTHER))
    assert ledger.spent_today(ANDEN, DENVER, now) == 2.0
    assert ledger.spent_today(ANDEN, ZoneInfo("Asia/Tokyo"), now) == 0.0
    assert ledger.spent_today(ANDEN, DENVER, now - timedelta(days=1)) == 3.0


def test_the_day_the_clocks_change_is_a_day(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.db")
    before, after = datetime(2026, 10, 31, 23, 30, tzinfo=DENVER), datetime(2026, 11, 1, 0, 30, tzinfo=DENVER)
    late = datetime(2026, 11, 1, 23, 30, tzinfo=DENVER)
    for at in (before, after, late):
        ledger.record(entry(at))
    assert ledger.spent_today(ANDEN, DENVER, late) == 1.0
    assert list(ledger.by_day(ANDEN, DENVER, since=date(2026, 1, 1))) == [date(2026, 10, 31), date(2026, 11, 1)]


def test_a_rehearsal_is_not_counted_against_money(tmp_path: Path) -> None:
    ledger, now = Ledger(tmp_path / "ledger.db"), datetime.now(UTC)
    ledger.record(entry(now, 3.0, upstream="rehearsal"))
    ledger.record(entry(now, 1.0))
    assert ledger.spent_today(ANDEN, DENVER, now, upstream="anthropic") == 1.0
    assert ledger.spent_today(ANDEN, DENVER, now) == 4.0


def test_a_turn_is_the_sum_of_its_requests(tmp_path: Path) -> None:
    ledger, now = Ledger(tmp_path / "ledger.db"), datetime.now(UTC)
    ledger.record(entry(now))
    ledger.record(entry(now, model="claude-haiku-5-5"))
    ledger.record(entry(now, turn="t2"))
    spent = ledger.by_turn(TurnId("t1"))
    assert (spent.requests, spent.usd, spent.tokens) == (2, 1.0, Tokens(input=20, output=10))
    assert spent.models == ("claude-sonnet-5-5", "claude-haiku-5-5")
    assert ledger.by_turn(TurnId("nobody's")).requests == 0


@given(
    st.lists(
        st.tuples(
            st.timedeltas(min_value=timedelta(), max_value=timedelta(days=365)).map(lambda since: NEW_YEAR + since),
            st.integers(min_value=0, max_value=100),
        ),
        max_size=15,
    ),
    st.sampled_from(["America/Denver", "Asia/Kolkata", "Pacific/Kiritimati", "Europe/Berlin"]),
)
def test_the_days_add_up(spends: list[tuple[datetime, int]], zone_name: str) -> None:
    zone = ZoneInfo(zone_name)
    with tempfile.TemporaryDirectory() as folder:
        ledger = Ledger(Path(folder) / "ledger.db")
        for at, cents in spends:
            ledger.record(entry(at, cents / 100))
        days = ledger.by_day(ANDEN, zone, since=date(2025, 12, 1))
        assert sum(day.usd for day in days.values()) == pytest.approx(sum(cents for _, cents in spends) / 100)
        assert sum(day.requests for day in days.values()) == len(spends)
        if days:
            last = max(days)
            noon = datetime(last.year, last.month, last.day, 12, tzinfo=zone)
            assert ledger.spent_today(ANDEN, zone, noon) == pytest.approx(days[last].usd)
        ledger.close()


RECORD_AND_DIE = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from runtime.agent.ledger import Entry, Ledger
from runtime.agent.prices import Tokens

Ledger(Path(sys.argv[1])).record(
    Entry(at=datetime.now(UTC), tenant="anden", conversation="web:x", turn="t1", upstream="anthropic",
          model="m", tokens=Tokens(input=1), usd=0.25)
)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_was_recorded_survives_a_kill(tmp_path: Path) -> None:
    died = subprocess.run([sys.executable, "-c", RECORD_AND_DIE, str(tmp_path / "ledger.db")], check=False)
    assert died.returncode == -9
    assert Ledger(tmp_path / "ledger.db").by_turn(TurnId("t1")).usd == 0.25


def test_many_threads_lose_nothing(tmp_path: Path) -> None:
    ledger, now = Ledger(tmp_path / "ledger.db"), datetime.now(UTC)
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: ledger.record(entry(now, 0.25)), range(80)))
    assert ledger.spent_today(ANDEN, ZoneInfo("UTC"), now) == 20.0


def test_two_processes_worth_of_connections_see_the_same(tmp_path: Path) -> None:
    one, other = Ledger(tmp_path / "ledger.db"), Ledger(tmp_path / "ledger.db")
    one.record(entry(datetime.now(UTC)))
    assert other.by_turn(TurnId("t1")).requests == 1


def test_a_damaged_file_is_said_to_be_one(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    path.write_bytes(b"not a database at all, but long enough to be taken for one" * 20)
    with pytest.raises(Broken, match=r"ledger\.db"):
        Ledger(path)


def test_a_newer_file_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    Ledger(path).close()
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 99")
    with pytest.raises(Broken, match="newer"):
        Ledger(path)
