"""Commands that make a home and its tenants: init, tenant add|list, secret set|rotate, export, import."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from runtime.cli import erasing
from runtime.cli.terminal import (
    HERE,
    Home,
    Json,
    TenantName,
    out,
    plain,
    print_faults,
    print_json,
    print_table,
    progress,
    settings_of,
    tenant_of,
    tenants_of,
)
from runtime.errors import BadInput
from runtime.settings import load_settings
from runtime.tenant import archive, blueprint
from runtime.tenant.folder import Folder
from runtime.tenant.secrets import Keys, SecretRef, rotate_key

EXAMPLE = """\
# The settings of this home. Every value has a default; docs/configuration.md lists them all.
# A value may be env:NAME, taken from the environment when the process starts.
server: {host: 127.0.0.1, port: 8700}
model: {upstream: anthropic, api_key: env:ANTHROPIC_API_KEY, name: sonnet}
whatsapp: {app_secret: env:WHATSAPP_APP_SECRET, verify_token: env:WHATSAPP_VERIFY_TOKEN}
admin: {token: env:PROXYSTAFF_ADMIN_TOKEN}
"""

tenant = typer.Typer(help="Make and list tenants.", no_args_is_help=True)
secret = typer.Typer(help="Store and rotate credentials, encrypted.", no_args_is_help=True)


def register(root: typer.Typer) -> None:
    root.command()(init)
    root.add_typer(tenant, name="tenant")
    root.add_typer(secret, name="secret")
    root.command("export")(export)
    root.command("import")(import_)


def init(home: Home = HERE) -> None:
    """Make a home: proxystaff.yaml, tenants/, var/ and the key that encrypts credentials."""
    settings = load_settings(home, {})
    for folder in (settings.home, settings.tenants, settings.var):
        folder.mkdir(parents=True, exist_ok=True)
    settings.var.chmod(0o700)
    if not settings.path.exists():
        Folder(settings.home).write_text(settings.path.name, EXAMPLE)
        out.print(f"made {settings.path}", highlight=False)
    if Keys.of(settings).create():
        out.print(f"made {Keys.of(settings).path} (keep a copy: without it no credential can be read)", highlight=False)
    out.print("next: proxystaff tenant add NAME, then proxystaff serve", highlight=False)


@tenant.command("add")
def add(
    name: Annotated[str, typer.Argument(help="Whom it serves, such as 'Anden Wick'.")],
    timezone: Annotated[str, typer.Option(help="Where they are, such as America/Denver.")] = "UTC",
    owner_telegram: Annotated[str, typer.Option(help="The owner's numeric Telegram id.")] = "",
    owner_whatsapp: Annotated[str, typer.Option(help="The owner's WhatsApp number.")] = "",
    whatsapp_phone_number_id: Annotated[str, typer.Option(help="Meta's id of the tenant's own number.")] = "",
    json: Json = False,
    home: Home = HERE,
) -> None:
    """Make a tenant from the blueprint: a folder, a git repository, a first commit."""
    made = blueprint.create(
        settings_of(home),
        name,
        timezone=timezone,
        owner_telegram=owner_telegram,
        owner_whatsapp=owner_whatsapp,
        phone_number_id=whatsapp_phone_number_id,
    )
    wanted = {place: ref.name for place, ref in made.config.secrets().items()}
    if json:
        print_json({"tenant": made.id, "folder": str(made.folder.root), "secrets": wanted})
        return
    out.print(f"made tenant {made.id} at {made.folder.root}", highlight=False)
    for ref in wanted.values():
        out.print(f"next: proxystaff secret set {made.id} {ref}", highlight=False)


@tenant.command("list")
def list_(json: Json = False, home: Home = HERE) -> None:
    """All tenants, and what is wrong with those that are not right."""
    tenants = tenants_of(settings_of(home))
    broken = {id: fault.problem for id, fault in tenants.broken().items()}
    good = [one for one in tenants.all() if one.id not in broken]
    if json:
        rows = [{"tenant": one.id, "name": one.config.name, "timezone": one.config.timezone} for one in good]
        print_json(rows + [{"tenant": id, "fault": fault} for id, fault in broken.items()])
        return
    lines: list[tuple[object, ...]] = [(one.id, one.config.name, one.config.timezone) for one in good]
    print_table(("tenant", "name", "time zone"), lines, empty="no tenants yet; next: proxystaff tenant add NAME")
    print_faults(broken)


@secret.command("set")
def set_(
    tenant_name: TenantName,
    name: Annotated[str, typer.Argument(help="The name behind secret: in tenant.yaml.")],
    home: Home = HERE,
) -> None:
    """Store a credential, read from standard input; it is never printed."""
    settings = settings_of(home)
    one = tenant_of(settings, tenant_name)
    typed = sys.stdin.isatty()
    value = (typer.prompt(f"value of {name}", hide_input=True) if typed else sys.stdin.read()).strip()
    if not value:
        raise BadInput(
            "there was nothing on standard input", hint="printf %s VALUE | proxystaff secret set TENANT NAME"
        )
    one.secrets.set(name, value)
    known = {ref.name for ref in one.config.secrets().values()}
    note = "" if SecretRef(name).name in known else f" (tenant.yaml names no secret:{name} yet)"
    out.print(f"stored {name} for {one.id}{note}", highlight=False)


@secret.command("list")
def names(tenant_name: TenantName, json: Json = False, home: Home = HERE) -> None:
    """Which credentials are stored, and which ones tenant.yaml names and nobody stored."""
    one = tenant_of(settings_of(home), tenant_name)
    stored = set(one.secrets.names())
    wanted = {ref.name: place for place, ref in one.config.secrets().items()}
    rows = [(name, wanted.get(name, "-"), "yes" if name in stored else "no") for name in sorted(stored | wanted.keys())]
    if json:
        print_json([{"name": name, "used_by": used, "stored": yes == "yes"} for name, used, yes in rows])
        return
    print_table(("name", "used by", "stored"), rows, empty="no credentials")


@secret.command("rotate")
def rotate(home: Home = HERE) -> None:
    """Make a new key and encrypt every tenant's credentials with it. Safe to run again after a kill."""
    settings = settings_of(home)
    count = rotate_key(Keys.of(settings), settings.tenants)
    out.print(f"{count} credentials are encrypted with the new key", highlight=False)


