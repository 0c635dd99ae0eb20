"""What of a consolidation may stay: a table of good ones, and of those that invent, turn or lose something."""

from datetime import date

import pytest

from runtime.learning.consolidating import LISTED, keep
from runtime.learning.keeping import Kept
from runtime.tenant.git.changes import FILE, Change, Entry, blob_id
from runtime.tenant.life.files import new

PEOPLE = "life/relationships/people.md"
BOUNDARIES = "life/boundaries.md"
EVENTS = "life/events/2026-10.md"
TODAY = date(2026, 11, 20)


def text(rel: str, *lines: str) -> str:
    return new(rel).text + "".join(f"{line}\n" for line in lines)


def change(rel: str, content: str | None) -> Change:
    before = Entry(FILE, "0" * 40)
    if content is None:
        return Change(rel, before, None)
    return Change(rel, before, Entry(FILE, blob_id(content.encode())), content.encode())


def judged(before: list[str], after: list[str], rel: str = PEOPLE, budget: int = 10) -> Kept:
    """With a budget that nothing meets, a fifth must go; the lines under Bob are what does."""
    heavy = [
        "## Bob Ray",
        *(f"- Called about the loan again [2026-01-{day:02}; Ann; typed; b{day}]" for day in range(1, 29)),
    ]
    light = ["## Bob Ray", heavy[-1]]
    old, now = text(rel, *before, *heavy), text(rel, *after, *light)
    return keep([change(rel, now)], old.encode(), rel=rel, budget=budget, today=TODAY)


