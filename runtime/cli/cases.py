"""Commands about a tenant's cases: what a self-change is played against before it lands."""

import asyncio
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from runtime import logs
from runtime.annealing.gate import growing, judging
from runtime.annealing.gate.case import GLOBAL, Case
from runtime.annealing.gate.cases import PLACE, Cases, render
from runtime.annealing.gate.judging import Judge
from runtime.annealing.gate.playing import Played, Player, Stand
from runtime.app import agents
from runtime.cli.terminal import (
    HERE,
    Home,
    Json,
    TenantName,
    out,
    plain,
    print_json,
    print_table,
    progress,
    settings_of,
    tenants_of,
)
from runtime.errors import BadInput, NotFound
from runtime.metrics import Metrics
from runtime.settings import Settings
from runtime.tenant.git.history import History
from runtime.tenant.git.worktrees import remove
from runtime.tenant.registry import Tenant, Tenants
from runtime.words import TenantId, TurnId

ALL = "all"


def register(root: typer.Typer) -> None:
    root.command()(cases)


def cases(
    tenant: TenantName,
    add: Annotated[str, typer.Option(metavar="TURN", help="Make a case from a turn that went wrong.")] = "",
    expect: Annotated[str, typer.Option(help="With --add: what should have come, as the owner would say it.")] = "",
    family: Annotated[str, typer.Option(help="With --add: the directive it is about.")] = GLOBAL,
    remove: Annotated[str, typer.Option(metavar="ID", help="Take a case away.")] = "",
    show: Annotated[str, typer.Option(metavar="ID", help="One case, as its file.")] = "",
    play: Annotated[str, typer.Option(metavar="ID", help="Play a case, or all, on what is committed now.")] = "",
    json: Json = False,
    home: Home = HERE,
) -> None:
    """The cases that a self-change is played against before it lands."""
    settings = settings_of(home)
    tenants = tenants_of(settings)
    one = tenants.get(TenantId(tenant))
    if sum(map(bool, (add, remove, show, play))) > 1:
        raise BadInput("--add, --remove, --show and --play are one at a time", hint="run it once for each")
    found = Cases(one.folder)
    found.seed()
    if add:
        _added(found, one, add, expect, family, json=json)
    elif remove:
        _told(found.remove(remove), "removed", json=json)
    elif show:
        case = found.find(show)
        _show(case, json=json)
    elif play:
        chosen = found.all() if play == ALL else [found.find(play)]
        logs.configure(level="error")
        _print_plays(asyncio.run(_play(settings, tenants, one, chosen)), json=json)
    else:
        _list(found.all(), json=json)


def _list(found: Sequence[Case], *, json: bool) -> None:
    if json:
        print_json([record(case) for case in found])
        return
    rows = [(case.id, case.kind, case.family, "yes" if case.hidden else "-", case.about) for case in found]
    print_table(("id", "kind", "family", "hidden", "about"), rows, empty="no cases")


def record(case: Case) -> dict[str, object]:
    """A case as ``--json`` lists it."""
    names = ("id", "kind", "family", "hidden", "about", "source")
    return {name: getattr(case, name) for name in names} | {"file": f"{PLACE}/{case.id}.yaml"}


def _show(case: Case, *, json: bool) -> None:
    if json:
        print_json(case.model_dump(mode="json"))
        return
    out.print(plain(render(case)), markup=False, highlight=False, soft_wrap=True, end="")


def _added(found: Cases, one: Tenant, turn: str, expect: str, family: str, *, json: bool) -> None:
    known = {path.stem for path in one.folder.path("directives").glob("*.md")} | {GLOBAL}
    if family not in known:
        raise NotFound(f"there is no directive {family}", hint=f"one of {', '.join(sorted(known))}")
    case = growing.from_turn(one.folder, TurnId(turn), family=family, expected=expect)
    found.add(case)
    _told(case, "added", json=json)


def _told(case: Case, what: str, *, json: bool) -> None:
    if json:
        print_json(record(case) | {what: True})
        return
    out.print(f"{what} {case.id}: {plain(case.about)}", markup=False, highlight=False)


async def _play(settings: Settings, tenants: Tenants, one: Tenant, chosen: Sequence[Case]) -> list[tuple[Played, str]]:
    """Each once, on what is committed: what came of it, and why it failed."""
    history, played = History(one.folder), []
    async with agents(settings, tenants, Metrics()) as agent:
        folders = _folders(settings)
        player = Player(sessions=agent.sessions, folders=folders, now=lambda: datetime.now(UTC))
        judge, stand = Judge(agent.questions), Stand(tenant=one, history=history, base=history.head())
        try:
            with progress("playing") as report:
                for number, case in enumerate(chosen, 1):
                    done = await player.play(stand, case, f"{one.id}-{case.id}")
                    unmet = () if done.problems else await judge.unmet(one.id, done)
                    played.append((done, judging.failures(unmet, done.problems)))
                    report(number, len(chosen))
        finally:
            remove(folders)
    return played


def _folders(settings: Settings) -> Path:
    """For the plays of this process, apart from those of a gate that is at work; what a killed one left goes."""
    place = settings.var / "plays-by-hand"
    for left in place.iterdir() if place.is_dir() else ():
        if not Path("/proc", left.name).exists():
            remove(left)
    return place / str(os.getpid())


def _print_plays(played: Sequence[tuple[Played, str]], *, json: bool) -> None:
    if json:
        print_json(
            [
                {
                    "id": one.case.id,
                    "passed": not why,
                    "why": why,
                    "answer": one.answer,
                    "outbox": [str(used) for used in one.outbox],
                    "seconds": round(one.seconds, 2),
                }
                for one, why in played
            ]
        )
    else:
        rows = [(one.case.id, _passed(one, why), f"{one.seconds:.1f} s", why) for one, why in played]
        print_table(("id", "", "took", "why"), rows, empty="no cases")
    if any(why for _, why in played):
        raise typer.Exit(1)


def _passed(one: Played, why: str) -> str:
    if one.case.expect.is_open:
        return "only compared"
    return "failed" if why else "passed"
