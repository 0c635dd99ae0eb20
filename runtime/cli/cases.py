"""Commands about a tenant's cases: what a self-change is played against before it lands."""

from collections.abc import Sequence
from typing import Annotated

import typer

from runtime.annealing.gate.case import GLOBAL, Case
from runtime.annealing.gate.cases import PLACE, Cases, render
from runtime.cli.terminal import (
    HERE,
    Home,
    Json,
    TenantName,
    out,
    plain,
    print_json,
    print_table,
    settings_of,
    tenants_of,
)
from runtime.errors import BadInput, NotFound
from runtime.tenant.registry import Tenant
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
        from runtime.cli import playing  # brings in the agent's SDK: most of a second that no other command should cost

        playing.play(settings, tenants, one, chosen, json=json)
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

    from runtime.annealing.gate import growing  # brings in the agent's SDK: no other command should wait for it

    case = growing.from_turn(one.folder, TurnId(turn), family=family, expected=expect)
    found.add(case)
    _told(case, "added", json=json)


def _told(case: Case, what: str, *, json: bool) -> None:
    if json:
        print_json(record(case) | {what: True})
        return
    out.print(f"{what} {case.id}: {plain(case.about)}", markup=False, highlight=False)
