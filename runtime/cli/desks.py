"""What a shared tool works on when it is run as a command (the entry point ``proxystaff.desks``).

Whoever runs it sits at this machine, so they are an admin: what they change is committed under their own git identity,
by this command, or by the process that serves the home when one does. A command that only looks commits nothing.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from runtime.agent.events import Ask
from runtime.cli.terminal import settings_of, tenant_of
from runtime.engine.lease import Lease
from runtime.tenant.git.history import ADMIN, History
from runtime.tenant.life.sources import Said
from runtime.turns.providing import providers
from runtime.words import Conversation, How, Role, TurnId


@contextmanager
def desk(home: Path, tenant: str, needs: type) -> Iterator[object]:
    """What ``needs`` asks for, of one tenant. Raises NotFound for a home or tenant that is not there."""
    settings = settings_of(home)
    one = tenant_of(settings, tenant)
    said = Said(id="", who=ADMIN, how=How.TYPED, text="", at=datetime.now(UTC))
    ask = Ask(
        tenant=one.id,
        folder=one.folder.root,
        conversation=Conversation("command:"),
        turn=TurnId("command"),
        prompt="",
        role=Role.OWNER,
        said=(said,),
        timezone=one.config.timezone,
    )
    before = one.folder.stamps()
    yield providers(lambda _: one.folder, settings.index)[needs](ask)
    if one.folder.stamps() != before and not Lease(settings.var).held_elsewhere():
        History(one.folder).commit_admin()
