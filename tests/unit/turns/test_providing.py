"""What the shared tools work on is made for the turn that uses them: its folder, its people, its zone."""

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from runtime.agent.events import Ask
from runtime.errors import BadInput
from runtime.tenant.folder import Folder
from runtime.tenant.life.memory import Memory
from runtime.tenant.life.sources import Said
from runtime.tenant.messages import MessageLine, MessageLog
from runtime.turns.providing import Search, day, providers
from runtime.words import Conversation, Direction, How, Role, TenantId, TurnId
from shared_tools import offered

DENVER = ZoneInfo("America/Denver")
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
HERE = Conversation("telegram:1")


def ask(folder: Path, **more: object) -> Ask:
    given = {"role": Role.OWNER, "said": (), "timezone": "America/Denver", **more}
    return Ask(tenant=TenantId("anden"), folder=folder, conversation=HERE, turn=TurnId("t1"), prompt="", **given)  # type: ignore[arg-type]


def line(number: int, text: str, how: How = How.TYPED, conversation: Conversation = HERE) -> MessageLine:
    return MessageLine(
        id=f"m{number}",
        at=NOW,
        channel="telegram",
        conversation=conversation,
        direction=Direction.INBOUND,
        person="Anden",
        text=text,
        how=how,
    )


@pytest.mark.parametrize(
    ("text", "days", "found"),
    [
        ("", 1, None),
        ("  ", 0, None),
        ("2026-11-27", 0, "2026-11-27T00:00:00-07:00"),
        ("2026-11-27", 1, "2026-11-28T00:00:00-07:00"),
        (" 2026-11-27 ", 0, "2026-11-27T00:00:00-07:00"),
        ("2026-11-27T15:00", 1, "2026-11-27T15:00:00-07:00"),
        ("2026-11-27 15:00", 1, "2026-11-27T15:00:00-07:00"),
        ("2026-11-27T15:00Z", 0, "2026-11-27T15:00:00+00:00"),
        ("2026-03-08", 1, "2026-03-09T00:00:00-06:00"),
    ],
)
def test_a_day_is_the_tenants(text: str, days: int, found: str | None) -> None:
    given = day(text, DENVER, days=days)
    assert (given.isoformat() if given else None) == found


@pytest.mark.parametrize("text", ["yesterday", "2026-11", "2026-13-01", "11/27/2026", "9999-12-31"])
def test_a_day_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="is no date"):
        day(text, DENVER, days=1)


def test_memory_hears_this_conversation_and_the_running_turn(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    log = MessageLog(folder)
    log.append([line(1, "mine", How.FORWARDED), line(2, "elsewhere", conversation=Conversation("telegram:2"))])
    own = Said(id="m3", who="Anden", how=How.TYPED, text="now", at=NOW)
    made = providers(lambda _: folder, lambda _: tmp_path / "i", lambda: NOW)[offered.Memory](
        ask(tmp_path, said=(own,))
    )
    assert isinstance(made, Memory)
    assert [(one.id, one.elsewhere) for one in made.said] == [("m1", False), ("m3", False)]
    log.append([line(4, "shown elsewhere", How.FORWARDED, Conversation("telegram:2"))])
    made = providers(lambda _: folder, lambda _: tmp_path / "i", lambda: NOW)[offered.Memory](
        ask(tmp_path, said=(own,))
    )
    assert isinstance(made, Memory)
    assert [(one.id, one.elsewhere) for one in made.said] == [("m4", True), ("m1", False), ("m3", False)]
    assert (made.role, made.zone, made.now()) == (Role.OWNER, DENVER, NOW)


def test_a_runs_memory_is_of_its_own_folder_and_its_search_of_the_tenants(tmp_path: Path) -> None:
    """A run nobody typed works in a folder of its own; the messages are the tenant's."""
    tenant, run = Folder(tmp_path / "tenant"), tmp_path / "run"
    run.mkdir()
    (tmp_path / "tenant").mkdir()
    MessageLog(tenant).append([line(1, "the roof leaks"), line(2, "the door squeaks")])
    made = providers(lambda _: tenant, lambda name: tmp_path / f"{name}.db")
    memory = made[offered.Memory](ask(run))
    assert isinstance(memory, Memory)
    assert memory.life._folder.root == run.resolve()
    search = made[offered.Messages](ask(run))
    assert isinstance(search, Search)
    said = search.search("roof", "inbound", "2026-11-20", "2026-11-20", 10, 0)
    assert said == "Fri 2026-11-20 05:00 Anden (telegram): the «roof» leaks"
    assert search.search("roof", "", "2026-11-21", "", 10, 0) == "Nothing was said about that."
    for wrong in ({"limit": 0, "offset": 0}, {"limit": 101, "offset": 0}, {"limit": 1, "offset": -1}):
        with pytest.raises(BadInput):
            search.search("roof", "", "", "", **wrong)
