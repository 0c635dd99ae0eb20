"""What a turn writes into the tenant's folder on the runtime's behalf: logs, recent messages, commits.

Blocking: called in threads, by whoever holds the folder's lane. Each write may be repeated after a kill.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from runtime import logs
from runtime.agent.events import ToolRun
from runtime.channels import outgoing
from runtime.tenant.checks import check
from runtime.tenant.folder import Folder, Stamp, Stamps, stamp_of
from runtime.tenant.git import aside
from runtime.tenant.git.aside import Check
from runtime.tenant.git.changes import last_changed
from runtime.tenant.git.commits import BadFile, shown
from runtime.tenant.git.history import History, Origin
from runtime.tenant.life import onboarding
from runtime.tenant.life.files import Life
from runtime.tenant.life.said import elsewhere, lately
from runtime.tenant.life.unsaid import refuse_unsaid
from runtime.tenant.messages import QUOTED, MessageLine, MessageLog, sync_recent
from runtime.tenant.registry import Tenant, Tenants
from runtime.tenant.rules import composing
from runtime.tenant.rules.files import Rule
from runtime.tenant.rules.shelf import Shelf
from runtime.tenant.turnlog import TurnLog
from runtime.turns import prompt
from runtime.turns.bad_edits import Standing
from runtime.turns.course import Course, line_of
from runtime.turns.letters import Letter
from runtime.turns.outbox import Planned
from runtime.turns.pairing import harmless
from runtime.turns.printed import Printed
from runtime.words import (
    Conversation,
    Direction,
    GiveUp,
    How,
    Inbound,
    Person,
    Role,
    SendOutcome,
    SendState,
    Sent,
    StatusUpdate,
    TenantId,
    TurnId,
)

RECALLED = 200
"""Messages of a conversation that are looked through for the one that a reply or an edit is about."""

ORDERS = ("directives/", "state/schedules.yaml")
"""What the assistant follows, now or at a time."""

QUIET = 0.5
"""Seconds since its last change after which a file counts as saved; until then an editor may still be writing it."""

PATIENCE = 2.0
"""Seconds that a turn waits at most for an editor to end its save."""

log = logs.get("turns")


@dataclass(slots=True)
class Book:
    """One tenant's logs and history, kept open; ``clean`` is what its folder looked like when nothing was
    uncommitted, so that a turn that changed nothing costs no git at all."""

    messages: MessageLog
    turns: TurnLog
    history: History
    shelf: Shelf
    clean: Stamps | None = None
    onboarding: str = ""
    """What the agent is told of it, made from the files that ``standing_of`` stamps."""
    standing_of: tuple[Stamp | None, ...] = ()
    working: TurnId | None = None
    """The turn whose changes may lie in the folder uncommitted, also while it waits to be tried again."""


class Records:
    """One a process."""

    def __init__(self, tenants: Tenants) -> None:
        self._tenants = tenants
        self._books: dict[TenantId, Book] = {}

    def book(self, tenant: Tenant) -> Book:
        if (found := self._books.get(tenant.id)) is None:
            folder = tenant.folder
            found = self._books.setdefault(
                tenant.id, Book(MessageLog(folder), TurnLog(folder), History(folder, check=check), Shelf(folder))
            )
        return found

    def begin(self, tenant: Tenant, turn: TurnId) -> Sequence[BadFile]:
        """Before the agent works in the folder: as ``settle``, and from now on what is uncommitted is the turn's."""
        bad = self.settle(tenant, turn)
        self.book(tenant).working = turn
        return bad

    def settle(self, tenant: Tenant, turn: TurnId) -> Sequence[BadFile]:
        """What an admin left uncommitted is committed under their name; what fails its check is not, and returned. A
        save that is just being written is waited for."""
        book = self.book(tenant)
        if tenant.folder.stamps() == book.clean:
            return ()
        patience = time.monotonic() + PATIENCE
        while (remaining := _unsettled(tenant, book)) > 0 and time.monotonic() < patience:
            time.sleep(remaining)
        return self._commit_edits(tenant, turn)

    def look(self, tenant: Tenant) -> Sequence[BadFile] | None:
        """The same between turns; None while something is still being written, by an editor or a turn."""
        book = self.book(tenant)
        if tenant.folder.stamps() == book.clean:
            return ()
        return None if book.working or _unsettled(tenant, book) > 0 else self._commit_edits(tenant, TurnId(""))

    def _commit_edits(self, tenant: Tenant, turn: TurnId) -> Sequence[BadFile]:
        book = self.book(tenant)
        now = tenant.folder.stamps()
        result = book.history.commit_admin()
        _warn(tenant, turn, result.refused)
        for commit in result.commits:
            log.info("edit.committed", tenant=tenant.id, commit=commit.id, author=commit.author)
        book.clean = None if result.bad else now
        return result.bad

    def onboarding_line(self, tenant: Tenant, person: Person) -> str:
        """What the agent is told of onboarding: for an owner, and only while the assistant is not LIVE."""
        if person.role is not Role.OWNER:
            return ""
        book = self.book(tenant)
        files = tuple(stamp_of(tenant.folder.root / rel) for rel in (onboarding.ONBOARDING, onboarding.QUESTIONS))
        if book.standing_of != files:
            book.onboarding, book.standing_of = onboarding.standing(Life(tenant.folder, book.history)), files
        return book.onboarding

    def head(self, tenant: Tenant) -> str:
        """The commit that the tenant's folder is at."""
        return self.book(tenant).history.head()

    def brought_up(self, tenant: Tenant, messages: Sequence[Inbound]) -> tuple[Rule, ...]:
        """The rules that what a person says in their own words brings up."""
        return tuple(composing.brought_up(self.book(tenant).shelf.rules(), prompt.own_words(messages)))

    def put_aside(self, tenant: Tenant, bad: Sequence[BadFile]) -> None:
        """Take bad files out of the way, where the agent would read them, and bring what is committed."""
        book = self.book(tenant)
        for one in bad:
            _, good, mode = book.history.committed(one.path) or ("", None, 0o644)
            if aside.put(tenant.folder, one, good, mode=mode):
                log.warning("edit.put_aside", tenant=tenant.id, file=shown(one.path), aside=shown(one.aside))
        book.clean = None

    def standing(self, tenant: Tenant, kept: Mapping[str, str]) -> dict[str, Standing]:
        """Of each of the paths in ``kept`` (with where its bytes were kept): what is committed, and whether the copy
        is still there."""
        history = self.book(tenant).history
        found = {}
        for path, place in kept.items():
            blob, *_ = history.committed(path) or ("",)
            found[path] = Standing(blob, bool(place) and aside.is_there(tenant.folder, place))
        return found

    def set_aside(self, tenant: Tenant, turn: TurnId) -> None:
        """What an attempt at ``turn`` left when it died is kept under a ref, and the folder is as it was before. Bad
        files go where those are kept: one may be an admin's that a kill left between being told of and put aside."""
        book = self.book(tenant)
        changes = book.history.uncommitted().changes
        self.put_aside(tenant, list(aside.judged(tenant.folder, changes, [check])))
        if kept := book.history.set_aside(turn):
            log.warning("turn.set_aside", turn=turn, kept=kept)
        book.clean = book.working = None

    def commit_left(self, tenant: Tenant, origin: Origin) -> Sequence[BadFile]:
        """What an answered turn had not committed yet when its process ended; what of it fails its check."""
        book = self.book(tenant)
        result = book.history.commit_agent(origin, check=_said_check(tenant.folder, book, origin))
        book.clean = book.working = None
        return result.bad

    def recalled(self, tenant: Tenant, messages: Sequence[Inbound]) -> list[Inbound]:
        """``messages`` with the words of those they answer or replace, as far as the last ones in the log have them."""
        named = {name for message in messages for name in (message.reply_to, message.replaces) if name}
        if not named:
            return list(messages)
        known: dict[str, str] = {}
        for line in self.book(tenant).messages.recent(RECALLED, messages[0].conversation):
            ids = (line.id, line.extra.get("provider_id", ""), line.extra.get("message_id", ""))
            known |= {str(one): line.text for one in ids if one}
        return [
            replace(
                message,
                quoted=message.quoted or known.get(message.reply_to, ""),
                extra={**message.extra, "replaced": known.get(message.replaces, "")},
            )
            for message in messages
        ]

    def heard(
        self, tenant: Tenant, turn: TurnId, person: Person | None, messages: Sequence[Inbound], *, synced: bool = False
    ) -> None:
        """What was said, into the log, in the order it came; ``synced``: and into recent_messages.json."""
        log_ = self.book(tenant).messages
        log_.append([_inbound(message, person, turn) for message in messages])
        if synced:
            sync_recent(tenant.folder, log_)

    def said(self, tenant: Tenant, turn: TurnId, letters: Mapping[str, Letter]) -> None:
        """What is said in return, once it is durable; ``letters`` by their outbound keys."""
        now = datetime.now(UTC)
        self.book(tenant).messages.append([_outbound(key, letter, turn, now) for key, letter in letters.items()])

    def commit(self, tenant: Tenant, origin: Origin, course: Course) -> tuple[list[str], Sequence[BadFile]]:
        """What the turn changed, one commit a concern, and the turn's own line; the ids of the commits, and what it
        changed that fails its check."""
        book = self.book(tenant)
        commits: list[str] = []
        bad: Sequence[BadFile] = ()
        after = tenant.folder.stamps()
        if after != book.clean:
            ran = course.answer.tools if course.answer else None
            result = book.history.commit_agent(origin, check=_said_check(tenant.folder, book, origin, ran))
            commits = [commit.id for commit in result.commits]
            _warn(tenant, TurnId(origin.turn), result.refused)
            bad = result.bad
            book.clean = None if bad or result.left else after
        book.working = None
        book.turns.append([line_of(origin, course, commits)])
        return commits, bad

    def ran(self, tenant: Tenant, origin: Origin, course: Course, commits: list[str], outcome: str) -> None:
        """The line of a run, which nobody typed."""
        known = line_of(origin, course, commits)
        self.book(tenant).turns.append([replace(known, extra={"outcome": outcome, **known.extra})])

    def settled(self, row: Planned, outcome: SendOutcome) -> None:
        """What became of a message we sent: a later line under its key. What a webhook was told is no message."""
        if row.channel == outgoing.CHANNEL:
            return
        match outcome:
            case Sent(id):
                self._later(row, SendState.SENT, provider_id=id)
            case GiveUp(problem, _, _):
                self._later(row, SendState.FAILED, problem=problem)
            case _:
                self._later(row, SendState.UNKNOWN, problem=outcome.problem)

    def reported(self, row: Planned, status: StatusUpdate) -> None:
        """What a channel reported of a message we sent."""
        self._later(row, status.state, provider_id=status.id, problem=status.problem)

    def _later(self, row: Planned, state: SendState, *, provider_id: str = "", problem: str = "") -> None:
        extra = {"provider_id": provider_id, "problem": problem}
        line = MessageLine(
            id=row.key,
            at=datetime.now(UTC),
            channel=row.channel,
            conversation=row.conversation,
            person="",
            direction=Direction.OUTBOUND,
            kind="text",
            text="",
            how=How.AGENT,
            turn=row.turn,
            state=state,
            extra={key: value for key, value in extra.items() if value},
        )
        self.book(self._tenants.get(row.tenant)).messages.append([line])


