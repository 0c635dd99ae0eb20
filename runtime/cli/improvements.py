"""Commands about what the assistant changes of itself: improvements, anneal, pause, resume."""

import asyncio
import json as jsonlib
import math
import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.text import Text

from runtime.annealing import jobs
from runtime.annealing.alarms import false_alarms
from runtime.annealing.graves import Graves
from runtime.annealing.jobs import Kind, Walk
from runtime.annealing.records import Improvement, Play
from runtime.annealing.store import Improvements
from runtime.annealing.verification.eprocess import Baseline, alpha, course
from runtime.cli.terminal import (
    HERE,
    Home,
    Json,
    TenantName,
    err,
    out,
    plain,
    print_json,
    print_table,
    settings_of,
    tenant_of,
)
from runtime.engine.database import Database
from runtime.settings import Settings
from runtime.tenant.checks import check
from runtime.tenant.config import TENANT_FILE, edit_config
from runtime.tenant.git.history import ADMIN, History, Origin
from runtime.tenant.registry import Tenant

POLL = 0.3
"""Seconds between looks at a walk that runs."""

BARS = " ▁▂▃▄▅▆▇█"
LOWEST = 0.1
"""E at which a bar is empty."""


def register(root: typer.Typer) -> None:
    root.command("improvements")(improvements)
    root.command()(anneal)
    root.command()(pause)
    root.command()(resume)


def improvements(
    tenant: TenantName,
    improvement: Annotated[str, typer.Argument(metavar="[ID]", help="One of them, with all that is known.")] = "",
    json: Json = False,
    home: Home = HERE,
) -> None:
    """What the assistant changed of itself: its state, and with an ID its reasons, its gate and how its turns went."""
    one = tenant_of(settings_of(home), tenant)
    place = Improvements(one.folder)
    if improvement:
        found = place.find(improvement)
        print_json(_record(found)) if json else _show(one, found)
        return
    newest = place.all()[::-1]
    if json:
        print_json([_record(each) for each in newest])
        return
    rows = [
        (each.id, each.state.value, each.family, f"{_of(each)}", _day(one, each.opened), each.intent) for each in newest
    ]
    if frozen := Graves(one.folder).frozen():
        out.print(Text(f"frozen since {_day(one, frozen.since)}: {frozen.reason}; proxystaff resume {one.id}", "red"))
    if one.config.improvements.paused:
        out.print(Text(f"paused; proxystaff resume {one.id}", "yellow"))
    columns = ("id", "state", "directive", "bad of turns", "opened", "what for")
    print_table(columns, rows, empty="the assistant has not tried to change anything about itself yet")


def anneal(
    tenant: TenantName,
    now: Annotated[bool, typer.Option("--now", help="Walk the loop now, instead of waiting for its time.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Propose and play; keep and land nothing.")] = False,
    json: Json = False,
    home: Home = HERE,
) -> None:
    """When the assistant looks for something to improve, and what came of it; --now does it now."""
    settings = settings_of(home)
    one = tenant_of(settings, tenant)
    if now or dry_run:
        walk = asyncio.run(_walked(settings, one, dry=dry_run))
        if json:
            print_json(_walk(walk))
        else:
            for line in filter(None, walk.outcome.split("; ")):
                out.print(plain(line), markup=False, highlight=False)
        if walk.problem:
            hint = "see the log" if walk.state == "done" else "it is tried again by itself while the home is served"
            err.print(f"{plain(walk.problem)}\n  next: {hint}", markup=False, highlight=False, soft_wrap=True)
            raise typer.Exit(1)
        return
    database = Database(settings.file.engine.database, settings.var)
    try:
        walks = database.read_now(lambda tx: jobs.of_tenant(tx, one.id, 20))
        timer = database.read_now(lambda tx: tx.one(jobs.TIMER, tenant=one.id))
    finally:
        database.close()
    due = timer["due"] if timer else None
    alarms, paused = false_alarms(Improvements(one.folder).all()), one.config.improvements.paused
    if json:
        counted = {**asdict(alarms), "rate": alarms.rate}
        print_json(
            {"due": _time(due), "paused": paused, "empty": counted, "walks": [_walk(each) for each in walks]},
        )
        return
    when = f"next look: {_day(one, datetime.fromtimestamp(due, UTC))}" if due else "next look: some hours after a start"
    out.print("paused" if paused else when, highlight=False)
    out.print(str(alarms), highlight=False)
    rows = [
        (_day(one, datetime.fromtimestamp(each.opened, UTC)), each.kind.value, each.state, each.outcome or each.problem)
        for each in walks
    ]
    print_table(("opened", "what", "state", "what came of it"), rows, empty="it has not looked yet")


def pause(tenant: TenantName, home: Home = HERE) -> None:
    """The assistant changes nothing new of itself; what has landed is still watched, and taken back if it does harm."""
    _set_paused(tenant_of(settings_of(home), tenant), paused=True)


def resume(tenant: TenantName, home: Home = HERE) -> None:
    """Let the assistant improve itself again, after a pause or when it froze."""
    one = tenant_of(settings_of(home), tenant)
    Graves(one.folder).thaw()
    _set_paused(one, paused=False)


def _set_paused(one: Tenant, *, paused: bool) -> None:
    if one.config.improvements.paused is not paused:
        History(one.folder, check=check).commit_admin()

        def change(tree: Any) -> None:
            tree.setdefault("improvements", {})["paused"] = paused

        edit_config(one.folder, change)
        word = "Pause" if paused else "Resume"
        origin = Origin(actor=ADMIN, tenant=one.id, trigger="command line", reason=f"{word} self-improvement")
        History(one.folder, check=check).commit_by(origin, only=[TENANT_FILE])
    out.print(f"{one.id}: {'paused' if paused else 'self-improvement goes on'}", highlight=False)


