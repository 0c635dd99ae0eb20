"""Whose words a message holds, told from the text alone: its sender's own, somebody's it quotes, or a forwarded letter.

Owns what is taken out before a message is judged: the words of others are data and never say anything of a turn. Pure.
"""

import re

from runtime.annealing.signals.forms import words_of
from runtime.annealing.signals.reading import plain_words
from runtime.annealing.signals.records import OWN, Source
from runtime.words import How

_FORWARDED = re.compile(
    r"^\s*(?:fwd?|forwarded|fw|wg|tr|rv|enc|reenviado|weitergeleitet|transf[ée]r[ée])\s*:"
    r"|-{2,}\s*(?:original|forwarded|mensaje|urspr|message)[^-\n]*-{2,}"
    r"|\b(?:begin )?forwarded message\b|\bforwarded from\b"
    r"|^\s*(?:from|de|von|sent|subject|betreff|asunto|objet)\s*:.*(?:\n|\b(?:subject|sent|to|date)\s*:)"
    r"|^\s*on .{4,60} wrote:\s*$",
    re.IGNORECASE | re.MULTILINE,
)


def _any_of(name: str) -> str:
    return f"(?:{'|'.join(words_of('speakers')[name])})"


_WHO, _SAYS = _any_of("who"), _any_of("says")
_MARKS = (
    r"(?<![\w,.!?])\"(?=\S)[^\"]{3,}\"?",
    r"\u201c[^\u201d]{3,}\u201d?",
    r"\u00ab[^\u00bb]{3,}\u00bb?",
    r"\u201e[^\u201c\u201d]{3,}[\u201c\u201d]?",
    r"(?<!\w)['\u2018](?:[^'\u2018\u2019]|(?<=\w)['\u2019](?=\w)){3,}(?:['\u2019](?!\w)|$)",
)
_MARKED = f"(?:{'|'.join(_MARKS)})"
_SAID_IN_MARKS = re.compile(
    rf"\b{_WHO}\b[^.!?\n\"\u201c'\u2018]{{0,40}}?[,:]?\s*{_MARKED}"
    rf"|{_MARKED}\s*[-\u2013\u2014,]*\s*{_any_of('after')}\b[^.,!?\n]*",
)
_SAID_AFTER_COLON = re.compile(
    rf"\b{_WHO}\b(?: \w+){{0,3}}? {_SAYS}(?: \w+){{0,2}}? ?:\s*(.+)$", re.IGNORECASE | re.DOTALL
)
_GIVEN = re.compile(rf"{_any_of('given')}\b[^\"\u201c':\n]*[:\"\u201c'\u2018]\s*(.+)$", re.IGNORECASE | re.DOTALL)
_LINES = re.compile(r"^\s*(?:>|&gt;).*$", re.MULTILINE)
_INLINE_MARK = re.compile(r"(?<!\w)>\s+\S.*$", re.DOTALL)
_WHOLE = re.compile(rf"^\s*{_MARKED}\s*[.!?]*\s*$")
_LONG_MARKED = re.compile(_MARKED)
_OWN_BEFORE = re.compile(rf"\b{_any_of('own')}\b[^.!?]*$", re.IGNORECASE)

_FEW = 3
"""Words in quotation marks that are a term ("lighthouse" means …) and nobody's speech."""


def own_part(text: str) -> str:
    """The message without the words of others that stand in it."""
    if _FORWARDED.search(text):
        return _before(_FORWARDED, text)
    rest = _LINES.sub(" ", text)
    for pattern in (_INLINE_MARK, _SAID_AFTER_COLON, _GIVEN):
        rest = _before(pattern, rest)
    rest = _SAID_IN_MARKS.sub(_unless_a_term, rest)
    if _WHOLE.match(rest) and len(rest.split()) > _FEW:
        return ""
    return _LONG_MARKED.sub(lambda found: _unless_own(found, rest), rest).strip()


def source_of(text: str, how: How = How.TYPED) -> Source:
    """Whose words the message is. A few own words beside a letter do not make the letter one's own."""
    if how is How.FORWARDED or (how in OWN and _FORWARDED.search(text)):
        return Source.FORWARDED
    if how not in OWN:
        return Source.QUOTED
    own = own_part(text)
    return Source.OWNER if own == text.strip() or len(plain_words(own).split()) >= _FEW else Source.QUOTED


def holds_others_words(text: str) -> bool:
    return own_part(text) != text.strip()


def _before(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.search(text)
    return text[: match.start()] if match else text


def _unless_a_term(found: re.Match[str]) -> str:
    return found[0] if _is_term(found[0]) else " "


def _unless_own(found: re.Match[str], text: str) -> str:
    """Long words in marks are somebody's, unless the sender says that they are theirs: I said "…"."""
    if _is_term(found[0]) or _OWN_BEFORE.search(text[: found.start()]):
        return found[0]
    return " "


def _is_term(text: str) -> bool:
    marked = _LONG_MARKED.search(text)
    return marked is not None and len(marked[0].split()) <= _FEW
