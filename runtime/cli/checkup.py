"""What ``doctor`` looks at: each check finds one thing out and says what to do when it is not right."""

import asyncio
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from runtime.agent import isolation, scenario
from runtime.agent.rehearsal import DEMO
from runtime.agent.sandbox import Machine
from runtime.annealing.gate.cases import Cases
from runtime.annealing.graves import Graves
from runtime.annealing.store import Improvements
from runtime.channels import sending
from runtime.channels.telegram import TelegramApi
from runtime.engine.database import Database, sqlite_module
from runtime.errors import ConfigFault, Fault
from runtime.metrics import Metrics
from runtime.settings import Settings
from runtime.tenant import checks
from runtime.tenant.blueprint import BLUEPRINT
from runtime.tenant.git.commits import one_line
from runtime.tenant.life.budgets import over
from runtime.tenant.registry import Tenant, Tenants
from runtime.tenant.rules.files import RULES
from runtime.tenant.rules.shelf import orphans
from runtime.tenant.secrets import Keys
from runtime.turns import bad_edits
from runtime.turns.post import bot_of

LEAST_DISK = 1024**3
"""Bytes. Below this a full disk is near, and then nothing can be accepted."""

LEAST_GIT = (2, 38)

ORDERS = "CLAUDE.md"

MOST_FAULTS = 50
"""Faults of one tenant's files that are listed."""


@dataclass(frozen=True, slots=True)
class Check:
    """``hint`` is the next step, empty when all is well; ``serious`` is whether the product cannot work so."""

    name: str
    found: str
    hint: str = ""
    serious: bool = True


def examine(settings: Settings) -> Iterator[Check]:
    """Every check in turn; none changes anything."""
    for name, look in _LOOKS.items():
        try:
            yield from look(settings)
        except Fault as fault:
            yield Check(name, fault.problem, fault.hint)


def _git(_: Settings) -> Iterator[Check]:
    path = shutil.which("git")
    if path is None:
        yield Check("git", "not installed", "install git (Debian, Ubuntu: apt-get install git)")
        return
    said = _said([path, "--version"])
    numbers = said.removeprefix("git version ").split(".")[:2]
    old = tuple(int(part) for part in numbers if part.isdecimal()) < LEAST_GIT
    yield Check("git", said, f"install git {'.'.join(map(str, LEAST_GIT))} or newer" if old else "")


def _isolation(settings: Settings) -> Iterator[Check]:
    bwrap = isolation.find_bwrap()
    trouble = isolation.trial(bwrap) if bwrap else ""
    tenants = len(Tenants(settings.tenants, Keys.of(settings)).all())
    chosen = isolation.decide(
        settings.file.isolation, bwrap=bwrap, tenants=tenants, platform=sys.platform, trouble=trouble
    )
    strong = isinstance(chosen, isolation.Bwrap)
    yield Check(
        "sandbox", str(bwrap) if strong else type(chosen).__name__, "" if strong else isolation.INSTALL, serious=False
    )


def _cli(_: Settings) -> Iterator[Check]:
    machine = Machine.this()
    yield Check("claude code", _said([str(machine.cli), "--version"]))


def _database(settings: Settings) -> Iterator[Check]:
    kind = settings.file.engine.database
    module = sqlite_module() if kind == "sqlite" else sqlite3
    Database(kind, settings.var).close()
    yield Check("database", f"sqlite {module.sqlite_version}" if kind == "sqlite" else "postgresql")


def _model(settings: Settings) -> Iterator[Check]:
    model = settings.file.model
    if model.upstream == "rehearsal":
        scenario.load(settings.home / model.rehearsal if model.rehearsal else DEMO)
        yield Check("model", "rehearsal: nobody thinks", "set model.upstream: anthropic and a key", serious=False)
    elif not model.api_key.get_secret_value():
        yield Check("model", f"{model.name}, without a key", "set ANTHROPIC_API_KEY, or model: {upstream: rehearsal}")
    else:
        yield Check("model", f"{model.name} at {model.base_url}")


