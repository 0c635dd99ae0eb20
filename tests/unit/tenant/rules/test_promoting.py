"""A rule's words become a part of its directive, and nothing else of it changes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.tenant.heads import Rule as Head
from runtime.tenant.rules import files
from runtime.tenant.rules.files import Rule
from runtime.tenant.rules.promoting import promoted, with_state

RULE = Rule("lead", Head(id="r1", state="kept", triggers=("lead",), helpful=3), "Call\n  first.")


@pytest.mark.parametrize(
    ("sop", "after"),
    [
        ("# Lead\n\nAnswer.\n", "# Lead\n\nAnswer.\n\n## Learned\n- Call first.\n"),
        ("# Lead\n\nAnswer.", "# Lead\n\nAnswer.\n\n## Learned\n- Call first.\n"),
        ("# Lead\r\n\r\nAnswer.\r\n", "# Lead\r\n\r\nAnswer.\r\n\r\n## Learned\r\n- Call first.\r\n"),
        ("# Lead\n\n## Learned\n- Text.\n", "# Lead\n\n## Learned\n- Text.\n- Call first.\n"),
        ("## Learned\n- Text.", "## Learned\n- Text.\n- Call first.\n"),
        (
            "## Learned\r\n- Text.\r\n\r\n## Never\r\n- x\r\n",
            "## Learned\r\n- Text.\r\n- Call first.\r\n\r\n## Never\r\n- x\r\n",
        ),
        ("## Learned\n\n## Never\n- x\n", "## Learned\n- Call first.\n\n## Never\n- x\n"),
        ("## Learned\n### More\n- Text.\n# Next\n", "## Learned\n### More\n- Text.\n- Call first.\n# Next\n"),
        ("## Learned\n- Call first.\n", "## Learned\n- Call first.\n"),
        ("## Learned by heart\n- x\n", "## Learned by heart\n- x\n\n## Learned\n- Call first.\n"),
    ],
)
def test_the_rule_is_the_last_bullet_of_what_was_learned(sop: str, after: str) -> None:
    assert promoted(sop, RULE) == after


@given(st.lists(st.sampled_from(["#", " ", "\n", "Learned", "\n## Learned\n", "- x", "\r\n", "\n# Next\n"])))
def test_nothing_is_lost_and_a_second_time_changes_nothing(parts: list[str]) -> None:
    sop = "".join(parts)
    once = promoted(sop, RULE)
    assert [line for line in sop.split() if line not in once.split()] == []
    assert promoted(once, RULE) == once


def test_only_the_state_of_a_rule_changes() -> None:
    pinned = with_state(RULE, "pinned")
    again = files.parse(pinned.path, pinned.rendered)
    assert (again.head.state, again.head.helpful, again.text) == ("pinned", 3, RULE.text)
    assert with_state(pinned, "kept") == RULE
