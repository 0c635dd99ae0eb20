"""What files outside of life/ must hold: the head of a directive, of a rule, the tool manifest, the schedules.

Owns these schemas (docs/schemas/ has them as JSON Schema). Does not own reading the files (checks.py), nor running a
tool or a schedule.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal

import jsonschema
from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from runtime.checked_yaml import COMPLETE, Strict

VERSION = 1

Line = Annotated[str, Field(min_length=1, max_length=1000, pattern=r"^[^\x00-\x1f\x7f]+$")]


@dataclass(frozen=True, slots=True)
class _Twice:
    """Put in the place of a name that another entry has already."""

    name: str


def _once(value: object) -> object:
    if isinstance(value, _Twice):
        raise PydanticCustomError(COMPLETE, "{name} is there twice", {"name": value.name})
    return value


def _marked(entries: list[Any], key: str) -> Iterator[Any]:
    """The entries as they came, but a name that one above has is a _Twice. Shapes are not known yet."""
    seen: set[str] = set()
    for entry in entries:
        name = entry.get(key) if isinstance(entry, Mapping) else None
        if not isinstance(name, str):
            yield entry
            continue
        yield {**entry, key: _Twice(name)} if name in seen else entry
        seen.add(name)


def _names_once(key: str) -> BeforeValidator:
    return BeforeValidator(lambda value: list(_marked(value, key)) if isinstance(value, list) else value)


def json_schema(value: dict[str, Any]) -> dict[str, Any]:
    """For a validator: the schema of a tool's arguments."""
    try:
        jsonschema.Draft202012Validator.check_schema(value)
    except jsonschema.SchemaError as fault:
        place = ".".join(str(part) for part in fault.absolute_path) or "it"
        said = {"where": place, "why": fault.message[:200]}
        raise PydanticCustomError(COMPLETE, "no JSON Schema: {where}: {why}", said) from None
    except (re.error, RecursionError) as fault:
        raise PydanticCustomError(COMPLETE, "no JSON Schema: {why}", {"why": str(fault)[:200]}) from None
    if value.get("type") != "object":
        raise PydanticCustomError(COMPLETE, 'wanted a JSON Schema with "type": "object"')
    return value


class Directive(Strict):
    """The head of an SOP. Further keys are whoever added them's."""

    model_config = ConfigDict(frozen=True, extra="allow", str_strip_whitespace=True)

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,79}$")]
    description: Line
    triggers: Annotated[tuple[Line, ...], Field(min_length=1)]
    owner: Line
    version: Annotated[int, Field(ge=1, strict=True)]


class Rule(Strict):
    """The head of one rule of a directive. One without a state was written by a person, and is theirs: ``pinned``.

    ``idea`` is what it is for, ``triggers`` are words of a message that it is brought up by, ``helpful`` and
    ``harmful`` count turns in which it was in play, ``improvement`` names the self-change it came with.
    """

    model_config = ConfigDict(frozen=True, extra="allow", str_strip_whitespace=True)

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,79}$")]
    idea: Line | Literal[""] = ""
    state: Literal["probation", "kept", "pinned"] = "pinned"
    triggers: tuple[Line, ...] = ()
    helpful: Annotated[int, Field(ge=0, strict=True)] = 0
    harmful: Annotated[int, Field(ge=0, strict=True)] = 0
    since: date | None = None
    improvement: Line | Literal[""] = ""


class Tool(Strict):
    """One of the tenant's own tools; ``timeout`` in seconds."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$"), BeforeValidator(_once)]
    description: Annotated[str, Field(min_length=1, max_length=2000)]
    script: Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_-]{0,79}\.py$")]
    input_schema: Annotated[dict[str, Any], AfterValidator(json_schema)]
    effect: Literal["read", "write", "external"]
    timeout: Annotated[float, Field(gt=0, le=3600, allow_inf_nan=False)]


class Manifest(Strict):
    """execution/tool_manifest.json."""

    version: Literal[1]
    tools: Annotated[tuple[Tool, ...], _names_once("name")]


class Schedule(Strict):
    """One entry of state/schedules.yaml: what else it holds is for the clock to read."""

    model_config = ConfigDict(frozen=True, extra="allow", str_strip_whitespace=True)

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,79}$"), BeforeValidator(_once)]


class Schedules(Strict):
    """state/schedules.yaml."""

    version: Literal[1]
    schedules: Annotated[tuple[Schedule, ...], _names_once("id")]
