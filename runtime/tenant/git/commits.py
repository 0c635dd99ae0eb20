"""A commit in words: who caused it, what it says, and what is read back from it.

Owns the text of commit messages (subject, reason, trailers) and the records. Pure: it runs no git and reads no file.
A person's words reach these messages, so every value is one line, and nothing a person says can read as a trailer or
as "This reverts commit".
"""

import hashlib
import re
import textwrap
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import PurePosixPath
from urllib.parse import quote

from runtime.errors import Fault
from runtime.tenant.folder import Stamp

AGENT_NAME = "ProxyStaff"
AGENT_EMAIL = "agent@proxystaff.invalid"
NOBODY = "Admin <admin@proxystaff.invalid>"
"""The author of an admin's edits where git knows no name for the person."""

ADMIN = "admin"
"""The actor whose commits carry a person's own git identity; every other actor's are ProxyStaff's."""

_SUBJECT = 72
_TRAILER = 200

_LONGEST_NAME = 200
"""Characters of the last part of a ref: with its lock it is a file's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a change comes from. ``extra`` are further trailers, such as ``Improvement``."""

    actor: str
    tenant: str
    conversation: str = ""
    turn: str = ""
    trigger: str = ""
    reason: str = ""
    extra: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """One commit as people see it. ``body`` is without subject and trailers; ``reverts`` the full id it takes back."""

    id: str
    at: datetime
    author: str
    email: str
    subject: str
    body: str
    trailers: Mapping[str, str]
    files: tuple[str, ...]
    parents: tuple[str, ...]
    reverts: str | None

    @property
    def by_agent(self) -> bool:
        return self.email == AGENT_EMAIL


@dataclass(frozen=True, slots=True)
class Refusal:
    """A file that is never committed, and why. It stays where it is."""

    path: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BadFile:
    """A changed file that fails its check and is therefore not committed. ``faults`` has a line for each thing that is
    wrong, ``committed`` is the blob of the version that is (empty: there is none), ``aside`` where its bytes would be
    kept; ``data`` is None where the file is gone."""

    path: str
    faults: tuple[str, ...]
    committed: str
    data: bytes | None = field(repr=False)
    stamp: Stamp | None = field(repr=False)
    aside: str = ""


@dataclass(frozen=True, slots=True)
class CommitResult:
    """``left``: files that differ and were not theirs to commit."""

    commits: tuple[Commit, ...] = ()
    refused: tuple[Refusal, ...] = ()
    bad: tuple[BadFile, ...] = ()
    left: tuple[str, ...] = ()


class Conflict(Fault):
    """Other edits are in the way, in ``files``. Nothing was changed."""

    def __init__(self, problem: str, *, hint: str, files: tuple[str, ...]) -> None:
        super().__init__(problem, hint=hint)
        self.files = files


class RevertConflict(Conflict):
    """Later edits touch the same lines as what is to be taken back; ``files`` need a person."""


class Concern(StrEnum):
    """What a change is about. One commit never mixes two."""

    MEMORY = "memory"
    DIRECTIVE = "directive"
    TOOL = "tool"
    SCHEDULE = "schedule"
    SETTINGS = "settings"


_CONCERN_OF = {
    "life": Concern.MEMORY,
    "directives": Concern.DIRECTIVE,
    "execution": Concern.TOOL,
    "state": Concern.SCHEDULE,
}

# Verbs for: all files new, all files gone, anything else.
_VERBS = {
    Concern.MEMORY: ("Remember", "Forget", "Remember"),
    Concern.DIRECTIVE: ("Write directive", "Drop directive", "Change directive"),
    Concern.TOOL: ("Write tool", "Drop tool", "Change tool"),
    Concern.SCHEDULE: ("Change schedules", "Drop all schedules", "Change schedules"),
    Concern.SETTINGS: ("Add settings", "Drop settings", "Change settings"),
}


def concern_of(path: str) -> Concern:
    return _CONCERN_OF.get(path.split("/", 1)[0], Concern.SETTINGS)


def is_admins(path: str) -> bool:
    """What no agent writes, settings and rules: a change of it that is found in the folder is an admin's."""
    return concern_of(path) is Concern.SETTINGS or path.startswith("directives/rules/")