def export(
    tenant_name: TenantName,
    file: Annotated[Path, typer.Argument(help="Where to write the archive, such as anden.tar.gz.")],
    secrets: Annotated[bool, typer.Option("--secrets", help="With its credentials, still encrypted.")] = False,
    person: Annotated[str, typer.Option("--person", help="Only what is kept about one person, as JSON.")] = "",
    json: Json = False,
    home: Home = HERE,
) -> None:
    """Write a tenant, with its history, into one file; or what it keeps about one person."""
    settings = settings_of(home)
    one = tenant_of(settings, tenant_name)
    if person:
        counts = erasing.write_dossier(settings, one, file, person)
        if json:
            print_json({"tenant": one.id, "file": str(file), **counts})
            return
        out.print(f"wrote {file}: what is kept about {plain(counts['person'])}", highlight=False, markup=False)
        return
    with progress("packing") as report:
        archive.export(one.folder, file, include_secrets=secrets, progress=report)
    if json:
        print_json({"tenant": one.id, "file": str(file), "bytes": file.stat().st_size})
        return
    out.print(f"wrote {file} ({file.stat().st_size / 1024**2:.1f} MB)", highlight=False)


def import_(
    file: Annotated[Path, typer.Argument(help="An archive made by export.", exists=True, dir_okay=False)],
    name: Annotated[str, typer.Option("--as", help="Another name for the tenant's folder.")] = "",
    json: Json = False,
    home: Home = HERE,
) -> None:
    """Make a tenant from an archive; one that exists is never overwritten."""
    settings = settings_of(home)
    with progress("unpacking") as report:
        made = archive.import_(file, settings.tenants, tenant=name, progress=report)
    if json:
        print_json({"tenant": made})
        return
    out.print(f"made tenant {made}", highlight=False)