async def _walked(settings: Settings, one: Tenant, *, dry: bool) -> Walk:
    """Open a walk and wait for its end, by whoever serves the home; or until it failed and waits to be tried again."""
    from runtime.cli.reach import reached  # brings in the runtime: a second that no other command should cost

    async with reached(settings):
        database = Database(settings.file.engine.database, settings.var)
        try:
            id = await database.write(lambda tx: jobs.open_walk(tx, one.id, Kind.LOOK, time.time(), dry=dry))
            with err.status("looking for something to improve"):
                while True:
                    walk = await database.read(lambda tx: jobs.find(tx, id))
                    assert walk is not None, id
                    if walk.state == "done" or (walk.problem and walk.due - time.time() > jobs.PAUSE):
                        return walk
                    await asyncio.sleep(POLL)
        finally:
            database.close()


def _say(text: str, style: str = "") -> None:
    out.print(Text(plain(text), style=style), soft_wrap=True)


def _show(tenant: Tenant, one: Improvement) -> None:
    """All that is known of one, for a terminal."""
    _say(f"{one.id}  {one.state.value}{f': {one.reason}' if one.reason else ''}", "bold")
    landed = f", commit {one.commit[:10]}" if one.commit else ""
    _say(f"directive {one.family}, opened {_day(tenant, one.opened)}{landed}")
    _say(f"why: {one.mechanism}")
    for op in one.operations:
        _say(f"{op.do} {op.rule}{f' → {op.to}' if op.to else ''}: {op.text}")
        if op.triggers:
            _say(f"    brought up by: {', '.join(op.triggers)}", "dim")
    _show_triggers(tenant, one)
    if one.gate.plays:
        _say(f"\ngate: {one.gate.line}", "bold")
        _print_gate(one.gate.plays)
    for problem in one.gate.mechanical:
        _say(f"  {problem}", "red")
    if one.watch:
        before = f"before, {one.watch.s0:.1f} of {one.watch.n0:.0f}"
        _say(f"\nsince it landed: {_of(one)} turns went wrong; {before}", "bold")
        for line in plot(one):
            _say(f"  {line}")
    if one.undone:
        _say(f"\ntaken back by {one.undone[:10]}")


def _show_triggers(tenant: Tenant, one: Improvement) -> None:
    if one.triggers:
        _say("\nwhat was said:", "bold")
    for trigger in one.triggers:
        expected = f"  (expected: {trigger.expected})" if trigger.expected else ""
        _say(f"  {_day(tenant, trigger.at)}  {trigger.text}{expected}")
    if one.prediction.flips:
        _say(f"predicted to go well: {', '.join(one.prediction.flips)}")


def plot(one: Improvement) -> list[str]:
    """E over the exposed turns as bars, and below how each went: o well, x badly. Full height is the bar at which a
    change is rolled back; the scale is logarithmic."""
    watch = one.watch
    if watch is None or not watch.ys:
        return ["no turn yet"]
    bar = 1 / alpha(owner_visible=one.owner_visible)
    es = list(course(Baseline(watch.s0, watch.n0), watch.ys))
    bars = "".join(_bar(e, bar) for e in es)
    return [
        f"E    {bars}  {es[-1]:.2f}, taken back at {bar:.0f}",
        f"turn {''.join('x' if bad else 'o' for bad in watch.ys)}",
    ]


def _bar(e: float, full: float) -> str:
    part = math.log(max(e, LOWEST) / LOWEST) / math.log(full / LOWEST)
    return BARS[min(len(BARS) - 1, round(part * (len(BARS) - 1)))]


def _print_gate(plays: Sequence[Play]) -> None:
    """A row for each case, both arms."""
    rows = []
    for case in dict.fromkeys((play.kind, play.case) for play in plays):
        ran = [play for play in plays if (play.kind, play.case) == case]
        arms = {
            arm: "".join(
                "+" if play.passed else "-" for play in sorted(ran, key=lambda play: play.run) if play.arm == arm
            )
            for arm in ("parent", "candidate")
        }
        why = next((play.why for play in ran if play.why and play.arm == "candidate"), "")
        rows.append((*case, arms["parent"] or "·", arms["candidate"] or "·", why[:80]))
    print_table(("kind", "case", "before", "with it", "what failed"), rows, empty="no plays")


def _record(one: Improvement) -> dict[str, Any]:
    """As ``--json`` prints it, with E after each turn."""
    whole: dict[str, Any] = jsonlib.loads(one.model_dump_json())
    watch = one.watch
    es = list(course(Baseline(watch.s0, watch.n0), watch.ys)) if watch else []
    return whole | {"course": [round(e, 4) for e in es], "bar": 1 / alpha(owner_visible=one.owner_visible)}


def _of(one: Improvement) -> str:
    ys = one.watch.ys if one.watch else ()
    return f"{sum(ys)} of {len(ys)}" if one.watch else "-"


def _day(tenant: Tenant, at: datetime) -> str:
    return f"{at.astimezone(tenant.config.zone):%Y-%m-%d %H:%M}"


def _time(at: float | None) -> str | None:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds") if at else None


def _walk(one: Walk) -> dict[str, object]:
    times = {"opened": one.opened, "due": one.due, "started": one.started, "finished": one.finished}
    return {
        "walk": one.id,
        "kind": one.kind.value,
        "dry": one.dry,
        "state": one.state,
        "outcome": one.outcome,
        "problem": one.problem,
        **{name: _time(at) for name, at in times.items()},
    }
