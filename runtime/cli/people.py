"""Commands about who may talk to a tenant: people list|approve|deny."""

import time
from datetime import UTC, datetime
from typing import Annotated

import typer

from runtime.cli.terminal import HERE, Home, Json, TenantName, out, print_json, print_table, settings_of, tenant_of
from runtime.engine.database import Database
from runtime.settings import Settings
from runtime.tenant.checks import check
from runtime.tenant.config import TENANT_FILE
from runtime.tenant.git.history import ADMIN, History, Origin
from runtime.turns import pairing
from runtime.turns.pairing import Answer

people = typer.Typer(help="Who may talk to a tenant, and who asks to.", no_args_is_help=True)
Code = Annotated[str, typer.Argument(help="The code of a request, as the owner was told it.")]


def register(root: typer.Typer) -> None:
    root.add_typer(people, name="people")


@people.command("list")
def list_(tenant: TenantName, json: Json = False, home: Home = HERE) -> None:
    """The people of a tenant, and the strangers who asked to be let in."""
    settings = settings_of(home)
    one = tenant_of(settings, tenant)
    database = _database(settings)
    try:
        requests = database.read_now(lambda tx: tx.run(pairing.LIST, tenant=one.id))
    finally:
        database.close()
    rows: list[tuple[object, ...]] = [
        (person.name, person.role.value, ", ".join(f"{c} {a}" for c, a in person.addresses.items()), "", "")
        for person in one.config.people
    ]
    rows += [
        (row["name"], row["state"], f"{row['channel']} {row['sender']}", row["code"], _when(row["opened"]))
        for row in requests
    ]
    columns = ("name", "role", "where", "code", "asked")
    if json:
        print_json([dict(zip(columns, row, strict=True)) for row in rows])
        return
    print_table(columns, rows, empty="nobody; see people in tenant.yaml")


@people.command("approve")
def approve(
    tenant: TenantName,
    code: Code,
    role: Annotated[str, typer.Option(help="guest or member.")] = "guest",
    json: Json = False,
    home: Home = HERE,
) -> None:
    """Let a stranger in, by the code of their request."""
    _settle(settings_of(home), tenant, code, role=role, json=json)


@people.command("deny")
def deny(tenant: TenantName, code: Code, json: Json = False, home: Home = HERE) -> None:
    """Turn a stranger away; they are not told."""
    _settle(settings_of(home), tenant, code, role=None, json=json)


def _settle(settings: Settings, name: str, code: str, *, role: str | None, json: bool) -> None:
    one = tenant_of(settings, name)
    database = _database(settings)
    try:
        request = database.read_now(lambda tx: pairing.find(tx, one.id, code, time.time()))
        if role is not None:
            pairing.let_in(one, request, pairing.role_of(role))
            History(one.folder, check=check).commit_by(
                Origin(actor=ADMIN, tenant=one.id, trigger="command line", reason="approve"), only=(TENANT_FILE,)
            )
        answer = Answer.DENIED if role is None else Answer.APPROVED
        database.write_now(lambda tx: pairing.settle(tx, one.id, request["code"], answer))
    finally:
        database.close()
    if json:
        print_json({"tenant": one.id, "name": request["name"], "answer": answer.value})
        return
    out.print(f"{request['name']} is {answer.value}", highlight=False)


def _database(settings: Settings) -> Database:
    return Database(settings.file.engine.database, settings.var)


def _when(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="minutes")
