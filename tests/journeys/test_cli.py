"""The commands, run as an operator runs them: what they print, what they leave, how they end."""

import asyncio
import os
from pathlib import Path

import pytest

from runtime.cli import handbook
from runtime.stage import Stage, staged
from tests.journeys.operating import ROOT, Operator

pytestmark = pytest.mark.journey

NOWHERE = 'telegram: {api_base: "http://127.0.0.1:9"}\n'
"""Nobody listens there: what a command would ask Telegram stays on this machine."""


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    """In a fresh home with the rehearsal model and one tenant."""
    one = Operator(tmp_path / "home")
    one.run("init")
    (one.home / "proxystaff.yaml").write_text(f"model: {{upstream: rehearsal}}\n{NOWHERE}")
    one.run("tenant", "add", "Anden Wick", "--timezone", "America/Denver", "--owner-telegram", "111222333")
    return one


def test_a_home_is_made_once_and_its_key_is_private(tmp_path: Path) -> None:
    one = Operator(tmp_path / "home")
    one.run("init")
    key = (one.home / "var" / "secret.key").read_text()
    assert (one.home / "var" / "secret.key").stat().st_mode & 0o077 == 0
    one.run("init")
    assert (one.home / "var" / "secret.key").read_text() == key


def test_where_there_is_no_home_the_next_step_is_said(tmp_path: Path) -> None:
    said = Operator(tmp_path).run("status", status=1).stderr
    assert "is not a ProxyStaff home" in said
    assert "next: proxystaff init" in said


def test_a_fault_in_the_settings_names_file_line_and_value(operator: Operator) -> None:
    (operator.home / "proxystaff.yaml").write_text("server:\n  port: many\nmodle: {}\n")
    said = operator.run("status", status=1).stderr
    assert "proxystaff.yaml:2: server.port" in said
    assert "'many'" in said
    assert "proxystaff.yaml:3: modle: nobody knows this key" in said


def test_wrong_usage_is_status_2(operator: Operator) -> None:
    operator.run("send", "anden-wick", status=2)
    operator.run("no-such-command", status=2)


def test_tenants_are_listed_with_what_is_wrong(operator: Operator) -> None:
    operator.run("tenant", "add", "Beth")
    (operator.home / "tenants" / "beth" / "tenant.yaml").write_text("name: Beth\ntimezone: Mars/Base\npeople: []\n")
    listed = {one["tenant"]: one for one in operator.json("tenant", "list")}
    assert listed["anden-wick"]["timezone"] == "America/Denver"
    assert "tenant.yaml:2: timezone" in listed["beth"]["fault"]


def test_a_tenant_is_never_made_twice(operator: Operator) -> None:
    assert "already" in operator.run("tenant", "add", "Anden Wick", status=1).stderr


def test_a_secret_is_stored_and_never_shown(operator: Operator) -> None:
    operator.run("secret", "set", "anden-wick", "TELEGRAM_BOT_TOKEN", stdin="12345:very-secret\n")
    listed = {one["name"]: one for one in operator.json("secret", "list", "anden-wick")}
    assert listed["TELEGRAM_BOT_TOKEN"]["stored"]
    assert not listed["TELEGRAM_WEBHOOK_SECRET"]["stored"]
    files = [path for path in operator.home.rglob("*") if path.is_file()]
    assert not [path for path in files if b"very-secret" in path.read_bytes()]
    operator.run("secret", "rotate")
    assert "nothing on standard input" in operator.run("secret", "set", "anden-wick", "API_KEY", status=1).stderr


@pytest.mark.sandbox
def test_one_turn_from_the_shell_and_what_it_leaves(operator: Operator) -> None:
    said = operator.json("send", "anden-wick", "Please remember that Bill sells in May.")
    assert said["reply"] == "[rehearsal] Noted and saved."
    (commit,) = said["commits"]

    (changed,) = operator.json("history", "anden-wick")
    assert changed["commit"] == commit
    assert changed["trailers"]["Turn"] == said["turn"]
    assert "+- Bill sells in May" in operator.json("diff", "anden-wick", commit[:8])["diff"]

    reverted = operator.json("revert", "anden-wick", commit[:8], "--reason", "not so")
    assert reverted["reverts"] == commit
    assert "Bill" not in (operator.home / "tenants/anden-wick/life/knowledge/contacts.md").read_text()

    (hit, *_) = operator.json("search", "anden-wick", "bill")
    assert hit["line"]["text"] == "Please remember that Bill sells in May."
    (log,) = (operator.home / "tenants/anden-wick/state/messages").iterdir()
    log.write_text(log.read_text() + "{half a li\n")
    again = operator.json("reindex", "anden-wick")
    assert (again["messages"], len(again["unreadable"])) == (2, 1)
    assert operator.run("search", "anden-wick", "zebra").stdout.startswith("nothing was said about")
    status = operator.json("status")
    assert (status["serving"], status["queue_depth"], status["rehearsal"]) == (False, 0, True)
    assert operator.json("dead-letters") == []


@pytest.mark.sandbox
def test_a_tenant_moves_in_one_file(operator: Operator, tmp_path: Path) -> None:
    operator.run("send", "anden-wick", "Please remember that Bill sells in May.")
    file = tmp_path / "anden.tar.gz"
    operator.run("export", "anden-wick", str(file))
    other = Operator(tmp_path / "other")
    other.run("init")
    assert other.json("import", str(file)) == {"tenant": "anden-wick"}
    assert "Bill" in (other.home / "tenants/anden-wick/life/knowledge/contacts.md").read_text()
    assert len(other.json("history", "anden-wick")) == 1
    assert "already" in other.run("import", str(file), status=1).stderr