SARAH = "## Sarah Lee"
GOOD = {
    "two lines become one": (
        ["- Likes Boulder [2026-01-02; Ann; typed; m1]", "- Likes a garage [2026-01-03; Ann; typed; m2]"],
        ["- Likes Boulder, a garage"],
    ),
    "an exact duplicate goes": (["- Phone: 303-555-0101", "- Phone: 303-555-0101"], ["- Phone: 303-555-0101"]),
    "what a longer line says goes": (
        ["- Lender: Wells Fargo", "- Lender: Wells Fargo in Denver"],
        ["- Lender: Wells Fargo in Denver"],
    ),
    "a past appointment goes": (["- Showing of 12 Oak on 2026-10-03 at 16:00 [2026-10-01; Ann; typed; m1]"], []),
    "an older budget goes for a newer one": (
        ["- Budget: $500,000 [2026-01-01; Ann; typed; m1]", "- Budget: $550,000 [2026-03-01; Ann; typed; m2]"],
        ["- Budget: $550,000 [2026-03-01; Ann; typed; m2]"],
    ),
    "what other lines say in nearly the same words goes": (
        ["- Likes tea a lot", "- Likes tea, coffee"],
        ["- Likes tea, coffee"],
    ),
    "what several share stands once": (
        ["- Wants 12 Oak shown at 16:00", "- Wants 9 Elm shown at 16:00"],
        ["- Wants 12 Oak, 9 Elm shown at 16:00"],
    ),
    "a bound stays with its figure": (
        ["- Never call before 9:00", "- Never call before 9:00 on weekends please"],
        ["- Never call before 9:00, weekends please"],
    ),
}
BAD = {
    "an invented fact": (["- Likes Boulder"], ["- Likes Boulder", "- Has a dog"], "is carried by no lines"),
    "an invented word": (["- Likes Boulder"], ["- Likes Boulder and Denver"], "is carried by no lines"),
    "an invented name in a long line": (
        ["- Wants house, garden, garage, cellar, attic, fence, pool, shed, porch, deck, view, lawn"],
        ["- Wants house, garden, garage, cellar, attic, fence, pool, shed, porch, deck, view, Zoe"],
        "is carried by no lines",
    ),
    "one of two that were said on a day": (
        ["- Phone: 303-555-0101 [2026-01-01; Ann; typed; m1]", "- Phone: 720-555-0102 [2026-01-01; Ann; typed; m1]"],
        ["- Phone: 720-555-0102 [2026-01-01; Ann; typed; m1]"],
        "with it 3035550101",
    ),
    "a changed figure": (["- Budget: $550,000"], ["- Budget: $560,000"], "is carried by no lines"),
    "another fact's figure": (
        ["- Budget: $550,000", "- Deposit: $10,000"],
        ["- Budget: $10,000"],
        "has a figure of another fact",
    ),
    "a lost figure": (["- Likes Boulder", "- Phone: 303-555-0101"], ["- Likes Boulder"], "with it 3035550101"),
    "a lost name": (["- Likes Boulder", "- Married to Sam Fox"], ["- Likes Boulder"], "with it sam, fox"),
    "a lost address": (["- Likes tea", "- Mail: sarah@example.com"], ["- Likes tea"], "with it sarah@example.com"),
    "an open matter": (["- Hm", "- Wants to hear back about the roof"], ["- Hm"], "no other line says it"),
    "a boundary among people": (["- Likes texts", "- No texts"], ["- Likes texts"], "no other line says it"),
    "figures that changed places": (
        ["- Sees 12 Oak on 2026-12-01 with Sam", "- Sees 9 Elm on 2026-12-03 with Tim"],
        ["- Sees 12 Oak on 2026-12-03 with Tim, 9 Elm on 2026-12-01 with Sam"],
        "mixes the figures",
    ),
    "names that changed places": (
        ["- Ask Sarah before calling Tom please", "- Likes Tom"],
        ["- Ask Tom before calling Sarah", "- Likes Tom"],
        "mixes the figures",
    ),
    "a turned meaning": (["- Do not call Sam", "- Call on Monday"], ["- Call Sam on Monday"], "does not mean"),
    "a bound that is gone": (["- Never call before 9:00"], ["- Call at 9:00"], "does not mean"),
    "a not that is new": (
        ["- Wants to see the house with a garden in Boulder on the hill, shops and schools near"],
        ["- Wants not to see the house with a garden in Boulder on the hill, shops, schools near"],
        "does not mean",
    ),
    "a claim made a fact": (
        ["- Sam wrote that the roof leaks"],
        ["- The roof leaks (Sam)"],
        "says as a fact",
    ),
    "an appointment to come": (["- Showing of 12 Oak on 2026-12-03 [2026-11-01; Ann; typed; m1]"], [], "is gone"),
    "a day of long ago": (["- Born on 1980-03-05 [2026-11-01; Ann; typed; m1]"], [], "is gone, and with it 03-05"),
    "a line of another section": ([], ["- Called about the loan again"], "is carried by no lines"),
    "a heading": (["- Likes Boulder"], ["### More", "- Likes Boulder"], "no fact"),
    "a person's paragraph": (["A note of mine.", "- Likes Boulder"], ["- Likes Boulder"], "no fact"),
}  # fmt: skip


@pytest.mark.parametrize("name", GOOD)
def test_a_good_one_may_land(name: str) -> None:
    before, after = GOOD[name]
    found = judged([SARAH, *before], [SARAH, *after])
    assert found.problem == ""
    assert found.title == "Consolidate: people"
    assert "No longer there:" in found.first


@pytest.mark.parametrize("name", BAD)
def test_a_bad_one_changes_nothing(name: str) -> None:
    before, after, problem = BAD[name]
    found = judged([SARAH, *before], [SARAH, *after])
    assert problem in found.problem
    assert (found.changes, found.final) == ((), True)


