"""One play: a case, asked of the real agent in a folder made from a commit, as it is there or with a change applied.

Owns the folder's life, which ends with the play however that ends, and the order of a play's steps. What the agent
does there reaches nobody: its tools are on a cassette. Does not own which cases are played nor when (gate.py).
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from runtime.agent.events import Ask, TurnTimedOut
from runtime.agent.pool import Sessions
from runtime.annealing.gate import assertions, transcript
from runtime.annealing.gate.case import Case, Message
from runtime.annealing.gate.cassette import Tape, Used
from runtime.annealing.gate.transcript import Turned
from runtime.annealing.operations import Changed
from runtime.errors import Fault, Unavailable
from runtime.tenant.folder import Folder
from runtime.tenant.git import worktrees
from runtime.tenant.git.history import History
from runtime.tenant.registry import Tenant
from runtime.tenant.rules import composing
from runtime.tenant.rules.shelf import Shelf
from runtime.turns import prompt
from runtime.words import Conversation, Inbound, Person, Role, TurnId

CHANNEL = "play"

PERSONS: Mapping[Role, str] = {Role.OWNER: "The owner", Role.MEMBER: "A member", Role.GUEST: "A guest"}
"""Who speaks where the tenant has nobody of that role."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """What is played on: a commit of the tenant, and what of it is changed."""

    tenant: Tenant
    history: History
    base: str
    changes: tuple[Changed, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What came of it. ``problems``: the assertions that do not hold. ``seconds`` is the whole play."""

    case: Case
    answer: str
    uses: tuple[Used, ...] = ()
    outbox: tuple[Used, ...] = ()
    problems: tuple[str, ...] = ()
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Player:
    """``folders`` is where plays have theirs."""

    sessions: Sessions
    folders: Path
    now: Callable[[], datetime]

    async def play(self, stand: Stand, case: Case, name: str) -> Played:
        """``name`` is the play's own: a second one of that name clears away what a kill left of the first.

        Raises AskFailed when the agent did not answer (ModelRefused: the budget, or the model), Refused for a folder
        that it cannot be started on. A turn that takes too long has failed its case.
        """
        began = time.perf_counter()
        tree = await asyncio.to_thread(worktrees.make, self.folders, name, stand.history, stand.base)
        try:
            played = await self._in(tree.folder, stand, case, name)
        finally:
            await asyncio.to_thread(worktrees.remove, tree.folder.root)
        return replace(played, seconds=time.perf_counter() - began)

    def clear(self) -> None:
        """Take away what a kill left of any play. Nobody may be playing."""
        for left in self.folders.iterdir() if self.folders.is_dir() else ():
            worktrees.remove(left)

    async def _in(self, folder: Folder, stand: Stand, case: Case, name: str) -> Played:
        conversation = Conversation(f"{CHANNEL}:{name}")
        person = _person(stand.tenant, case.role)
        ask, tape = await asyncio.to_thread(self._prepare, folder, stand, case, conversation, person)
        try:
            answer = await self.sessions.ask(ask)
        except TurnTimedOut as fault:
            return Played(
                case=case, answer="", uses=tuple(tape.uses), outbox=tuple(tape.outbox), problems=(fault.problem,)
            )
        finally:
            await self.sessions.close_conversation(stand.tenant.id, conversation, folder.root)
        if answer.stopped:
            raise Unavailable("a play was stopped from outside", hint="it is played again by itself")
        found = await asyncio.to_thread(
            assertions.problems,
            case.expect,
            answer=answer.text,
            uses=tape.uses,
            outbox=tape.outbox,
            file=lambda path: _text(folder, path),
        )
        return Played(case=case, answer=answer.text, uses=tuple(tape.uses), outbox=tuple(tape.outbox), problems=found)

    def _prepare(
        self, folder: Folder, stand: Stand, case: Case, conversation: Conversation, person: Person
    ) -> tuple[Ask, Tape]:
        for path, text in case.files.items():
            folder.write_text(path, f"{text}\n")
        apply(folder, stand.changes)
        config, now = stand.tenant.config, self.now()
        at = case.at or now
        when = transcript.times(len(case.earlier), at)
        earlier = [_turned(one, person, time, stand.tenant) for one, time in zip(case.earlier, when, strict=True)]
        workdir = self.sessions.workdir(folder)
        transcript.write(folder, conversation, earlier, workdir=workdir, role=case.role, person=person.name, now=now)
        tested, tape = _inbound(case.tested, person, at, "tested"), Tape(case.cassette, case.tools)
        rules = composing.brought_up(Shelf(folder).rules(), prompt.own_words([tested]))
        ask = Ask(
            tenant=stand.tenant.id,
            folder=folder.root,
            conversation=conversation,
            turn=TurnId(conversation),
            prompt=prompt.compose([tested], person, config.zone, rules=rules),
            rules=tuple(rule.path for rule in rules),
            said=prompt.said([tested], person),
            role=case.role,
            timezone=config.timezone,
            streams=False,
            apart=True,
            replay=tape,
        )
        return ask, tape


def apply(folder: Folder, changes: tuple[Changed, ...]) -> None:
    for path, text in changes:
        if text is None:
            folder.remove(path)
        else:
            folder.write_text(path, text)


def _turned(one: Message, person: Person, at: datetime, tenant: Tenant) -> Turned:
    shown = one.text
    if one.role == "user":
        shown = prompt.compose([_inbound(one, person, at, "earlier")], person, tenant.config.zone)
    return Turned(role=one.role, shown=shown, text=one.text, how=one.how, quoted=one.quoted, at=at)


def _inbound(one: Message, person: Person, at: datetime, id: str) -> Inbound:
    return Inbound(
        channel=CHANNEL,
        id=id,
        sender=person.name,
        address=person.name,
        text=one.text,
        sent_at=at,
        how=one.how,
        quoted=one.quoted,
        sender_name=person.name,
    )


def _person(tenant: Tenant, role: Role) -> Person:
    known = next((one for one in tenant.config.people if one.role is role), None)
    return known or Person(name=PERSONS[role], role=role, addresses={})


def _text(folder: Folder, path: str) -> str:
    with suppress(Fault):  # it is not there, or nothing that holds words
        return folder.read_text(path)
    return ""
