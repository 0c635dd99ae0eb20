"""The search index on a real SQLite file: derived, incremental, self-mending, and no query can break it."""

import os
import subprocess
import sys
import threading
import time
import unicodedata
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runtime.errors import BadInput, Unavailable
from runtime.tenant import monthly
from runtime.tenant.folder import Folder
from runtime.tenant.messages import MessageLine, MessageLog, to_line
from runtime.tenant.search.index import MAX_LIMIT, Index, to_match
from runtime.words import Conversation, Direction, SendState

START = datetime(2026, 11, 3, 17, 0, tzinfo=UTC)


def message(n: int, text: str, *, inbound: bool = True, person: str = "Anden", day: int = 0) -> MessageLine:
    return MessageLine(
        id=f"m{n}",
        at=START + timedelta(days=day, seconds=n),
        channel="whatsapp",
        conversation=Conversation("whatsapp:1"),
        direction=Direction.INBOUND if inbound else Direction.OUTBOUND,
        person=person,
        text=text,
        state=None if inbound else SendState.QUEUED,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    (tmp_path / "anden").mkdir()
    return Folder(tmp_path / "anden")


@pytest.fixture
def log(folder: Folder) -> MessageLog:
    return MessageLog(folder)


@pytest.fixture
def index(tmp_path: Path) -> Index:
    return Index(tmp_path / "var/index/anden.db")


def found(index: Index, query: str = "", **filters: object) -> list[str]:
    return [hit.line.id for hit in index.search(query, **filters)]  # type: ignore[arg-type]


def test_words_match_by_their_beginning_without_case_or_accents(log: MessageLog, folder: Folder, index: Index) -> None:
    log.append(
        [
            message(1, "Showing at the Café on Elm Street"),
            message(2, "the cafe is closed, no showing"),
            message(3, "inspection on Monday"),
        ]
    )
    assert index.catch_up(folder) == 3
    assert found(index, "CAFE show") == ["m2", "m1"]  # newest first
    assert found(index, "inspec") == ["m3"]
    assert found(index, '"elm street"') == ["m1"]
    assert found(index, '"street elm"') == []
    assert found(index, "cafe monday") == []
    assert index.search("elm")[0].snippet == "Showing at the Café on «Elm» Street"


def test_filters_and_pages(log: MessageLog, folder: Folder, index: Index) -> None:
    log.append(
        [message(n, f"offer {n}", inbound=n % 2 == 0, day=n, person="Zoë" if n == 4 else "Bob") for n in range(6)]
    )
    index.catch_up(folder)
    assert found(index, "offer", direction=Direction.INBOUND) == ["m4", "m2", "m0"]
    assert found(index, since=START + timedelta(days=4)) == ["m5", "m4"]
    assert found(index, "offer", until=START + timedelta(days=1)) == ["m0"]
    assert found(index, person="Zoë") == ["m4"]
    assert found(index, person="bob", limit=2, offset=1) == ["m3", "m2"]
    assert found(index, "") == ["m5", "m4", "m3", "m2", "m1", "m0"]
    assert index.search("offer 3")[0].line == message(3, "offer 3", inbound=False, day=3, person="Bob")


def test_newest_first_whatever_order_they_came_in(log: MessageLog, folder: Folder, index: Index) -> None:
    log.append([message(5, "offer late", day=2)])
    index.catch_up(folder)
    log.append([message(1, "offer early"), message(3, "offer between", day=1), message(2, "offer at once", day=1)])
    same = [replace(message(n, "offer again"), at=START) for n in (10, 11, 12)]
    log.append(same)
    index.catch_up(folder)
    assert found(index, "offer") == ["m5", "m3", "m2", "m1", "m12", "m11", "m10"]
    assert found(index) == found(index, "offer")
    log.append([replace(message(13, "offer again"), at=START)])
    index.catch_up(folder)
    assert found(index, "again") == ["m13", "m12", "m11", "m10"]


def test_more_messages_of_one_moment_than_it_has_room_for(log: MessageLog, folder: Folder, index: Index) -> None:
    for part in range(3):  # an import that knew the minute only
        log.append([replace(message(1000 * part + n, "imported"), at=START) for n in range(1000)])
        index.catch_up(folder)
    pages = [found(index, "imported", limit=100, offset=offset) for offset in range(0, 3100, 100)]
    names = [name for page in pages for name in page]
    assert names == [f"m{n}" for n in reversed(range(3000))]


def test_beginnings_of_words_that_came_later_of_many_words_and_of_other_scripts(
    log: MessageLog, folder: Folder, index: Index
) -> None:
    log.append([message(1, "appraisal"), message(2, "the APPRAISER's note"), message(3, "Grundstück, схема")])
    index.catch_up(folder)
    assert found(index, "apprais") == ["m2", "m1"]
    log.append([message(4, "appraised"), *(message(10 + n, f"contract{n}x") for n in range(80))])
    index.catch_up(folder)
    assert found(index, "apprais") == ["m4", "m2", "m1"]
    assert len(found(index, "contract", limit=100)) == 80
    assert found(index, "grundst") == ["m3"]
    assert found(index, "схем") == ["m3"]
    assert found(index, "appraiser's") == ["m2"]
    assert found(index, "a") == []  # one letter is a word, and nobody said it


WORDS = ["show", "showing", "showings", "offer", "off", "o", "café", "cafeteria", "elm", "2026", "20261", "Ölberg"]


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 40), st.lists(st.sampled_from(WORDS), max_size=4)), max_size=12),
    st.lists(st.sampled_from([word[:n] for word in WORDS for n in (2, 3, 4, 9)]), min_size=1, max_size=2),
)
def test_it_finds_what_reading_everything_would(
    tmp_path_factory: pytest.TempPathFactory, said: list[tuple[int, list[str]]], query: list[str]
) -> None:
    root = tmp_path_factory.mktemp("equal")
    folder, index = Folder(root), Index(root / "var/i.db")
    lines = [
        replace(message(n, " ".join(words)), at=START + timedelta(days=day)) for n, (day, words) in enumerate(said)
    ]
    MessageLog(folder).append(lines)
    index.catch_up(folder)

    def plain(text: str) -> str:
        return "".join(c for c in unicodedata.normalize("NFKD", text).lower() if not unicodedata.combining(c))

    def begins(word: str, beginning: str) -> bool:
        return plain(word).startswith(plain(beginning)) if len(beginning) > 1 else plain(word) == plain(beginning)

    def holds(line: MessageLine) -> bool:
        return all(any(begins(word, one) for word in line.text.split()) for one in query)

    wanted = [line for line in sorted(lines, key=lambda line: line.at.strftime("%Y-%m")) if holds(line)]
    wanted.sort(key=lambda line: line.at)
    assert found(index, " ".join(query), limit=100) == [line.id for line in reversed(wanted)]


