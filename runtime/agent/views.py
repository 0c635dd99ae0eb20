"""What of a tenant's folder a person's role lets the agent see and change for them. Pure.

Enforced by what a sandbox mounts (sandbox), and by the guard where there is no sandbox (guards): not by asking.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from runtime.tenant.rules.files import RULES
from runtime.words import Conversation, Role

CONFIG = "state/claude"
"""The CLI's config folder, as it sees it: transcripts."""

WRITABLE = ("directives", "execution", "state")
"""What an owner's agent may change as files. life/ is written with tools, which know whose words a fact is."""

KEPT = (
    "life",
    RULES,
    "state/messages",
    "state/turns",
    "state/aside",
    "state/annealing",
    "state/sessions",
    "state/guests",
    "state/erasures",
)
"""Folders that only the runtime writes."""


HIDDEN = ("state/annealing",)
"""Of those, what no agent sees either: by what it is judged, and the cases its changes are played against."""


@dataclass(frozen=True, slots=True)
class View:
    """``seen`` is None for everything."""

    writable: tuple[str, ...]
    seen: tuple[str, ...] | None = None

    def shows(self, name: str) -> bool:
        return self.seen is None or name in self.seen


VIEWS: Mapping[Role, View] = {
    Role.OWNER: View(WRITABLE),
    # May talk and be remembered; what the assistant does, and with which tools, is the owner's to change.
    Role.MEMBER: View(("state",)),
    # May ask: nothing is changed, and nothing of other conversations is there, neither logs nor history.
    Role.GUEST: View((), ("CLAUDE.md", "life", "directives")),
}


def config_of(role: Role, conversation: Conversation) -> str:
    """Where the transcripts of a conversation lie in the tenant's folder. A guest's lie apart, so that a guest's
    session holds no other conversation."""
    if role is not Role.GUEST:
        return CONFIG
    return f"state/guests/{hashlib.sha256(conversation.encode()).hexdigest()[:16]}"
