"""Taking back added lines beside which others were added later."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.tenant.git.inverse import without_added

LINES = st.lists(st.sampled_from(["a\n", "b\n", "c\n", "d\n"]), max_size=6).map("".join)


@pytest.mark.parametrize(
    ("parent", "commit", "now", "left"),
    [
        ("#\n", "#\n- Bill\n", "#\n- Ann\n- Bill\n", "#\n- Ann\n"),
        ("#\n", "#\n\n- Bill\n", "#\n\n- Ann\n\n- Bill\n", "#\n\n- Ann\n"),
        ("#\n", "#\n- Bill\n", "#\n- Bill, in May\n", None),
        ("#\n", "#\n- Bill\n", "#\n- Bill\n- Bill\n", None),
        ("#\n- Bill\n", "#\n", "#\n", None),
        ("#\n- Bill\n", "#\n- Ann\n", "#\n- Ann\n", None),
        ("a\nz\n", "a\n1\nz\n2\n", "a\n1\nx\nz\n2\ny\n", "a\nx\nz\ny\n"),
        ("#\n", "#\n\n", "#\n\n", None),
        ("#\n\n- Bill\n", "#\n\n- Ann\n\n- Bill\n", "#\n\n- Ann\n", "#\n\n"),
    ],
)
def test_lines_that_were_added_are_taken_out(parent: str, commit: str, now: str, left: str | None) -> None:
    found = without_added(parent.encode(), commit.encode(), now.encode())
    assert (found.decode() if found is not None else None) == left


@given(parent=LINES, added=st.integers(0, 9), later=LINES)
def test_whatever_came_after_stays(parent: str, added: int, later: str) -> None:
    fact = f"- fact {added}\n"
    assert (
        without_added(parent.encode(), (parent + fact).encode(), (parent + fact + later).encode())
        == (parent + later).encode()
    )