def test_a_message_that_is_logged_again_after_a_crash_stays_one(log: MessageLog, folder: Folder, index: Index) -> None:
    first = message(1, "the offer")
    log.append([first, message(2, "the counter offer")])
    path = folder.root / "state/messages/2026-11.jsonl"
    with path.open("ab") as file:
        file.write(monthly.encode(to_line(replace(first, text="the offer, again", at=START + timedelta(days=1)))))
    index.catch_up(folder)
    assert found(index, "offer") == ["m2", "m1"]
    assert found(index, "again") == []
    assert index.count() == 2


@pytest.mark.parametrize("wrong", [{"limit": 0}, {"limit": MAX_LIMIT + 1}, {"offset": -1}, {"offset": 2**70}])
def test_limits_are_checked(index: Index, wrong: dict[str, int]) -> None:
    with pytest.raises(BadInput):
        index.search("x", **wrong)  # type: ignore[arg-type]


def test_later_states_move_forward_only(log: MessageLog, folder: Folder, index: Index) -> None:
    sent = message(1, "your offer is in", inbound=False)
    log.append([sent])
    index.catch_up(folder)
    log.append([sent.later(SendState.DELIVERED, START), sent.later(SendState.SENT, START)])
    assert index.catch_up(folder) == 2
    assert [hit.line.state for hit in index.search("offer")] == ["delivered"]
    assert index.count() == 1


