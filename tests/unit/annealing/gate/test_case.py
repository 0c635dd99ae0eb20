"""A case's file: what is read, what is refused and where, and that what is written is read back the same."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.annealing.gate.case import Case, Expect
from runtime.annealing.gate.cases import PLACE, parse, render
from runtime.annealing.gate.matching import has
from runtime.errors import ConfigFault

FILE = f"{PLACE}/greets.yaml"
GOOD = """\
id: greets
about: It greets
kind: protected
family: showings
source: blueprint
at: '2026-11-20T10:00:00-07:00'
conversation:
- {role: user, text: Good morning}
cassette:
- {tool: recall, output: Nothing.}
expect:
  says: [hello, /good (day|morning)/]
"""


def test_a_case_is_read() -> None:
    case = parse(FILE, GOOD)
    assert (case.id, case.kind, case.family, case.role.value) == ("greets", "protected", "showings", "owner")
    assert case.at == datetime(2026, 11, 20, 17, tzinfo=UTC)
    assert (case.tested.text, case.earlier, case.cassette[0].input) == ("Good morning", (), None)
    assert case.expect.asserts
    assert not case.expect.is_open


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("kind: protected", "kind: canny", f"{FILE}:3: kind: "),
        ("about: It greets\n", "", "about"),
        ("says: [hello,", "says: [/(/,", f"{FILE}:12: expect.says.0: not a regular expression"),
        ("says: [hello,", "says: [/,", "between two slashes"),
        ("role: user", "role: assistant", "the last message"),
        ("source:", "hiden: true\nsource:", f"{FILE}:5: hiden: nobody knows this key"),
        ("kind: protected", "kind: trigger\nhidden: true", "only a protected case is hidden"),
        ("kind: protected", "kind: canary", "begins with canary-"),
        ("id: greets", "id: other", "wanted greets"),
        ("'2026-11-20T10:00:00-07:00'", "'2026-11-20T10:00:00'", "at: "),
        ("{tool: recall,", "{tool: &x recall,", "& and * are not read"),
    ],
)
def test_a_fault_names_its_line(old: str, new: str, fault: str) -> None:
    assert old in GOOD
    with pytest.raises(ConfigFault) as caught:
        parse(FILE, GOOD.replace(old, new))
    assert fault in caught.value.problem


def test_the_example_in_the_docs_is_a_case() -> None:
    text = (Path(__file__).parents[4] / "docs" / "cases.md").read_text()
    example = text.partition("```yaml\n")[2].partition("```")[0]
    case = parse(f"{PLACE}/showing-is-requested.yaml", example)
    assert set(Case.model_fields) == case.model_fields_set, "every key is shown"
    assert set(Expect.model_fields) == case.expect.model_fields_set


def test_a_canary_says_what_must_not_happen() -> None:
    text = GOOD.replace("kind: protected", "kind: canary").replace("id: greets", "id: canary-greets")
    text = text.replace("says: [hello, /good (day|morning)/]", "says: []")
    with pytest.raises(ConfigFault, match="a canary says in assertions"):
        parse(f"{PLACE}/canary-greets.yaml", text)


texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=80).filter(
    str.strip
)
lines = st.lists(texts, min_size=1, max_size=4).map("\n".join)


@given(
    lines,
    lines,
    st.dictionaries(texts.map(str.strip), st.one_of(texts.map(str.strip), st.integers(), st.booleans()), max_size=3),
)
def test_what_is_written_is_read_back(said: str, output: str, given: dict[str, Any]) -> None:
    case = Case.model_validate(
        {
            "id": "greets",
            "about": "x",
            "kind": "trigger",
            "source": "turn:t1",
            "conversation": [{"role": "assistant", "text": output}, {"role": "user", "text": said}],
            "cassette": [{"tool": "recall", "input": given, "output": output}],
        }
    )
    assert parse(FILE, render(case)) == case


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("12 Elm", "at 12  elm,", True),
        ("12 Elm", "at 112 Elm", False),
        ("$525,000", "for $525,000.", True),
        ("late", "translate", False),
        (r"/10(:00)? ?am/", "at 10 AM", True),
        (r"/\?/", "no question", False),
    ],
)
def test_words_are_found_whole_and_in_any_case(pattern: str, text: str, found: bool) -> None:
    assert has(pattern, text) is found
