"""forget and export --person, as an operator runs them."""

import json
from pathlib import Path

import pytest

from runtime.app import running
from runtime.engine.lease import Lease
from runtime.settings import load_settings
from runtime.tenant.erasure.journal import Erasure, Journal
from runtime.turns import erasing
from tests.erasure_house import NAME, NOW, Town, build, git, left
from tests.journeys.operating import Operator

pytestmark = pytest.mark.journey


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    home = tmp_path / "home"
    home.mkdir()
    build(home)
    return Operator(home)


def test_a_person_is_looked_at_exported_and_erased(operator: Operator, tmp_path: Path) -> None:
    shown = operator.run("forget", "anden", "garcía", "--dry-run").stdout
    assert "directives/showings.md: an admin's words, cleaned: line 52" in shown
    assert "state/messages: 2 lines removed, 1 marked" in shown
    before = len(left(operator.home))
    assert before > 50

    file = tmp_path / "jose.json"
    assert "what is kept about José García" in operator.run("export", "anden", str(file), "--person", "garcia").stdout
    assert file.stat().st_mode & 0o077 == 0
    assert json.loads(file.read_text())["person"]["role"] == "guest"
    assert "exists already" in operator.run("export", "anden", str(file), "--person", "garcia", status=1).stderr

    refused = operator.run("forget", "anden", "garcía", status=1).stderr
    assert "nothing was erased" in refused
    assert "--dry-run" in refused
    assert len(left(operator.home)) == before

    said = operator.run("forget", "anden", "garcía", "--yes").stdout
    assert "rows: nothing" in said
    assert "docs/privacy.md" in said
    assert left(operator.home) == set()
    assert "nothing here names them" in operator.run("forget", "anden", NAME, "--yes").stdout
    assert operator.json("history", "anden", "--all")[0]["subject"] == "Forget one person"


def test_what_is_found_afterwards_is_named_and_status_is_1(operator: Operator) -> None:
    root = operator.home / "tenants/anden"
    (root / ".secrets" / "note").write_text(NAME)
    done = operator.run("forget", "anden", "garcia", "--yes", "--json", status=1)
    assert json.loads(done.stdout)["searched"]["places"] == [".secrets/note"]
    assert b"Forget one person" in git(root, "log", "-1")


def test_who_is_meant_must_be_clear(operator: Operator) -> None:
    assert "could be Ann Brown, Ann Lee" in operator.run("forget", "anden", "Ann", status=1).stderr
    assert "is an owner" in operator.run("forget", "anden", "Anden", status=1).stderr
    assert "nobody here" in operator.run("forget", "anden", "Zoe", status=1).stderr


def test_a_home_that_is_served_is_not_touched(operator: Operator) -> None:
    lease = Lease(operator.home / "var")
    lease.take()
    try:
        refused = operator.run("forget", "anden", "garcia", "--yes", status=1).stderr
    finally:
        lease.release()
    assert "already served by process" in refused
    assert "stop that process first" in refused
    assert len(left(operator.home)) > 50


async def test_whoever_serves_next_goes_on_with_what_a_kill_left(operator: Operator) -> None:
    town = Town(operator.home)
    who = erasing.whom(town.places, town.tenant, NAME)
    begun = Erasure(
        id="2026-11-20-1",
        tenant=town.tenant.id,
        person=who,
        salt="00" * 16,
        at=NOW.isoformat(),
        author=town.history.author("admin"),
    )
    Journal(town.settings.var).begin(begun)
    town.database.close()
    async with running(load_settings(operator.home, {})):
        pass
    assert left(operator.home) == set()
    assert not list((operator.home / "var/erasures").iterdir())
