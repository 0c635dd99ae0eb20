"""A function's signature and docstring are its schema; what is no use of it is said in a line."""

from typing import Literal, Protocol

import pytest
from jsonschema import Draft202012Validator

from shared_tools.offered import Misused, Tool


class Desk(Protocol):
    """Anything."""


def paint(desk: Desk, color: Literal["red", "blue"], walls: int = 4, note: str = "") -> str:
    """Paint a room.
    Also: doors.

    color: of the walls
    nobody: is a parameter
    """
    return f"{walls} {color} {note}".strip()


PAINT = Tool(paint, "external")


def test_a_function_is_a_tool() -> None:
    assert (PAINT.name, PAINT.needs, PAINT.effect) == ("paint", Desk, "external")
    assert PAINT.description == "Paint a room. Also: doors. nobody: is a parameter"


def test_its_schema_has_what_a_model_needs_and_no_more() -> None:
    schema = PAINT.schema()
    Draft202012Validator.check_schema(schema)
    assert schema == {
        "type": "object",
        "properties": {
            "color": {"description": "of the walls", "enum": ["red", "blue"], "type": "string"},
            "walls": {"type": "integer"},
            "note": {"type": "string"},
        },
        "required": ["color"],
    }


def test_it_runs_with_what_was_given_and_its_defaults() -> None:
    assert PAINT.run(object(), {"color": "red"}) == "4 red"
    assert PAINT.run(object(), {"color": "blue", "walls": "2", "note": "soon"}) == "2 blue soon"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "color is missing"),
        ({"color": "green"}, "color: input should be 'red' or 'blue'"),
        ({"color": "red", "walls": 1.5}, "walls: input should be a valid integer"),
        ({"color": "red", "walls": None}, "walls: input should be a valid integer"),
        ({"color": "red", "note": ["x"]}, "note: input should be a valid string"),
        ({"color": "red", "desk": 1}, "there is no desk"),
        ({"color": "red", "colour": "red"}, "there is no colour"),
    ],
)
def test_what_is_wrong_is_said_with_what_it_takes(given: dict[str, object], said: str) -> None:
    with pytest.raises(Misused) as fault:
        PAINT.run(object(), given)
    assert str(fault.value).startswith(f"paint takes color, walls, note; {said}")
