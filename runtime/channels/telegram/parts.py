"""Cutting a long reply, which is markdown, into parts that are markdown too: each is formatted on its own when it is
sent, and looks as it would have in one piece. Pure.

Owns where a cut may lie: between blocks; in a code block or a table between lines, with the fence or the head again
around the next part; in a paragraph where no mark is open, or where the open ones can be closed and opened again.
"""

import re
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from runtime.channels import splitting
from runtime.channels.splitting import units
from runtime.channels.telegram.formatting import ENTITY_LIMIT, LIMIT, format_text

_FENCE = re.compile(r"[ \t]*(?:>[ \t]?)*[ \t]*(`{3,}|~{3,})")
_TABLE_RULE = re.compile(r"[ \t]*\|?[ \t]*:?-+:?[ \t]*(\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*")
_CONTAINER = re.compile(r"(?:[ \t]*>)+[ \t]?|[ \t]{0,3}#{1,6}[ \t]+")
_MARKS = ("**", "*", "_", "__", "~~", "`", "***", "_**", "**_", "~~**", "**~~")

Look = list[tuple[str, frozenset[str]]]
"""Every character that is drawn, with the marks it has; how white space falls does not matter."""

_MOSTLY_MARKS = 4
"""A text so many times longer than a message may still be one, when most of it is marks and addresses."""
_ABSURD = 8
"""A single paragraph of so many messages is cut without a look at its marks: nobody writes one, and looking costs."""
_TRIES = 8
"""Cuts of a paragraph that are tried before one is made through its marks."""
_MENDED = 3
"""Cuts at which it is tried to close the open marks before and open them after."""
_ROOM = 16
"""Units kept free for the marks that are closed and opened again."""


def split(text: str) -> list[str]:
    """``text`` in parts that each fit one message once formatted; none is empty or only white space."""
    text = text.strip()
    if fits(text):
        return [text] if text else []
    parts = ("".join(_joined(blocks)).rstrip() for blocks in _packed(list(_blocks(text))))
    return [part for part in parts if part.strip()]


def fits(text: str) -> bool:
    """Whether ``text`` is one message when its marks became entities, and all of its marks are shown."""
    if units(text) > _MOSTLY_MARKS * LIMIT:
        return False
    formatted = format_text(text)
    return units(formatted.text) <= LIMIT and len(formatted.entities) <= ENTITY_LIMIT


# Packing


@dataclass(frozen=True, slots=True)
class _Block:
    """A code block, or lines up to an empty one; at most a message long. ``gap``: what stands before it."""

    gap: str
    text: str

    @property
    def size(self) -> int:
        return units(self.gap) + units(self.text)


def _packed(blocks: list[_Block]) -> Iterator[list[_Block]]:
    """As many blocks together as a message holds, in order."""
    pack: list[_Block] = []
    for block in blocks:
        if pack and sum(one.size for one in pack) + block.size > LIMIT:
            yield from _with_all_marks(pack)
            pack = []
        pack.append(block)
    if pack:
        yield from _with_all_marks(pack)


def _with_all_marks(pack: list[_Block]) -> list[list[_Block]]:
    """``pack``, or halves of it when one message would not show all of its marks."""
    if len(pack) == 1 or fits("".join(_joined(pack))):
        return [pack]
    half = len(pack) // 2
    return [*_with_all_marks(pack[:half]), *_with_all_marks(pack[half:])]


def _joined(pack: Sequence[_Block]) -> Iterator[str]:
    """The first block stands at the margin, whatever list it was part of: four spaces would make it code."""
    first, *others = pack
    yield textwrap.dedent(first.text)
    yield from (piece for block in others for piece in (block.gap, block.text))


# Blocks


def _blocks(text: str) -> Iterator[_Block]:
    gap = ""
    for kind, lines in _runs(text.split("\n")):
        if kind == "gap":
            gap = "\n" * (len(lines) + 1)
            continue
        for piece in _code(lines) if kind == "code" else _prose(lines):
            yield _Block(gap or "\n", piece)
            gap = "\n\n"
        gap = ""


