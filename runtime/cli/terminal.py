"""What every command shares: the options --home and --json, and how data, tables and progress are shown."""

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from runtime.errors import NotFound
from runtime.settings import Settings, load_settings
from runtime.tenant.registry import Tenant, Tenants
from runtime.tenant.secrets import Keys
from runtime.words import TenantId

Home = Annotated[
    Path,
    typer.Option("--home", envvar="PROXYSTAFF_HOME", help="The folder that holds proxystaff.yaml, tenants/ and var/."),
]
Json = Annotated[bool, typer.Option("--json", help="Print data as JSON.")]
TenantName = Annotated[str, typer.Argument(metavar="TENANT", help="The name of the tenant's folder.")]
HERE = Path()

out = Console()
err = Console(stderr=True)


def settings_of(home: Path) -> Settings:
    """The settings of ``home``. Raises NotFound when ``init`` was never run there."""
    settings = load_settings(home, os.environ)
    if not settings.path.exists():
        raise NotFound(f"{settings.home} is not a ProxyStaff home", hint="proxystaff init, or name one with --home DIR")
    return settings


def tenants_of(settings: Settings) -> Tenants:
    return Tenants(settings.tenants, Keys.of(settings))


def tenant_of(settings: Settings, name: str) -> Tenant:
    return tenants_of(settings).get(TenantId(name))


def print_json(data: Any) -> None:
    json.dump(data, sys.stdout, ensure_ascii=False, indent=2, default=str)
    sys.stdout.write("\n")


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]], *, empty: str) -> None:
    """A table, or the sentence ``empty`` where there is nothing to show."""
    if not rows:
        out.print(Text(plain(empty), style="dim"))
        return
    table = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*(Text(plain(str(cell))) for cell in row))
    out.print(table)


def print_faults(faults: Mapping[TenantId, str]) -> None:
    """What is wrong, by tenant, whole: a table would cut off the line number."""
    for tenant, fault in faults.items():
        out.print(Text(f"{tenant} is broken:", style="red"))
        for line in fault.splitlines():
            out.print(Text(f"  {plain(line)}"), soft_wrap=True)


def plain(text: str) -> str:
    """``text`` that somebody else wrote, without what a terminal would take for a command."""
    return "".join(letter if letter.isprintable() or letter in "\n\t" else "�" for letter in text)


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on stderr for long work; call what is yielded with (done, total). Nothing where stderr is no terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
