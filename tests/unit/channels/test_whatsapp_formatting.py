import re
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from runtime.channels.splitting import units
from runtime.channels.whatsapp import LIMIT, format_text, split
from runtime.channels.whatsapp.formatting import RULE

PLAIN = [
    "Hello Sarah, the showing is at 3 pm.",
    "2*3*4 = 24, 2**3**4 and 5 * 3 * 2",
    "3*(4+5)*2",
    "a*b*c and x=y*z*w",
    "snake_case_word and a_b_c.py",
    "https://example.com/a_b_c?d=_e_&f=*",
    "https://example.com/_private_/a_(b)_c",
    "see (https://example.com/a_b_), then call",
    "www.example.com/_a_/b",
    "_john_@example.com and mary_ann_@sub.example.com",
    "mail to first.last+tag@example.co.uk.",
    "AT&T & Co, 5 < 6 > 4, <b>not bold</b>, a<b",
    "~5 min, ~~ and ~ alone",
    "$450k and $500k, 50% off, #1 choice, #hashtag",
    "[x] done, [ ] open, [note]: call me",
    "[1]: https://example.com\n[see][1]",
    "C:\\path\\x and \\d+",
    "`",
    "*",
    "**",
    "# ",
    "+1 303 555 0100",
    "Line one\nLine two\n\nNew paragraph",
    "- one\n- two\n- three",
    "1. one\n2. two\n3. three",
    "3) three\n4) four",
    "1. one\n3. three\n7. seven",
    "> quoted\n> more\n\nnot quoted",
    "Hello:\n- a\n- b\nand then more",
    "2024. It was a good year.",
    "🏡 3 bd / 2 ba — 1,950 ft²\u00a0✓",
    "今日は家を見ます。明日は契約です。",
    "مرحبا * كيف الحال *",
    "{{name}} ${HOME} %s {0}",
    "a|b|c",
    "- [ ] call the lender\n- [x] sign",
]

