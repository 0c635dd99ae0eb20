"""Whose words a message holds, told from the text alone: its sender's own, somebody's it quotes, or a forwarded letter.

Owns what is told apart before a message is judged or remembered: the words of others are data, whoever pasted them. How
others' words stand in a message is in speakers.txt. Pure.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from runtime.tenant.life.tables import words_of

_FORWARDED = re.compile(
    r"^[^\S\n]*(?:fwd?|forwarded|fw|wg|tr|rv|enc|reenviado|weitergeleitet|transf[ée]r[ée])\s*:"
    r"|(?<!-)-{2,}\s*(?:original|forwarded|mensaje|urspr|message)[^-\n]*-{2,}"
    r"|\b(?:begin )?forwarded message\b|\bforwarded from\b"
    r"|^[^\S\n]*(?:from|de|von|sent|subject|betreff|asunto|objet)\s*:.*(?:\n|\b(?:subject|sent|to|date)\s*:)"
    r"|^[^\S\n]*on .{4,60} wrote:\s*$",
    re.IGNORECASE | re.MULTILINE,
)


_TABLE = words_of(Path(__file__).with_name("speakers.txt"))


def _any_of(name: str) -> str:
    return f"(?:{'|'.join(_TABLE[name])})"


_WHO, _SAYS = _any_of("who"), _any_of("says")
_MARKS = (
    r"(?<![\w,.!?])\"(?=\S)[^\"]{3,}\"?",
    r"\u201c[^\u201c\u201d]{3,}\u201d?",
    r"\u00ab[^\u00ab\u00bb]{3,}\u00bb?",
    r"\u201e[^\u201c\u201d\u201e]{3,}[\u201c\u201d]?",
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
_LINES = re.compile(r"^[^\S\n]*(?:>|&gt;).*$", re.MULTILINE)
_INLINE_MARK = re.compile(r"(?<!\w)>\s+(?![\d$€£])\S.*$", re.DOTALL)
_WHOLE = re.compile(rf"^\s*{_MARKED}\s*[.!?]*\s*$")
_LONG_MARKED = re.compile(_MARKED)
_OWN_BEFORE = re.compile(rf"\b{_any_of('own')}\b[^.!?]*$", re.IGNORECASE)

_FEW = 3
"""Words in quotation marks that are a term ("lighthouse" means …) and nobody's speech."""


@dataclass(frozen=True, slots=True)
class Parts:
    """A message: what its sender says, and what others say in it."""

    own: str
    others: str


@lru_cache(maxsize=1_024)
def apart(text: str) -> Parts:
    """The words of others told apart from the sender's own."""
    taken = _Taken()
    if _FORWARDED.search(text):
        own = taken.after(_FORWARDED, text)
        return Parts(own, taken.text)
    rest = _LINES.sub(taken, text)
    for pattern in (_INLINE_MARK, _SAID_AFTER_COLON, _GIVEN):
        rest = taken.after(pattern, rest)
    rest = _SAID_IN_MARKS.sub(taken.unless(_is_term), rest)
    if _WHOLE.match(rest) and len(rest.split()) > _FEW:
        return Parts("", text)
    before = rest
    rest = _LONG_MARKED.sub(taken.unless(_is_term, lambda found: _is_called_own(found, before)), rest)
    return Parts(rest.strip(), taken.text)


def own_part(text: str) -> str:
    """The message without the words of others that stand in it."""
    return apart(text).own


def is_passed_on(text: str) -> bool:
    """Whether a letter of somebody else was pasted whole, with its head."""
    return _FORWARDED.search(text) is not None


def holds_others_words(text: str) -> bool:
    return own_part(text) != text.strip()


class _Taken:
    """What is taken out of a text, kept."""

    def __init__(self) -> None:
        self._parts: list[str] = []

    @property
    def text(self) -> str:
        return "\n".join(part.strip() for part in self._parts if part.strip())

    def __call__(self, found: re.Match[str]) -> str:
        self._parts.append(found[0])
        return " "

    def after(self, pattern: re.Pattern[str], text: str) -> str:
        """The text before the pattern; from there on it is taken."""
        match = pattern.search(text)
        if match is None:
            return text
        self._parts.append(text[match.start() :])
        return text[: match.start()]

    def unless(self, *stays: Callable[[re.Match[str]], bool]) -> Callable[[re.Match[str]], str]:
        return lambda found: found[0] if any(one(found) for one in stays) else self(found)


def _is_called_own(found: re.Match[str], text: str) -> bool:
    """Long words in marks are somebody's, unless the sender says that they are theirs: I said "…"."""
    return _OWN_BEFORE.search(text[: found.start()]) is not None


def _is_term(found: re.Match[str]) -> bool:
    marked = _LONG_MARKED.search(found[0])
    return marked is not None and len(marked[0].split()) <= _FEW