def _runs(lines: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Lines of a kind together: ``code`` with its fences, ``gap``, ``prose``."""
    fence, number, kinds = "", 0, []
    for line in lines:
        mark = _FENCE.match(line)
        if fence:
            kinds.append((number, "code"))
            if mark and mark[1].startswith(fence) and line.strip(" \t>") == mark[1]:
                fence, number = "", number + 1
        elif mark and not (mark[1][0] == "`" and "`" in line[mark.end() :]):
            fence, number = mark[1], number + 1
            kinds.append((number, "code"))
        else:
            kinds.append((number, "prose" if line.strip() else "gap"))
    for (_, kind), run in groupby(zip(kinds, lines, strict=True), key=lambda pair: pair[0]):
        yield kind, [line for _, line in run]


def _code(lines: list[str]) -> list[str]:
    """A code block, or several with its fence around each."""
    mark = _FENCE.match(lines[0])
    fence = mark[1] if mark else "```"
    room = LIMIT - units(lines[0]) - units(fence) - 2
    whole = units("\n".join(lines)) <= LIMIT
    if whole or room < LIMIT // 2:
        return ["\n".join(lines)] if whole else splitting.split("\n".join(lines), LIMIT)
    closed = len(lines) > 1 and lines[-1].strip(" \t>").startswith(fence)
    body = lines[1:-1] if closed else lines[1:]
    return [f"{lines[0]}\n{chunk}\n{fence}" for chunk in _chunks(body, room)]


def _chunks(lines: list[str], room: int) -> Iterator[str]:
    """Whole lines in chunks of at most ``room`` units; only a line longer than that is cut. Every space is kept."""
    chunk: list[str] = []
    used = 0
    for line in (piece for whole in lines for piece in _pieces(whole, room)):
        if chunk and used + units(line) > room:
            yield "\n".join(chunk)
            chunk, used = [], 0
        chunk.append(line)
        used += units(line) + 1
    if "".join(chunk).strip():
        yield "\n".join(chunk)


def _pieces(line: str, room: int) -> Iterator[str]:
    while units(line) > room:
        cut = splitting.cuts(line, room)[0]
        yield line[:cut]
        line = line[cut:]
    yield line


# Paragraphs, lists, quotes, tables


def _prose(lines: list[str]) -> list[str]:
    text = "\n".join(lines)
    if units(text) <= LIMIT:
        return [text]
    head = "\n".join(lines[:2])
    if "|" in lines[0] and len(lines) > 1 and _TABLE_RULE.fullmatch(lines[1]) and units(head) < LIMIT // 2:
        return [f"{head}\n{rows}" for rows in _chunks(lines[2:], LIMIT - units(head) - 1)]
    if units(text) > _ABSURD * LIMIT:
        return splitting.split(text, LIMIT)
    parts = []
    look = _look(text)
    while units(text) > LIMIT:
        part, text, look = _parted(text, look)
        parts.append(part)
    return [*parts, text] if text.strip() else parts


def _parted(text: str, look: Look) -> tuple[str, str, Look]:
    """``text`` cut once: where no mark is open, else where the open ones can be closed and opened again. With how the
    rest has to look, as ``look`` is how all of it does."""
    cuts = splitting.cuts(text, LIMIT)
    for cut, container, mark in _ways(text, cuts):
        before = text[:cut].rstrip() + mark
        drawn = _look(before)
        if drawn != look[: len(drawn)]:
            continue
        after = container + mark[::-1] + text[cut:].lstrip()
        if _look(after) == look[len(drawn) :]:
            return before, after, look[len(drawn) :]
    before, after = text[: cuts[0]].rstrip(), text[cuts[0] :].lstrip()
    return before, after, _look(after)


def _ways(text: str, cuts: list[int]) -> Iterator[tuple[int, str, str]]:
    """(where to cut, what to open the rest with, what to close and open again), the plainest first."""
    yield from ((cut, "", "") for cut in cuts[:_TRIES])
    for cut in splitting.cuts(text, LIMIT - _ROOM)[:_MENDED]:
        for container in _containers(text, cut):
            yield from ((cut, container, mark) for mark in ("", *_MARKS))


def _containers(text: str, cut: int) -> set[str]:
    """What may have to stand before the rest of the line that is cut: the sign of its quote or heading."""
    found = _CONTAINER.match(text, text.rfind("\n", 0, cut) + 1)
    return {"", found[0]} if found else {""}


def _look(text: str) -> Look:
    formatted = format_text(text)
    marks: list[set[str]] = [set() for _ in range(units(formatted.text))]
    for entity in formatted.entities:
        for unit in range(entity["offset"], entity["offset"] + entity["length"]):
            marks[unit].add(f"{entity['type']} {entity.get('url', '')}")
    drawn, unit = [], 0
    for character in formatted.text:
        if not character.isspace():
            drawn.append((character, frozenset(marks[unit])))
        unit += 1 + (character > "\uffff")
    return drawn
