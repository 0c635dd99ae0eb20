"""Markdown as WhatsApp shows it: ``*bold* _italic_ ~struck~ `code` > quote``, lists; the rest becomes plain lines.

Owns the marks of one message. Does not own where a long reply is cut (``parts``). Pure, and total: any text gives a
text. What is no mark stays as it was typed: ``2*3*4``, an address, a path with underscores.
"""

import re
from collections.abc import Sequence

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markdown_it.tree import SyntaxTreeNode as Node

LIMIT = 4096
"""Characters of a text body. Counted here in UTF-16 units, the stricter reading. Each message is billed."""

RULE = "———"
_LARGEST = 200_000
"""Characters above which a text is left as it is: nobody wrote that, and no parser should be asked to read it."""

_MARKS = {"strong": "*", "em": "_", "s": "~"}
_ADDRESS = re.compile(
    r"""(?:https?://|www\.)[^\s<>*`|"'\[\](){}]+(?:\([^\s<>*`()\[\]]*\)[^\s<>*`|"'\[\](){}]*)*"""
    r"|[\w.+-]+@[\w-]+(?:\.[\w-]+)+",
    re.IGNORECASE,
)
_TRAILING = ".,;:!?_~"
_SIGN = r"(?:[-*+]|\d{1,9}[.)])"
_TOO_DEEP = re.compile(rf"^(?:(?:[ \t]*(?:>|{_SIGN})){{8}}|(?: {{16,}}|\t{{4,}}){_SIGN}[ \t])", re.MULTILINE)
"""A list in a list in a list …: the parser would leave out what is inside the innermost."""
_LANGUAGE = re.compile(r"[\w+#.-]*")
_BREAK = re.compile(r"[ \t]*<br[ \t]*/?>[ \t]*", re.IGNORECASE)
_STARS = re.compile(r"\*+")


def format_text(text: str) -> str:
    """``text``, which is markdown, with WhatsApp's own marks."""
    if len(text) > _LARGEST or _TOO_DEEP.search(text):
        return text.strip()
    marked = text.replace("\r\n", "\n").replace("\r", "\n")
    if "<" in marked:
        marked = "\n".join(_BREAK.sub(" " if "|" in line else "\n", line) for line in marked.split("\n"))
    found = _blocks(Node(_MARKDOWN.parse(marked)).children, marked.split("\n"))
    return found if found.strip() else text.strip()


# Reading: CommonMark with tables and ~~strikethrough~~, without what would eat plain text


def _literal(state: StateInline, silent: bool) -> bool:  # noqa: FBT001 - the parser calls it so
    """Take as typed: an address, and stars inside a word or between numbers."""
    end = _address_end(state) or _stars_end(state)
    if not end:
        return False
    if not silent:
        state.pending += state.src[state.pos : end]
    state.pos = end
    return True


def _address_end(state: StateInline) -> int:
    """The end of the address that reaches over the current place; 0 when there is none."""
    found = state.env.get("addresses")
    if found is None or found[0] != state.src:
        spans = [(match.start(), match.start() + len(match[0].rstrip(_TRAILING))) for match in _addresses(state.src)]
        state.env["addresses"] = found = (state.src, {at: end for start, end in spans for at in range(start, end)})
    return int(found[1].get(state.pos, 0))


def _addresses(text: str) -> Sequence[re.Match[str]]:
    return list(_ADDRESS.finditer(text)) if "@" in text or "://" in text or "www." in text.lower() else ()


def _stars_end(state: StateInline) -> int:
    """The end of a run of stars between two letters or digits; for ** one of them has to be a digit (2**3)."""
    run = _STARS.match(state.src, state.pos)
    if run is None or state.pos == 0 or run.end() >= state.posMax:
        return 0
    around = state.src[run.start() - 1] + state.src[run.end()]
    apart = any(character.isdigit() for character in around)
    return run.end() if around.isalnum() and around.isascii() and (len(run[0]) == 1 or apart) else 0


def _as_typed(url: str) -> str:
    return url


def _parser() -> MarkdownIt:
    found = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    # Indented lines are no code in a chat, a line of dashes no headline, "[1]: address" no definition to leave out.
    found.disable(["code", "lheading", "reference"])
    found.inline.ruler.before("text", "literal", _literal)
    found.normalizeLink = found.normalizeLinkText = _as_typed  # type: ignore[assignment,method-assign]
    return found


_MARKDOWN = _parser()


# Writing: blocks


def _blocks(nodes: Sequence[Node], lines: Sequence[str], depth: int = 0) -> str:
    """Each under the other, with an empty line between them where there was one."""
    found = ""
    for node in nodes:
        if (text := _block(node, lines, depth)).strip():
            found += (_between(node, lines) if found else "") + text
    return found


def _between(node: Node, lines: Sequence[str]) -> str:
    start = node.map[0] if node.map else 0
    return "\n\n" if start and not lines[start - 1].strip(" \t>") else "\n"


