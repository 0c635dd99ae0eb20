"""Which Claude session serves which conversation of a tenant: ``state/sessions/conversations.json``.

Owns that file. It lies in a folder of its own because a sandbox shows folders that the runtime writes read-only, and
a single file inside ``state`` would lose that protection when it is replaced. Losing it loses nothing but the thread
of talk: the next turn starts a new session.
"""

import json
import re
import stat
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from runtime.agent.views import CONFIG
from runtime.errors import Fault
from runtime.tenant.folder import Folder
from runtime.words import Conversation

FILE = "state/sessions/conversations.json"

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Conversations:
    """Of one tenant. Times are aware, UTC. What cannot be read counts as not there."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder

    def find(self, conversation: Conversation, *, now: datetime, longest: timedelta) -> str | None:
        """The session to go on with, unless it has been silent for ``longest``."""
        entry = self._read().get(conversation, {})
        session, used = entry.get("session"), _time(entry.get("used"))
        if not isinstance(session, str) or not _UUID.fullmatch(session) or used is None or now - used > longest:
            return None
        return session

    def note(self, conversation: Conversation, session: str, *, now: datetime) -> None:
        """``session`` serves ``conversation`` and was used now."""
        known = self._read()
        entry = known.get(conversation, {})
        if entry.get("session") != session:
            entry = {"session": session, "started": now.isoformat()}
        self._write({**known, conversation: {**entry, "used": now.isoformat()}})

    def forget(self, conversation: Conversation) -> None:
        known = self._read()
        if known.pop(conversation, None) is not None:
            self._write(known)

    def sessions(self) -> dict[str, str]:
        """The session of every conversation."""
        return {name: str(one.get("session", "")) for name, one in self._read().items()}

    def forget_sessions(self, gone: Callable[[str, str], bool]) -> int:
        """Forget every entry whose conversation and session ``gone`` says; how many there were."""
        known = self._read()
        kept = {name: one for name, one in known.items() if not gone(name, str(one.get("session", "")))}
        if len(kept) < len(known):
            self._write(kept)
        return len(known) - len(kept)

    def _read(self) -> dict[str, dict[str, Any]]:
        try:
            known = json.loads(self._folder.read_text(FILE))
        except (Fault, ValueError, RecursionError):
            return {}
        entries = known.items() if isinstance(known, dict) else ()
        return {name: entry for name, entry in entries if isinstance(entry, dict)}

    def _write(self, known: dict[str, dict[str, Any]]) -> None:
        self._folder.write_text(FILE, json.dumps(known, indent=1, ensure_ascii=False) + "\n")


def has_transcript(folder: Folder, workdir: str, session: str, config: str = CONFIG) -> bool:
    """Has the CLI kept what was said? ``workdir`` is the tenant's folder as the CLI sees it, ``config`` the CLI's
    config folder in the tenant's."""
    try:
        found = (folder.root / transcript(workdir, session, config)).lstat()
    except OSError:
        return False
    return stat.S_ISREG(found.st_mode) and found.st_size > 0


def transcript(workdir: str, session: str, config: str = CONFIG) -> str:
    """Where in the tenant's folder the CLI keeps what was said in a session."""
    place = re.sub(r"[^a-zA-Z0-9]", "-", workdir)
    return f"{config}/projects/{place}/{session}.jsonl"


def _time(text: object) -> datetime | None:
    try:
        time = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return time if time and time.tzinfo else None
