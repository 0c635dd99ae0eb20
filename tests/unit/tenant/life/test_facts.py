"""A fact is added, replaced and taken out, and nothing else in the file moves by a byte."""

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from runtime.errors import BadInput, NotFound, Refused
from runtime.tenant.life import facts
from runtime.tenant.life.facts import Fact, Source, add, clear, drop, swap
from runtime.tenant.life.lines import page
from runtime.tenant.life.terms import terms

ANN = Source(date="2026-11-20", who="Ann Lee", how="typed", message="wamid.1")
SHOWN = Source(date="2026-11-21", who="Ann Lee", how="forwarded", message="wamid.2")

# Lines as people and editors write them: facts and everything that only looks like one.
LINES = st.sampled_from(
    [
        "- Budget: up to $550,000 [2026-11-20; Ann Lee; typed; 1]",
        "- Wants a pool",
        "* a star",
        "+ a plus",
        "- [ ] call Bob",
        "- [x] called Tom",
        "- see [the listing](https://x.org/a) first",
        "- ends in [brackets]",
        "- ends in [a link](https://x.org) [2026-11-20]",
        "  - nested below",
        "    indented",
        "\tby a tab",
        "1. numbered",
        "A person's own paragraph - with a dash.",
        "> - quoted",
        "| - a | b |",
        "| --- | --- |",
        "# One",
        "## Ann Lee",
        "## ann  lee ##",
        "### Ann Lee: notes",
        "###### Deep",
        "#no heading",
        "---",
        "- - -",
        "* * *",
        "",
        "   ",
        "<!-- a comment -->",
        "<!-- a comment",
        "- inside or outside",
        "-->",
        "- with <!-- a comment --> inside",
        "- <!-- nothing -->",
        "```",
        "````python",
        "~~~",
        "Ünïcödé 她想要 \u2028 \x0b \x85 \u00a0",
        "- Ünïcödé \u2028 fact",
        "-",
        "-no space",
    ]
)
ENDS = st.sampled_from(["\n", "\r\n"])
BODIES = st.builds(
    lambda lines, end, last: end.join(lines) + (end if last else ""), st.lists(LINES, max_size=14), ENDS, st.booleans()
)
SECTIONS = st.sampled_from(["", "Ann Lee", "ann lee", "Ann", "One", "Ann Lee: notes", "Somebody New", "C#", "Nº 5 #"])
WORDS = st.text(st.characters(codec="utf-8"), max_size=60) | st.sampled_from(
    [
        "Prefers mornings",
        "- Budget: $600k",
        "x [2026-01-01; Eve; typed; 9]",
        "<!-- hidden",
        "see [a](b) here",
        "-->",
        "# no",
    ]
)


def added(body: str, fact: Fact, **more: bool) -> str:
    return add(body, fact, **more).body


def shapes(body: str) -> list[tuple[str, str, Source | None]]:
    return [(one.section, one.text, one.source) for one in facts.facts(body)]


def rest(body: str) -> str:
    """What is left of a body without its facts."""
    found = page(body)
    inside = {number for one in found.facts for number in range(one.line, one.line + one.lines)}
    return "".join(line for number, line in enumerate(found.lines) if number not in inside)


@given(BODIES)
@example("a\r\n- b\r\n")
@example("- b")
def test_a_body_is_the_sum_of_its_lines(body: str) -> None:
    assert "".join(page(body).lines) == body


@given(BODIES, SECTIONS, WORDS)
def test_what_is_added_is_read_back_and_nothing_else_is_lost(body: str, section: str, words: str) -> None:
    assume(terms(words))
    before = shapes(body)
    changed = add(body, Fact(words, section, ANN))
    after = shapes(changed.body)
    if changed.body == body:
        return
    new = [one for one in after if one not in before]
    assert [one[2] for one in new] == [ANN]
    kept = [one for one in before if one not in [(gone.section, gone.text, gone.source) for gone in changed.gone]]
    assert sorted(map(str, kept + new)) == sorted(map(str, after))


@given(BODIES, SECTIONS, WORDS)
def test_what_is_no_fact_stays_byte_for_byte(body: str, section: str, words: str) -> None:
    assume(terms(words))
    changed = add(body, Fact(words, section, ANN))
    old, new = rest(body), rest(changed.body)
    if changed.gone:
        assert new == old
    left = iter(new)
    assert all(letter in left for letter in old), "in the same order, with at most lines between"


@given(BODIES, SECTIONS, WORDS)
def test_adding_twice_changes_nothing(body: str, section: str, words: str) -> None:
    assume(terms(words))
    once = added(body, Fact(words, section, ANN))
    assert add(once, Fact(words, section, ANN)) == (once, ())


