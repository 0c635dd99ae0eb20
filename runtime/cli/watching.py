"""Commands that look: status, doctor, search, reindex, dead-letters."""

import time
from collections import Counter
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.text import Text

from runtime.annealing.graves import Graves
from runtime.annealing.records import State
from runtime.annealing.store import Improvements
from runtime.cli import learning
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
from runtime.engine.database import Database
from runtime.engine.lease import Lease
from runtime.errors import ConfigFault
from runtime.learning import runs
from runtime.settings import Settings
from runtime.tenant.life.budgets import over
from runtime.tenant.messages import MessageLog
from runtime.tenant.registry import Tenant
from runtime.tenant.search.index import Index
from runtime.turns import bad_edits, inbox, outbox


def register(root: typer.Typer) -> None:
    for command in (status, doctor, search, reindex):
        root.command()(command)
    root.command("dead-letters")(dead_letters)


def status(json: Json = False, home: Home = HERE) -> None:
    """Whether the home is served, and whether everyone is being answered."""
    settings = settings_of(home)
    tenants = tenants_of(settings)
    served = Lease(settings.var).held_elsewhere()
    database = Database(settings.file.engine.database, settings.var)
    try:
        standing = database.read_now(lambda tx: tx.run(inbox.STANDING))[0]
        troubled = database.read_now(lambda tx: outbox.troubled(tx, 1000))
        last = database.read_now(runs.last)
        edits = database.read_now(bad_edits.every)
    finally:
        database.close()
    broken = {id: fault.problem for id, fault in tenants.broken().items()}
    large = [(one.id, file) for one in tenants.all() for file in over(one.folder, settings.file.memory.given)]
    oldest = round(time.time() - standing["oldest"], 1) if standing["oldest"] else None
    found = {
        "serving": served,
        "tenants": len(tenants.all()),
        "broken_tenants": broken,
        "queue_depth": standing["depth"],
        "oldest_unanswered_seconds": oldest,
        "dead_letters": len(troubled),
        "last_runs": {run.tenant: learning.record(run) for run in last},
        "not_in_force": [_edit(one) for one in edits],
        "over_budget": [
            {"tenant": id, "file": file.rel, "bytes": file.size, "budget": file.budget} for id, file in large
        ],
        "improvements": {one.id: _improvements(one) for one in tenants.all()},
        "rehearsal": settings.file.model.upstream == "rehearsal",
    }
    if json:
        print_json(found)
        return
    out.print(f"{'serving' if served else 'not serving (proxystaff serve)'}", style="green" if served else "yellow")
    if found["rehearsal"]:
        out.print("the model is a rehearsal: nobody thinks", style="yellow")
    print_table(
        ("", ""),
        [
            ("tenants", found["tenants"]),
            ("turns not finished", standing["depth"]),
            ("oldest of them", f"{oldest} s" if oldest is not None else "-"),
            ("dead letters", len(troubled)),
            *((f"last run of {run.tenant}", f"{run.kind.value}: {learning.told(run)}") for run in last),
            ("edits not in force", len(edits)),
            *((f"learning of {one.id}", text) for one in tenants.all() if (text := _learning(one))),
            *((f"over its budget: {id}/{file.rel}", f"{file.size:,} of {file.budget:,} bytes") for id, file in large),
        ],
        empty="",
    )
    for one in edits:
        out.print(Text(f"{one.tenant}/{plain(one.path)} ({one.whose})", style="bold"), soft_wrap=True)
        for line in bad_edits.fault_lines(one.path, one.faults):
            out.print(Text(f"  {plain(line)}"), soft_wrap=True)
        if one.aside:
            out.print(Text(f"  kept, once a turn began, in {plain(one.aside)}", style="dim"), soft_wrap=True)
    print_faults(broken)


def doctor(json: Json = False, home: Home = HERE) -> None:
    """Look at everything the product needs, and say what to do about what is not right. Exit 1 if it cannot work."""
    from runtime.cli import checkup  # brings in the agent's SDK: most of a second that no other command should cost

    checks = list(checkup.examine(settings_of(home)))
    if json:
        print_json([asdict(check) | {"ok": not check.hint} for check in checks])
    else:
        for check in checks:
            mark = "[green]✓[/]" if not check.hint else "[red]✗[/]" if check.serious else "[yellow]![/]"
            out.print(f"{mark} {check.name:<14} ", end="")
            out.print(check.found, markup=False, highlight=False)
            if check.hint:
                out.print(f"  next: {check.hint}", style="dim", markup=False, highlight=False)
    if any(check.hint and check.serious for check in checks):
        raise typer.Exit(1)


