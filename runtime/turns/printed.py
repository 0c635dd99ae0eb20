"""What tools printed lately in a conversation, as memory needs to know it: words of others, by the turn they stood in.

Reads the turn log and the tenant's own files, and both only where a tool may have printed something. Does not own what
of an output is others' words (life/shown.py) nor what follows from it (life/sources.py).
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from runtime.agent.events import ToolRun
from runtime.agent.naming import TENANT, named
from runtime.errors import Fault
from runtime.tenant.folder import Folder
from runtime.tenant.git.history import History
from runtime.tenant.life.files import Life
from runtime.tenant.life.shown import OWN_FILES, Run, Tenants, may_show, others_words, own_of, written_in
from runtime.tenant.life.sources import Said
from runtime.tenant.turnlog import TurnLine, TurnLog
from runtime.words import Conversation, How
from shared_tools.catalog import TOOLS

IN_PLAY = 3
"""Turns before this one of which a tool's output is in play as if it had been shown; nothing is learned beside it that
nobody said themselves."""

REMEMBERED = 20
"""Turns of which a tool's output is still compared: what is taken from it is not a person's own."""

LOOKED_THROUGH = 500
"""Turns of the tenant among which they are looked for: a conversation may be a new one, and the log of years long."""

MEMORY_TOOLS = frozenset(named(tool.name) for tool in TOOLS)
"""They all work on what is weighed already: facts and messages."""

_ABOUT = "message "


@dataclass(frozen=True, slots=True)
class Printed:
    """``folder`` is where the agent works, ``log`` the tenant's."""

    folder: Folder
    history: History
    log: TurnLog

    def heard(
        self, conversation: Conversation, here: Sequence[Said], ran: Sequence[ToolRun] | None, now: datetime
    ) -> list[Said]:
        """Others' words, oldest first. ``here`` is what people said; ``ran`` the tools of the running turn, None where
        that is not known any more: then something counts as shown."""
        turns = self.log.recent(REMEMBERED, conversation, within=LOOKED_THROUGH)
        last = [asdict(one) for one in ran or ()]
        runs = [*last, *(run for turn in turns for run in turn.tools)]
        unknown = [_nobodys(here, now, "")] if ran is None else []
        if not any(may_show(run, MEMORY_TOOLS) for run in runs):
            return unknown
        own = self._own()
        far = len(turns) - IN_PLAY
        before = [said for at, turn in enumerate(turns) for said in _of_turn(turn, own, here, elsewhere=at < far)]
        return [*before, *(_nobodys(here, now, text) for text in _texts(last, own)), *unknown]

    def _own(self) -> Tenants:
        """life/ as it is, since no agent writes there; the rest as it was committed: what a command put there meanwhile
        may come from anywhere."""
        files = [(rel, self._read(rel)) for rel in Life(self.folder, self.history).names()]
        try:
            head = self.history.head()
            paths = [path for path in self.history.files(head) if path.startswith(OWN_FILES[1:])]
            committed = [
                (path, data.decode("utf-8", "replace")) for path, _, data in self.history.contents(head, paths)
            ]
        except Fault:  # nothing is known to be the tenant's own, then
            committed = []
        return own_of([*files, *committed], tools=MEMORY_TOOLS, roots=(TENANT, str(self.folder.root)))

    def _read(self, rel: str) -> str:
        try:
            return self.folder.read_text(rel)
        except Fault:
            return ""


def _of_turn(turn: TurnLine, own: Tenants, here: Sequence[Said], *, elsewhere: bool) -> Iterator[Said]:
    asked = [one for one in here if one.id and one.id == turn.trigger.removeprefix(_ABOUT)]
    for text in _texts(turn.tools, own, earlier=True):
        yield replace(_nobodys(asked or here, turn.at, text), at=turn.at, elsewhere=elsewhere)


def _texts(runs: Sequence[Run], own: Tenants, *, earlier: bool = False) -> Iterator[str]:
    written = written_in(runs)
    return (text for run in runs if (text := others_words(run, own, written, earlier=earlier)))


def _nobodys(here: Sequence[Said], at: datetime, text: str) -> Said:
    """Words that a tool printed: they came with the message that it ran for, and nobody here said them."""
    if not here:
        return Said(id="", who="", how=How.DOCUMENT, text=text, at=at)
    return replace(here[-1], how=How.DOCUMENT, text=text, shows=False, elsewhere=False)