@given(BODIES, SECTIONS)
def test_adding_then_dropping_gives_the_old_facts(body: str, section: str) -> None:
    fact = Fact("Zebra: quartz sphinx", section, ANN)
    assert shapes(drop(added(body, fact), fact.text).body) == shapes(body)


@given(BODIES)
def test_every_fact_can_be_taken_out_and_all_else_stays(body: str) -> None:
    for one in facts.facts(body):
        block = "".join(page(body).lines[one.line : one.line + one.lines])
        left = facts.without(body, theirs=lambda _: False, named=lambda text, block=block: text == block)  # type: ignore[misc]
        assert block not in left or left.count(block) < body.count(block)
        assert rest(left) == rest(body)


@given(BODIES, WORDS)
def test_a_replaced_fact_keeps_its_place(body: str, words: str) -> None:
    assume(terms(words))
    before = facts.facts(body)
    for place, one in enumerate(before):
        same = [other for other in before if other.text == one.text]
        if len(same) > 1 or len(facts.find(body, one.text, one.section)) != 1:
            continue
        after = swap(body, one.text, Fact(words, "", ANN), section=one.section)
        assert after.gone == (one,)
        found = facts.facts(after.body)
        assert len(found) == len(before)
        assert (found[place].section, found[place].source) == (one.section, ANN)
        assert rest(after.body) == rest(body)


@given(WORDS, SECTIONS, st.text(), st.text(), st.text())
@example("a", "", "Eve]; typed; 1", "x;y", "\n- Budget: 0 [2026-01-01; Owner; typed; 1]")
@example("a", "", "", "", "7")
@example("a", "", "<!--", "\ud800", "-->")
def test_a_source_cannot_be_forged(words: str, section: str, who: str, how: str, message: str) -> None:
    assume(terms(words))
    source = Source(date="2026-11-20", who=who, how=how, message=message)
    body = added("- Keeps a boat\n", Fact(words, section, source))
    found = [one for one in facts.facts(body) if one.text != "Keeps a boat"]
    assert len(found) <= 1
    for one in found:
        assert one.source is not None
        assert one.source.date == "2026-11-20"
        assert len(str(one.source).split(";")) <= 4
        assert len(page(body).lines) <= 5
        body.encode()


@given(WORDS, SECTIONS)
def test_a_fact_that_is_written_is_read_the_same(words: str, section: str) -> None:
    assume(terms(words))
    body = added("", Fact(words, section, ANN))
    [first] = facts.facts(body)
    [again] = facts.facts(added("", first))
    assert again == first
    assert facts.facts(str(first)) == [Fact(first.text, "", ANN, 0)]


def test_sources_are_read_as_far_as_they_go() -> None:
    for text in (
        "2026-11-20",
        "2026-11-20; Ann",
        "2026-11-20; Ann; typed",
        "2026-11-20; Ann; ; 5",
        "2026-11-20; ; ; 5",
    ):
        [one] = facts.facts(f"- a [{text}]")
        assert str(one.source) == text
        assert one.text == "a"


@pytest.mark.parametrize(
    "line", ["- a [b]", "- a [note; x]", "- a[2026-11-20]", "- [2026-11-20; Ann]", "- see [a](b)", "- [ ] do it"]
)
def test_brackets_that_are_no_source_are_words(line: str) -> None:
    [one] = facts.facts(line)
    assert one.source is None
    assert f"- {one.text}" == line


def test_a_link_survives_and_other_brackets_do_not_become_a_source() -> None:
    body = added("", Fact("see [it](https://x.org/a) or [2026-01-01; Eve; typed; 1]", "", ANN))
    assert body == "- see [it](https://x.org/a) or (2026-01-01; Eve; typed; 1) [2026-11-20; Ann Lee; typed; wamid.1]\n"


HIDDEN = """\
<!--
- in a comment
## No Section
-->
```
- in code
# no heading
```
~~~ text
- in waves
```
~~~
<!-- one line --> - not a fact
- a fact
"""


def test_comments_and_code_hold_no_facts() -> None:
    assert [one.text for one in facts.facts(HIDDEN)] == ["a fact"]
    assert page(HIDDEN).headings == []
    assert added(HIDDEN, Fact("another fact of mine", "No Section", ANN)).startswith(HIDDEN)


@pytest.mark.parametrize("left_open", ["<!-- begun\n- x\n", "```\n- x\n## Ann Lee\n"])
def test_nothing_is_written_into_what_nobody_closed(left_open: str) -> None:
    body = "- first\n\n" + left_open
    changed = added(added(body, Fact("Prefers mornings", "Ann Lee", ANN)), Fact("Has a dog", "", ANN))
    assert [(one.section, one.text) for one in facts.facts(changed)] == [
        ("", "first"),
        ("", "Has a dog"),
        ("Ann Lee", "Prefers mornings"),
    ]
    assert changed.endswith(left_open)


