"""What tools printed, as memory needs to know it: the words in it that may be anybody's. Pure.

Owns which part of a tool's output is others' words. The tenant's own files are what its people were asked for already,
so their lines do not count, however they were printed; nor does what the agent wrote itself, whose words are looked at
where it had them from.
"""

import json
import posixpath
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from runtime.tenant.life.terms import terms

Run = Mapping[str, Any]
"""One use of a tool, as the turn log has it: ``name``, ``input``, ``output``, ``ok``."""

OWN_FILES = ("life/", "directives/", "CLAUDE.md", "state/schedules.yaml")
"""What comes into these is weighed when it does."""

MESSAGES = "state/recent_messages.json"
"""Written by the runtime; each message in it is weighed as a message."""

_WRITING = frozenset({"Edit", "Write"})
_ON_FILES = frozenset({"Read", "Glob", "Grep", *_WRITING})
_CUT = re.compile(r" \[…\d+ more\]\s*$")
_NUMBER = re.compile(r"^\d+[:\t\u2192-]\s*")
"""What grep, ``cat -n`` and the like put before a line."""

_SHORT, _FEW = 200, 3
"""Characters up to which it is looked whether an output says anything, and the terms below which it does not: "ok", a
number, a day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenants:
    """What is the tenant's own: its files, their names in full, the lines in them, and the tools of its memory."""

    files: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    lines: frozenset[str] = frozenset()
    tools: Collection[str] = ()
    roots: Collection[str] = ()


def own_of(files: Iterable[tuple[str, str]], *, tools: Collection[str], roots: Collection[str]) -> Tenants:
    """``files``: path and text of each of the tenant's own; ``roots``: what the tenant's folder is called."""
    found = list(files)
    paths = frozenset(path for path, _ in found)
    names = frozenset({*paths, *(f"{root}/{path}" for root in roots for path in paths)})
    lines = {_bare(line) for _, text in found for line in text.splitlines()}
    short = {posixpath.basename(path) for path in paths}
    return Tenants(files=paths, names=names, lines=frozenset(lines | names | short), tools=tools, roots=roots)


def may_show(run: Run, tools: Collection[str]) -> bool:
    """Whether a use of a tool may have printed words of others. ``tools``: those of memory, which weigh for themselves.
    A file tool that failed says so in the words of the CLI or ours."""
    name = str(run.get("name"))
    if name in tools or name in _WRITING:
        return False
    return bool(run.get("ok")) or name not in _ON_FILES


def others_words(run: Run, own: Tenants, written: frozenset[str] = frozenset(), *, earlier: bool = False) -> str:
    """What a use of a tool printed that is not the tenant's own; empty when there is nothing. ``written``: the lines
    that the agent wrote in the same turn. Of an ``earlier`` turn a file of the tenant's was read as it was then."""
    if not may_show(run, own.tools):
        return ""
    printed, path = str(run.get("output", "")), _read(run, own.roots)
    if path == MESSAGES or (earlier and path in own.files):
        return ""
    is_cut = _CUT.search(printed) is not None and path not in own.files  # then nobody knows what else was printed
    mine = own.lines | written
    lines = (_without_name(line, own.names) for line in _lines(printed))
    left = [line for line in lines if _bare(line) not in mine and (is_cut or not _begins_one(line, mine))]
    text = "\n".join(left)
    return text if is_cut or len(text) > _SHORT or len(terms(text)) >= _FEW else ""


def written_in(runs: Iterable[Run]) -> frozenset[str]:
    """The lines that the agent itself wrote with its file tools."""
    given = (run["input"] for run in runs if run.get("name") in _WRITING and isinstance(run.get("input"), Mapping))
    texts = (text for one in given for key in ("new_string", "content") if isinstance(text := one.get(key), str))
    return frozenset(_bare(line) for text in texts for line in text.splitlines())


def _read(run: Run, roots: Collection[str]) -> str:
    """The one file that was read, from the tenant's folder on; empty when it was no reading of one."""
    given = run.get("input")
    named = given.get("file_path") if run.get("name") == "Read" and isinstance(given, Mapping) else None
    if not isinstance(named, str):
        return ""
    for root in roots:
        named = named.removeprefix(f"{root.rstrip('/')}/")
    return posixpath.normpath(named)


def _lines(printed: str) -> Iterator[str]:
    """Line by line; of what is JSON, the lines of its texts."""
    try:
        whole = json.loads(printed) if printed.lstrip()[:1] in ("{", "[") else printed
    except ValueError:
        whole = printed
    yield from _texts(whole)


def _texts(value: object) -> Iterator[str]:
    match value:
        case str():
            yield from value.splitlines()
        case list():
            for one in value:
                yield from _texts(one)
        case dict():
            for key, one in value.items():
                if len(key.split()) > 1:
                    yield key
                yield from _texts(one)
        case _:
            pass


def _begins_one(line: str, mine: Collection[str]) -> bool:
    """A line that was cut at its end, of the tenant's own."""
    cut = _bare(_CUT.sub("", line))
    return cut != _bare(line) and bool(cut) and any(one.startswith(cut) for one in mine)


def _without_name(line: str, names: Collection[str]) -> str:
    """A line of one of the tenant's files, without the name that grep puts before it."""
    name, colon, rest = line.partition(":")
    return rest if colon and name in names else line


def _bare(line: str) -> str:
    return _NUMBER.sub("", line.strip()).strip()