def test_catching_up_is_incremental_and_idempotent(log: MessageLog, folder: Folder, index: Index) -> None:
    log.append([message(1, "one")])
    assert [index.catch_up(folder), index.catch_up(folder)] == [1, 0]
    log.append([message(2, "two"), message(3, "three", day=40)])
    assert index.catch_up(folder) == 2
    with (folder.root / "state/messages/2026-12.jsonl").open("ab") as file:
        file.write(monthly.encode(to_line(message(4, "four", day=40)))[:-1])  # not yet whole
    assert index.catch_up(folder) == 0
    with (folder.root / "state/messages/2026-12.jsonl").open("ab") as file:
        file.write(b"\n")
    assert index.catch_up(folder) == 1
    assert found(index) == ["m4", "m3", "m2", "m1"]


@pytest.mark.parametrize("how", ["shorter", "other", "gone", "longer and other"])
def test_a_rewritten_log_is_taken_in_anew(log: MessageLog, folder: Folder, index: Index, how: str) -> None:
    log.append([message(n, f"old {n}") for n in range(20)])
    index.catch_up(folder)
    path = folder.root / "state/messages/2026-11.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    match how:
        case "shorter":
            path.write_bytes(b"".join(lines[:3]))
        case "other":
            path.write_bytes(b"".join(lines).replace(b"old", b"new"))
        case "gone":
            path.unlink()
        case _:
            path.write_bytes(b"".join(lines).replace(b"old", b"quite new"))
    index.catch_up(folder)
    expected = {"shorter": (3, 0), "other": (0, 20), "gone": (0, 0)}.get(how, (0, 20))
    assert (len(found(index, "old", limit=100)), len(found(index, "new", limit=100))) == expected


def test_rebuild_reports_progress_and_finds_the_same(log: MessageLog, folder: Folder, index: Index) -> None:
    log.append([message(n, f"word {n}", day=n * 20) for n in range(6)])
    index.catch_up(folder)
    before = index.search("word")
    steps: list[tuple[int, int]] = []
    assert index.rebuild(folder, progress=lambda done, whole: steps.append((done, whole))) == 6
    assert index.search("word") == before
    assert steps == sorted(steps)
    assert steps[-1][0] == steps[-1][1] > 0


