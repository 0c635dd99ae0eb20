"""The watcher on real folders, git and database: what is committed, what is told, what is put aside."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from runtime.background import beside
from runtime.engine.database import Database
from runtime.settings import Settings, load_settings
from runtime.tenant import blueprint
from runtime.tenant.git.commits import Origin
from runtime.tenant.registry import Tenant, Tenants
from runtime.tenant.secrets import Keys
from runtime.tenant.watch import Touched, Watch
from runtime.turns import bad_edits
from runtime.turns.course import NOT_ASKED
from runtime.turns.edits import Edits
from runtime.turns.lanes import Lanes
from runtime.turns.records import Records
from runtime.words import TurnId

SOP = "directives/showings.md"
TURN = TurnId("turn:anden:api:default:00000001")
TOLD = "SELECT text FROM outbox WHERE channel = 'telegram' ORDER BY planned, key"
OPENED = "SELECT count(*) AS turns FROM turn WHERE state = 'answered'"


@dataclass
class House:
    """A home with one tenant, and what watches it."""

    settings: Settings
    tenants: Tenants
    tenant: Tenant
    database: Database
    lanes: Lanes
    records: Records
    edits: Edits

    @property
    def root(self) -> Path:
        return self.tenant.folder.root

    @property
    def head(self) -> str:
        return self.records.book(self.tenant).history.head()

    def told(self) -> list[str]:
        return [row["text"] for row in self.database.read_now(lambda tx: tx.run(TOLD))]

    def standing(self) -> dict[str, bad_edits.BadEdit]:
        return self.database.read_now(lambda tx: bad_edits.find(tx, self.tenant.id))

    def break_(self, rel: str = SOP) -> str:
        """Save it broken; what it was."""
        good = (self.root / rel).read_text()
        (self.root / rel).write_text(good.replace("---json", "---", 1))
        return good


@asynccontextmanager
async def house(tmp_path: Path, *, telegram: str = "111222333") -> AsyncIterator[House]:
    settings = load_settings(tmp_path / "home", {})
    Keys.of(settings).create()
    tenant = blueprint.create(settings, "Anden", owner_telegram=telegram)
    tenants = Tenants(settings.tenants, Keys.of(settings))
    database, lanes, records = Database("sqlite", settings.var), Lanes(), Records(tenants)
    edits = Edits(database=database, tenants=tenants, records=records, lanes=lanes)
    try:
        yield House(settings, tenants, tenant, database, lanes, records, edits)
    finally:
        database.close()


async def until(holds: object, *, seconds: float = 30.0) -> None:
    assert callable(holds)
    async with asyncio.timeout(seconds):
        while not holds():
            await asyncio.sleep(0.02)


async def test_a_good_edit_is_committed_and_a_bad_one_told_once(tmp_path: Path) -> None:
    async with house(tmp_path) as one, beside(one.edits.run()):
        before = one.head
        (one.root / "life/notes.md").write_text("- Likes tea.\n")
        await until(lambda: one.head != before)
        good = one.break_()
        await until(one.told)
        assert one.told()[0].startswith(f"Your edit of {SOP} is not in force: line 1: wanted ---json")
        assert one.standing()[SOP].faults[0].startswith(f"{SOP}:1: ")
        assert (one.root / SOP).read_text() != good
        (one.root / "life/notes.md").write_text("- Likes coffee.\n")  # a further look finds the same fault
        after = one.head
        await until(lambda: one.head != after)
        assert len(one.told()) == 1
        (one.root / SOP).write_text(good)
        await until(lambda: len(one.told()) == 2)
        assert one.told()[1] == f"{SOP} is in order again, as it was before the edit."
        assert one.standing() == {}
        one.break_()
        await until(lambda: len(one.told()) == 3)
        assert one.told()[2] == one.told()[0], "broken the same way again is told again"


async def test_a_rule_that_is_saved_during_a_turn_is_an_admins_commit_after_it(tmp_path: Path) -> None:
    async with house(tmp_path) as one:
        await one.edits.begin(one.tenant, TURN)
        rule = one.root / "directives/rules/showings/map.md"
        rule.parent.mkdir()
        rule.write_text('---json\n{"id": "map"}\n---\n\nSend a map.\n')
        await asyncio.sleep(0.03)  # a file that has only just changed is looked at again anyway
        assert one.records.commit(one.tenant, _origin(), NOT_ASKED) == ([], ())
        before = one.head
        await until(lambda: one.records.look(one.tenant) == () and one.head != before)
        assert one.records.book(one.tenant).history.log(limit=1)[0].by_agent is False


async def test_a_turn_puts_aside_what_is_bad_and_what_is_mended_later_is_told(tmp_path: Path) -> None:
    async with house(tmp_path) as one:
        good = one.break_()
        bad = (one.root / SOP).read_text()
        async with one.lanes.folder(one.tenant.id):
            await one.edits.begin(one.tenant, TURN)
            assert (one.root / SOP).read_text() == good
            assert (one.root / one.standing()[SOP].aside).read_text() == bad
            one.records.commit_left(one.tenant, _origin())
        async with beside(one.edits.run()):
            before = one.head
            (one.root / "life/notes.md").write_text("- Likes tea.\n")
            await until(lambda: one.head != before)
            assert SOP in one.standing(), "it is known until it is mended"
            (one.root / SOP).write_text(good + "More.\n")
            await until(lambda: len(one.told()) == 2)
        assert one.told()[1] == f"The edit of {SOP} is in force now."
        assert one.standing() == {}


async def test_what_a_turn_has_not_committed_yet_is_never_an_admins(tmp_path: Path) -> None:
    async with house(tmp_path) as one:
        await one.edits.begin(one.tenant, TURN)
        (one.root / "life/notes.md").write_text("- What the agent learned.\n")
        before = one.head
        with capture_logs() as seen:
            async with beside(one.edits.run()):
                await asyncio.sleep(1.5)
                assert one.head == before
                await asyncio.to_thread(one.records.commit_left, one.tenant, _origin())
                (one.root / "life/other.md").write_text("- What the admin wrote.\n")
                await until(lambda: any(line["event"] == "edit.committed" for line in seen))
        (admins, agents) = one.records.book(one.tenant).history.log(limit=2)
        assert (admins.by_agent, admins.files) == (False, ("life/other.md",))
        assert (agents.by_agent, agents.files) == (True, ("life/notes.md",))


async def test_what_lands_of_a_run_does_not_keep_an_admins_edits_waiting(tmp_path: Path) -> None:
    async with house(tmp_path) as one, beside(one.edits.run()):
        async with one.lanes.folder(one.tenant.id):
            one.records.settle(one.tenant, TurnId("run:anden:review:000001"))
        before = one.head
        (one.root / "life/notes.md").write_text("- Likes tea.\n")
        await until(lambda: one.head != before)


async def test_a_turn_waits_for_a_save_that_is_half_done(tmp_path: Path) -> None:
    async with house(tmp_path) as one:
        good = (one.root / SOP).read_text()
        before = one.head
        (one.root / SOP).write_text("")
        begun = asyncio.create_task(one.edits.begin(one.tenant, TURN))
        await asyncio.sleep(0.1)
        for end in (50, len(good)):
            (one.root / SOP).write_text(good[:end])
            await asyncio.sleep(0.1)
        await begun
        assert one.head == before, "what was saved is what was there"
        assert one.told() == []
        assert not (one.root / "state/aside").exists()


async def test_a_file_that_was_emptied_and_left_so_is_put_back(tmp_path: Path) -> None:
    async with house(tmp_path) as one:
        good = (one.root / SOP).read_text()
        (one.root / SOP).write_text("")
        await one.edits.begin(one.tenant, TURN)
        assert (one.root / SOP).read_text() == good
        assert len(one.told()) == 1


async def test_the_lane_is_waited_for(tmp_path: Path) -> None:
    async with house(tmp_path) as one, beside(one.edits.run()):
        before = one.head
        async with one.lanes.folder(one.tenant.id):
            (one.root / "life/notes.md").write_text("- Likes tea.\n")
            await asyncio.sleep(1.5)
            assert one.head == before
        await until(lambda: one.head != before)


async def test_an_owner_without_a_channel_is_told_nothing_but_the_log_is(tmp_path: Path) -> None:
    async with house(tmp_path, telegram="") as one:
        one.break_()
        with capture_logs() as seen:
            await one.edits.begin(one.tenant, TURN)
        assert [line["event"] for line in seen] == ["edit.not_in_force", "edit.put_aside"]
        assert one.told() == []
        assert SOP in one.standing()
        assert one.database.read_now(lambda tx: tx.run(OPENED)) == [{"turns": 0}]


async def test_where_there_is_no_inotify_folders_are_looked_at(tmp_path: Path) -> None:
    def deaf(touched: Touched) -> Watch:
        watch = Watch(touched)
        watch.close()
        return watch

    async with house(tmp_path) as one:
        parts = {"database": one.database, "tenants": one.tenants, "records": one.records, "lanes": one.lanes}
        async with beside(Edits(**parts, watching=deaf).run()):
            for text in ("- Likes tea.\n", "- Likes coffee.\n"):
                before = one.head
                (one.root / "life/notes.md").write_text(text)
                await until(lambda before=before: one.head != before)
            one.break_()
            await until(one.told)


async def test_tenants_come_and_go(tmp_path: Path) -> None:
    async with house(tmp_path) as one, beside(one.edits.run()):
        before = one.head
        (one.root / "life/notes.md").write_text("- Likes tea.\n")
        await until(lambda: one.head != before)
        zoe = await asyncio.to_thread(blueprint.create, one.settings, "Zoe")
        first = one.records.book(zoe).history.head()
        (zoe.folder.root / "life/notes.md").write_text("- Likes coffee.\n")
        await until(lambda: one.records.book(zoe).history.head() != first)
        with capture_logs() as seen:
            one.root.rename(tmp_path / "gone")
            (zoe.folder.root / "life/notes.md").write_text("- Likes milk.\n")
            await until(lambda: any(line["event"] == "edit.committed" for line in seen))
        assert [line for line in seen if line["log_level"] == "error"] == []


async def test_a_git_of_a_persons_own_in_the_middle_is_waited_out_and_said_once(tmp_path: Path) -> None:
    async with house(tmp_path) as one:
        (one.root / ".git/rebase-merge").mkdir()
        (one.root / "life/notes.md").write_text("- Likes tea.\n")
        before = one.head
        with capture_logs() as seen:
            async with beside(one.edits.run()):
                await until(lambda: any(line["event"] == "edits.not_seen" for line in seen))
                (one.root / "life/notes.md").write_text("- Likes coffee.\n")
                await asyncio.sleep(1.5)
                (one.root / ".git/rebase-merge").rmdir()
                (one.root / "life/notes.md").write_text("- Likes milk.\n")
                await until(lambda: one.head != before)
        assert len([line for line in seen if line["event"] == "edits.not_seen"]) == 1


@pytest.mark.parametrize("rel", [SOP, "life/identity.md", "state/schedules.yaml", "execution/tool_manifest.json"])
async def test_a_kill_between_being_told_and_being_put_aside_loses_nothing(tmp_path: Path, rel: str) -> None:
    async with house(tmp_path) as one:
        good = (one.root / rel).read_text()
        (one.root / rel).write_text("%")
        bad = await asyncio.to_thread(one.records.begin, one.tenant, TURN)
        await one.edits._settle(one.tenant, bad, whose=bad_edits.ADMIN, gone=False)
        # Killed here. The next process first puts right what the turn left, then begins it again.
        again = Records(one.tenants)
        again.set_aside(one.tenant, TURN)
        assert (one.root / rel).read_text() == good
        edits = Edits(database=one.database, tenants=one.tenants, records=again, lanes=Lanes())
        await edits.begin(one.tenant, TURN)
        assert (one.root / one.standing()[rel].aside).read_text() == "%"
        assert len(one.told()) == 1
        again.commit_left(one.tenant, _origin())
        async with beside(edits.run()):
            before = one.head
            (one.root / "life/notes.md").write_text("- Likes tea.\n")
            await until(lambda: one.head != before)
        assert rel in one.standing()


def _origin() -> Origin:
    return Origin(actor="agent", tenant="anden", turn=TURN)