def _unsettled(tenant: Tenant, book: Book) -> float:
    """Seconds until the youngest uncommitted change has been quiet long enough; nothing to wait for: 0 or less."""
    changed = last_changed(tenant.folder, book.history.uncommitted().changes)
    return min(changed + QUIET - time.time(), QUIET)


def _inbound(message: Inbound, person: Person | None, turn: TurnId) -> MessageLine:
    return MessageLine(
        id=message.id,
        at=message.sent_at,
        channel=message.channel,
        conversation=message.conversation,
        person=person.name if person else _stranger(message.sender_name),
        direction=Direction.OUTBOUND if message.how is How.ECHO else Direction.INBOUND,
        kind=message.kind,
        text=message.text,
        how=message.how,
        turn=turn,
        extra=_extra(message),
    )


def _stranger(name: str) -> str:
    """How somebody the tenant does not know is named: never as one of its people, whatever they call themselves."""
    return f"{harmless(name)} (a stranger)" if harmless(name) else ""


def _extra(message: Inbound) -> dict[str, object]:
    """What else is known of a message: its files, the words it quotes, and the name by which later ones refer to it,
    if that is another."""
    known = {
        "files": [media.path or media.problem for media in message.media],
        QUOTED: message.quoted,
        "message_id": message.extra.get("message_id", ""),
    }
    return {key: value for key, value in known.items() if value}


