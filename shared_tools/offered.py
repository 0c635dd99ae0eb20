"""What a shared tool is made of: a function, what it works on, and what its use can do.

Owns the schema that a signature and a docstring give. The first parameter says what the tool works on; every further
one is the model's to fill in, and a line ``name: text`` of the docstring describes it where its name does not.
"""

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

Effect = Literal["read", "write", "external"]


class Memory(Protocol):
    """life/ of a tenant, on behalf of whoever is speaking."""

    def read(self, file: str, section: str = "") -> str: ...
    def remember(self, fact: str, kind: str, about: str = "", when: str = "") -> str: ...
    def write(self, op: str, file: str, section: str = "", fact: str = "", old: str = "") -> str: ...
    def forget(self, fact: str, about: str = "") -> str: ...


class Onboarding(Protocol):
    """Getting to know the realtor."""

    def mark_question(self, question: str, state: str) -> str: ...
    def enter_phase(self, phase: str) -> str: ...


class Recall(Protocol):
    """Everything that is known of a tenant, asked as one asks a person."""

    def answer(self, question: str, limit: int) -> str: ...


class Messages(Protocol):
    """Everything that was said with a tenant."""

    def search(self, query: str, direction: str, since: str, until: str, limit: int, offset: int) -> str: ...


class Misused(ValueError):
    """The arguments are not what the tool takes; the message says which and what was wanted."""


@dataclass(frozen=True)
class Tool:
    """One tool. ``effect``: it looks, changes the tenant's folder, or reaches somebody outside."""

    function: Callable[..., str]
    effect: Effect

    @property
    def name(self) -> str:
        return self.function.__name__

    @property
    def needs(self) -> type:
        """What it works on: one of the protocols above."""
        found: type = next(iter(inspect.signature(self.function).parameters.values())).annotation
        return found

    @property
    def description(self) -> str:
        """The docstring without the lines about parameters, as one line."""
        lines = (inspect.getdoc(self.function) or "").splitlines()
        return " ".join(line.strip() for line in lines if line.strip() and not self._describes(line))

    def _describes(self, line: str) -> re.Match[str] | None:
        """A line about one of the parameters."""
        found = _PARAMETER.match(line)
        return found if found and found[1] in inspect.signature(self.function).parameters else None

    @cached_property
    def arguments(self) -> type[BaseModel]:
        """What the model fills in, as a pydantic model."""
        lines = (inspect.getdoc(self.function) or "").splitlines()
        about = {match[1]: match[2] for match in map(self._describes, lines) if match}
        fields: dict[str, Any] = {}
        for parameter in list(inspect.signature(self.function).parameters.values())[1:]:
            default = ... if parameter.default is parameter.empty else parameter.default
            fields[parameter.name] = (parameter.annotation, default)
        model: type[BaseModel] = create_model(self.name, __config__=ConfigDict(extra="forbid"), **fields)
        for name, field in model.model_fields.items():
            field.description = about.get(name)
        model.model_rebuild(force=True)
        return model

    def schema(self) -> dict[str, Any]:
        """The JSON Schema of its arguments, without what a model does not need: each byte goes with each request."""
        whole = self.arguments.model_json_schema()
        properties = {
            name: {k: v for k, v in one.items() if k not in ("title", "default")}
            for name, one in whole["properties"].items()
        }
        return {"type": "object", "properties": properties, "required": whole.get("required", [])}

    def run(self, desk: object, given: Mapping[str, Any]) -> str:
        """Do it. Raises Misused, and whatever ``desk`` raises."""
        try:
            checked = self.arguments.model_validate(dict(given))
        except ValidationError as fault:
            wrong = "; ".join(_wanted(one["loc"], one["type"], one["msg"]) for one in fault.errors())
            raise Misused(f"{self.name} takes {', '.join(self.arguments.model_fields)}; {wrong}.") from None
        return self.function(desk, **checked.model_dump())


def _wanted(place: tuple[int | str, ...], kind: str, message: str) -> str:
    """What is wrong with one argument, as short as a model needs it."""
    name = ".".join(map(str, place))
    match kind:
        case "missing":
            return f"{name} is missing"
        case "extra_forbidden":
            return f"there is no {name}"
        case _:
            return f"{name}: {message[:1].lower()}{message[1:]}"


_PARAMETER = re.compile(r"^(\w+): (.+)$")
