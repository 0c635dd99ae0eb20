"""Whose words a message is, as a judgement of it says."""

import pytest

from runtime.annealing.signals.records import Source
from runtime.annealing.signals.whose import source_of
from tests.unit.tenant.life.test_quoting import BESIDE, OTHERS, OWN


@pytest.mark.parametrize("text", OTHERS)
def test_words_of_others_are_told_from_the_text(text: str) -> None:
    wanted = Source.FORWARDED if text.startswith(("Fwd:", "FW:", "-----")) else Source.QUOTED
    assert source_of(text) is wanted


@pytest.mark.parametrize("text", [*OWN, BESIDE])
def test_ones_own_words_stay_ones_own(text: str) -> None:
    assert source_of(text) is Source.OWNER
