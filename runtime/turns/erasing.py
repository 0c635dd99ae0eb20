"""Erasing one person from a tenant, from the first step to the proof.

Owns the order of the steps, and that they are done to the end: what is to be done is in a journal under var/ before the
first, every step can be done again, and the journal goes last. The home must be this process' alone (the lease).
Does not own what a step does: runtime/tenant/erasure/ has the folder and its history, forgetting.py the rows.
"""

import re
import secrets
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from runtime import logs as logging
from runtime.agent.conversations import Conversations
from runtime.agent.ledger import Ledger
from runtime.agent.views import config_of
from runtime.engine import scrubbing
from runtime.engine.database import Database
from runtime.errors import Fault
from runtime.tenant.erasure import files, logs, past, proof, records
from runtime.tenant.erasure.files import Own, Touched
from runtime.tenant.erasure.journal import Erasure, Journal
from runtime.tenant.erasure.logs import Lines
from runtime.tenant.erasure.looking import MARK
from runtime.tenant.erasure.proof import Searched
from runtime.tenant.erasure.texts import Cleaning
from runtime.tenant.erasure.whom import Person, identify, known_to
from runtime.tenant.folder import Folder
from runtime.tenant.git import worktrees
from runtime.tenant.git.commits import ref_name
from runtime.tenant.git.history import ADMIN, History
from runtime.tenant.registry import Tenant, Tenants
from runtime.tenant.search.index import Index
from runtime.turns import forgetting
from runtime.words import Conversation, Role

log = logging.get("erasing")