def test_a_fact_with_a_comment_in_it_hides_nothing() -> None:
    body = added("- first\n- last\n", Fact("x <!-- y", "", Source(date="2026-11-20", who="<!-- z")))
    assert len(facts.facts(body)) == 3


SECTIONED = "- top\n\n## Ann\n- a\n\n### Notes\n- n\n\n## Ann Lee\n\n## Bob\n- Budget: up to $500,000 [2026-11-01]\n"


def test_a_fact_goes_to_the_end_of_its_own_section() -> None:
    assert added(SECTIONED, Fact("Has a dog", "Ann")) == SECTIONED.replace("- a\n", "- a\n- Has a dog\n")
    assert added(SECTIONED, Fact("Has a dog", "ann  LEE")) == SECTIONED.replace("Lee\n", "Lee\n- Has a dog\n")
    assert added(SECTIONED, Fact("Has a dog", "Zoe")) == SECTIONED + "\n## Zoe\n- Has a dog\n"
    assert added(SECTIONED, Fact("Has a dog")) == SECTIONED.replace("- top\n", "- top\n- Has a dog\n")
    assert added("", Fact("Has a dog", "Zoe")) == "## Zoe\n- Has a dog\n"


def test_accents_and_spaces_in_a_title_make_no_second_section() -> None:
    body = added("## José  O\u2019Brien\n- a\n", Fact("Has a dog", "Jose O'Brien"))
    assert body == "## José  O\u2019Brien\n- a\n- Has a dog\n"
    for title in ("Unit #", "# 5", "a" * 119 + " b", "##"):
        once = added("", Fact("Has a dog", title))
        assert len(page(added(once, Fact("Has a cat", title))).headings) <= 1


def test_the_line_ends_of_the_file_are_kept() -> None:
    body = "para\r\n\r\n## Ann\r\n- a"
    assert added(body, Fact("Has a dog", "Ann")) == "para\r\n\r\n## Ann\r\n- a\r\n- Has a dog\r\n"
    assert swap(body, "a", Fact("b")).body == "para\r\n\r\n## Ann\r\n- b"
    assert drop("- one dog\r\n- two dogs", "one dog").body == "- two dogs"
    assert add("- Budget: $5k", Fact("Budget: $6k", "", ANN)).body == f"- Budget: $6k [{ANN}]"


def test_the_same_topic_in_another_section_is_untouched() -> None:
    changed = add(SECTIONED, Fact("Budget: up to $600,000", "Ann", ANN))
    assert changed.gone == ()
    assert "up to $500,000" in changed.body


def test_a_new_figure_takes_the_old_ones_place() -> None:
    body = "## Ann\n- Budget: up to $500,000 [2026-11-01; Ann; typed; 1]\n- Has a dog\n"
    changed = add(body, Fact("Budget: up to $600,000", "Ann", ANN))
    assert changed.body == f"## Ann\n- Budget: up to $600,000 [{ANN}]\n- Has a dog\n"
    assert [one.text for one in changed.gone] == ["Budget: up to $500,000"]
    both = add(body, Fact("Budget: up to $600,000", "Ann", ANN), single=False)
    assert both.gone == ()
    assert len(facts.facts(both.body)) == 3


def test_the_latest_word_counts_also_when_it_takes_something_back() -> None:
    body = added("", Fact("Does not want a pool", "Ann", ANN))
    assert [one.text for one in facts.facts(added(body, Fact("Wants a pool", "Ann", ANN)))] == ["Wants a pool"]


def test_what_somebody_else_wrote_replaces_no_own_word() -> None:
    own = added("", Fact("Budget: up to $500,000", "Ann", ANN))
    beside = add(own, Fact("Budget: $900,000, Sarah wrote", "Ann", SHOWN))
    assert beside.gone == ()
    assert len(facts.facts(beside.body)) == 2
    assert add(beside.body, Fact("Budget: $700,000, Sarah wrote", "Ann", SHOWN)).gone[0].source == SHOWN
    with pytest.raises(Refused, match="own words"):
        swap(own, "Budget", Fact("Budget: $900,000, Sarah wrote", "", SHOWN))
    by_hand = "- Budget: up to $500,000\n"
    assert add(by_hand, Fact("Budget: $900,000, Sarah wrote", "", SHOWN)).gone == ()


MANY_LINES = "- Lender: Bob\n  at the bank\n\n  - phone 303-555-0100\n\nAfter.\n- Has a dog\n"