def _outbound(key: str, letter: Letter, turn: TurnId, now: datetime) -> MessageLine:
    return MessageLine(
        id=key,
        at=now,
        channel=letter.channel,
        conversation=letter.conversation,
        direction=Direction.OUTBOUND,
        kind="document" if letter.file else "text",
        text=letter.text,
        how=How.AGENT,
        turn=turn,
        state=SendState.QUEUED,
        extra={"file": letter.file} if letter.file else {},
    )


def _said_check(folder: Folder, book: Book, origin: Origin, ran: Sequence[ToolRun] | None = None) -> Check:
    """What the assistant is told to do is changed by what people said; what was said, and what the tools that ``ran``
    printed, is read only when it was changed. After a kill nobody knows what ran."""

    def check(path: str, data: bytes | None) -> None:
        if not path.startswith(ORDERS):
            return
        committed = book.history.committed(path)
        before = committed[1].decode("utf-8", "replace") if committed else ""
        conversation = Conversation(origin.conversation)
        near = lately(book.messages, conversation)
        printed = Printed(folder, book.history, book.turns).heard(conversation, near, ran, datetime.now(UTC))
        said = [*elsewhere(book.messages, conversation, near), *printed, *near]
        refuse_unsaid(path, before, (data or b"").decode("utf-8", "replace"), said)

    return check


def _warn(tenant: Tenant, turn: TurnId, refused: Sequence[object]) -> None:
    for refusal in refused:
        log.warning("file.not_committed", tenant=tenant.id, turn=turn, refusal=str(refusal))
