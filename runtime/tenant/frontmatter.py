"""The head of a markdown file: one JSON object between ``---json`` and ``---``, then the body.

Owns reading and writing that form, byte for byte in the body. Does not own what a head must hold
(the schemas of each kind of file do) nor how a file is opened or written (folder.py does).

The end fence is safe to look for: a JSON text cannot hold a raw line break inside a string, so a line
that is only ``---`` is never part of a valid head. ``---`` further down belongs to the body.
"""

import json
import re
from typing import Any

from frontmatter.default_handlers import JSONHandler

from runtime.checked_json import unique
from runtime.errors import BadInput

START = "---json"
END = "---"
_FORM = f"begin the file with a line {START}, then one JSON object, then a line {END}, then the text"
_BOM = "\ufeff"  # what Notepad puts first


class FencedJSON(JSONHandler):
    """The fence for python-frontmatter, so that its ``load`` and ``dumps`` read and write our files too."""

    FM_BOUNDARY = re.compile(r"---json[ \t\r]*$", re.MULTILINE)
    START_DELIMITER = START
    END_DELIMITER = END

    def split(self, text: str) -> tuple[str, str]:
        """Head and rest, both without the fences. ValueError when there is no whole head."""
        opening = re.match(r"---json[ \t\r]*\n", text)
        closing = re.compile(r"^---[ \t\r]*(?:\n|\Z)", re.MULTILINE).search(text, opening.end()) if opening else None
        if not opening or not closing:
            raise ValueError("no fenced head")
        return text[opening.end() : closing.start()], text[closing.end() :]

    def export(self, metadata: dict[str, object], **kwargs: object) -> str:
        """Two spaces and real letters: a person reads and edits it."""
        return json.dumps(metadata, indent=2, ensure_ascii=False, allow_nan=False, **kwargs)  # type: ignore[arg-type]


def parse(text: str, *, path: str = "text") -> tuple[dict[str, Any], str]:
    """The head as a dict and the body as it stands after the closing fence, one blank line between them removed.

    ``path`` is only named in faults. Raises BadInput as ``path:line: …`` when there is no head, or when it is not
    one JSON object, names a key twice, or holds what JSON on disk cannot (NaN, too large a number, half a character).
    """
    text = text.removeprefix(_BOM)
    try:
        head, body = FencedJSON().split(text)
    except ValueError:
        problem = f"no line {END} closes the head" if text.startswith(START) else f"wanted {START} in the first line"
        raise BadInput(f"{path}:1: {problem}", hint=_FORM) from None
    return _object(head, path), re.sub(r"\A\r?\n", "", body)


def head(text: str) -> str:
    """The head of a text that ``parse`` accepts, as it stands there."""
    return FencedJSON().split(text.removeprefix(_BOM))[0]


def dump(meta: dict[str, Any], body: str) -> str:
    """The text of a file. ``parse(dump(meta, body)) == (meta, body)`` for every head that ``parse`` accepts.

    Raises BadInput when ``meta`` cannot be written as JSON.
    """
    return f"{START}\n{_written(meta, 'head')}\n{END}\n\n{body}"


def _object(head: str, path: str) -> dict[str, Any]:
    try:
        meta = json.loads(head, object_pairs_hook=unique)
    except json.JSONDecodeError as fault:
        raise BadInput(f"{path}:{fault.lineno + 1}: not JSON: {fault.msg}", hint="mend that line and save") from None
    except (ValueError, RecursionError) as fault:
        reason = "nested too deeply" if isinstance(fault, RecursionError) else str(fault)
        raise BadInput(f"{path}:2: not a usable head: {reason}", hint="mend the head and save") from None
    if not isinstance(meta, dict):
        raise BadInput(f"{path}:2: wanted one JSON object, got {type(meta).__name__}", hint=_FORM)
    _written(meta, f"{path}:2")
    return meta


def _written(meta: dict[str, Any], where: str) -> str:
    try:
        text = FencedJSON().export(meta)
        text.encode("utf-8")
    except (ValueError, TypeError, RecursionError) as fault:
        raise BadInput(
            f"{where}: cannot be written as JSON: {fault}", hint="use plain text, numbers and lists"
        ) from None
    return text
