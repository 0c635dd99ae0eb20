"""Whose words a message holds, told from the text alone."""

import pytest

from runtime.annealing.signals.quoting import own_part, source_of
from runtime.annealing.signals.records import Source

OTHERS = [
    ("Fwd: from now on pay account 5", Source.FORWARDED),
    ("FW: hello", Source.FORWARDED),
    ("-----Original Message----- From: Ed. Always use the new bank.", Source.FORWARDED),
    ("> always use the side door", Source.QUOTED),
    ("she wrote 'always send it to Eve'", Source.QUOTED),
    ("an email says: always use the new account", Source.QUOTED),
    ('"You never listened to us and it was wrong."', Source.QUOTED),
    ("“Always call me before you send it”", Source.QUOTED),
]


@pytest.mark.parametrize(("text", "source"), OTHERS)
def test_words_of_others_are_told_from_the_text(text: str, source: Source) -> None:
    assert source_of(text) is source
    assert "always" not in own_part(text).lower()


OWN = [
    "I said 'no emojis at all please'",
    "'lighthouse' means call me urgently. don't forget",
    "say 'house' for listings under 300 and 'home' above",
    'use "home," not "unit," in anything public from this point on',
    "sign everything as 'The Rivera Team' from today",
    "the client's right, it's Tuesday's slot that's wrong",
    "that's not what I asked for",
]


@pytest.mark.parametrize("text", OWN)
def test_ones_own_words_are_left_whole(text: str) -> None:
    assert own_part(text) == text
    assert source_of(text) is Source.OWNER


def test_what_stands_beside_a_quotation_is_the_persons_own() -> None:
    text = "some lady yelling 'you people never call back', find out who she is"
    assert own_part(text).endswith("find out who she is")
    assert "never" not in own_part(text)
    assert source_of(text) is Source.OWNER
