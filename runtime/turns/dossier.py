"""What a tenant keeps about one person, as data: for their own request to see it.

Owns what is gathered and its form. It reads and changes nothing. Does not own who is meant (tenant/erasure/whom.py).
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from runtime.engine import scrubbing
from runtime.errors import Fault
from runtime.tenant.erasure import files, logs
from runtime.tenant.erasure.looking import Finder
from runtime.tenant.erasure.texts import is_admins
from runtime.tenant.erasure.whom import Person
from runtime.tenant.folder import Folder
from runtime.tenant.git.history import History
from runtime.tenant.life.facts import Fact, facts
from runtime.tenant.life.files import LIFE, Life
from runtime.tenant.messages import MessageLine, MessageLog, merge, to_line
from runtime.tenant.registry import Tenant
from runtime.tenant.turnlog import TurnLog
from runtime.tenant.turnlog import to_line as turn_line
from runtime.turns import forgetting
from runtime.turns.erasing import Places

FORMAT = "proxystaff-person-1"
_COMMITS = 1_000_000


def gather(places: Places, tenant: Tenant, person: Person) -> dict[str, Any]:
    """Everything that names ``person`` or is theirs: JSON-able."""
    history = History(tenant.folder)
    marks = person.marks
    return {
        "format": FORMAT,
        "tenant": tenant.id,
        "person": {
            "name": person.name,
            "names": list(marks.names),
            "role": person.role.value if person.role else None,
            "addresses": [*marks.phones, *marks.words],
            "conversations": list(marks.conversations),
        },
        "facts": list(_facts(tenant.folder, history, person.finder)),
        "decided": list(_decided(tenant.folder, person.finder)),
        "messages": [to_line(line) for line in _messages(tenant.folder, person)],
        "turns": [turn_line(line) for line in TurnLog(tenant.folder).read() if marks.talk(line.conversation)],
        "media": sorted(logs.media_of(tenant.folder, marks)),
        "transcripts": list(_transcripts(tenant.folder, person.finder)),
        "runtime": list(_rows(places, tenant, person)),
        "commits": list(_commits(history, person.finder)),
    }


def _facts(folder: Folder, history: History, finder: Finder) -> Iterator[dict[str, Any]]:
    """The facts of their sections, and others that name them."""
    life = Life(folder, history)
    for file in life.all():
        whole = finder.starts(str(file.meta.get("title", ""))) or finder.names(file.rel)
        for fact in facts(file.body):
            if whole or finder.starts(fact.section) or finder.names(f"{fact.text} {fact.source or ''}"):
                yield {"file": file.rel, "section": fact.section, "text": fact.text, "source": _source(fact)}


def _source(fact: Fact) -> dict[str, str] | None:
    source = fact.source
    if source is None:
        return None
    return {"date": source.date, "who": source.who, "how": source.how, "message": source.message}


def _decided(folder: Folder, finder: Finder) -> Iterator[dict[str, Any]]:
    """Lines of directives, tools, schedules, settings and people's own notes that name them."""
    for path, _ in files.walk(folder, leave_out=(".git", ".secrets", "state/messages", "state/turns")):
        if not (is_admins(path) or path.startswith(f"{LIFE}/")):
            continue
        try:
            text = folder.read_bytes(path).decode("utf-8", "replace")
        except Fault:
            continue
        known = {fact.line for fact in facts(text)} if path.startswith(f"{LIFE}/") else set()
        for number, line in enumerate(text.splitlines()):
            if number not in known and not line.startswith("#") and finder.names(line):
                yield {"file": path, "line": number + 1, "text": line.strip()}


def _messages(folder: Folder, person: Person) -> list[MessageLine]:
    """Those of their conversations, with what became of them, and others that name them."""
    found = merge(MessageLog(folder).read())
    return [one for one in found if person.marks.talk(one.conversation) or person.finder.names(one.text)]


def _transcripts(folder: Folder, finder: Finder) -> Iterator[str]:
    """The names of the sessions' transcripts that mention them; what was said is in the messages."""
    for path, _ in files.walk(folder, leave_out=(".git", ".secrets")):
        if path.startswith(files.TRANSCRIPTS) and _mentions(folder, path, finder):
            yield path


def _mentions(folder: Folder, path: str, finder: Finder) -> bool:
    try:
        return finder.names(path) or any(finder.names(text) for text in files.chunks(folder, path))
    except Fault:
        return False


def _rows(places: Places, tenant: Tenant, person: Person) -> Iterator[Mapping[str, Any]]:
    """What the runtime's own database holds of them: what waits, what was sent, whether they asked to be let in."""
    for table, row in scrubbing.rows(places.database):
        shown = "\n".join(str(value) for value in row.values())
        if row.get("tenant") == tenant.id and (forgetting.is_theirs(person.marks, row) or person.finder.names(shown)):
            yield {"table": table, **{key: value for key, value in row.items() if value not in (None, "")}}


def _commits(history: History, finder: Finder) -> Iterator[dict[str, Any]]:
    """The commits whose words or changes name them."""
    for commit in history.log(limit=_COMMITS):
        words = "\n".join((commit.subject, commit.body, *commit.trailers.values(), *commit.files, commit.author))
        if finder.names(words) or finder.names(history.diff(commit.id)):
            yield {
                "commit": commit.id,
                "at": commit.at.isoformat(),
                "author": commit.author,
                "subject": commit.subject,
                "reason": commit.trailers.get("Reason", ""),
                "files": list(commit.files),
            }


def written(data: Mapping[str, Any]) -> bytes:
    """The file: what is no character, from a broken name say, is shown as an escape."""
    return (json.dumps(data, ensure_ascii=False, indent=2, default=str) + "\n").encode("utf-8", "backslashreplace")
