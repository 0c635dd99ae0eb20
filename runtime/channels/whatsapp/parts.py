"""A long reply in as few WhatsApp messages as it takes: each is billed. Pure.

Owns where the cut lies: at the end of a paragraph, a line or a sentence outside of all marks, else through them, closed
before it and opened after. A part is markdown again, for each is formatted on its own when it is sent.
"""

from runtime.channels import marks, splitting
from runtime.channels.splitting import units
from runtime.channels.whatsapp.formatting import LIMIT, format_text

_ROOM = 256
"""Units kept for marks that are closed and opened again."""
_SMALLEST = 64
_LONGER = 2
"""A text so many times longer than a message may still be one: marks and rules of tables are not sent."""


def split(text: str) -> list[str]:
    """``text`` in parts that each fit one message once formatted; none is empty or only white space."""
    parts = []
    rest = text.strip()
    while rest and not _fits(rest):
        part, rest = _parted(rest)
        parts.append(part)
    return [part for part in [*parts, rest] if part.strip()]


def _fits(text: str) -> bool:
    return units(text) <= LIMIT * _LONGER and units(format_text(text)) <= LIMIT


def _parted(text: str) -> tuple[str, str]:
    """The first message of ``text``, which is too long for one, and the rest. Where the marks make it longer (the
    titles of a wide table, again on each line), it holds less of the text."""
    limit = min(LIMIT, units(text) - 1)
    while True:
        part, rest = _cut(text, limit)
        size = units(format_text(part))
        if limit <= _SMALLEST or size <= LIMIT:
            return part, rest
        limit = max(min(limit * (LIMIT - _ROOM) // size, limit - _SMALLEST), _SMALLEST)


def _cut(text: str, limit: int) -> tuple[str, str]:
    found = marks.spans(text[: LIMIT * _LONGER])
    cuts = splitting.cuts(text, limit)
    # A span that goes on beyond what was looked at is still one that begins before the cut.
    cut = next((place for place in cuts if not marks.opened(found, place)), cuts[0])
    before, after = text[:cut].rstrip(), text[cut:].lstrip()
    open_ones = marks.opened(found, cut)
    closing, opening = "".join(span.close for span in reversed(open_ones)), "".join(span.reopen for span in open_ones)
    if len(closing) + len(opening) > _ROOM:  # a head of a table that is a message by itself
        return before, after
    return before + closing, opening + after
