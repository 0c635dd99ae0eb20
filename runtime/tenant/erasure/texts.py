"""What becomes of one file when a person is erased. Pure: the same file always becomes the same, and once more nothing
changes, so that the folder, every commit of the history and a second attempt after a kill agree.

Owns what goes and what is only marked: in life/ their section, the facts that name them and files about them go; an
admin's words (directives, tools, schedules, settings) stay, with a mark in their place.
"""

import hashlib
import hmac
import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from runtime.tenant.config import TENANT_FILE
from runtime.tenant.erasure import learning
from runtime.tenant.erasure.looking import MARK, Finder, reading
from runtime.tenant.life import facts

YAML_MARK = "(removed)"
"""Brackets would make a list of a value."""

_ADMINS = ("directives/", "execution/", "state/schedules.yaml", "CLAUDE.md", TENANT_FILE)
_COMMIT = re.compile(r"\b[0-9a-f]{40}\b")
_OWN_TRAILERS = ("Turn", "Trigger", "Reason")


@dataclass(frozen=True, slots=True)
class Cleaning:
    """How the traces of one person go. ``salt`` keeps a name from being guessed from what it was replaced by.

    ``keeps_told``: what they told stays, without saying by whom (somebody of the team); otherwise it goes with them.
    """

    finder: Finder
    salt: bytes
    keeps_told: bool = False

    def name(self, path: str) -> str | None:
        """The last name of ``path`` as it may stand; None for what is about them and goes whole."""
        last = PurePosixPath(path).name
        if not self.finder.names(last):
            return last
        if path.startswith("life/"):
            return None
        return self._renamed(last)

    def _renamed(self, name: str) -> str:
        """The same for a file as for what is named like it without its ending."""
        if not self.finder.names(name):
            return name
        return self.finder.without(name, f"removed-{self._code(PurePosixPath(name).stem)}")

    def path(self, path: str) -> str | None:
        """The whole path as it may stand."""
        parts = path.split("/")
        names = [self.name("/".join(parts[: depth + 1])) for depth in range(len(parts))]
        return None if None in names else "/".join(name for name in names if name)

    def content(self, path: str, data: bytes) -> bytes | None:
        """The file without them; the same object when they are not in it, None when it goes whole."""
        text = data.decode("utf-8", "surrogateescape")
        if not self.finder.names(text):
            return data
        if "\0" in text:
            return None
        if path == TENANT_FILE:
            text = self._settings(text)
        elif path.startswith("life/") and path.endswith(".md"):
            if self._is_about_them(text):
                return None
            text = self._life(text)
        elif path.startswith((learning.RULES, learning.KEPT)):
            if learning.is_their_case(path, text, self.finder):
                return None
            if path.startswith(learning.SIGNALS):
                text = learning.others_signals(text, self.finder)
            text = learning.names(text, self._renamed)
        mark = YAML_MARK if path.endswith((".yaml", ".yml")) else MARK
        cleaned = self.finder.without(text, mark)
        if path.endswith(".json"):
            cleaned = self._still_json(text, cleaned)
        return cleaned.encode("utf-8", "surrogateescape")

    def message(self, text: str) -> str:
        """A commit's message. What was said in their own conversation is theirs: no word of it stays."""
        head, gap, trailers = text.rstrip("\n").rpartition("\n\n")
        conversation = re.search(r"^Conversation: (.+)$", trailers, re.MULTILINE)
        if gap and conversation and self.finder.names(conversation[0]):
            subject, *_ = head.split("\n\n", 1)
            for trailer in _OWN_TRAILERS:
                trailers = re.sub(rf"^{trailer}: .*$", f"{trailer}: {MARK}", trailers, flags=re.MULTILINE)
            reverts = re.findall(r"^This reverts commit [0-9a-f]{40}\.$", head, re.MULTILINE)
            text = "\n\n".join([subject, *reverts, trailers]) + "\n"
        return self.finder.without(text)

    def ref(self, name: str) -> str:
        """The name of a branch, a tag or what was set aside."""
        return self.finder.without(name, f"removed-{self._code(name)}") if self.finder.names(name) else name

    def signature(self, line: str) -> str:
        """``Name <address> time zone``, of an author or committer."""
        who, mark, when = line.rpartition("> ")
        return f"removed <removed@proxystaff.invalid{mark}{when}" if self.finder.names(who) else line

    def value(self, value: Any) -> Any:
        """A JSON value without them, names of keys included; a number that is theirs becomes the mark."""
        match value:
            case str():
                return self.finder.without(value)
            case Mapping():
                return {self.finder.without(key): self.value(one) for key, one in value.items()}
            case list():
                return [self.value(one) for one in value]
            case int() | float() if not isinstance(value, bool):
                return MARK if self.finder.names(str(value)) else value
            case _:
                return value

    def _code(self, name: str) -> str:
        return hmac.new(self.salt, reading(name).encode("utf-8", "surrogateescape"), hashlib.sha256).hexdigest()[:8]

    def _is_about_them(self, text: str) -> bool:
        title = re.search(r'"title"\s*:\s*"((?:[^"\\]|\\.)*)"', text.partition("\n---\n")[0])
        return title is not None and self.finder.starts(title[1])

    def _life(self, text: str) -> str:
        fence = re.match(r"\ufeff?---json[ \t\r]*\n.*?^---[ \t\r]*\n", text, re.DOTALL | re.MULTILINE)
        head = fence[0] if fence else ""
        return head + facts.without(text[len(head) :], theirs=self.finder.starts, named=self._goes)

    def _goes(self, fact: str) -> bool:
        if not self.finder.names(fact):
            return False
        told = re.fullmatch(r"(?P<text>.*?)(?:\[[^\[\]]*\])?\s*", fact, re.DOTALL)
        return not (self.keeps_told and told is not None and not self.finder.names(told["text"]))

    def _settings(self, text: str) -> str:
        """tenant.yaml without their entry, all else as it stands; as it is, to be marked, when it cannot be read."""
        yaml = YAML()
        yaml.preserve_quotes, yaml.width = True, 4096
        try:
            tree = yaml.load(text)
            people = tree["people"]
            gone = [number for number, one in enumerate(people) if self._is_their_entry(one)]
            starts = [people.lc.item(number)[0] for number in range(len(people))]
        except (YAMLError, KeyError, TypeError, ValueError, AttributeError):
            return text
        lines = text.splitlines(keepends=True)
        if not all(lines[start].lstrip().startswith("-") for start in starts):  # all on one line, say
            for number in reversed(gone):
                del people[number]
            out = io.StringIO()
            yaml.dump(tree, out)
            return out.getvalue()
        for number in reversed(gone):
            del lines[starts[number] : _end_of_entry(lines, starts[number])]
        return "".join(lines)

    def _is_their_entry(self, entry: Mapping[str, Any]) -> bool:
        addresses = (f"{channel}:{entry.get(channel)}" for channel in entry if channel not in ("name", "role"))
        return any(map(self.finder.names, (str(entry.get("name")), *addresses)))

    def _still_json(self, before: str, after: str) -> str:
        """A number that was theirs leaves a mark without quotes: such a file is written anew."""
        try:
            whole = json.loads(before)
        except (ValueError, RecursionError):
            return after
        try:
            json.loads(after)
        except ValueError:
            return json.dumps(self.value(whole), indent=2, ensure_ascii=False) + "\n"
        return after


def _end_of_entry(lines: Sequence[str], start: int) -> int:
    """After the lines that are further in than the dash an entry begins with."""
    depth = len(lines[start]) - len(lines[start].lstrip())
    end = start + 1
    while end < len(lines) and lines[end].strip() and len(lines[end]) - len(lines[end].lstrip()) > depth:
        end += 1
    return end


def is_admins(path: str) -> bool:
    """Whether what stands there is an admin's word, which is marked and told rather than taken out."""
    return path.startswith(_ADMINS)


def with_new_ids(text: str, commits: Mapping[str, str]) -> str:
    """``text`` with the new ids of commits in place of the old."""
    return _COMMIT.sub(lambda match: commits.get(match[0], match[0]), text)
