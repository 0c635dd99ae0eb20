import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from runtime.channels import telegram, whatsapp
from runtime.channels.splitting import split, units

TEXTS = st.text(
    st.characters(exclude_categories=["Cs"]) | st.sampled_from(" \n.!?。🏡👍🏽\u200d\u0301🇩🇪👩\ufe0f"), max_size=400
)


def bare(text: str) -> str:
    return "".join(text.split())


@given(text=TEXTS, limit=st.integers(16, 80))
@example(text="👨\u200d👩\u200d👧\u200d👦" * 20, limit=16)
@example(text="a" + "\u0301" * 200, limit=16)
@example(text="🇩🇪" * 30, limit=17)
@example(text="." * 100 + " " * 100, limit=16)
def test_nothing_is_lost_and_every_part_fits(text: str, limit: int) -> None:
    parts = split(text, limit)
    assert bare("".join(parts)) == bare(text)
    for part in parts:
        assert part.strip()
        assert units(part) <= limit
        assert units(part) == len(part.encode("utf-16-le")) // 2


@given(text=st.text(st.sampled_from("🏡👍a \n."), max_size=300))
def test_surrogate_pairs_stay_whole(text: str) -> None:
    for part in split(text, 16):
        part.encode("utf-8")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", []),
        (" \n ", []),
        ("short", ["short"]),
        ("  kept  ", ["kept"]),
        ("One is here. Two is here. Three.", ["One is here.", "Two is here. Three."]),
        ("A paragraph.\n\nAnother. One here.", ["A paragraph.", "Another. One here."]),
        ("line number one\nline number two", ["line number one", "line number two"]),
        ('He said "go!" Then we all went.', ['He said "go!"', "Then we all went."]),
        ("今日は家を見ます。明日は契約をします。またね", ["今日は家を見ます。明日は契約をします。", "またね"]),
        ("no sentence end anywhere in here", ["no sentence end", "anywhere in here"]),
        ("x" * 45, ["x" * 20, "x" * 20, "x" * 5]),
    ],
)
def test_it_cuts_where_it_hurts_least(text: str, parts: list[str]) -> None:
    assert split(text, 20) == parts


def test_a_cut_right_behind_the_edge_is_seen() -> None:
    assert split("12345 7890. 345 789. And more", 20) == ["12345 7890. 345 789.", "And more"]


def test_what_is_drawn_as_one_stays_together() -> None:
    family = "👨\u200d👩\u200d👧"
    assert all(part.count("👨") == part.count("👧") for part in split(family * 10, 20))
    assert all(len(part) % 2 == 0 for part in split("🇩🇪" * 20, 18))
    assert split("e\u0301" * 20, 17)[0] == "e\u0301" * 8


def test_channels_count_as_telegram_does() -> None:
    for cut in (telegram.split, whatsapp.split):
        assert [units(part) for part in cut("🏡" * 3000)] == [4096, 1904]


@pytest.mark.parametrize("text", ["." * 300_000, "\n " * 150_000, ". " * 150_000, "🏡" * 150_000, "\u0301" * 300_000])
def test_it_takes_time_in_proportion(text: str) -> None:
    start = time.perf_counter()
    split(text, 4096)
    assert time.perf_counter() - start < 3
