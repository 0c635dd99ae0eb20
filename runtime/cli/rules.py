"""The command about what the assistant learned to do: rules. Each change is a commit under the admin's name."""

from collections.abc import Mapping
from typing import Annotated, Literal

import typer
from rich.text import Text

from runtime.cli.terminal import (
    HERE,
    Home,
    Json,
    TenantName,
    err,
    out,
    plain,
    print_json,
    settings_of,
    tenant_of,
)
from runtime.errors import BadInput, NotFound, Refused
from runtime.tenant.checks import check
from runtime.tenant.folder import Folder
from runtime.tenant.git.changes import FILE, Content
from runtime.tenant.git.commits import ADMIN, Commit, Conflict
from runtime.tenant.git.history import History, Origin
from runtime.tenant.registry import Tenant
from runtime.tenant.rules import shelf
from runtime.tenant.rules.files import Rule
from runtime.tenant.rules.promoting import promoted, with_state
from runtime.tenant.rules.shelf import Shelf

RuleName = Annotated[
    str, typer.Argument(metavar="[RULE]", help="DIRECTIVE/ID, or ID where no other directive has one of that name.")
]


def register(root: typer.Typer) -> None:
    root.command()(rules)


def rules(
    tenant: TenantName,
    rule: RuleName = "",
    promote: Annotated[
        bool, typer.Option("--promote", help="Put its words into the directive; the rule goes.")
    ] = False,
    pin: Annotated[bool, typer.Option("--pin", help="Nothing but a person changes it.")] = False,
    unpin: Annotated[bool, typer.Option("--unpin", help="What is learned may change it again.")] = False,
    json: Json = False,
    home: Home = HERE,
) -> None:
    """What the assistant learned to do, by directive; or one rule, to keep it for good. docs/rules.md."""
    if promote + pin + unpin > 1 or ((promote or pin or unpin) and not rule):
        raise typer.BadParameter("one of --promote, --pin and --unpin, with the RULE it is for")
    one = tenant_of(settings_of(home), tenant)
    if promote or pin or unpin:
        made = _promote(one, rule) if promote else _pin(one, rule, "pinned" if pin else "kept")
        if json:
            named = made.trailers["Rule"]
            print_json({"rule": named, "commit": made.id, "subject": made.subject, "files": list(made.files)})
            return
        out.print(f"{made.id[:10]} {made.subject}", markup=False, highlight=False)
        return
    listed = [find(one.folder, rule)] if rule else list(Shelf(one.folder).rules())
    for fault in shelf.faults(one.folder):
        err.print(Text(f"passed over: {plain(fault.problem)}", style="yellow"), soft_wrap=True)
    if json:
        print_json([_record(each) for each in listed])
        return
    if not listed:
        out.print("no rules yet: nothing was learned, and nobody wrote one (docs/rules.md)", style="dim")
    for each in listed:
        out.print(Text(f"{each.ref}  {each.head.state}", style="bold"), soft_wrap=True)
        out.print(Text(f"  {plain(each.text)}"), soft_wrap=True)
        out.print(Text(f"  {plain(_known(each))}", style="dim"), soft_wrap=True)


def find(folder: Folder, name: str) -> Rule:
    """The rule ``<directive>/<id>`` or ``<id>``. Raises NotFound, or BadInput where several have that id."""
    found = [one for one in Shelf(folder).rules() if name in (one.ref, one.head.id, one.path)]
    if not found:
        raise NotFound(f"there is no rule {name}", hint="see `proxystaff rules TENANT`")
    if len(found) > 1:
        raise BadInput(f"{name} could be {', '.join(one.ref for one in found)}", hint="name the directive, too")
    return found[0]


def _promote(tenant: Tenant, name: str) -> Commit:
    history = History(tenant.folder, check=check)
    head = history.head()
    rule = find(tenant.folder, name)
    if rule.head.state == "probation":
        problem = f"{rule.ref} is in probation: whether it helps is not known yet"
        raise Refused(problem, hint="wait until it is kept, or pin it first")
    path = f"directives/{rule.directive}.md"
    try:
        sop = tenant.folder.read_bytes(path).decode()
    except NotFound:
        raise NotFound(f"there is no {path} to put {rule.ref} into", hint="write that directive first") from None
    except UnicodeDecodeError:
        raise Refused(f"{path} is not UTF-8 text", hint="save it as UTF-8") from None
    return _commit(tenant, history, head, "Promote", rule, {path: promoted(sop, rule), rule.path: None})


def _pin(tenant: Tenant, name: str, state: Literal["kept", "pinned"]) -> Commit:
    history = History(tenant.folder, check=check)
    head = history.head()
    rule = find(tenant.folder, name)
    if (rule.head.state == "pinned") is (state == "pinned"):
        raise Refused(f"{rule.ref} is {rule.head.state} already", hint="see `proxystaff rules TENANT`")
    verb = "Pin" if state == "pinned" else "Unpin"
    return _commit(tenant, history, head, verb, rule, {rule.path: with_state(rule, state).rendered})


def _commit(
    tenant: Tenant, history: History, head: str, verb: str, rule: Rule, texts: Mapping[str, str | None]
) -> Commit:
    """``head`` is the commit that ``texts`` were made on."""
    origin = Origin(actor=ADMIN, tenant=tenant.id, trigger="command line", reason=rule.text, extra={"Rule": rule.ref})
    if rule.path not in history.files(head):
        raise Refused(
            f"{rule.path} is not committed yet", hint="commit it, or send the assistant a message, which does"
        )
    files = {path: None if text is None else Content(FILE, text.encode()) for path, text in texts.items()}
    try:
        return history.put(files, origin, base=head, title=f"{verb} rule: {rule.ref}")
    except Conflict as fault:
        raise Refused(fault.problem, hint="commit or undo that, then do it again") from None


def _record(rule: Rule) -> dict[str, object]:
    head = rule.head
    return {
        "directive": rule.directive,
        "id": head.id,
        "state": head.state,
        "text": rule.text,
        "triggers": list(head.triggers),
        "helpful": head.helpful,
        "harmful": head.harmful,
        "since": head.since,
        "improvement": head.improvement,
        "idea": head.idea,
        "hash": rule.hash,
    }


def _known(rule: Rule) -> str:
    """What is known of it, on one line."""
    head = rule.head
    since = f"since {head.since}" if head.since else ""
    triggers = f"brought up by {', '.join(head.triggers)}" if head.triggers else ""
    origin = f"from {head.improvement}" if head.improvement else "written by a person"
    return " · ".join(filter(None, (f"helpful {head.helpful}, harmful {head.harmful}", since, origin, triggers)))
