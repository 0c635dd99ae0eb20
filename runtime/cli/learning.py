"""Commands about what was learned without anybody typing: runs."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer

from runtime.cli.terminal import HERE, Home, Json, TenantName, print_json, print_table, settings_of, tenant_of
from runtime.engine.database import Database
from runtime.learning.runs import Run, of_tenant


def register(root: typer.Typer) -> None:
    root.command()(runs)


def runs(
    tenant: TenantName,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 20,
    json: Json = False,
    home: Home = HERE,
) -> None:
    """Runs that nobody typed (reflection, review, consolidation), newest first: what came of each, and its commit."""
    settings = settings_of(home)
    one = tenant_of(settings, tenant)
    database = Database(settings.file.engine.database, settings.var)
    try:
        found = database.read_now(lambda tx: of_tenant(tx, one.id, limit))
    finally:
        database.close()
    if json:
        print_json([record(run) for run in found])
        return
    rows = [
        (
            f"{datetime.fromtimestamp(run.opened, one.config.zone):%Y-%m-%d %H:%M}",
            run.kind.value,
            run.conversation or run.file or "all",
            told(run),
            run.landed[:10] or "-",
            run.problem,
        )
        for run in found
    ]
    print_table(("opened", "what", "of", "outcome", "commit", "problem"), rows, empty="no runs yet")


def told(run: Run) -> str:
    """How it ended, or where it stands."""
    if run.state == "done":
        return run.outcome
    return f"{run.state}, attempt {run.attempts}" if run.attempts else run.state


def record(run: Run) -> dict[str, object]:
    """A run as ``--json`` prints it."""
    times = {
        name: datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds") if at else None
        for name, at in (("opened", run.opened), ("due", run.due), ("started", run.started), ("finished", run.finished))
    }
    whole = asdict(run) | times | {"run": run.id, "kind": run.kind.value, "commit": run.landed or None}
    return {name: value for name, value in whole.items() if name not in ("id", "landed", "upto", "seen")}