MARKED = [
    ("**bold**", "*bold*"),
    ("__bold__", "*bold*"),
    ("*it* and _it_", "_it_ and _it_"),
    ("***both***", "_*both*_"),
    ("~~gone~~", "~gone~"),
    ("`code_with_*stars*`", "`code_with_*stars*`"),
    ("``a`b``", "a`b"),
    ("**Price:** $450k", "*Price:* $450k"),
    ("say **this** and **that**", "say *this* and *that*"),
    ("**a *b* c**", "*a _b_ c*"),
    ("*a **b** c*", "_a *b* c_"),
    ("**two\nlines**", "*two*\n*lines*"),
    ("**Fett**es Wort", "Fettes Wort"),
    ("**https://example.com/a_b**", "*https://example.com/a_b*"),
    ("**2*3=6**", "2*3=6"),
    ("\\*as typed\\*", "*as typed*"),
    ("# Title", "*Title*"),
    ("### The **big** one", "*The big one*"),
    ("# Title\ntext", "*Title*\ntext"),
    ("# Title #\n\ntext", "*Title*\n\ntext"),
    ("Title\n-----\ntext", f"Title\n{RULE}\ntext"),
    ("a\n\n---\n\nb", f"a\n\n{RULE}\n\nb"),
    ("***", RULE),
    ("* one\n* two", "- one\n- two"),
    ("1. one\n1. two\n1. three", "1. one\n2. two\n3. three"),
    ("5. five\n6. six", "5. five\n6. six"),
    ("- a\n  - b\n    - c\n- d", "- a\n  - b\n    - c\n- d"),
    ("1. a\n   - b\n   - c\n2. d", "1. a\n  - b\n  - c\n2. d"),
    ("1. a\n\n   more of a\n\n2. b", "1. a\n\nmore of a\n\n2. b"),
    ("- **a**: x\n- **b**: y", "- *a*: x\n- *b*: y"),
    ("> **said** she", "> *said* she"),
    ("> a\n>> b", "> a\n> b"),
    ("> - a\n> - b", "> - a\n> - b"),
    ("```py\nx = 2*3*4\n  y_z_\n```", "```\nx = 2*3*4\n  y_z_\n```"),
    ("before\n```\n<b>\n```\nafter", "before\n```\n<b>\n```\nafter"),
    ("~~~\na ``` b\n~~~", "```\na ''' b\n```"),
    ("```never closed\nx", "```\nnever closed\nx\n```"),
    ("[the listing](https://example.com/a_b)", "the listing (https://example.com/a_b)"),
    ("[**the** listing](https://example.com)", "*the* listing (https://example.com)"),
    ("[https://example.com](https://example.com)", "https://example.com"),
    ("[example.com](https://www.example.com/)", "https://www.example.com/"),
    ("[](https://example.com)", "https://example.com"),
    ("<https://example.com/a_b_>", "https://example.com/a_b_"),
    ("[Sarah](mailto:sarah@example.com)", "Sarah (sarah@example.com)"),
    ("[sarah@example.com](mailto:sarah@example.com)", "sarah@example.com"),
    ("[call](tel:+13035550100)", "call (+13035550100)"),
    ("[above](#above)", "above"),
    ("[x](javascript:alert(1))", "[x](javascript:alert(1))"),
    ("[a](<https://example.com/a b>)", "a (https://example.com/a%20b)"),
    ("[a](https://example.com 'title')", "a (https://example.com)"),
    ("![the kitchen](https://example.com/k.jpg)", "the kitchen (https://example.com/k.jpg)"),
    ("![](https://example.com/k.jpg)", "https://example.com/k.jpg"),
    ("**[t](https://example.com)**", "*t (https://example.com)*"),
    ("| Room | Size |\n|---|---|\n| Kitchen | 12 |\n| Bath | 5 |", "*Room: Size*\nKitchen: 12\nBath: 5"),
    (
        "| Home | Price | Beds |\n|---|---:|:-:|\n| **1 Oak** | 500k | 3 |\n| 2 Elm | | 4 |",
        "*1 Oak*\nPrice: 500k\nBeds: 3\n\n*2 Elm*\nBeds: 4",
    ),
    ("| Only |\n|---|\n| a |\n| b |", "*Only*\na\nb"),
    ("| | |\n|---|---|\n| a | b |", "a: b"),
    ("| a | b |\n|---|---|\n| x<br>y | z |", "*a: b*\nx y: z"),
    ("one<br>two<br/>three", "one\ntwo\nthree"),
    ("one<br>\n\ntwo", "one\n\ntwo"),
    ("one  \ntwo\\\nthree", "one\ntwo\nthree"),
    ("&amp; &lt;b&gt; &nbsp;x", "& <b> \u00a0x"),
    ("    four spaces", "four spaces"),
    ("a\r\nb\rc", "a\nb\nc"),
    ("a\n\n\n\nb", "a\n\nb"),
    ("**Options:**\n1. A\n2. B\n\nWhich?", "*Options:*\n1. A\n2. B\n\nWhich?"),
    ("粗**体**字", "粗体字"),
    ("*5 star* place", "_5 star_ place"),
    ("** not bold **", "** not bold **"),
    ("**unclosed", "**unclosed"),
    ("**bold**!_it_", "*bold*!_it_"),
]


@pytest.mark.parametrize("text", PLAIN)
def test_plain_text_stays_as_it_is(text: str) -> None:
    assert format_text(text) == text.strip()
    assert format_text(format_text(text)) == text.strip()


@pytest.mark.parametrize(("text", "wanted"), MARKED)
def test_markdown_gets_whatsapps_marks(text: str, wanted: str) -> None:
    assert format_text(text) == wanted


ANY = st.text(
    st.sampled_from("ab1é 🏡*_~`>-+.#|[]()!<&\\:/@\n\t\r\x00") | st.characters(exclude_categories=["Cs"]), max_size=200
)


@given(text=ANY)
@example(text="> " * 2000 + "x")
@example(text="- " * 2000 + "x")
@example(text="\n".join("  " * depth + "- x" for depth in range(60)))
def test_any_text_gives_a_text(text: str) -> None:
    shown = format_text(text)
    assert bool(shown.strip()) == bool(text.strip())
    format_text(shown)


def letters(text: str) -> str:
    return "".join(character for character in text if character.isalnum())


@given(text=st.text(st.sampled_from("abc12 *_\n>-.#~()!\t"), max_size=120))
@example(text="~~~ what is this\nb")
@example(text=">" * 30 + "x")
def test_no_letter_is_lost(text: str) -> None:
    assert letters(format_text(text)) == letters(text)