@pytest.mark.sandbox
def test_a_damaged_record_of_a_self_change_is_named_and_hides_no_other_tenant(operator: Operator) -> None:
    operator.run("tenant", "add", "Bea")
    place = operator.home / "tenants/bea/state/annealing/improvements"
    place.mkdir(parents=True)
    (place / "showings-1.json").write_text("{half a rec")
    status = operator.json("status")["improvements"]
    assert status["anden-wick"] == {"paused": False, "frozen": None}
    assert "improvements/showings-1.json:1: not JSON" in status["bea"]["damaged"]
    assert "learning of bea" in operator.run("status").stdout
    found = {check["name"]: check for check in operator.json("doctor")}
    assert "showings-1.json:1: not JSON" in found["improvements bea"]["found"]
    assert found["improvements bea"]["hint"]
    assert "improvements anden-wick" not in found


def test_doctor_finds_this_machine_in_order_and_says_what_is_missing(operator: Operator) -> None:
    found = {check["name"]: check for check in operator.json("doctor")}
    for name in ("git", "sandbox", "claude code", "database", "secret key", "clock", "disk"):
        assert found[name]["hint"] == "", found[name]
    assert "2.1." in found["claude code"]["found"]
    assert found["tenant anden-wick"]["hint"].startswith("proxystaff secret set anden-wick")
    (operator.home / "proxystaff.yaml").write_text(f"model: {{upstream: anthropic}}\n{NOWHERE}")
    assert "without a key" in operator.run("doctor", status=1).stdout


@pytest.mark.sandbox
async def test_a_command_uses_the_process_that_serves_the_home(tmp_path: Path) -> None:
    async with staged(tmp_path / "home") as stage:
        await stage.start()
        one = Operator(stage.home)
        said = await asyncio.to_thread(one.json, "send", stage.tenant.id, "Hello")
        assert "Hello!" in said["reply"]
        assert await asyncio.to_thread(one.json, "status") | {"serving": True} == await asyncio.to_thread(
            one.json, "status"
        )
        refused = await asyncio.to_thread(one.run, "serve", status=1)
        assert f"served by process {_pid(stage)}" in refused.stderr


@pytest.mark.sandbox
def test_chat_answers_line_by_line(operator: Operator) -> None:
    said = operator.run("chat", "anden-wick", stdin="Hello\nWhat do you know about Bill\n\n")
    assert "Hello! What can I take off your hands today?" in said.stdout
    assert "Nothing yet about Bill" in said.stdout


def test_the_page_of_commands_is_what_the_commands_say() -> None:
    assert (ROOT / "docs" / "cli.md").read_text() == handbook.write(), "run scripts/docs"


def test_nothing_is_taken_from_a_secret_environment() -> None:
    assert "ANTHROPIC_API_KEY" not in os.environ


def _pid(stage: Stage) -> int:
    assert stage.process is not None
    return stage.process.pid


async def test_telegram_is_told_where_the_webhook_is_and_doctor_says_so(tmp_path: Path) -> None:
    async with staged(tmp_path / "home") as stage:
        one = Operator(stage.home)
        found = {check["name"]: check for check in await asyncio.to_thread(one.json, "doctor")}
        assert found[f"webhook {stage.tenant.id}"]["found"] == "not set"
        said = await asyncio.to_thread(one.json, "connect", stage.tenant.id, "https://staff.example.com")
        assert said["url"] == f"https://staff.example.com/webhooks/telegram/{stage.tenant.id}"
        assert stage.telegram.webhooks[stage.bot_token]["secret_token"] == stage.webhook_secret
        found = {check["name"]: check for check in await asyncio.to_thread(one.json, "doctor")}
        assert found[f"webhook {stage.tenant.id}"]["hint"] == ""
        refused = await asyncio.to_thread(one.run, "connect", stage.tenant.id, "http://x", status=1)
        assert "not an https address" in refused.stderr


@pytest.mark.sandbox
def test_what_others_wrote_is_shown_as_it_is_and_commands_nothing(operator: Operator) -> None:
    operator.run("send", "anden-wick", "please look [/b] \033]0;pwn\007 [bold]here")
    shown = operator.run("search", "anden-wick", "look").stdout
    assert "[/b]" in shown
    assert "\033" not in shown
    assert "[rehearsal]" in operator.run("search", "anden-wick", "rehearsal").stdout
    assert "/undo" in operator.run("send", "anden-wick", "/help").stdout


def test_a_tenant_of_an_earlier_version_is_said_to_have_its_orders(operator: Operator) -> None:
    found = {check["name"] for check in operator.json("doctor") if check["hint"]}
    assert "orders anden-wick" not in found
    orders = operator.home / "tenants/anden-wick/CLAUDE.md"
    orders.write_text("Write what you learn into life/.\n")
    told = operator.run("doctor").stdout
    assert "! orders anden-wick its CLAUDE.md is not this version's" in told
    assert "copy that one over it" in " ".join(told.split())


def test_without_its_key_a_home_is_not_served(operator: Operator) -> None:
    (operator.home / "var" / "secret.key").unlink()
    assert "there is no secret key" in operator.run("serve", "--port", "0", status=1).stderr
    assert "there is no secret key" in operator.run("doctor", status=1).stdout


def test_a_settings_file_that_cannot_be_read_is_a_fault_like_any_other(operator: Operator) -> None:
    (operator.home / "proxystaff.yaml").write_bytes(b"server: \xff\n")
    assert "not UTF-8" in operator.run("status", status=1).stderr
    assert operator.run("--version").stdout.startswith("proxystaff 0.")
