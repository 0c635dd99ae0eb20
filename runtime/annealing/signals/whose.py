"""Whose words a message is, as a judgement of it says. Pure. How they are told apart is memory's (life/quoting.py)."""

from runtime.annealing.signals.reading import plain_words
from runtime.annealing.signals.records import OWN, Source
from runtime.tenant.life.quoting import is_passed_on, own_part
from runtime.words import How

_FEW = 3
"""Own words beside those of others that make a message its sender's."""


def source_of(text: str, how: How = How.TYPED) -> Source:
    """Whose words the message is. A few own words beside a letter do not make the letter one's own."""
    if how is How.FORWARDED or (how in OWN and is_passed_on(text)):
        return Source.FORWARDED
    if how not in OWN:
        return Source.QUOTED
    own = own_part(text)
    return Source.OWNER if own == text.strip() or len(plain_words(own).split()) >= _FEW else Source.QUOTED