def search(
    tenant: TenantName,
    query: Annotated[str, typer.Argument(help="Words; a word may be the beginning of one.")],
    limit: Annotated[int, typer.Option(min=1, max=100)] = 20,
    json: Json = False,
    home: Home = HERE,
) -> None:
    """Search everything that was said with a tenant."""
    settings = settings_of(home)
    one = tenant_of(settings, tenant)
    index = _index(settings, one)
    with progress("reading logs") as report:
        index.catch_up(one.folder, report)
    hits = index.search(query, limit=limit)
    if json:
        print_json([asdict(hit) for hit in hits])
        return
    rows = [
        (
            f"{hit.line.at.astimezone(one.config.zone):%Y-%m-%d %H:%M}",
            hit.line.channel,
            hit.line.person or "assistant",
            hit.line.text,
        )
        for hit in hits
    ]
    print_table(("when", "where", "who", "what"), rows, empty=f"nothing was said about {query!r}")


def reindex(tenant: TenantName, json: Json = False, home: Home = HERE) -> None:
    """Build the search index of a tenant anew from its logs."""
    settings = settings_of(home)
    one = tenant_of(settings, tenant)
    began = time.perf_counter()
    with progress("reading logs") as report:
        index = _index(settings, one)
        index.rebuild(one.folder, report)
    count = index.count()
    seconds = round(time.perf_counter() - began, 2)
    damaged = MessageLog(one.folder).unreadable()
    if json:
        print_json({"tenant": one.id, "messages": count, "seconds": seconds, "unreadable": damaged})
        return
    out.print(f"{count} messages in {seconds} s", highlight=False)
    for place in damaged:
        out.print(f"unreadable, and passed over: {place}", style="yellow", highlight=False, markup=False)


def dead_letters(
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 100, json: Json = False, home: Home = HERE
) -> None:
    """Replies that were not delivered, or of which nobody knows, and turns that ended without an answer."""
    settings = settings_of(home)
    database = Database(settings.file.engine.database, settings.var)
    try:
        rows = database.read_now(lambda tx: outbox.troubled(tx, limit))
    finally:
        database.close()
    letters = [
        {
            "key": row["key"],
            "tenant": row["tenant"],
            "conversation": row["conversation"],
            "state": row["state"],
            "problem": row["problem"],
            "since": datetime.fromtimestamp(row["changed"], UTC).isoformat(timespec="seconds"),
            "text": row["text"],
        }
        for row in rows
    ]
    if json:
        print_json(letters)
        return
    if not letters:
        out.print("none", style="dim")
    for letter in letters:
        out.print(Text(f"{letter['since']}  {letter['state']}  {letter['key']}", style="bold"), soft_wrap=True)
        out.print(Text(f"  {plain(letter['problem'])}"), soft_wrap=True)
        out.print(Text(f"  {plain(letter['text'])}", style="dim"), soft_wrap=True)


def _improvements(one: Tenant) -> dict[str, object]:
    """How many of each state, and whether anything new may land; what is damaged of one tenant hides no other one."""
    try:
        states = Counter(each.state.value for each in Improvements(one.folder).all())
        frozen = Graves(one.folder).frozen()
        if damaged := Improvements(one.folder).damaged():
            raise damaged[0]
    except ConfigFault as fault:
        return {"damaged": fault.problem}
    return {**states, "paused": one.config.improvements.paused, "frozen": frozen.reason if frozen else None}


def _learning(one: Tenant) -> str:
    """What an operator should know of it; nothing while it goes its way."""
    try:
        return _standing(one)
    except ConfigFault as fault:
        return f"not all of it is looked after: {plain(fault.problem)}"


def _standing(one: Tenant) -> str:
    if damaged := Improvements(one.folder).damaged():
        raise damaged[0]
    if frozen := Graves(one.folder).frozen():
        return f"frozen: {frozen.reason}; proxystaff resume {one.id}"
    if one.config.improvements.paused:
        return f"paused; proxystaff resume {one.id}"
    trying = Improvements(one.folder).in_state(State.PROBATION)
    return f"{len(trying)} on probation: {', '.join(each.id for each in trying)}" if trying else ""


def _edit(one: bad_edits.BadEdit) -> dict[str, object]:
    return {
        "tenant": one.tenant,
        "file": one.path,
        "faults": bad_edits.fault_lines(one.path, one.faults),
        "whose": one.whose,
        "since": datetime.fromtimestamp(one.since, UTC).isoformat(timespec="seconds"),
        "aside": one.aside,
    }


def _index(settings: Settings, tenant: Tenant) -> Index:
    return Index(settings.index(tenant.id))