def _secrets(settings: Settings) -> Iterator[Check]:
    Keys.of(settings).fernet()
    yield Check("secret key", "PROXYSTAFF_SECRET_KEY" if settings.secret_key else str(Keys.of(settings).path))


def _clock(settings: Settings) -> Iterator[Check]:
    """A file just written carries the disk's idea of now: on a network disk it may be another's."""
    probe = settings.var / ".clock"
    probe.write_bytes(b"")
    off = probe.stat().st_mtime - time.time()
    probe.unlink()
    fine = abs(off) < 5 and time.time() > 1_700_000_000
    yield Check(
        "clock", f"{off:+.1f} s between the disk and the machine", "" if fine else "set the clock (timedatectl)"
    )


def _disk(settings: Settings) -> Iterator[Check]:
    free = shutil.disk_usage(settings.home).free
    hint = "" if free > LEAST_DISK else "free some space: a full disk accepts no message"
    yield Check("disk", f"{free / 1024**3:.1f} GB free", hint)


def _tenants(settings: Settings) -> Iterator[Check]:
    tenants = Tenants(settings.tenants, Keys.of(settings))
    for id, fault in tenants.broken().items():
        yield Check(f"tenant {id}", fault.problem, fault.hint)
    for tenant in tenants.all():
        stored = set(tenant.secrets.names())
        unreadable = [one.problem for name in sorted(stored) if (one := _fault_of(tenant, name))]
        if unreadable:
            yield Check(f"tenant {tenant.id}", unreadable[0], "bring back the home's key, or set the secret again")
            continue
        missing = [ref.name for ref in tenant.config.secrets().values() if ref.name not in stored]
        hint = f"proxystaff secret set {tenant.id} {missing[0]}" if missing else ""
        yield Check(
            f"tenant {tenant.id}",
            f"secrets missing: {', '.join(missing)}" if missing else "in order",
            hint,
            serious=False,
        )


def _files(settings: Settings) -> Iterator[Check]:
    """Every file of every tenant that is checked when it is saved."""
    hint = "mend it and save it; what must be in a file: docs/editing.md"
    for tenant in Tenants(settings.tenants, Keys.of(settings)).all():
        found = [line for fault in checks.faults(tenant.folder) for line in fault.problem.splitlines()]
        for line in found[:MOST_FAULTS]:
            yield Check(f"files {tenant.id}", one_line(line, 300), hint, serious=False)
        if len(found) > MOST_FAULTS:
            yield Check(f"files {tenant.id}", f"{len(found) - MOST_FAULTS} faults more", hint, serious=False)
        if not found:
            yield Check(f"files {tenant.id}", "in order")


def _rules(settings: Settings) -> Iterator[Check]:
    """Rules of directives that are not there."""
    for tenant in Tenants(settings.tenants, Keys.of(settings)).all():
        for name in orphans(tenant.folder):
            hint = f"write directives/{name}.md, or move the rules to the directive they belong to"
            yield Check(
                f"rules {tenant.id}", f"{RULES}/{name} has rules, and there is no such directive", hint, serious=False
            )


def _improvements(settings: Settings) -> Iterator[Check]:
    """What is kept of self-changes: of one whose file is damaged nobody watches whether it does harm."""
    hint = "mend the file, or move it away and look in git log at what it was about"
    for tenant in Tenants(settings.tenants, Keys.of(settings)).all():
        place = Graves(tenant.folder)
        for fault in Improvements(tenant.folder).damaged():
            yield Check(f"improvements {tenant.id}", one_line(fault.problem, 300), hint, serious=False)
        for look in (place.tombstones, place.frozen, Cases(tenant.folder).all):
            try:
                look()
            except ConfigFault as fault:
                yield Check(f"improvements {tenant.id}", one_line(fault.problem, 300), hint, serious=False)


def _memory(settings: Settings) -> Iterator[Check]:
    """Files of life/ that are larger than they are to be."""
    for tenant in Tenants(settings.tenants, Keys.of(settings)).all():
        for one in over(tenant.folder, settings.file.memory.given):
            found = f"{one.rel} has {one.size:,} bytes, its budget is {one.budget:,}"
            hint = f"it is consolidated by itself (see: proxystaff runs {tenant.id}); or shorten it by hand"
            yield Check(f"memory {tenant.id}", found, hint, serious=False)


