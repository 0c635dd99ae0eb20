"""A YAML file checked against a model: every fault at once, each with file, line, value and what was wanted."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import CollectionEndEvent, CollectionStartEvent

from runtime.errors import ConfigFault

Model = TypeVar("Model", bound=BaseModel)
Place = tuple[str | int, ...]

LARGEST, DEEPEST = 32_000, 40
"""Characters and levels of a YAML file that an agent may write: its reader takes a second for so many."""

COMPLETE = "complete"
"""The type of a PydanticCustomError whose message says everything: the value is not added (it may be a secret)."""

_SHAPES = {"model_type": "keys with values", "dict_type": "keys with values", "tuple_type": "a list"}


class Strict(BaseModel):
    """Frozen, and a key nobody knows is a fault: a typo must not silently be a default."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


def load(
    path: Path,
    model: type[Model],
    *,
    text: str | None = None,
    resolve: Callable[[str], str | None] | None = None,
    hint: str = "mend it and save it; nothing else is needed",
) -> Model:
    """Read ``path`` (or ``text``, said to be its content) into ``model``. An empty or missing file is all defaults.

    ``resolve`` maps a string value to what it stands for (``env:NAME``); ``None`` means the value is not set,
    and the key is left out. Raises ConfigFault naming every fault as ``file:line: key: …``.
    """
    if text is None:
        text = _read(path)
    try:
        tree = _parse(path, text)
        plain = _plain(tree, resolve)
    except (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError) as fault:
        # What the parser lets through: a day that is not in the calendar, keys that are lists, a nest without end.
        raise ConfigFault([f"{path}:1: not YAML: {fault}"], hint="mend the file") from None
    try:
        return model.model_validate(plain)
    except ValidationError as fault:
        lines = [said(path, _line(tree, error["loc"]), error) for error in fault.errors()]
        raise ConfigFault(lines, hint=hint) from None


def refuse_hostile(path: Path, text: str) -> None:
    """Of YAML that an agent may write: what would keep its reader busy for minutes (length, depth, parts that stand
    for others). Raises ConfigFault."""
    if len(text) > LARGEST:
        raise ConfigFault([f"{path}:1: more than {LARGEST:,} characters"], hint="make the file smaller")
    depth = 0
    for event in _events(text):
        line = event.start_mark.line + 1
        if getattr(event, "anchor", None):
            raise ConfigFault([f"{path}:{line}: & and * are not read here; write it out"], hint=f"mend line {line}")
        depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
        if depth > DEEPEST:
            raise ConfigFault([f"{path}:{line}: nested too deeply"], hint=f"mend line {line}")


def _events(text: str) -> Iterator[Any]:
    try:
        yield from YAML().parse(text)
    except (YAMLError, ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError):
        return  # said by whoever reads it whole


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8") if path.exists() else ""
    except UnicodeDecodeError as fault:
        raise ConfigFault([f"{path}: not UTF-8 (byte {fault.start})"], hint="save it as UTF-8") from None
    except OSError as fault:
        raise ConfigFault([f"{path}: cannot be read: {fault.strerror}"], hint="put a file in its place") from None


def _parse(path: Path, text: str) -> CommentedMap:
    try:
        tree = YAML(typ="rt").load(text)
    except MarkedYAMLError as fault:
        line = fault.problem_mark.line + 1 if fault.problem_mark else 1
        raise ConfigFault([f"{path}:{line}: not YAML: {fault.problem}"], hint=f"mend line {line}") from None
    except YAMLError as fault:
        raise ConfigFault([f"{path}:1: not YAML: {fault}"], hint="mend the file") from None
    if tree is None:
        return CommentedMap()
    if not isinstance(tree, CommentedMap):
        raise ConfigFault(
            [f"{path}:1: wanted keys with values, got {type(tree).__name__}"],
            hint="see docs/configuration.md",
        )
    return tree


def _plain(node: Any, resolve: Callable[[str], str | None] | None) -> Any:
    if isinstance(node, Mapping):
        pairs = ((str(key), _plain(value, resolve)) for key, value in node.items())
        return {key: value for key, value in pairs if value is not None}
    if isinstance(node, str):
        return resolve(str(node)) if resolve else str(node)
    if isinstance(node, Sequence):
        return [_plain(item, resolve) for item in node]
    return node


def said(path: Path, line: int, error: Any) -> str:
    """One fault of a model, as pydantic has it, in a line."""
    place: Place = error["loc"]
    where = ".".join(str(part) for part in place) or "(the file)"
    wanted = error["msg"].removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        wanted = "nobody knows this key"
    elif error["type"] in _SHAPES:
        # The value is not repeated: a secret may stand where keys were wanted.
        wanted = f"wanted {_SHAPES[error['type']]}, got {type(error['input']).__name__}"
    elif error["type"] not in ("missing", COMPLETE):
        wanted = f"{wanted[0].lower()}{wanted[1:]}, got {error['input']!r}"
    return f"{path}:{line}: {where}: {wanted}"


def _line(tree: CommentedMap, place: Place) -> int:
    """The 1-based line of the deepest part of ``place`` that is in the file."""
    node: Any = tree
    line = 1
    for part in place:
        try:
            if isinstance(node, CommentedMap):
                line = node.lc.key(part)[0] + 1
            elif isinstance(node, CommentedSeq):
                line = node.lc.item(part)[0] + 1
            else:
                break
            node = node[part]
        except (KeyError, IndexError, TypeError, AttributeError):
            break
    return line
