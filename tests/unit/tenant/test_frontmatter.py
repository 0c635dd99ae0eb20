"""A head is read strictly, a body is kept to the byte, and a fault names file and line."""

import frontmatter
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.errors import BadInput
from runtime.tenant.frontmatter import FencedJSON, dump, parse

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
)
HEADS = st.dictionaries(st.text(), VALUES, max_size=4)
FENCES = st.sampled_from(["---", "---json", "\n", "\r\n", "{", "}", "  ", "text"])
BODIES = st.text() | st.lists(FENCES, max_size=8).map("\n".join)


@given(HEADS, BODIES)
def test_what_is_written_is_read_back(meta: dict[str, object], body: str) -> None:
    assert parse(dump(meta, body)) == (meta, body)


@given(HEADS, BODIES)
def test_reading_and_writing_again_changes_no_byte(meta: dict[str, object], body: str) -> None:
    text = dump(meta, body)
    assert dump(*parse(text)) == text


@given(st.text() | BODIES.map(lambda body: f"---json\n{body}"))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        meta, _ = parse(text)
    except BadInput:
        return
    assert isinstance(meta, dict)


def test_python_frontmatter_reads_the_same_file() -> None:
    text = dump({"title": "Zoë", "version": 1}, "- a fact\n")
    post = frontmatter.loads(text, handler=FencedJSON())
    assert post.metadata == {"title": "Zoë", "version": 1}
    assert post.content == "- a fact"
    assert parse(frontmatter.dumps(post)) == ({"title": "Zoë", "version": 1}, "- a fact")


def test_a_file_saved_by_a_windows_editor_is_read() -> None:
    meta, body = parse('\ufeff---json\r\n{"title": "x"}\r\n---\r\n\r\n- one\r\n')
    assert (meta, body) == ({"title": "x"}, "- one\r\n")


def test_a_rule_in_the_body_is_body() -> None:
    assert parse("---json\n{}\n---\n\nabove\n\n---\n\nbelow\n") == ({}, "above\n\n---\n\nbelow\n")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "life/x.md:1: wanted ---json"),
        ("# only text\n", "life/x.md:1: wanted ---json"),
        ("---\ntitle: yaml\n---\n", "life/x.md:1: wanted ---json"),
        ('---json\n{"a": 1}\n', "life/x.md:1: no line --- closes the head"),
        ('---json\n{\n  "a": 1,\n  "b": oops\n}\n---\n', "life/x.md:4: not JSON"),
        ('---json\n{\n  "a": "1"\n  "b": "2"\n}\n---\n', "life/x.md:4: not JSON"),
        ("---json\n---\n", "life/x.md:2: not JSON"),
        ("---json\n[1]\n---\n", "life/x.md:2: wanted one JSON object, got list"),
        ('---json\n{"a": 1, "a": 2}\n---\n', "the key 'a' is there twice"),
        ('---json\n{"a": NaN}\n---\n', "cannot be written as JSON"),
        ('---json\n{"a": 1e999}\n---\n', "cannot be written as JSON"),
        ('---json\n{"a": "\\ud800"}\n---\n', "cannot be written as JSON"),
        (f'---json\n{{"a": {"[" * 200_000}}}\n---\n', "nested too deeply"),
        (f'---json\n{{"a": {"9" * 5_000}}}\n---\n', "life/x.md:2: not a usable head"),
    ],
)
def test_a_fault_names_file_and_line(text: str, said: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse(text, path="life/x.md")
    assert said in caught.value.problem
    assert caught.value.hint


def test_what_is_no_json_is_not_written() -> None:
    with pytest.raises(BadInput, match="cannot be written"):
        dump({"at": object()}, "")
