"""Where in a markdown text marks are open, so that a long one can be cut between them, or mended where it cannot.

Owns a plain reading of pairs (bold, struck, code, links, addresses), code blocks and tables: not a parser, it says
where a cut would hurt. Knows no channel. Pure, and linear in the length of the text.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_FENCE = re.compile(r"[ \t]{0,3}(`{3,}|~{3,})")
_RULE = re.compile(r"[ \t]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*")
_NEW_BLOCK = re.compile(r"[ \t]*(?:$|#{1,6}[ \t]|>|[-*+][ \t]|\d{1,9}[.)][ \t])")
_TOKEN = re.compile(
    r"\\."
    r"|!?\[[^\]\n]{0,500}\]\([^)\s]{0,2000}\)"
    r"|(?:https?://|www\.)[^\s<>|]{1,2000}"
    r"|[\w.+-]{1,64}@[\w.-]{1,255}"
    r"|(?P<mark>`+|\*{1,3}|_{1,3}|~~)"
)


@dataclass(frozen=True, slots=True)
class Span:
    """``text[start:end]`` belongs together. Cut in it all the same, ``close`` goes before and ``reopen`` after."""

    start: int
    end: int
    close: str = ""
    reopen: str = ""


def spans(text: str) -> list[Span]:
    """What belongs together in ``text``, in the order it ends."""
    lines = text.split("\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    found: list[Span] = []
    first = place = 0  # ``first``: of the lines read and not yet looked through for pairs

    def flush(until: int) -> None:
        if until > first:
            found.extend(_pairs(text, starts[first], starts[until] - 1))

    while place < len(lines):
        last, whole = _block(lines, place)
        if whole is None:
            if _NEW_BLOCK.match(lines[place]):
                flush(place)
                first = place
            place += 1
            continue
        flush(place)
        found.append(Span(starts[place], starts[last] - 1, *whole))
        first = place = last
    flush(len(lines))
    return found


def opened(found: Sequence[Span], cut: int) -> list[Span]:
    """Those that a cut at ``cut`` would part, the outermost first."""
    return sorted((span for span in found if span.start < cut < span.end), key=lambda span: (span.start, -span.end))


def _block(lines: Sequence[str], place: int) -> tuple[int, tuple[str, str] | None]:
    """The line after the code block or table that begins at ``place``, with what closes and opens it again."""
    line = lines[place]
    if fence := _FENCE.match(line):
        last = place + 1
        while last < len(lines) and lines[last].strip() != fence[1]:
            last += 1
        return min(last + 1, len(lines)), (f"\n{fence[1]}", f"{line}\n")
    if "|" in line and place + 1 < len(lines) and "-" in lines[place + 1] and _RULE.fullmatch(lines[place + 1]):
        last = place + 2
        while last < len(lines) and "|" in lines[last]:
            last += 1
        return last, ("", f"{line}\n{lines[place + 1]}\n")
    return place + 1, None


def _pairs(text: str, start: int, end: int) -> Iterator[Span]:
    """Pairs of marks, links and addresses within one paragraph."""
    standing: dict[str, int] = {}
    for token in _TOKEN.finditer(text, start, end):
        mark = token["mark"]
        code = next((one for one in standing if one[0] == "`"), "")
        if mark is None:
            if not code:
                yield Span(token.start(), token.end())
            continue
        if code and mark != code:
            continue
        before, after = text[token.start() - 1 : token.start()], text[token.end() : token.end() + 1]
        if mark in standing and (code or _closes(mark, before, after)):
            yield Span(standing[mark], token.end(), mark, mark)
            standing = {one: at for one, at in standing.items() if at < standing[mark]}
        elif mark not in standing and (mark[0] == "`" or _opens(mark, before, after)):
            standing[mark] = token.start()


def _opens(mark: str, before: str, after: str) -> bool:
    return bool(after.strip()) and not ((mark[0] == "_" or len(mark) == 1) and before.isalnum())


def _closes(mark: str, before: str, after: str) -> bool:
    return bool(before.strip()) and not ((mark[0] == "_" or len(mark) == 1) and after.isalnum())
