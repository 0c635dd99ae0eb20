"""What is merged without anybody judging it: the same words, once; and where a merged line comes from."""

import pytest

from runtime.tenant.life.merging import covers, merged, outline, sourced

SARAH = "## Sarah Lee\n"


def covered(one: str, other: str) -> bool:
    first, second = outline(f"- {one}\n- {other}\n").facts
    return covers(first, second)


@pytest.mark.parametrize(
    ("one", "other", "wanted"),
    [
        ("Likes tea.", "likes  tea", True),
        ("Likes tea in the morning", "Likes tea", True),
        ("Likes tea", "Likes tea in the morning", False),
        ("Do not call Ann", "Call Ann", False),
        ("Doesn't sell the house", "sell the house", False),
        ("Call Ann before 9:00", "Call Ann", False),
        ("Call after 9:00", "Call before 9:00", False),
        ("Bob said Ann buys", "Ann buys", False),
        ("Old phone: 303-555-0101", "Phone: 303-555-0101", False),
        ("Budget: $550,000 at most", "Budget: $550,000", False),
        ("Call Anna", "Call Ann", False),
        ("Tea is what she likes", "likes tea", False),
        ("Likes tea", "...", False),
    ],
)
def test_a_line_covers_another(one: str, other: str, wanted: bool) -> None:
    assert covered(one, other) is wanted


def test_repetitions_go_and_nothing_else() -> None:
    body = f"""\
A note of mine.

{SARAH}- Likes tea
- Phone: 303-555-0101
- Likes tea [2026-01-02; Ann; typed; m1]
- Phone: 303-555-0101 [2026-01-03; Ann; typed; m2]
  and a line that goes on with it

## Bob Ray
- Likes tea
"""
    found = merged(body)
    kept = body.replace("- Likes tea\n", "", 1).replace("- Phone: 303-555-0101\n", "")
    assert found.body == kept
    assert [one.text for one in found.gone] == ["Likes tea", "Phone: 303-555-0101"]
    assert merged(kept).body == kept


def test_a_source_is_that_of_the_line_which_carries_most_in_the_same_section() -> None:
    before = f"""\
{SARAH}- Likes Boulder [2026-01-02; Ann; typed; m1]
- Likes a garage for two cars [2026-01-01; Ann; voice; m2]

## Bob Ray
- Likes Boulder and a garage [2026-02-02; Ann; typed; m3]
- Written by hand
"""
    after = f"""\
{SARAH}- Likes Boulder, a garage for two cars [2026-11-20; X; typed; forged]

## Bob Ray
- Likes Boulder and a garage [2026-02-02; Ann; typed; m3]
- Written by hand [2026-11-20; X; typed; forged]
- Sings [2026-11-20; X; typed; nobody]
"""
    lines = sourced(before, after).splitlines()
    assert lines[1] == "- Likes Boulder, a garage for two cars [2026-01-01; Ann; voice; m2]"
    assert lines[4] == "- Likes Boulder and a garage [2026-02-02; Ann; typed; m3]"
    assert lines[5] == "- Written by hand", "a line that a person wrote has no source"
    assert sourced(before, before) == before