def shown(path: str) -> str:
    """A file's name as it may be printed: one line, valid Unicode; what is neither is written as an escape."""
    text = path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def one_line(text: str, limit: int) -> str:
    """Any text as one printable line of at most ``limit`` characters, cut at a word where one is near."""
    clean = "".join(" " if c.isspace() else c for c in text if c.isspace() or _visible(c))
    line = " ".join(clean.split())
    if len(line) <= limit:
        return line
    cut = line[: limit - 1]
    head, space, _ = cut.rpartition(" ")
    return (head if space and len(head) > limit // 2 else cut).rstrip(" ,;:.-") + "…"


def _visible(character: str) -> bool:
    """Not a control, a surrogate or a mark that turns text around; the joiner inside an emoji stays."""
    return character == "\u200d" or unicodedata.category(character) not in {"Cc", "Cs", "Cf"}


def subject(concern: Concern, added: Sequence[str], changed: Sequence[str], deleted: Sequence[str]) -> str:
    """What a change to these files is called, for example ``Remember: contacts``."""
    new, gone, other = _VERBS[concern]
    verb = other if changed or (added and deleted) else new if added else gone
    if concern is Concern.SCHEDULE:
        return verb
    if concern is Concern.DIRECTIVE and all("/rules/" in path for path in (*added, *changed, *deleted)):
        verb = verb.replace("directive", "rule")
    names = list(dict.fromkeys(_names(concern, (*added, *changed, *deleted))))
    listed = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    return one_line(f"{verb}: {listed}", _SUBJECT)


def _names(concern: Concern, paths: Iterable[str]) -> Iterator[str]:
    paths = list(paths)
    tools = [path for path in paths if not path.endswith("tool_manifest.json")]
    for path in tools or paths:
        name = PurePosixPath(shown(path))
        parts = name.parts[2:] if "/rules/" in path else name.parts[-1:]
        yield "/".join(parts) if concern is Concern.SETTINGS else "/".join((*parts[:-1], name.stem))


def ref_name(name: str) -> str:
    """A turn's or run's id as the last part of a ref, and as a file's name."""
    quoted = quote(name, safe="").replace(".", "%2E")
    if len(quoted) <= _LONGEST_NAME:
        return quoted
    return f"{quoted[: _LONGEST_NAME - 33]}-{hashlib.sha256(name.encode()).hexdigest()[:32]}"


def message(title: str, origin: Origin, *, first: str = "") -> str:
    """A whole commit message: ``title``, the paragraph ``first`` (ours), the reason, and the trailers of ``origin``."""
    reason = [_harmless(line) for line in textwrap.wrap(one_line(origin.reason, 2000), 72, break_on_hyphens=False)]
    trailers = {
        "Actor": origin.actor,
        "Tenant": origin.tenant,
        "Conversation": origin.conversation,
        "Turn": origin.turn,
        "Trigger": origin.trigger,
        "Reason": origin.reason,
        **origin.extra,
    }
    lines = [f"{key}: {value}" for key, raw in trailers.items() if (value := one_line(raw, _TRAILER))]
    title = one_line(title, _SUBJECT) or "Change files"
    return "\n\n".join(part for part in (title, first, "\n".join(reason), "\n".join(lines)) if part) + "\n"


def _harmless(line: str) -> str:
    """git takes ``---`` for the end of a message, and a line of this wording for a revert: only at a line's start."""
    return f" {line}" if line.startswith(("---", "This reverts")) else line


def revert_subject(reverted: str) -> str:
    """As git names it: the revert of a revert is a reapply."""
    inner = re.fullmatch(r'Revert "(.*)"', reverted)
    return f'Reapply "{inner[1]}"' if inner else f'Revert "{one_line(reverted, _SUBJECT - 9)}"'


def reverts_line(commit: str) -> str:
    return f"This reverts commit {commit}."


_REVERTS = re.compile(r"^This reverts commit ([0-9a-f]{40,64})\b", re.MULTILINE)

# What ``git log -z --name-only`` prints with this format: a record is FIELDS NUL-ended fields, the first of them a
# mark no file name can be, and then the names, the first after a line feed.
LOG_FORMAT = "tformat:/commit%x00%H%x00%P%x00%ct%x00%an%x00%ae%x00%s%x00%b%x00%(trailers:only,unfold)"
_MARK = b"/commit"
_FIELDS = 9


def parse_log(output: bytes) -> list[Commit]:
    """The commits in the output of ``git log -z --name-only --format=LOG_FORMAT``."""
    tokens = output.split(b"\0")
    commits = []
    at = 0
    while at + _FIELDS <= len(tokens) and tokens[at] == _MARK:
        end = at + _FIELDS
        while end < len(tokens) and tokens[end] != _MARK:
            end += 1
        names = [name for name in tokens[at + _FIELDS : end] if name]
        if names:
            names[0] = names[0].removeprefix(b"\n")
        commits.append(_commit([token.decode("utf-8", "replace") for token in tokens[at + 1 : at + _FIELDS]], names))
        at = end
    return commits


def _commit(fields: list[str], names: list[bytes]) -> Commit:
    id_, parents, seconds, author, email, title, text, trailer_text = fields
    trailers = [line.partition(": ") for line in trailer_text.splitlines() if ": " in line]
    reverts = _REVERTS.search(text)
    return Commit(
        id=id_,
        at=datetime.fromtimestamp(int(seconds), UTC),
        author=author,
        email=email,
        subject=title,
        body=_without_trailers(text, len(trailers)),
        trailers={key: value for key, _, value in trailers},
        files=tuple(shown(name.decode("utf-8", "surrogateescape")) for name in names),
        parents=tuple(parents.split()),
        reverts=reverts[1] if reverts else None,
    )


def _without_trailers(text: str, count: int) -> str:
    """The body; a last paragraph that is trailers and nothing else is taken off."""
    text = text.strip("\n")
    rest, _, last = text.rpartition("\n\n")
    return rest.strip("\n") if count and len(last.splitlines()) == count else text


def written(id_: str, text: str, author: str, paths: Sequence[str], parent: str) -> Commit:
    """The record of a commit just made with a ``message`` of ours: what ``git log`` would say, without asking."""
    who = re.fullmatch(r"(.*) <(.*)> (\d+) [+-]\d{4}", author)
    assert who is not None
    title, *parts = text.strip("\n").split("\n\n")
    body = "\n\n".join(parts[:-1])
    reverts = _REVERTS.search(body)
    return Commit(
        id=id_,
        at=datetime.fromtimestamp(int(who[3]), UTC),
        author=who[1],
        email=who[2],
        subject=title,
        body=body,
        trailers=trailers(text),
        files=tuple(shown(path) for path in sorted(paths, key=_as_git_sorts)),
        parents=(parent,) if parent else (),
        reverts=reverts[1] if reverts else None,
    )


def trailers(text: str) -> dict[str, str]:
    """The trailers of a ``message`` of ours."""
    return dict(line.split(": ", 1) for line in text.strip("\n").split("\n\n")[-1].splitlines() if ": " in line)


def _as_git_sorts(path: str) -> bytes:
    return path.encode("utf-8", "surrogateescape")