Step = Callable[[str], None]
"""Told the name of each step as it begins."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where a home keeps what is not in a tenant's folder."""

    database: Database
    var: Path

    def index(self, tenant: Tenant) -> Path:
        return self.var / "index" / f"{tenant.id}.db"

    @property
    def ledger(self) -> Path:
        return self.var / "ledger.db"

    @property
    def outgoing(self) -> Path:
        return self.var / "outgoing"

    def runs(self, tenant: Tenant) -> list[Path]:
        """The folders that runs of the tenant work in. Nothing is lost with one: a run begins again without it."""
        return sorted((self.var / "runs").glob(f"{ref_name(f'run:{tenant.id}:')}*"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be done. ``rows``: by table. ``commits``: how many get a new id, and how many of them other words."""

    touched: tuple[Touched, ...]
    lines: dict[str, Lines]
    rows: dict[str, Lines]
    commits: int
    messages: int
    spent: int
    outgoing: tuple[Touched, ...]

    @property
    def is_empty(self) -> bool:
        counts = [one.gone + one.cleaned for one in (*self.lines.values(), *self.rows.values())]
        return not (self.touched or self.commits or self.spent or self.outgoing or any(counts))


def whom(places: Places, tenant: Tenant, said: str) -> Person:
    """The person an operator names. Raises Refused, BadInput, NotFound, as ``identify`` does."""
    asked = places.database.read_now(lambda tx: tx.run(forgetting.STRANGERS, tenant=tenant.id))
    return identify(said, known_to(tenant.folder, tenant.config, forgetting.strangers(asked)))


def plan(places: Places, tenant: Tenant, person: Person) -> Plan:
    """What erasing ``person`` would do; nothing is changed."""
    cleaning = _cleaning(person, b"")
    history = History(tenant.folder).rewriting(cleaning).plan()
    rows: dict[str, Lines] = {}
    for table, row in scrubbing.rows(places.database):
        new = forgetting.judged(tenant.id, cleaning, {}, row)
        if new is None or new != row:
            rows[table] = rows.get(table, Lines()) + Lines(int(new is None), int(new is not None))
    return Plan(
        touched=tuple(files.survey(tenant.folder, cleaning, _own(tenant, person))),
        lines=logs.survey(tenant.folder, cleaning),
        rows=rows,
        commits=len(history.commits),
        messages=history.messages,
        spent=sum(any(map(cleaning.finder.names, pair)) for pair in _spent(places, tenant)),
        outgoing=tuple(_outgoing(places, tenant, cleaning)),
    )


def erase(places: Places, tenant: Tenant, person: Person, *, now: datetime, told: Step = lambda _: None) -> Searched:
    """Erase ``person``, and search afterwards. A kill on the way is mended by the next call of ``finish_erasures``."""
    history = History(tenant.folder)
    history.rewriting(_cleaning(person, b""))  # refuses before anything is changed
    history.commit_admin()
    salt = secrets.token_bytes(16)
    erasure = Erasure(
        id=records.next_id(tenant.folder, now.date().isoformat()),
        tenant=tenant.id,
        person=person,
        salt=salt.hex(),
        at=now.isoformat(timespec="seconds"),
        author=_cleaning(person, salt).signature(history.author(ADMIN)),
    )
    Journal(places.var).begin(erasure)
    return _carry_out(places, tenant, erasure, told)


def finish_erasures(places: Places, tenants: Tenants) -> None:
    """Go on with what a kill left. A tenant that is broken is left as it is, and its erasure waits."""
    for erasure in Journal(places.var).open():
        try:
            found = _carry_out(places, tenants.get(erasure.tenant), erasure, lambda _: None)
            log.info("erasure.finished", tenant=erasure.tenant, erasure=erasure.id, places=len(found.places))
        except Fault as fault:
            log.warning("erasure.not_finished", tenant=erasure.tenant, erasure=erasure.id, kind=type(fault).__name__)


def prove(places: Places, tenant: Tenant, person: Person) -> Searched:
    """Search for ``person`` wherever something of the tenant's is kept."""
    finder = person.finder
    found = proof.search(tenant.folder, History(tenant.folder), finder)
    index = places.index(tenant)
    kept = [path for path in index.parent.glob(f"{tenant.id}.*") if path.is_file()]
    outgoing = [path for name in _rooms(places, tenant) for path in (places.outgoing / name).rglob("*")]
    runs = [path for folder in places.runs(tenant) for path in folder.rglob("*")]
    for path in (*kept, *outgoing, *runs):
        if path.is_file():
            proof.search_file(Folder(path.parent), path.name, finder, found)
    proof.search_rows(forgetting.texts(scrubbing.rows(places.database), tenant.id), finder, found)
    proof.search_rows((("spent", " ".join(pair)) for pair in _spent(places, tenant)), finder, found)
    return found


def _carry_out(places: Places, tenant: Tenant, erasure: Erasure, told: Step) -> Searched:
    cleaning = _cleaning(erasure.person, bytes.fromhex(erasure.salt))
    steps: Mapping[str, Callable[[], None]] = {
        "files": lambda: _clean_files(tenant, erasure.person, cleaning),
        "history": lambda: past.rewrite(tenant.folder, History(tenant.folder), erasure, cleaning),
        "logs": lambda: _clean_logs(tenant, erasure, cleaning),
        "database": lambda: _clean_rows(places, tenant, erasure, cleaning),
        "files on their way": lambda: _clean_outgoing(places, tenant, cleaning),
        "search index": lambda: _reindex(places, tenant),
        "runs": lambda: _clean_runs(places, tenant),
    }
    for name, step in steps.items():
        told(name)
        step()
    told("search")
    found = prove(places, tenant, erasure.person)
    Journal(places.var).end(erasure)
    return found


def _clean_runs(places: Places, tenant: Tenant) -> None:
    for folder in places.runs(tenant):
        worktrees.remove(folder)


def _cleaning(person: Person, salt: bytes) -> Cleaning:
    return Cleaning(person.finder, salt, keeps_told=person.role is Role.MEMBER)


def _own(tenant: Tenant, person: Person) -> Own:
    talk = person.marks.talk
    kept = Conversations(tenant.folder).sessions()
    talks = {*person.marks.conversations, *(one for one in kept if talk(one))}
    return Own(
        media=logs.media_of(tenant.folder, person.marks),
        folders=[config_of(Role.GUEST, Conversation(one)) for one in talks],
        sessions=[session for one, session in kept.items() if talk(one) and session],
    )


def _clean_files(tenant: Tenant, person: Person, cleaning: Cleaning) -> None:
    tenant.folder.tidy(older_than=0)
    touched = files.survey(tenant.folder, cleaning, _own(tenant, person))
    gone = files.sessions_gone(touched)
    Conversations(tenant.folder).forget_sessions(lambda _, session: session in gone)
    files.carry_out(tenant.folder, cleaning, touched)


def _clean_logs(tenant: Tenant, erasure: Erasure, cleaning: Cleaning) -> None:
    # Only now: their sessions and media were found by these.
    talk = erasure.person.marks.talk
    Conversations(tenant.folder).forget_sessions(lambda one, _: talk(one) or cleaning.finder.names(one))
    logs.carry_out(tenant.folder, cleaning, records.commits_of(tenant.folder, erasure.id))


def _clean_rows(places: Places, tenant: Tenant, erasure: Erasure, cleaning: Cleaning) -> None:
    commits = records.commits_of(tenant.folder, erasure.id)
    scrubbing.scrub(places.database, lambda _, row: forgetting.judged(tenant.id, cleaning, commits, row))
    scrubbing.compact(places.database)
    if places.ledger.exists():
        ledger = Ledger(places.ledger)
        try:
            ledger.forget(tenant.id, cleaning.finder.names, MARK)
        finally:
            ledger.close()


def _clean_outgoing(places: Places, tenant: Tenant, cleaning: Cleaning) -> None:
    if touched := _outgoing(places, tenant, cleaning):
        files.carry_out(Folder(places.outgoing), cleaning, touched)


def _reindex(places: Places, tenant: Tenant) -> None:
    path = places.index(tenant)
    for old in path.parent.glob(f"{tenant.id}.*"):
        if old.is_file():
            old.unlink()
    Index(path).rebuild(tenant.folder)


def _outgoing(places: Places, tenant: Tenant, cleaning: Cleaning) -> list[Touched]:
    rooms = _rooms(places, tenant)
    own = Own(folders=[name for name in rooms if cleaning.finder.names(name)])
    found = files.survey(Folder(places.outgoing), cleaning, own) if rooms else []
    return [one for one in found if one.path.partition("/")[0] in rooms]


def _rooms(places: Places, tenant: Tenant) -> Collection[str]:
    """The folders of files that this tenant sends: one a turn, and named by it."""
    if not places.outgoing.is_dir():
        return ()
    return [one.name for one in places.outgoing.iterdir() if re.match(rf"[a-z]+_{re.escape(tenant.id)}_", one.name)]


def _spent(places: Places, tenant: Tenant) -> list[tuple[str, str]]:
    if not places.ledger.exists():
        return []
    ledger = Ledger(places.ledger)
    try:
        return ledger.names(tenant.id)
    finally:
        ledger.close()