def _orders(settings: Settings) -> Iterator[Check]:
    """CLAUDE.md tells the agent what tools it has; a tenant made by an earlier version keeps that version's."""
    ours = BLUEPRINT / ORDERS
    for tenant in Tenants(settings.tenants, Keys.of(settings)).all():
        if tenant.folder.read_bytes(ORDERS) != ours.read_bytes():
            hint = f"compare it with {ours}; unless you changed it yourself, copy that one over it"
            yield Check(f"orders {tenant.id}", f"its {ORDERS} is not this version's", hint, serious=False)


def _edits(settings: Settings) -> Iterator[Check]:
    """What was saved and is not in force, wherever it is kept."""
    database = Database(settings.file.engine.database, settings.var)
    try:
        found = database.read_now(bad_edits.every)
    finally:
        database.close()
    for one in found:
        place = f"mend it and save it as {one.path}; it is kept in {one.aside}" if one.aside else "mend it and save it"
        yield Check(f"edit {one.tenant}", f"not in force: {one_line(one.faults[0], 300)}", place, serious=False)


def _fault_of(tenant: Tenant, name: str) -> Fault | None:
    try:
        tenant.secrets.get(name)
    except Fault as fault:
        return fault
    return None


def _whatsapp(settings: Settings) -> Iterator[Check]:
    """One app at Meta signs for every number; without its secret nothing that comes in is believed."""
    used = [one.id for one in Tenants(settings.tenants, Keys.of(settings)).all() if one.config.channels.whatsapp]
    if used and not settings.file.whatsapp.app_secret.get_secret_value():
        yield Check("whatsapp", f"no app secret, and {used[0]} has a number", "set WHATSAPP_APP_SECRET")
    elif used and not settings.file.whatsapp.verify_token.get_secret_value():
        hint = "set WHATSAPP_VERIFY_TOKEN, which Meta asks for when the webhook is set up"
        yield Check("whatsapp", "no verify token", hint, serious=False)


def _webhooks(settings: Settings) -> Iterator[Check]:
    """What Telegram says of each bot's webhook; Meta tells nobody of WhatsApp's."""
    if settings.file.telegram.mode == "polling":
        yield Check("webhooks", "not needed: bots are polled")
        return
    for tenant in Tenants(settings.tenants, Keys.of(settings)).all():
        if tenant.config.channels.telegram is not None:
            yield asyncio.run(_webhook(settings, tenant))


async def _webhook(settings: Settings, tenant: Tenant) -> Check:
    name = f"webhook {tenant.id}"
    connect = f"proxystaff connect {tenant.id} https://YOUR-HOST"
    try:
        async with sending.open_http() as http:
            found = await TelegramApi(http, settings.file.telegram.api_base, Metrics()).webhook(bot_of(tenant))
    except Fault as fault:
        return Check(name, fault.problem, fault.hint, serious=False)
    if not found.url:
        return Check(name, "not set", connect, serious=False)
    trouble = f"; last error: {found.problem}" if found.problem else ""
    return Check(name, f"{found.url}, {found.pending} waiting{trouble}", connect if trouble else "", serious=False)


def _said(command: list[str]) -> str:
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=30, check=False, env={"HOME": "/nonexistent"}
    )
    return (done.stdout or done.stderr).strip()


_LOOKS: dict[str, Callable[[Settings], Iterator[Check]]] = {
    "git": _git,
    "sandbox": _isolation,
    "claude code": _cli,
    "database": _database,
    "model": _model,
    "secret key": _secrets,
    "clock": _clock,
    "disk": _disk,
    "tenants": _tenants,
    "files": _files,
    "rules": _rules,
    "improvements": _improvements,
    "memory": _memory,
    "orders": _orders,
    "edits": _edits,
    "whatsapp": _whatsapp,
    "webhooks": _webhooks,
}
