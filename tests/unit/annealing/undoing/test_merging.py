"""Three versions made one: disjoint changes both stay, the same place changed twice is an overlap."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.annealing.undoing.merging import merged_rule, merged_text, same_rule, three_way

WORDS = st.lists(st.sampled_from("abcd"), max_size=5)


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "merged"),
    [
        ("abc", "abc", "aXc", "aXc"),
        ("abc", "Abc", "abC", "AbC"),
        ("abc", "aBc", "abC", "aBC"),
        ("abc", "aBc", "aXc", None),
        ("abc", "aXc", "aXc", "aXc"),
        ("abc", "abcd", "abC", "abCd"),
        ("abc", "abcd", "abce", None),
        ("abc", "xabc", "bc", "xbc"),
        ("abc", "ac", "aBc", None),
        ("abc", "", "abc", ""),
        ("abc", "a", "ab", "a"),
    ],
)
def test_changes_are_disjoint_or_overlap(base: str, ours: str, theirs: str, merged: str | None) -> None:
    found = three_way(base, ours, theirs)
    assert (None if found is None else "".join(found)) == merged


@given(base=WORDS, ours=WORDS)
def test_with_one_side_unchanged_it_is_the_other(base: list[str], ours: list[str]) -> None:
    assert three_way(base, ours, base) == ours
    assert three_way(base, base, ours) == ours
    assert three_way(base, ours, ours) == ours


@given(base=WORDS, ours=WORDS, theirs=WORDS)
def test_sides_are_equal(base: list[str], ours: list[str], theirs: list[str]) -> None:
    assert three_way(base, ours, theirs) == three_way(base, theirs, ours)


def rule(text: str, head: str = "") -> bytes:
    return f'---json\n{{\n  "id": "r"{head}\n}}\n---\n\n{text}\n'.encode()


def test_a_rule_is_merged_by_field_and_keeps_its_bytes_where_it_can() -> None:
    base, theirs = rule("new", ',\n  "state": "probation"'), rule("old", ',\n  "state": "kept"')
    assert merged_rule(base, base, theirs).data == theirs
    own = rule("new", ',\n  "state": "kept",\n  "helpful": 2,\n  "mine": "x"')
    found = merged_rule(base, own, theirs)
    assert (found.data, found.overlaps) == (rule("old", ',\n  "state": "kept",\n  "helpful": 2,\n  "mine": "x"'), False)


def test_a_later_stamp_and_a_pin_stay_and_a_verdict_goes() -> None:
    def stamped(state: str, improvement: str) -> bytes:
        return rule("x", f',\n  "state": "{state}",\n  "improvement": "{improvement}"')

    old, base = stamped("kept", "a"), stamped("probation", "b")
    assert merged_rule(base, stamped("kept", "b"), old).data == old
    assert merged_rule(base, stamped("kept", "c"), old).data == stamped("kept", "c")
    assert merged_rule(base, stamped("pinned", "b"), old).data == stamped("pinned", "a")


def test_entries_of_a_list_are_changes_of_their_own() -> None:
    sides = [rule("x", f',\n  "triggers": {entries}') for entries in ('["a", "b"]', '["a", "b", "c"]', '["b"]')]
    assert b'"b",\n    "c"' in merged_rule(*sides).data
    assert not merged_rule(*sides).overlaps
    assert merged_rule(sides[0], sides[1], rule("x", ',\n  "triggers": ["a", "b", "d"]')).overlaps


def test_an_overlap_gives_theirs_there_and_ours_elsewhere() -> None:
    found = merged_rule(rule("1\n2\n3"), rule("1\nx\n3", ',\n  "own": "i"'), rule("1\ny\n3"))
    assert (found.data, found.overlaps) == (rule("1\ny\n3", ',\n  "own": "i"'), True)


def test_a_file_that_is_no_rule_is_merged_as_text() -> None:
    assert merged_rule(b"a\nb\n", b"A\nb\n", b"a\nB\n").data == b"A\nB\n"
    assert merged_rule(b"a\n", b"b\n", b"c\n").data == b"c\n"
    assert merged_text(b"a\n", b"b\n", b"c\n") is None
    assert same_rule(b"\xff", b"\xff")
    assert not same_rule(b"\xff", rule("x"))


def test_books_of_the_loop_are_not_what_a_rule_says() -> None:
    assert same_rule(rule("x", ', "helpful": 2'), rule("x", ', "state": "kept"'))
    assert not same_rule(rule("x", ', "triggers": ["i"]'), rule("x"))
    assert not same_rule(rule("x"), rule("y"))