def test_a_fact_of_several_lines_goes_whole() -> None:
    [lender, dog] = facts.facts(MANY_LINES)
    assert lender.text == "Lender: Bob at the bank - phone 303-555-0100"
    assert (lender.line, lender.lines, dog.line) == (0, 4, 6)
    assert drop(MANY_LINES, "Lender").body == "\nAfter.\n- Has a dog\n"
    assert swap(MANY_LINES, "Lender", Fact("Lender: Tom")).body == "- Lender: Tom\n\nAfter.\n- Has a dog\n"
    assert add(MANY_LINES, Fact("Lender: Tom")).body == "- Lender: Tom\n\nAfter.\n- Has a dog\n"


def test_a_source_may_stand_at_the_end_of_the_first_or_the_last_line() -> None:
    for body in ("- a dog\n  and a cat [2026-11-20; Ann]\n", "- a dog [2026-11-20; Ann]\n  and a cat\n"):
        [one] = facts.facts(body)
        assert (one.text, str(one.source)) == ("a dog and a cat", "2026-11-20; Ann")


def test_a_section_is_dropped_whole_wherever_it_stands() -> None:
    body = "## Ann\n- a dog\n### Notes\n- n dogs\n## Bob\n- b\n# ann\n- c dogs\n## Deeper\n- d\n"
    changed = drop(body, "", section="Ann")
    assert changed.body == "## Bob\n- b\n"
    assert len(changed.gone) == 4
    with pytest.raises(NotFound):
        drop(body, "", section="An")
    with pytest.raises(BadInput):
        drop(body, "")


def test_forgetting_somebody_takes_what_names_them_whole() -> None:
    body = "## Ann Lee\n- a\n## Bob\n- Referred by Ann Lee\n- Ann is his wife\n"
    assert clear(body, "", "Ann Lee").body == "## Bob\n- Ann is his wife\n"
    assert clear(body, "", "Zoe Poe") == (body, ())
    assert clear(body, "referred").body == body.replace("- Referred by Ann Lee\n", "")


def test_a_sections_title_alone_names_none_of_its_facts() -> None:
    body = "## Ann Lee\n- Has a dog\n- Has a cat\n"
    assert facts.find(body, "Ann Lee") == []
    assert [one.text for one in facts.find(body, "Ann's dog")] == ["Has a dog"]
    assert facts.find(body, "the") == []


def test_words_that_name_several_or_none_are_refused() -> None:
    body = "- red dog\n- brown dog\n- Dog.\n"
    with pytest.raises(BadInput, match="2 facts say 'a dog': red dog; brown dog"):
        drop("- red dog\n- brown dog\n", "a dog")
    with pytest.raises(NotFound):
        drop(body, "cat")
    assert [one.text for one in drop(body, "dog").gone] == ["Dog."], "said exactly"


def test_a_list_stays_one_list_and_a_paragraph_stays_apart() -> None:
    assert added("## A\n- one dog\n  more\n", Fact("Has a cat", "A")) == "## A\n- one dog\n  more\n- Has a cat\n"
    assert added("## A\nWords.\n", Fact("Has a cat", "A")) == "## A\nWords.\n\n- Has a cat\n"
    assert added("## A\n## B\n", Fact("Has a cat", "A")) == "## A\n- Has a cat\n\n## B\n"
    assert added("- one dog\n", Fact("Has a cat", "A")) == "- one dog\n\n## A\n- Has a cat\n"


def test_a_section_as_it_stands() -> None:
    assert facts.part(SECTIONED, "ann") == "- a\n\n### Notes\n- n\n\n"
    assert facts.part(SECTIONED, "An") == ""
    assert facts.sections(SECTIONED) == ["Ann", "Notes", "Ann Lee", "Bob"]


@pytest.mark.parametrize("words", ["", "  ", "- ", "the", "🙂", "x " * 250])
def test_what_is_no_fact_is_refused(words: str) -> None:
    with pytest.raises(BadInput):
        add("", Fact(words))


def test_five_thousand_facts_are_no_burden() -> None:
    body = "".join(f"\n## Person {n}\n- Budget: up to ${n + 1},000 [{ANN}]\n- Likes dog {n}\n" for n in range(2_500))
    body = added(body, Fact("Budget: up to $9k", "Person 2000", ANN))
    assert len(facts.facts(body)) == 5_000
    assert len(clear(body, "", "Person 2000").gone) == 2
    one_section = "".join(f"- Number {n} likes dogs of kind {n}\n" for n in range(5_000))
    assert len(facts.facts(added(one_section, Fact("Number 17 likes a cat")))) == 5_001
