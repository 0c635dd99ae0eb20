"""Cutting a long reply into messages, at paragraph and sentence ends. Pure; no channel's marks are known here."""

import re
import unicodedata

# Where a cut hurts least, best first: a match ends where the next part begins. None looks far back: linear time.
_PARAGRAPH = re.compile(r"\n[^\S\n]*\n\s*")
_LINE = re.compile(r"\n\s*")
_SENTENCE = re.compile(
    r"(?<=[.!?…])\s+|(?<=[.!?…][\"'”’)\]])\s+"  # noqa: RUF001 - these are the marks themselves
    r"|(?<=[。！？])(?![”’」』）])|(?<=[。！？][”’」』）])"  # noqa: RUF001
)
_WORD = re.compile(r"\s+")
_CUTS = (_PARAGRAPH, _LINE, _SENTENCE, _WORD)

_JOINER = "\u200d"
_SHORTEST = 0.5  # a part is at least so full, as long as a lesser cut allows it


def units(text: str) -> int:
    """The length of ``text`` in UTF-16 code units, as Telegram counts."""
    return len(text) + sum(character > "\uffff" for character in text)


def split(text: str, limit: int) -> list[str]:
    """``text`` in parts of at most ``limit`` (>= 16) UTF-16 units each, none empty or only white space.

    Every character that is not white space is kept, in order; a character is never cut in half, and what is
    drawn as one (an emoji of several, a letter with its accents) only where it alone is longer than a part.
    """
    parts = []
    rest = text.strip()
    while len(rest) > limit or units(rest) > limit:
        cut = _cut(rest, limit)
        parts.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    return [part for part in [*parts, rest] if part]


def cuts(text: str, limit: int) -> list[int]:
    """Every index, best first, at which ``text`` (longer than ``limit`` units) can be cut so that what is before it
    fills at least half of ``limit`` and fits: the latest line end to the first, then sentences, then words; at last
    the one between two characters."""
    reach = _reach(text, limit)
    window = text[: reach + text[reach].isspace()]
    found = {
        match.end(): None
        for pattern in _CUTS
        for match in reversed(list(pattern.finditer(window)))
        if match.end() >= reach * _SHORTEST
    }
    return [*found, _between_graphemes(text, reach)]


def _cut(text: str, limit: int) -> int:
    """The index at which to cut ``text``, which is longer than ``limit`` and does not begin with white space."""
    reach = _reach(text, limit)
    # One white space behind the edge costs nothing, and shows that the edge itself is a good place.
    window = text[: reach + text[reach].isspace()]
    found = []
    for pattern in _CUTS:
        last = max((match.end() for match in pattern.finditer(window)), default=0)
        if last >= reach * _SHORTEST:
            return last
        found.append(last)
    return max(found) or _between_graphemes(text, reach)


def _reach(text: str, limit: int) -> int:
    """How many characters of ``text`` fit into ``limit`` units."""
    used = 0
    for index, character in enumerate(text):
        used += 1 + (character > "\uffff")
        if used > limit:
            return index
    return len(text)


def _between_graphemes(text: str, reach: int) -> int:
    """The last index up to ``reach`` that does not part what is drawn as one; ``reach`` when there is none near."""
    for index in range(reach, max(reach - 64, 0), -1):
        if not _joined(text, index):
            return index
    return reach


def _joined(text: str, index: int) -> bool:
    """Whether the characters on both sides of ``index`` are drawn as one (a plain reading of UAX 29)."""
    before, after = text[index - 1], text[index]
    if _JOINER in (before, after) or unicodedata.combining(after) or unicodedata.category(after) in ("Mn", "Me", "Mc"):
        return True
    if "\U0001f3fb" <= after <= "\U0001f3ff" or "\U000e0020" <= after <= "\U000e007f":
        return True
    if not (_is_flag(before) and _is_flag(after)):
        return False
    run = 0
    while run < index and _is_flag(text[index - 1 - run]):
        run += 1
    return run % 2 == 1


def _is_flag(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"
