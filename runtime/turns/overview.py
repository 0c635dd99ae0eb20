"""What a tenant's folder holds, in a few lines for a phone. Nothing here is for the agent."""

import json
import re
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from runtime.errors import Fault
from runtime.tenant import frontmatter
from runtime.tenant.folder import Folder
from runtime.tenant.git.commits import Commit
from runtime.words import Conversation

MOST_LINES = 30
"""Lines of one overview: what does not fit is counted."""

_FACT = re.compile(r"^[-*] +(.+?)(?: *\[[^\]]*\])? *$", re.MULTILINE)
_TASK = re.compile(r"^ *- +id: *(\S+)", re.MULTILINE)


def memory(folder: Folder) -> str:
    """The facts under life/, by file."""
    lines = []
    for rel in _markdown(folder, "life"):
        facts = _FACT.findall(_body(folder, rel))
        if facts:
            lines += [f"{rel.removeprefix('life/').removesuffix('.md')}:", *(f"- {fact}" for fact in facts)]
    return _cut(lines) or "I know nothing about you yet. Tell me something worth keeping."


def skills(folder: Folder) -> str:
    """The directives and the tenant's own tools, each with what it is for."""
    lines = []
    for rel in _markdown(folder, "directives"):
        try:
            meta, _ = frontmatter.parse(folder.read_text(rel), path=rel)
        except Fault:
            continue  # README has no head; a broken one is told to the admin, not to a phone
        lines.append(f"- {meta.get('name', rel)}: {meta.get('description', '')}")
    try:
        tools = json.loads(folder.read_text("execution/tool_manifest.json")).get("tools", [])
        lines += [f"- {tool['name']}: {tool.get('description', '')}" for tool in tools]
    except (Fault, ValueError, AttributeError, TypeError, KeyError):
        pass
    return _cut(lines) or "I was taught nothing yet."


def tasks(folder: Folder) -> str:
    """What state/schedules.yaml names."""
    try:
        text = "\n".join(
            line for line in folder.read_text("state/schedules.yaml").splitlines() if not line.startswith("#")
        )
    except Fault:
        text = ""
    return _cut([f"- {task}" for task in _TASK.findall(text)]) or "I do nothing at set times."


def changes(commits: Sequence[Commit], zone: ZoneInfo) -> str:
    """The agent's commits, newest first, numbered as /undo counts them."""
    lines = [
        f"{number}. {said(commit)} ({commit.at.astimezone(zone):%a %d %b %H:%M}, {commit.id[:7]})"
        for number, commit in enumerate(undoable(commits), start=1)
    ]
    return "\n".join([*lines, "/undo takes the first one back."]) if lines else "I have changed nothing about myself."


def said(commit: Commit) -> str:
    """A commit for somebody who does not read git: of what was learned, what it is for."""
    learned = re.fullmatch(r"anneal\((.+?)\): (?:keep )?(.+)", commit.subject)
    if learned is None:
        return commit.subject
    return f"Learned: {learned[2]}" if learned[1] == "README" else f"Learned for {learned[1]}: {learned[2]}"


def undoable(commits: Sequence[Commit]) -> list[Commit]:
    """The agent's commits that nobody has taken back, newest first, out of ``commits``, which are newest first too."""
    gone = {commit.reverts for commit in commits} | {commit.trailers.get("Reverts-Improvement") for commit in commits}
    found: dict[str, Commit] = {}
    for one in commits:
        # An improvement is one change, however many commits tell of it.
        name = one.trailers.get("Improvement", one.id)
        if one.by_agent and not one.reverts and gone.isdisjoint((one.id, name)):
            found.setdefault(name, one)
    return list(found.values())


def meant(words: str, here: Conversation, silent: Sequence[Conversation]) -> list[Conversation]:
    """Which of the silent conversations a person means: by its name or a part of it; without words the one they write
    in, if that is one of them, or any."""
    if not words:
        return [here] if here in silent else list(silent)
    exact = [one for one in silent if one == words]
    part = words.lstrip("+").replace(" ", "").replace("-", "")
    return exact or [one for one in silent if part and part in one]


def _markdown(folder: Folder, rel: str) -> list[str]:
    found = []
    for name in folder.names(rel):
        if name.endswith(".md"):
            found.append(f"{rel}/{name}")
        elif "." not in name and name != "rules":
            found += _markdown(folder, f"{rel}/{name}")
    return found


def _body(folder: Folder, rel: str) -> str:
    try:
        return frontmatter.parse(folder.read_text(rel), path=rel)[1]
    except Fault:
        return ""


def _cut(lines: list[str]) -> str:
    more = len(lines) - MOST_LINES
    return "\n".join([*lines[:MOST_LINES], f"… and {more} more"] if more > 0 else lines)
