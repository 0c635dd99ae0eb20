"""A long reply is cut so that every part, formatted on its own, looks as it would have in one piece."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.channels.splitting import units
from runtime.channels.telegram.formatting import ENTITY_LIMIT, LIMIT, format_text
from runtime.channels.telegram.parts import _look, split

WORDS = "The buyer saw $450k and $500k homes on Oak & 5th <fast> and liked 🏡 both . "


def looks(parts: list[str]) -> list[tuple[str, frozenset[str]]]:
    return [drawn for part in parts for drawn in _look(part)]


def in_limits(parts: list[str]) -> bool:
    formatted = [format_text(part) for part in parts]
    return all(units(one.text.strip()) > 0 and units(one.text) <= LIMIT for one in formatted)


def test_a_short_reply_is_one_part() -> None:
    assert split(" **Hello** there.\n") == ["**Hello** there."]
    assert split("") == split(" \n ") == []


def test_what_is_short_without_its_marks_is_one_part() -> None:
    text = " ".join(f"[listing {number}](https://homes.example/{'x' * 120}/{number})" for number in range(60))
    assert units(text) > LIMIT
    assert split(text) == [text]


def test_blocks_are_kept_whole() -> None:
    paragraphs = [f"**Home {number}.** " + ("word " * 150).strip() for number in range(12)]
    parts = split("\n\n".join(paragraphs))
    assert len(parts) == 3
    assert "\n\n".join(parts).split("\n\n") == paragraphs
    assert all(part.startswith("**Home") for part in parts)


def test_a_long_code_block_is_code_in_every_part() -> None:
    code = "\n".join(f"    line {number} = '{'x' * 40}'" for number in range(300))
    parts = split(f"Here:\n\n```python\n{code}\n```\n\nDone.")
    assert in_limits(parts)
    kinds = [[entity["type"] for entity in format_text(part).entities] for part in parts]
    assert kinds == [["pre"]] * len(parts) or kinds == [[], *[["pre"]] * (len(parts) - 1)]
    told = "\n".join(format_text(part).text for part in parts)
    assert [line for line in told.splitlines() if "line" in line] == code.splitlines()


def test_a_long_table_has_its_head_in_every_part() -> None:
    rows = "\n".join(f"| {number} Oak St | ${number}00,000 |" for number in range(300))
    parts = split(f"| Home | Price |\n|---|---|\n{rows}")
    assert in_limits(parts)
    assert len(parts) > 1
    assert all(format_text(part).text.startswith("Home") for part in parts)
    assert all(f"{number} Oak St" in "".join(parts) for number in range(300))


@pytest.mark.parametrize("mark", ["**", "_", "~~", "`", "**_"])
def test_marks_around_a_long_paragraph_are_around_each_part(mark: str) -> None:
    text = "Before. " + mark + ("word " * 1200).strip() + mark[::-1] + " after."
    parts = split(text)
    assert in_limits(parts)
    assert looks(parts) == _look(text)


def test_a_long_quote_is_quoted_in_each_part() -> None:
    text = "> " + " ".join(f"Sentence {number}." for number in range(600)) + "\n\nAfter."
    parts = split(text)
    assert in_limits(parts)
    assert looks(parts) == _look(text)


def test_a_list_goes_on_counting() -> None:
    text = "\n".join(f"{number}. {'word ' * 60}" for number in range(1, 40))
    parts = split(text)
    assert looks(parts) == _look(text)


def test_a_part_shows_all_of_its_marks() -> None:
    text = "\n\n".join(f"- **{number}** [a](https://a.example/{number})" for number in range(300))
    assert all(len(format_text(part).entities) <= ENTITY_LIMIT for part in split(text))
    assert looks(split(text)) == _look(text)


def marked(words: str, mark: str) -> str:
    return f"{mark}{words}{mark[::-1]}"


SENTENCE = st.sampled_from(
    ["Oak St is $450k.", "Call <Sarah>!", "🏡🏡 & more.", "It is 2 * 3 = 6.", "snake_case here."]
)
RUN = st.builds(
    lambda said, times: " ".join(said * times), st.lists(SENTENCE, min_size=1, max_size=3), st.integers(1, 40)
)
INLINE = st.builds(marked, RUN, st.sampled_from(["**", "_", "~~", ""]))
PARAGRAPH = st.lists(INLINE, min_size=1, max_size=3).map(" ".join)
LIST = st.lists(INLINE, min_size=1, max_size=4).map(lambda items: "\n".join(f"- {item}" for item in items))
NUMBERED = st.lists(INLINE, min_size=1, max_size=4).map(
    lambda items: "\n".join(f"{number}. {item}" for number, item in enumerate(items, 1))
)
QUOTE = st.lists(INLINE, min_size=1, max_size=3).map(lambda lines: "\n".join(f"> {line}" for line in lines))
CODE = st.lists(st.sampled_from(["x = 1", "    <b>", "# no", "**no**"]), min_size=1, max_size=400).map(
    lambda lines: "```\n" + "\n".join(lines) + "\n```"
)
HEADING = SENTENCE.map(lambda words: f"## {words}")
DOCUMENT = st.lists(st.one_of(PARAGRAPH, LIST, NUMBERED, QUOTE, CODE, HEADING), min_size=1, max_size=5).map(
    "\n\n## And\n\n".join
)


@settings(max_examples=80, deadline=None)
@given(DOCUMENT)
def test_formatting_survives_every_cut(text: str) -> None:
    parts = split(text)
    assert in_limits(parts)
    assert looks(parts) == _look(text)


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.sampled_from(["*", "_", "`", "~~", "[", "](", ")", ">", "\n", "\n\n", "|", "- ", "#", "```\n", WORDS]))
)
def test_any_marks_give_parts_that_fit(pieces: list[str]) -> None:
    text = "".join(pieces) * 60
    parts = split(text)
    assert in_limits(parts)
    for word in ("buyer", "$450k", "<fast>", "🏡"):
        assert sum(part.count(word) for part in parts) >= text.count(word)


@pytest.mark.parametrize(
    "piece", ["**a ", "[", "> ", "- ", "1. ", "`a", "|a", "*a_", "\n \n", "a" * 100, "[a](", "**b** "]
)
def test_a_reply_that_is_made_of_marks_costs_little(piece: str) -> None:
    start = time.process_time()
    assert in_limits(split((piece * 40_000)[:40_000]))
    assert time.process_time() - start < 4
