"""Which of its own instructions the agent had before it in a turn, and the rules that come with those it reads.

Owns what a use of a tool says about that: a directive that was read, a script that was run. Does not own which rules
there are (tenant/rules), nor what stands in the prompt: whoever composed it says so.
"""

import posixpath
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, MutableMapping
from pathlib import PurePosixPath
from typing import Any, Literal

from runtime.agent.prompt import README
from runtime.tenant.folder import Folder
from runtime.tenant.rules import composing, files
from runtime.tenant.rules.files import Rule
from runtime.tenant.rules.shelf import Shelf

Exposure = Literal["injected", "read", "executed"]
Exposed = Mapping[str, Exposure]
"""By file (``directives/lead.md``, ``execution/mail.py``) or by the name of a tool that is no file of the tenant."""

DIRECTIVES = "directives"

_READING = {"Read": "file_path", "Grep": "path"}
_OWN = frozenset({"Read", "Edit", "Write", "Bash", "Glob", "Grep"})
_NOT_READING = frozenset({"ls", "find", "stat", "wc", "test", "rm", "mkdir", "touch", "chmod", "echo", "printf"})
_RUNNING = re.compile(r"(.*/)?(python[\d.]*|bash|sh|uv|env|timeout)")
_COMMANDS = re.compile(r"[;&|\n]+")
_WORDS = re.compile(r"[^\s'\"`(){}<>$=,]+")
_WITH_SIGNS = re.compile(r"[*?\[]")


def at_first(*injected: Iterable[str]) -> dict[str, Exposure]:
    """Of a turn that begins: README, and the rules that its prompts hold."""
    return dict.fromkeys([README, *(one for some in injected for one in some)], "injected")


class Reading:
    """For one session. ``root`` is the tenant's folder as the agent sees it; the rules shown are those that lie in the
    session's own folder when it reads."""

    def __init__(self, folder: Folder, root: str) -> None:
        self._folder, self._root, self._shelf = folder, root, Shelf(folder)

    def after(self, tool: str, given: Mapping[str, Any], exposed: MutableMapping[str, Exposure], *, ok: bool) -> str:
        """What is to be shown beside the result of a tool, maybe nothing; what it was about is put into ``exposed``."""
        for name in ran(tool, given, self._root):
            exposed.setdefault(name, "executed")
        if not ok or tool not in (*_READING, "Bash"):
            return ""
        rules = self._shelf.rules()
        there = [f"{DIRECTIVES}/{name}" for name in self._folder.names(DIRECTIVES) if name.endswith(".md")]
        found = read(tool, given, self._root, [*there, *(rule.path for rule in rules)])
        shown = [rule for path in found for rule in _beside(path, rules) if rule.path not in {*found, *exposed}]
        for name in (*found, *(rule.path for rule in shown)):
            exposed.setdefault(name, "read")
        return composing.rendered(shown)


def _beside(path: str, rules: Iterable[Rule]) -> list[Rule]:
    name = path.removeprefix(f"{DIRECTIVES}/").removesuffix(".md")
    return [] if files.ref_of(path) else composing.of_directive(rules, name)


def read(tool: str, given: Mapping[str, Any], root: str, known: Collection[str]) -> list[str]:
    """Those of the ``known`` files that a tool was asked to read. A command's words are taken for names of files, from
    the tenant's folder or from any below it."""
    if tool in _READING:
        named = given.get(_READING[tool])
        inside = posixpath.relpath(posixpath.join(root, named), root) if isinstance(named, str) and named else ""
        return [path for path in known if path == inside]
    if tool != "Bash":
        return []
    words = [word for first, word in _said(given, root) if first not in _NOT_READING and not _is_run(first, word)]
    return [path for path in known if any(_names(word, path, words) for word in words)]


def ran(tool: str, given: Mapping[str, Any], root: str) -> list[str]:
    """The scripts of the tenant's that a command ran; of a tool that is not the CLI's own its name."""
    if tool != "Bash":
        return [] if tool in _OWN else [tool]
    return [word for first, word in _said(given, root) if _is_run(first, word)]


def _said(given: Mapping[str, Any], root: str) -> Iterator[tuple[str, str]]:
    """Every word of a command, with the name of the program it is said to."""
    for part in _COMMANDS.split(str(given.get("command", ""))):
        words = [word.removeprefix(f"{root}/").removeprefix("./") for word in _WORDS.findall(part)]
        yield from ((words[0], word) for word in words)


def _is_run(first: str, word: str) -> bool:
    return word.startswith("execution/") and (word == first or _RUNNING.fullmatch(first) is not None)


def _names(word: str, path: str, words: Collection[str]) -> bool:
    """``*.md`` alone could be said in any folder: it counts where the one of the directives is named, too."""
    if "/" not in word and _WITH_SIGNS.search(word) and not any(one.startswith(DIRECTIVES) for one in words):
        return False
    try:
        return PurePosixPath(path).match(word)
    except ValueError:  # "." and the like
        return False
