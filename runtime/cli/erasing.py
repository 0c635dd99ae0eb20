"""Commands about one person's data: forget, and what export writes of them."""

import sys
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from runtime.cli.terminal import HERE, Home, Json, TenantName, err, out, plain, print_json, settings_of, tenants_of
from runtime.engine.database import Database
from runtime.engine.lease import Lease
from runtime.errors import NotFound, Refused
from runtime.settings import Settings
from runtime.tenant.erasure.files import MEDIA, TRANSCRIPTS, Deed, Touched
from runtime.tenant.erasure.proof import Searched
from runtime.tenant.erasure.whom import Person
from runtime.tenant.folder import Folder
from runtime.tenant.registry import Tenant
from runtime.turns import dossier, erasing
from runtime.turns.erasing import Places, Plan
from runtime.words import TenantId

PersonName = Annotated[
    str, typer.Argument(metavar="PERSON", help="First and last name, a number, or an e-mail address of theirs.")
]

_STAYS = "\nWhat the channels, the model's provider, git remotes and earlier copies hold stays there: docs/privacy.md."


def register(root: typer.Typer) -> None:
    root.command()(forget)


def forget(
    tenant: TenantName,
    person: PersonName,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    json: Json = False,
    home: Home = HERE,
) -> None:
    """Erase one person from a tenant, its history included, and search for them afterwards. Exit 1 when the search
    finds them."""
    settings = settings_of(home)
    lease = Lease(settings.var)
    lease.take()
    database = Database(settings.file.engine.database, settings.var)
    try:
        places = Places(database, settings.var)
        tenants = tenants_of(settings)
        if not dry_run:
            erasing.finish_erasures(places, tenants)
        one = tenants.get(TenantId(tenant))
        who = erasing.whom(places, one, person)
        plan = erasing.plan(places, one, who)
        if not json:
            _print(_described(one, who, plan))
        found = None if dry_run else _erase(places, one, who, plan, yes=yes)
    finally:
        database.close()
        lease.release()
    if json:
        print_json(_record(one, who, plan) | {"searched": asdict(found) if found else None})
    elif found:
        _print([str(found), *(f"  still in {place}" for place in found.places), _STAYS])
    if found and found.places:
        raise typer.Exit(1)


def write_dossier(settings: Settings, tenant: Tenant, file: Path, person: str) -> dict[str, Any]:
    """One person's data into ``file``, readable by its owner only; how many of each there are."""
    if file.exists():
        raise Refused(f"{file} exists already", hint="name a new file")
    if not file.absolute().parent.is_dir():
        raise NotFound(f"there is no folder {file.absolute().parent}", hint="make it first")
    database = Database(settings.file.engine.database, settings.var)
    try:
        places = Places(database, settings.var)
        who = erasing.whom(places, tenant, person)
        data = dossier.gather(places, tenant, who)
    finally:
        database.close()
    Folder(file.absolute().parent).write_bytes(file.name, dossier.written(data), mode=0o600)
    return {"person": who.name, **{key: len(value) for key, value in data.items() if isinstance(value, list)}}


def _erase(places: Places, tenant: Tenant, who: Person, plan: Plan, *, yes: bool) -> Searched:
    if plan.is_empty:
        return erasing.prove(places, tenant, who)
    if not yes:
        if not sys.stdin.isatty():
            raise Refused("nothing was erased", hint="look at it with --dry-run, then say --yes")
        typer.confirm(f"Erase {plain(who.name)} from {tenant.id}? It cannot be undone.", abort=True, err=True)
    told = f"erasing from {tenant.id}: "
    now = datetime.now(UTC)
    return erasing.erase(places, tenant, who, now=now, told=lambda step: err.print(told + step, style="dim"))


def _described(tenant: Tenant, who: Person, plan: Plan) -> Iterator[str]:
    marks = who.marks
    known = ", ".join((*marks.names, *marks.phones, *marks.words, *marks.conversations))
    yield f"{who.name} in {tenant.id}, looked for as: {known}"
    for one in who.shared:
        yield f"  {one} is somebody else's too, and stays"
    if plan.is_empty:
        yield "  nothing here names them"
    for touched in plan.touched:
        yield f"  {_deed(touched)}"
    for log, lines in plan.lines.items():
        if lines.gone or lines.cleaned:
            yield f"  {log}: {lines.gone} lines removed, {lines.cleaned} marked"
    for table, lines in plan.rows.items():
        yield f"  database, {table}: {lines.gone} rows removed, {lines.cleaned} marked"
    if plan.spent:
        yield f"  ledger: {plan.spent} turns no longer say whose they were"
    if plan.outgoing:
        yield f"  {len(plan.outgoing)} files on their way out"
    if plan.commits:
        yield f"  history: {plan.commits} commits get a new id, {plan.messages} of them another message"


def _deed(touched: Touched) -> str:
    what = touched.deed.value + (f" to {touched.to}" if touched.to else "")
    if touched.lines:
        numbers = ", ".join(map(str, touched.lines))
        return f"{touched.path}: an admin's words, {what}: line {numbers}"
    return f"{touched.path}: {what}" + (f", {touched.gone} lines gone" if touched.gone else "")


def _record(tenant: Tenant, who: Person, plan: Plan) -> dict[str, Any]:
    gone = [one.path for one in plan.touched if one.deed is Deed.REMOVED]
    return {
        "tenant": tenant.id,
        "person": who.name,
        "looked_for": asdict(who.marks),
        "shared": list(who.shared),
        "files": [asdict(one) for one in plan.touched],
        "media": sum(path.startswith(MEDIA) for path in gone),
        "transcripts": sum(path.startswith(TRANSCRIPTS) for path in gone),
        "logs": {log: asdict(lines) for log, lines in plan.lines.items()},
        "rows": {table: asdict(lines) for table, lines in plan.rows.items()},
        "spent": plan.spent,
        "outgoing": len(plan.outgoing),
        "commits": plan.commits,
        "messages": plan.messages,
    }


def _print(lines: Iterator[str] | list[str]) -> None:
    for line in lines:
        out.print(Text(plain(line)), soft_wrap=True)
