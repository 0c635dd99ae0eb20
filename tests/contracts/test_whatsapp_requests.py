"""Every request to the Graph API, against what the official specification says of it."""

import copy
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.channels.doubles.graph import File, Template, check_message, check_read
from runtime.channels.whatsapp import bodies, shape_of
from runtime.channels.whatsapp.files import TYPES
from runtime.words import GiveUp, Outbound

SPECS = json.loads((Path(__file__).parents[1] / "data" / "specs" / "whatsapp-requests.json").read_text())
ADDRESSES = ["13035550100", "+13035550100", "US.13491208655302741918", "US.ENT.1181", "Y2FwaV9ncm91cDoxODA1NTU1MDE3Mg"]


def kind_of(body: Any) -> str:
    return "read" if body.get("status") == "read" else str(body["type"])


def check(body: Any) -> None:
    jsonschema.validate(body, SPECS[kind_of(body)])


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("reply_to", ["", "wamid.7"])
@pytest.mark.parametrize("name", ["", "reopen", "reopen:en_US", *(f"a{suffix}" for suffix in TYPES)])
def test_a_message_is_one_the_specification_allows(address: str, reply_to: str, name: str) -> None:
    shape = shape_of(name)
    words = "Hello **there**." if shape is None or shape.captioned else ""
    message = Outbound(key="k" * 512, address=address, text=words, reply_to=reply_to, template="" if shape else name)
    if shape is not None:
        body = bodies.file_body(message, shape, "77")
    else:
        body = bodies.template_body(message) if name else bodies.text_body(message)
    assert not isinstance(body, GiveUp)
    check(json.loads(json.dumps(body)))
    files = {"77": File(b"x", shape.mime if shape else "", "1")}
    templates = {"reopen": Template("en_US" if name.endswith("en_US") else "en")}
    assert check_message(body, files, templates) is None


@pytest.mark.parametrize("typing", [True, False])
def test_read_is_one_the_specification_allows(*, typing: bool) -> None:
    body = bodies.read_body("wamid.7", typing=typing)
    check(body)
    assert check_read(body) is None


GOOD: list[dict[str, Any]] = [
    {"type": "text", "text": {"body": "x"}},
    {"type": "image", "image": {"id": "1", "caption": "x"}},
    {"type": "audio", "audio": {"id": "2"}},
    {"type": "document", "document": {"id": "3", "filename": "a.pdf"}},
    {"type": "template", "template": {"name": "reopen", "language": {"code": "en"}, "components": [
        {"type": "body", "parameters": [{"type": "text", "text": "x"}]}]}},
]  # fmt: skip
ENVELOPE = {"messaging_product": "whatsapp", "recipient_type": "individual", "to": "13035550100"}
FILES = {"1": File(b"x", "image/png", "1"), "2": File(b"x", "audio/ogg", "1"), "3": File(b"x", "application/pdf", "1")}


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for key, inner in items for found in [(*path, key), *places(inner, (*path, key))]]


@settings(deadline=None, max_examples=300)
@given(
    good=st.sampled_from(GOOD),
    place=st.integers(0, 30),
    wrong=st.sampled_from([None, 7, "", [], {}, "x" * 5000, True]),
    how=st.sampled_from(["replace", "remove", "rename"]),
)
def test_the_double_refuses_what_the_specification_refuses(good: Any, place: int, wrong: Any, how: str) -> None:
    """One mistake anywhere: whatever the schema does not allow, the double does not take."""
    body = copy.deepcopy({**ENVELOPE, **good})
    assert check_message(body, FILES, {"reopen": Template()}) is None
    found = places(body)
    *above, last = found[place % len(found)]
    parent: Any = body
    for key in above:
        parent = parent[key]
    old = parent[last]
    del parent[last]
    if how == "replace":
        parent.insert(last, wrong) if isinstance(parent, list) else parent.update({last: wrong})
    elif how == "rename" and isinstance(parent, dict):
        parent[f"{last}s"] = old
    try:
        check(body)
    except (jsonschema.ValidationError, KeyError):
        if body.get("messaging_product") == "whatsapp":
            assert check_message(body, FILES, {"reopen": Template()}) is not None