def test_a_merged_line_has_the_source_of_what_it_comes_from() -> None:
    before, after = GOOD["two lines become one"]
    wrong = [f"{after[0]} [2026-11-20; Nobody; voice; other]"]
    [landing] = judged([SARAH, *before], [SARAH, *wrong]).changes
    assert landing.data
    assert "- Likes Boulder, a garage [2026-01-03; Ann; typed; m2]\n" in landing.data.decode()
    assert landing.entry == Entry(FILE, blob_id(landing.data))


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        (["- Never call before 9:00", "- Never text"], ["- Never text"], "are not to be thinned out"),
        (["- Never call Sam", "- Never call Sam on Sunday"], ["- Never call Sam on Sunday"], ""),
        (["- Ask first for gifts", "- Ask first for dinners"], ["- Ask first for gifts, dinners"], "thinned out"),
        (["- Ask first: gifts", "- Ask first: gifts", "- No texts"], ["- Ask first: gifts", "- No texts"], ""),
        (["- Be kind", "- Be quick"], ["- Be kind; be quick"], ""),
    ],
)
def test_what_guides_loses_nothing_but_what_stands_twice(before: list[str], after: list[str], problem: str) -> None:
    found = judged(before, after, BOUNDARIES)
    assert problem in found.problem
    assert bool(found.changes) is not bool(problem)


def test_in_a_list_of_appointments_one_takes_no_others_place() -> None:
    before = [f"- Showing: {house} Oak on 2026-12-0{house} [2026-11-0{house}; Ann; typed; m]" for house in (1, 2)]
    assert "is gone" in judged(before, before[1:], EVENTS).problem
    past = [line.replace("2026-12", "2026-11") for line in before]
    assert judged(past, past[1:], EVENTS).problem == ""


@pytest.mark.parametrize(
    ("left", "budget", "problem"),
    [(20, 10, ""), (39, 10, "bytes are left"), (39, 10_000, ""), (40, 10_000, "bytes are left")],
)
def test_it_must_be_smaller_and_within_its_budget_or_a_fifth(left: int, budget: int, problem: str) -> None:
    lines = [f"- Asked again{' and again' * n} about it" for n in range(40)]
    after = [*lines[:left]] if left < len(lines) else [*lines[:-1], f"{lines[-1]}, asked"]
    found = keep(
        [change(PEOPLE, text(PEOPLE, *after))], text(PEOPLE, *lines).encode(), rel=PEOPLE, budget=budget, today=TODAY
    )
    assert problem in found.problem
    assert bool(found.changes) is not bool(problem)


def test_only_its_own_file_may_change() -> None:
    mine = change(PEOPLE, text(PEOPLE))
    for other in (BOUNDARIES, "directives/README.md"):
        found = keep(
            [mine, change(other, text(other))], text(PEOPLE, "- Hm").encode(), rel=PEOPLE, budget=9, today=TODAY
        )
        assert found.problem == f"it changed {other}, which it was not asked to"
    assert keep([], b"", rel=PEOPLE, budget=9, today=TODAY) == Kept()
    assert "removed" in keep([change(PEOPLE, None)], text(PEOPLE).encode(), rel=PEOPLE, budget=9, today=TODAY).problem
    broken = keep([change(PEOPLE, "---json\n{")], text(PEOPLE).encode(), rel=PEOPLE, budget=9, today=TODAY)
    assert "cannot be read" in broken.problem
    head = text(PEOPLE).replace('"People"', '"Folks"')
    assert "head" in keep([change(PEOPLE, head)], text(PEOPLE).encode(), rel=PEOPLE, budget=9, today=TODAY).problem


def test_the_commit_says_what_is_no_longer_there_up_to_a_bound() -> None:
    found = judged([SARAH, *GOOD["two lines become one"][0]], [SARAH, *GOOD["two lines become one"][1]])
    lines = found.first.splitlines()
    assert lines[:3] == ["No longer there:", "- Sarah Lee: Likes Boulder", "- Sarah Lee: Likes a garage"]
    assert lines[-2:] == ["Instead:", "- Sarah Lee: Likes Boulder, a garage"]
    many = [f"- Asked again{' and again' * n} about it" for n in range(LISTED + 5)]
    first = judged([SARAH, *many], [SARAH, many[-1]]).first
    assert first.count("\n- ") == LISTED + 1
    assert first.endswith("more")
