"""A JSON text checked against a model: every fault at once, each with file, line, value and what was wanted."""

import json
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from runtime.checked_yaml import Model, Place, said
from runtime.errors import ConfigFault


def load(
    path: Path,
    model: type[Model],
    *,
    text: str,
    above: int = 0,
    hint: str = "mend it and save it; nothing else is needed",
) -> Model:
    """Read one JSON object into ``model``; ``above`` counts the lines of the file that stand before ``text``.

    Raises ConfigFault as checked_yaml does.
    """
    return check(path, model, _object(path, text, above=above, hint=hint), text=text, above=above, hint=hint)


def check(
    path: Path, model: type[Model], plain: Mapping[str, Any], *, text: str, above: int = 0, hint: str = ""
) -> Model:
    """``plain``, which was made from ``text``, as ``model``. Lines are looked for only when something is wrong."""
    try:
        return model.model_validate(plain)
    except ValidationError as fault:
        places = _lines_of_json(text)
        lines = [said(path, above + _deepest(places, error["loc"]), error) for error in fault.errors()]
        raise ConfigFault(lines, hint=hint) from None


def _object(path: Path, text: str, *, above: int, hint: str) -> dict[str, Any]:
    """One JSON object, no key of it named twice. Raises ConfigFault."""
    try:
        plain = json.loads(text, object_pairs_hook=unique, parse_constant=_no_constant)
    except json.JSONDecodeError as fault:
        line = f"{path}:{above + fault.lineno}: not JSON: {fault.msg}"
        raise ConfigFault([line], hint=f"mend line {above + fault.lineno}") from None
    except (ValueError, RecursionError) as fault:
        why = "nested too deeply" if isinstance(fault, RecursionError) else str(fault)
        raise ConfigFault([f"{path}:{above + 1}: not usable JSON: {why}"], hint=hint) from None
    if not isinstance(plain, dict):
        raise ConfigFault([f"{path}:{above + 1}: wanted one JSON object, got {type(plain).__name__}"], hint=hint)
    return plain


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose keys are each there once. Raises ValueError."""
    found = dict(pairs)
    if len(found) < len(pairs):
        counted = Counter(name for name, _ in pairs)
        raise ValueError(f"the key {counted.most_common(1)[0][0]!r} is there twice")
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


_PIECE = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[-+.\w]+|[{}\[\],\n]')


def _lines_of_json(text: str) -> dict[Place, int]:
    """Where each key and each item of a JSON text stands, by its place; one walk over a text that was read already."""
    found: dict[Place, int] = {}
    line = 1
    above: list[str | int | None] = []  # the key or number we are at, in each open object or list; None: a key comes
    for match in _PIECE.finditer(text):
        piece = match[0]
        if piece == "\n":
            line += 1
        elif piece in "}]":
            above.pop()
        elif piece == ",":
            above[-1] = above[-1] + 1 if isinstance(above[-1], int) else None
        elif above and above[-1] is None:
            above[-1] = json.loads(piece)
            found[tuple(one for one in above if one is not None)] = line
        else:
            if above and isinstance(above[-1], int):
                found[tuple(one for one in above if one is not None)] = line
            if piece in "{[":
                above.append(None if piece == "{" else 0)
    return found


def _deepest(places: Mapping[Place, int], place: Place) -> int:
    """The line of the deepest part of ``place`` that is there."""
    return next((places[place[:end]] for end in range(len(place), 0, -1) if place[:end] in places), 1)