def _block(node: Node, lines: Sequence[str], depth: int) -> str:
    match node.type:
        case "paragraph":
            return _children(node)
        case "heading":
            return _marked(_children(node, ("strong",)), "strong")
        case "blockquote":
            # WhatsApp knows one level of quotes.
            quoted = _blocks(node.children, lines).split("\n")
            return "\n".join(f"> {line.removeprefix('> ')}".rstrip() for line in quoted)
        case "bullet_list" | "ordered_list":
            return _list(node, lines, depth)
        case "fence":
            return _code(node)
        case "table":
            return _table(node)
        case "hr":
            return RULE
        case _:
            return node.content


def _code(node: Node) -> str:
    """Without the name of a language; whatever else stands behind the opening mark is a line."""
    first = "" if _LANGUAGE.fullmatch(node.info.strip()) else f"{node.info.strip()}\n"
    return "```\n" + (first + node.content).rstrip().replace("```", "'''") + "\n```"


def _list(node: Node, lines: Sequence[str], depth: int) -> str:
    """Items as they were numbered, those of a list in a list set in."""
    numbers = [item.info for item in node.children]
    counted = len(set(numbers)) == 1 and numbers[0].isdecimal()
    found = ""
    for place, item in enumerate(node.children):
        number = str(int(item.info) + place) if counted and place else item.info
        text = _blocks(item.children, lines, depth + 1).lstrip(" ")
        mark = f"{number}{item.markup}" if node.type == "ordered_list" else item.markup
        mark = "-" if mark == "*" and text else mark
        found += (_between(item, lines) if place else "") + f"{'  ' * depth}{mark} {text}".rstrip()
    return found


def _table(node: Node) -> str:
    """Two columns: a line for each row. More: the row's first cell, and below it a line for each other."""
    rows = [row for part in node.children for row in part.children]
    head, *body = [[_flat(_children(cell)) for cell in row.children] for row in rows]
    titles = [_flat(_children(cell, ("strong",))) for cell in rows[0].children]
    if len(head) == 1:
        return "\n".join([_marked(titles[0], "strong"), *(row[0] for row in body)]).strip()
    if len(head) == 2:
        top = ": ".join(title for title in titles if title)
        return "\n".join([*([_marked(top, "strong")] if top else []), *(_pair(*row) for row in body)])
    found = []
    for row, cells in zip(rows[1:], body, strict=True):
        first = _marked(_flat(_children(row.children[0], ("strong",))), "strong")
        pairs = [_pair(title, cell) for title, cell in zip(head[1:], cells[1:], strict=False) if cell]
        found.append("\n".join(line for line in (first, *pairs) if line))
    return "\n\n".join(found)


def _pair(name: str, said: str) -> str:
    return f"{name}: {said}" if name and said else name or said


def _flat(text: str) -> str:
    return " ".join(text.split())


# Writing: words


def _children(node: Node, active: tuple[str, ...] = ()) -> str:
    """The words under ``node``. ``active``: the marks that they already stand in, which are not written again."""
    pieces = [(child.type, text) for child in node.children if (text := _inline(child, active))]
    found: list[str] = []
    for place, (kind, plain) in enumerate(pieces):
        before = found[-1][-1:] if found else ""
        after = pieces[place + 1][1][:1] if place + 1 < len(pieces) else ""
        # Inside a word WhatsApp shows the mark itself.
        bare = kind not in _MARKS or kind in active or before.isalnum() or after.isalnum()
        found.append(plain if bare else _marked(plain, kind))
    return "".join(found)


def _inline(node: Node, active: tuple[str, ...]) -> str:
    match node.type:
        case "inline" | "strong" | "em" | "s":
            return _children(node, (*active, node.type))
        case "softbreak" | "hardbreak":
            return "\n"
        case "code_inline":
            return f"`{node.content}`" if "`" not in node.content and node.content.strip() else node.content
        case "link":
            return _link(_children(node, active), str(node.attrs.get("href", "")))
        case "image":
            return _link(_flat(node.content), str(node.attrs.get("src", "")))
        case _:
            return node.content


def _link(text: str, url: str) -> str:
    """``text (address)``; the address alone when it says the same. A place in this very text has no address."""
    address = url.removeprefix("mailto:").removeprefix("tel:").replace(" ", "%20")
    if not address or address.startswith("#"):
        return text
    same = text.strip().removeprefix("mailto:").rstrip("/")
    if not same or same in (address, address.rstrip("/"), re.sub(r"^https?://(www\.)?", "", address).rstrip("/")):
        return address
    return f"{text} ({address})"


def _marked(text: str, kind: str) -> str:
    """``text`` in the marks of ``kind``, on each line anew, as no mark reaches over a line's end. A mark that is
    in the text itself would end it early: then there is none."""
    mark = _MARKS[kind]
    if mark in text:
        return text
    return "\n".join(_around(line, mark) for line in text.split("\n"))


def _around(line: str, mark: str) -> str:
    core = line.strip()
    if not core:
        return line
    before, after = line[: len(line) - len(line.lstrip())], line[len(line.rstrip()) :]
    return f"{before}{mark}{core}{mark}{after}"
