"""What people can do without the agent: commands in the chat, answered at once, also while it works.

Owns what each command does and who may give it. Does not own what counts as a command (triage).
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from runtime.agent.gateway import Gateway
from runtime.agent.pool import Sessions
from runtime.engine.database import Database
from runtime.errors import BadInput, ConfigFault, NotFound, Refused
from runtime.tenant.config import TENANT_FILE
from runtime.tenant.git.commits import Commit
from runtime.tenant.git.history import Origin
from runtime.tenant.life.files import Life
from runtime.tenant.life.onboarding import ONBOARDING, QUESTIONS, Onboarding
from runtime.tenant.registry import Tenant, Tenants
from runtime.turns import inbox, overview, pairing, prompt
from runtime.turns.ending import Ending
from runtime.turns.errand import Told
from runtime.turns.lanes import Lanes
from runtime.turns.letters import Letter, answers, notice
from runtime.turns.pairing import Answer
from runtime.turns.records import Records
from runtime.turns.triage import COMMANDS, THAT, Command, command_of
from runtime.turns.turn import midnight
from runtime.words import Role

OWNERS = frozenset({"undo", "approve", "deny", "release", "reonboard", "memory", "changes"})
"""Commands that only an owner may give: they change the assistant, or show what others told it."""

UndoImprovement = Callable[[Tenant, str, Origin], Commit | None]
"""Take the improvement with that id back whole: the commit that did, None when nothing was left of it. Blocks."""

SHOWN = 5
"""Changes that /changes lists."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Commands:
    database: Database
    tenants: Tenants
    sessions: Sessions
    gateway: Gateway
    records: Records
    lanes: Lanes
    ending: Ending
    undo_improvement: UndoImprovement
    answering: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while a stranger is let in or turned away."""

    async def __call__(self, told: Told) -> Sequence[Letter]:
        """Do what the message says; the letters that answer it."""
        command = command_of(told.message)
        assert command is not None, told.turn
        assert told.person is not None, told.turn
        if command.name in OWNERS and told.person.role is not Role.OWNER:
            raise Refused(f"/{command.name} is for the owner", hint=f"Ask {told.tenant.config.owner.name}")
        act: Callable[[Told, Command], Awaitable[str | Sequence[Letter]]] = getattr(self, f"_{command.name}")
        said = await act(told, command)
        return answers(told.message, [said] if said else []) if isinstance(said, str) else said

    async def _help(self, told: Told, _: Command) -> str:
        owner = told.person is not None and told.person.role is Role.OWNER
        lines = [f"/{name} {what}" for name, what in COMMANDS.items() if owner or name not in OWNERS]
        return "Just write to me. Or:\n" + "\n".join(lines)

    async def _status(self, told: Told, _: Command) -> str:
        config = told.tenant.config
        turns = await self.database.read(lambda tx: inbox.turns_since(tx, told.tenant.id, midnight(told.tenant)))
        spent = self.gateway.spent_today(told.tenant.id)
        working = self.lanes.folder(told.tenant.id).locked()
        lines = [
            "I'm working on something right now." if working else "I'm here and free.",
            f"Today: {turns} of {config.limits.turns_per_day} turns, "
            f"${spent:.2f} of ${config.limits.usd_per_day:.2f} spent.",
        ]
        if told.person and told.person.role is Role.OWNER:
            silent = await self.database.read(lambda tx: inbox.silent(tx, told.tenant.id))
            lines += [f"I'm silent where you answer yourself: {', '.join(silent[:SHOWN])}. /release"] if silent else []
        if self.gateway.upstream_name == "rehearsal":
            lines.append("This is a rehearsal: my answers are written down beforehand.")
        return "\n".join(lines)

    async def _stop(self, told: Told, _: Command) -> str:
        """The turn that is stopped says so itself."""
        conversation = told.message.conversation
        stopped = await self.sessions.interrupt(told.tenant.id, conversation)
        stopped = stopped or self.lanes.stop_next(told.tenant.id, conversation)
        return "" if stopped else "I'm not working on anything."

    async def _reset(self, told: Told, _: Command) -> str:
        """At once: a turn that runs is stopped, and says so itself."""
        await self.sessions.interrupt(told.tenant.id, told.message.conversation)
        await self.ending(told.tenant, told.message.conversation)
        return "We start afresh. What I wrote down I still know."

    async def _memory(self, told: Told, _: Command) -> str:
        return await asyncio.to_thread(overview.memory, told.tenant.folder)

    async def _tasks(self, told: Told, _: Command) -> str:
        return await asyncio.to_thread(overview.tasks, told.tenant.folder)

    async def _skills(self, told: Told, _: Command) -> str:
        return await asyncio.to_thread(overview.skills, told.tenant.folder)

    async def _changes(self, told: Told, _: Command) -> str:
        history = self.records.book(told.tenant).history
        commits = await asyncio.to_thread(history.log, limit=SHOWN, by_agent=True)
        return overview.changes(commits, told.tenant.config.zone)

    async def _undo(self, told: Told, command: Command) -> str:
        """At once, also while a turn is at work: only what that has open cannot be taken back meanwhile."""
        if command.rest == THAT:
            return await self._undo_that(told)
        number, lane = _number(command.rest), self.lanes.folder(told.tenant.id)
        if lane.locked():
            try:
                return await asyncio.to_thread(self._take_back, told, number)
            except Refused as fault:
                raise Refused(fault.problem, hint="I'm working on something; say /undo again when I'm done") from fault
        async with lane:
            await asyncio.to_thread(self.records.book(told.tenant).history.commit_admin)
            return await asyncio.to_thread(self._take_back, told, number)

    async def _undo_that(self, told: Told) -> str:
        """The change the assistant has just told of."""
        where = told.message.conversation
        id = await self.database.read(lambda tx: inbox.told_of(tx, told.tenant.id, where, but=told.turn))
        made = await asyncio.to_thread(self._undo_whole, told, id)
        if made is None:
            return "That is undone already."
        history = self.records.book(told.tenant).history
        target = await asyncio.to_thread(history.find, made.reverts) if made.reverts else made
        return f"Undone: {overview.said(target)} (by {made.id[:7]})."

    def _undo_whole(self, told: Told, id: str) -> Commit | None:
        """The improvement ``id``; where nothing is known of it any more, its commit."""
        try:
            return self.undo_improvement(told.tenant, id, _by_owner(told))
        except (NotFound, ConfigFault):
            history = self.records.book(told.tenant).history
            landed = [one for one in history.log(limit=500) if one.trailers.get("Improvement") == id]
            return history.revert(landed[-1].id, _by_owner(told)) if landed else None

    def _take_back(self, told: Told, number: int) -> str:
        history = self.records.book(told.tenant).history
        for commit in history.log(limit=20):
            if commit.trailers.get("Turn") == told.turn:  # done before a kill
                return f"Undone: {overview.said(commit)}"
        undoable = overview.undoable(history.log(limit=200))
        if number > len(undoable):
            problem = "there is nothing more to undo" if undoable else "I have changed nothing yet"
            raise BadInput(problem, hint="/changes lists it")
        target = undoable[number - 1]
        if id := target.trailers.get("Improvement"):
            made = self._undo_whole(told, id) or target
        else:
            made = history.revert(target.id, _by_owner(told))
        return f"Undone: {overview.said(target)} ({target.id[:7]}, by {made.id[:7]})."

    async def _reonboard(self, told: Told, _: Command) -> str:
        await asyncio.to_thread(self._begin_again, told)
        return "Good, let's get to know each other again. I'll ask as we go."

    def _begin_again(self, told: Told) -> None:
        assert told.person is not None, told.turn
        life = Life(told.tenant.folder, self.records.book(told.tenant).history)
        said = prompt.said([told.message], told.person)
        Onboarding(life=life, said=said, zone=told.tenant.config.zone, now=lambda: datetime.now(UTC)).begin_again()
        self._commit_by_owner(told, ONBOARDING, QUESTIONS)

    async def _approve(self, told: Told, command: Command) -> Sequence[Letter]:
        code, _, word = command.rest.partition(" ")
        role = pairing.role_of(word.strip())
        async with self.answering:  # whoever answers first is who answered
            now = replace(told, tenant=self.tenants.get(told.tenant.id))
            request = await self.database.read(lambda tx: pairing.find(tx, told.tenant.id, code, time.time()))
            await asyncio.to_thread(pairing.let_in, now.tenant, request, role)
            await asyncio.to_thread(self._commit_by_owner, now, TENANT_FILE)
            await self.database.write(lambda tx: pairing.settle(tx, told.tenant.id, request["code"], Answer.APPROVED))
        welcome = Letter(
            channel=request["channel"],
            address=request["sender"],
            text=f"{told.tenant.config.name} let you in. How can I help?",
        )
        return [*answers(told.message, [f"{request['name']} is let in as a {role.value}."]), welcome]

    async def _deny(self, told: Told, command: Command) -> str:
        async with self.answering:
            request = await self.database.read(lambda tx: pairing.find(tx, told.tenant.id, command.rest, time.time()))
            await self.database.write(lambda tx: pairing.settle(tx, told.tenant.id, request["code"], Answer.DENIED))
        return f"{request['name']} is turned away, and will not be told."

    async def _release(self, told: Told, command: Command) -> str:
        silent = await self.database.read(lambda tx: inbox.silent(tx, told.tenant.id))
        meant = overview.meant(command.rest, told.message.conversation, silent)
        if len(meant) > 1:
            return "Which one?\n" + "\n".join(f"/release {one}" for one in meant[:SHOWN])
        if not meant:
            return "Nobody took over there." if command.rest and silent else "I'm silent nowhere."
        await self.database.write(lambda tx: inbox.release(tx, told.tenant.id, meant[0]))
        return f"I answer {meant[0]} again."

    def _commit_by_owner(self, told: Told, *files: str) -> None:
        self.records.book(told.tenant).history.commit_by(_by_owner(told), only=files)


@dataclass(frozen=True, slots=True)
class Strangers:
    """Somebody the tenant does not know wrote. They get one polite line, the owner a code to answer with."""

    database: Database

    async def __call__(self, told: Told) -> Sequence[Letter]:
        asked = await self.database.write(lambda tx: pairing.ask(tx, told.tenant.id, told.message, time.time()))
        if not asked.fresh:
            return []
        config = told.tenant.config
        name = pairing.harmless(told.message.sender_name) or told.message.sender
        told_owner = (
            f"{name} wrote on {told.message.channel}: “{pairing.harmless(told.message.text)[:200]}”\n"
            f"/approve {asked.code} lets them in as a guest, /deny {asked.code} turns them away."
        )
        polite = answers(told.message, [config.stranger_line]) if config.stranger_line else []
        return [*polite, *notice(told.tenant, config.owner, told_owner)]


async def note(_: Told) -> Sequence[Letter]:
    """Written down, and answered by nobody."""
    return []


def _by_owner(told: Told) -> Origin:
    """Whose change it is: the owner's, who asked for it with a command."""
    return Origin(
        actor="owner",
        tenant=told.tenant.id,
        conversation=told.message.conversation,
        turn=told.turn,
        trigger=f"message {told.message.id}",
        reason=told.message.text,
    )


def _number(word: str) -> int:
    if not word:
        return 1
    if word.isdecimal() and 0 < int(word) < 100:
        return int(word)
    raise BadInput(f"{word!r} is not a number of a change", hint="/undo, or /undo 2")
