"""Commands about what changed: history, diff, revert. Plain git in the tenant's folder does the same."""

from collections.abc import Collection
from typing import Annotated

import typer
from rich.syntax import Syntax

from runtime.annealing.store import Improvements
from runtime.annealing.undoing.taking_back import take_back
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
    tenant_of,
)
from runtime.errors import Refused
from runtime.tenant.checks import check
from runtime.tenant.git.commits import ADMIN, Commit
from runtime.tenant.git.history import History, Origin
from runtime.tenant.registry import Tenant

CommitName = Annotated[str, typer.Argument(metavar="COMMIT", help="A commit's id, or its beginning.")]


def register(root: typer.Typer) -> None:
    root.command()(history)
    root.command()(diff)
    root.command()(revert)


def history(
    tenant: TenantName,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 20,
    everyone: Annotated[bool, typer.Option("--all", help="People's commits too.")] = False,
    json: Json = False,
    home: Home = HERE,
) -> None:
    """What the agent changed, newest first."""
    one = tenant_of(settings_of(home), tenant)
    found = History(one.folder)
    commits = found.log(limit=limit, by_agent=None if everyone else True)
    undone = {commit.reverts for commit in found.log(limit=limit * 2 + 20) if commit.reverts}
    if json:
        print_json([_record(commit) | {"undone": commit.id in undone} for commit in commits])
        return
    rows = [
        (
            commit.id[:10],
            f"{commit.at.astimezone(one.config.zone):%Y-%m-%d %H:%M}",
            commit.author,
            _title(commit, undone),
        )
        for commit in commits
    ]
    print_table(("commit", "when", "who", "what"), rows, empty="the agent has changed nothing yet")


def diff(tenant: TenantName, commit: CommitName, json: Json = False, home: Home = HERE) -> None:
    """One commit: why it was made and what it changed."""
    found = History(tenant_of(settings_of(home), tenant).folder)
    one = found.find(commit)
    if json:
        print_json(_record(one) | {"diff": found.diff(one.id)})
        return
    out.print(f"{one.id}\n{one.author}, {one.at:%Y-%m-%d %H:%M %Z}\n\n{one.subject}\n", markup=False, highlight=False)
    if one.body:
        out.print(f"{plain(one.body)}\n", markup=False, highlight=False)
    for name, value in one.trailers.items():
        out.print(f"{name}: {value}", style="dim", markup=False, highlight=False)
    out.print(Syntax(found.diff(one.id), "diff", background_color="default"))


def revert(
    tenant: TenantName,
    commit: CommitName,
    reason: Annotated[str, typer.Option(help="Why, for whoever reads the history.")] = "",
    json: Json = False,
    home: Home = HERE,
) -> None:
    """Take one commit back by a new commit, keeping every later edit."""
    one = tenant_of(settings_of(home), tenant)
    found = History(one.folder, check=check)
    found.commit_admin()
    made = _reverted(one, found, commit, Origin(actor=ADMIN, tenant=one.id, trigger="command line", reason=reason))
    if json:
        print_json(_record(made))
        return
    out.print(f"{made.id[:10]} {made.subject}", markup=False, highlight=False)


def _reverted(one: Tenant, found: History, commit: str, origin: Origin) -> Commit:
    """A self-change is taken back whole, by the names of its rules where later edits touch the same lines."""
    target, improvements = found.find(commit), Improvements(one.folder)
    landed = improvements.of_commit(target.id)
    if landed is None:
        return found.revert(commit, origin)
    e, n = (landed.watch.e, len(landed.watch.ys)) if landed.watch else (1.0, 0)
    taken = take_back(found, improvements.all(), landed, origin=origin, e=e, n=n)
    if not taken.commit:
        raise Refused(f"nothing of {landed.id} is left to take back", hint="see `proxystaff rules`")
    return found.find(taken.commit)


def _record(commit: Commit) -> dict[str, object]:
    return {
        "commit": commit.id,
        "at": commit.at.isoformat(),
        "author": commit.author,
        "by_agent": commit.by_agent,
        "subject": commit.subject,
        "body": commit.body,
        "trailers": dict(commit.trailers),
        "files": list(commit.files),
        "reverts": commit.reverts,
    }


def _title(commit: Commit, undone: Collection[str]) -> str:
    return f"{commit.subject} (undone)" if commit.id in undone else commit.subject