@pytest.mark.parametrize("damage", ["not a database", "cut", "holes", "a table gone", "older version", "empty"])
def test_a_damaged_index_mends_itself(
    log: MessageLog, folder: Folder, index: Index, tmp_path: Path, damage: str
) -> None:
    log.append([message(n, f"word {n} " + "filler " * 50) for n in range(300)])
    index.catch_up(folder)
    path = tmp_path / "var/index/anden.db"
    data = path.read_bytes()
    match damage:
        case "not a database":
            path.write_bytes(b"junk" * 4000)
        case "cut":
            path.write_bytes(data[: len(data) // 2])
        case "holes":
            path.write_bytes(data[:4096] + os.urandom(len(data) - 4096))
        case "a table gone":
            with index._opened() as db:
                db.table("messages_fts").drop()
        case "older version":
            with index._opened() as db:
                db.conn.execute("PRAGMA user_version = 0")
        case _:
            path.write_bytes(b"")
    log.append([message(301, "word 301")])
    index.catch_up(folder)
    assert len(found(index, "word", limit=100)) == 100
    assert index.count() == 301


def test_damage_that_only_a_search_meets_is_mended_too(
    log: MessageLog, folder: Folder, index: Index, tmp_path: Path
) -> None:
    log.append([message(n, f"word {n} " + "filler " * 50) for n in range(300)])
    index.catch_up(folder)
    path = tmp_path / "var/index/anden.db"
    with index._opened() as db:
        db.table("messages_fts").drop()
    assert len(found(index, "word", limit=100)) == 100
    stranger = Index(path)  # one that does not know the folder can only say so
    path.write_bytes(b"junk" * 4000)
    with pytest.raises(Unavailable):
        stranger.search("word")
    index.catch_up(folder)
    assert len(found(stranger, "word")) == 20


ODD = [
    '"',
    '""',
    '"""',
    "*",
    "a*",
    "AND",
    "a AND",
    "NOT a",
    "a OR b",
    "NEAR(a b)",
    "text:a",
    "-a",
    "^a",
    "a + b",
    "(a",
    "{a b}: c",
    "'; DROP TABLE messages; --",
    "a\0b",
    "\ud800",
    "🙂",
    "!!!",
    "%_",
    "x" * 10_000,
    "a " * 5_000,
    "é" * 600,
    "²",
    "٣",
    "ǅ",
    "Ⅷ",
    "$5,000",
]


@pytest.mark.parametrize("query", ODD)
def test_odd_queries_are_words_not_syntax(log: MessageLog, folder: Folder, index: Index, query: str) -> None:
    log.append([message(1, "a b c"), message(2, query[:50])])
    index.catch_up(folder)
    index.search(query)
    assert index.count() == 2


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.text(alphabet=st.sampled_from("ab \"*^-+(){}:'\0,.AND OR NOT NEAR 🙂é\ud800")) | st.text())
def test_no_query_is_a_syntax_error(index: Index, query: str) -> None:
    index.search(query)
    assert to_match(query).count('"') % 2 == 0


def test_signs_that_are_no_words_are_found_as_they_stand(log: MessageLog, folder: Folder, index: Index) -> None:
    log.append([message(1, "great 🙂"), message(2, "great")])
    index.catch_up(folder)
    assert found(index, "🙂") == ["m1"]
    assert found(index, "great 🙂") == ["m2", "m1"]


def test_two_processes_worth_of_catching_up_take_each_line_once(
    log: MessageLog, folder: Folder, index: Index, tmp_path: Path
) -> None:
    log.append([message(n, f"word {n}") for n in range(3000)])
    indexes = [Index(tmp_path / "var/index/anden.db") for _ in range(4)]
    faults: list[BaseException] = []

    def catch_up(one: Index) -> None:
        try:
            one.catch_up(folder)
        except BaseException as fault:  # noqa: BLE001
            faults.append(fault)

    threads = [threading.Thread(target=catch_up, args=(one,)) for one in indexes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert index.count() == 3000
    assert found(index, "2999") == ["m2999"]


def test_damaged_lines_of_the_log_are_passed_over(log: MessageLog, folder: Folder, index: Index) -> None:
    log.append([message(1, "one")])
    with (folder.root / "state/messages/2026-11.jsonl").open("ab") as file:
        file.write(b'junk\n{"at":"x"}\n{"at":"2026-11-03T00:00:00Z","id":"z","direction":"sideways"}\n')
    log.append([message(2, "two \ud83d")])
    index.catch_up(folder)
    assert found(index) == ["m2", "m1"]


@pytest.mark.parametrize("grown", [100_000, 1_000_000, 3_000_000])
def test_a_process_that_is_killed_while_it_builds_costs_nothing(
    log: MessageLog, folder: Folder, index: Index, tmp_path: Path, grown: int
) -> None:
    log.append([message(n, f"word {n} of a longer text about offer {n % 97}") for n in range(20_000)])
    path = tmp_path / "var/index/anden.db"
    code = (
        "import sys; from pathlib import Path; from runtime.tenant.folder import Folder;"
        "from runtime.tenant.search.index import Index;"
        "index, folder = Index(Path(sys.argv[1])), Folder(Path(sys.argv[2]))\n"
        "while True: index.rebuild(folder)"
    )
    builder = subprocess.Popen([sys.executable, "-c", code, str(path), str(folder.root)])
    try:
        while not any(one.exists() and one.stat().st_size > grown for one in (path, Path(f"{path}-wal"))):
            assert builder.poll() is None
            time.sleep(0.002)
    finally:
        builder.kill()
        builder.wait()
    index.catch_up(folder)
    assert index.count() == 20_000
    assert found(index, '"offer 96"', limit=3) == ["m19981", "m19884", "m19787"]