@pytest.mark.parametrize(
    "piece", ["*", "[", "_a", "> ", "- ", "|a", "**a", "[a](b", "![[", "a@b.", "http://", "\\", "`"]
)
def test_hostile_text_takes_time_in_proportion(piece: str) -> None:
    start = time.perf_counter()
    format_text(piece * (40_000 // len(piece)))
    assert time.perf_counter() - start < 4


# Long replies


def marks_balance(part: str) -> bool:
    return all(len(re.findall(re.escape(mark), part)) % 2 == 0 for mark in ("**", "```", "~~"))


BOLD = "**" + "A sentence of a bold one. " * 220 + "End.**"
CODE = "```py\n" + "\n".join(f"line_{number} = {number}" for number in range(500)) + "\n```\nDone."
ROWS = "\n".join(f"| {number} Oak Street | {number}000 | 3 |" for number in range(300))
TABLE = f"These:\n\n| Home | Price | Beds |\n|---|---|---|\n{ROWS}"
POINTS = "\n\n".join(
    f"**Point {number}:** the *quick* [fox](https://example.com/a_b) ~~runs~~ jumps. " * 6 for number in range(20)
)


@pytest.mark.parametrize("text", [BOLD, CODE, TABLE, POINTS], ids=["bold", "code", "table", "points"])
def test_no_part_ends_within_marks(text: str) -> None:
    parts = split(text)
    assert 2 <= len(parts) <= 6
    for part in parts:
        assert units(format_text(part)) <= LIMIT
        assert marks_balance(part)
        assert "**" not in format_text(part)
    assert letters("".join(parts)).startswith(letters(parts[0]))


def test_a_table_has_its_titles_on_each_part() -> None:
    shown = [format_text(part) for part in split(TABLE)]
    assert all("Price: " in part and "|" not in part for part in shown)
    assert sum(part.count("Oak Street") for part in shown) == 300


def test_code_is_code_on_each_part() -> None:
    first, *_, last = split(CODE)
    assert format_text(first).startswith("```\nline_0 = 0\n")
    assert format_text(last).endswith("line_499 = 499\n```\nDone.")


def test_it_is_one_message_as_long_as_it_can_be() -> None:
    assert split("x" * LIMIT) == ["x" * LIMIT]
    much = "**x** " * 1000  # 6,000 characters, of which 4,000 are sent
    assert split(much) == [much.strip()]
    assert split(" \n ") == []


def test_a_cut_is_at_the_end_of_a_paragraph_or_a_sentence() -> None:
    paragraphs = "\n\n".join("One sentence. " * 20 for _ in range(30))
    assert all(part.endswith("sentence.") for part in split(paragraphs))
    sentences = "Here is one, and it is long. " * 300
    assert all(part.endswith("long.") for part in split(sentences))


@given(
    pieces=st.lists(
        st.sampled_from(
            [
                "**bold words here** ",
                "_it_ ",
                "`code x` ",
                "plain words. ",
                "\n\n",
                "\n- item ",
                "[t](https://e.com/a_b) ",
                "```\ncode here\n```\n",
                "~~gone~~ ",
                "2*3*4 ",
                "🏡 ",
                "\n> quoted ",
                "\n| a | b |\n|---|---|\n| 1 | 2 |\n",
            ]
        ),
        max_size=40,
    ),
    times=st.integers(1, 40),
)
def test_nothing_is_lost_in_parts(pieces: list[str], times: int) -> None:
    text = "".join(pieces) * times
    parts = split(text)
    for part in parts:
        assert part.strip()
        assert units(format_text(part)) <= LIMIT
    if "|" not in text:
        assert letters("".join(parts)) == letters(text)
        assert letters("".join(map(format_text, parts))) == letters(format_text(text))


@pytest.mark.parametrize(
    "text", ["*" * 200_000, "[" * 100_000, "**a" * 60_000, "```\n" * 40_000, "|a|\n|-|\n" * 20_000]
)
def test_hostile_parts_take_time_in_proportion(text: str) -> None:
    start = time.perf_counter()
    parts = split(text)
    assert time.perf_counter() - start < 20
    assert all(units(format_text(part)) <= LIMIT for part in parts[:5])
