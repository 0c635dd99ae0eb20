"""The tools that every tenant's agent is offered: all of them, small, each with something behind it."""

import inspect
import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

import shared_tools
from runtime.tenant.life.memory import Memory
from runtime.tenant.life.onboarding import Onboarding
from runtime.turns.providing import Recalling, Search
from shared_tools import offered
from shared_tools.catalog import TOOLS
from shared_tools.offered import Tool

FOLDER = Path(shared_tools.__file__).parent
BEHIND: dict[type, Any] = {
    offered.Memory: Memory,
    offered.Onboarding: Onboarding,
    offered.Recall: Recalling,
    offered.Messages: Search,
}
LARGEST = 3_400
"""Bytes of all tools together: they go with each request to the model."""


def test_every_tool_has_a_file_of_its_name_and_every_file_is_in_the_catalog() -> None:
    files = {path.stem for path in FOLDER.glob("*.py")} - {"__init__", "catalog", "command", "offered"}
    assert {tool.name for tool in TOOLS} == files
    assert len({tool.name for tool in TOOLS}) == len(TOOLS)


def test_all_tools_together_are_small() -> None:
    whole = [{"name": one.name, "description": one.description, "input_schema": one.schema()} for one in TOOLS]
    size = len(json.dumps(whole))
    print(f"{len(TOOLS)} tools: {size} bytes")
    assert size < LARGEST


@pytest.mark.parametrize("tool", TOOLS, ids=lambda one: one.name)
def test_a_schema_is_valid_and_closed(tool: Tool) -> None:
    schema = tool.schema()
    Draft202012Validator.check_schema(schema)
    parameters = list(inspect.signature(tool.function).parameters)[1:]
    assert list(schema["properties"]) == parameters
    assert set(schema["required"]) <= set(parameters)
    assert all(one["type"] in ("string", "integer") for one in schema["properties"].values())
    assert tool.description.endswith(".")
    with pytest.raises(offered.Misused, match="there is no nonsense"):
        tool.run(object(), dict.fromkeys(schema["required"], "x") | {"nonsense": 1})


@pytest.mark.parametrize("tool", TOOLS, ids=lambda one: one.name)
def test_what_it_works_on_can_do_what_it_asks(tool: Tool) -> None:
    """Names and order of every verb's parameters are those of what is behind it."""
    behind = BEHIND[tool.needs]
    for name, verb in inspect.getmembers(tool.needs, inspect.isfunction):
        if not name.startswith("_"):
            wanted, there = inspect.signature(verb).parameters, inspect.signature(getattr(behind, name)).parameters
            assert list(there) == list(wanted)
            assert {key: one.default for key, one in there.items()} == {key: one.default for key, one in wanted.items()}
