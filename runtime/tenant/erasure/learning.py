"""What an erasure does to rules and to what is kept of self-changes, so that all of it can be read afterwards. Pure.

Owns what is more than a mark there: names of rules and files stay names, what came from their own conversation goes
whole. Does not own the marks (texts.py).
"""

import json
import re
from collections.abc import Callable

from runtime.tenant.erasure.looking import Finder

RULES, KEPT = "directives/rules/", "state/annealing/"
CASES, SIGNALS = f"{KEPT}cases/", f"{KEPT}signals/"

_NAME = re.compile(r'(?:(?<=["/])|(?<=^id: )|(?<=^family: ))[\w-]+(?=["./]|$)', re.MULTILINE)
"""A rule, a directive, an improvement or a case, where one is named: in a path, as a whole value, in a case's head."""

_SOURCE = re.compile(r"^source: .*(?:\n[ \t]+.*)*", re.MULTILINE)


def names(text: str, renamed: Callable[[str], str]) -> str:
    """With every name as ``renamed`` has it, which is how the files themselves are named afterwards."""
    return _NAME.sub(lambda found: renamed(found[0]), text)


def is_their_case(path: str, text: str, finder: Finder) -> bool:
    """Whether a case was made from a turn of their own conversation: what they said stands in it without their name."""
    return path.startswith(CASES) and any(map(finder.names, _SOURCE.findall(text)))


def others_signals(text: str, finder: Finder) -> str:
    """The lines of signals but those from their own conversation."""
    return "".join(line for line in text.splitlines(keepends=True) if not _is_theirs(line, finder))


def _is_theirs(line: str, finder: Finder) -> bool:
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        return False
    return isinstance(said, dict) and finder.names(str(said.get("conversation", "")))
