"""Reading JSON that others wrote, without trusting its shape: what is not as wanted reads as nothing.

Owns no channel's words. Every function here is total: only ``load`` raises, and only BadInput.
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from runtime.errors import BadInput

Object = Mapping[str, object]

ID_LIMIT = 256
"""No id of a channel is longer; what is, is not an id."""

_KIND = re.compile(r"[a-z0-9_]{1,40}")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def load(body: bytes) -> Object:
    """``body`` as a JSON object. Raises BadInput: not JSON, too deep, or not an object."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as fault:
        raise BadInput(f"the body is not JSON ({type(fault).__name__})", hint="send one JSON object") from None
    if not isinstance(value, dict):
        raise BadInput(f"the body is a JSON {type(value).__name__}, not an object", hint="send one JSON object")
    return value


def clean(text: str) -> str:
    """``text`` without what no database or encoder takes: NUL and halves of surrogate pairs become U+FFFD."""
    return _UNSTORABLE.sub("\ufffd", text)


def child(value: Object, key: str) -> Object:
    """The object under ``key``, or an empty one."""
    found = value.get(key)
    return found if isinstance(found, dict) else {}


def children(value: Object, key: str) -> list[Object]:
    """The objects of the list under ``key``; whatever else it holds is passed over."""
    found = value.get(key)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def text(value: Object, key: str) -> str:
    """The string under ``key``, cleaned, or ""."""
    found = value.get(key)
    return clean(found) if isinstance(found, str) else ""


def ident(value: Object, key: str) -> str:
    """The id under ``key``: a string, or a whole number as one; "" when it is neither or too long for an id."""
    found = value.get(key)
    if isinstance(found, int) and not isinstance(found, bool):
        return str(found) if abs(found) < 10**20 else ""
    if isinstance(found, str) and 0 < len(found) <= ID_LIMIT:
        return clean(found)
    return ""


def kind(value: Object, key: str) -> str:
    """The name under ``key`` as a word fit for a log; "unknown" for anything else."""
    found = value.get(key)
    return found if isinstance(found, str) and _KIND.fullmatch(found) else "unknown"


def moment(value: Object, key: str, now: datetime) -> datetime:
    """The Unix seconds under ``key`` (a number or digits) in UTC; ``now`` when it is none, or lies in the future."""
    found = value.get(key)
    if isinstance(found, str) and found.isdecimal() and found.isascii() and len(found) < 12:
        found = int(found)
    if not isinstance(found, int) or isinstance(found, bool):
        return now
    if not 0 < found <= (now + timedelta(minutes=5)).timestamp():
        return now
    return datetime.fromtimestamp(found, UTC)
