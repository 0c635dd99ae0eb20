"""One turn: the messages are taken together, the agent answers, the folder is committed, the reply leaves.

Read this first. Owns the order of those steps and what happens when one fails. Does not own how a message arrives
(intake), how the agent runs (agent/), how a reply leaves (delivery) or how steps survive a kill (engine/).
What a kill at each line leaves behind is in docs/turns.md.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from runtime import logs
from runtime.agent import events
from runtime.agent.events import AgentEvent, Ask, AskFailed
from runtime.agent.pool import Sessions
from runtime.background import beside
from runtime.channels.base import Commits, Done, Partial, Progress, Reply, ToolRan
from runtime.engine.database import Database, Transaction
from runtime.engine.durable import PATIENT, Engine
from runtime.errors import Fault, Unavailable
from runtime.metrics import Metrics
from runtime.tenant.git.commits import Origin
from runtime.tenant.registry import Tenant, Tenants
from runtime.turns import inbox, outbox, prompt, reply
from runtime.turns.attachments import Attachments, Outgoing
from runtime.turns.bad_edits import AGENT
from runtime.turns.board import Board
from runtime.turns.course import NOT_ASKED, Course
from runtime.turns.delivery import Delivery
from runtime.turns.edits import Edits
from runtime.turns.ending import Ending
from runtime.turns.lanes import Lanes
from runtime.turns.letters import Letter, answers
from runtime.turns.post import Post
from runtime.turns.records import Records
from runtime.turns.signs import Signs
from runtime.turns.speaking import Speaking
from runtime.words import Conversation, Inbound, Person, TenantId, TurnId

ATTEMPTS = 3
"""How often a turn is begun. One that never came to an end in these is answered with an apology, not a fourth try."""

TROUBLE = "UPDATE turn SET problem = :problem WHERE id = :turn"
COMMITTED = "UPDATE turn SET commits = :commits WHERE id = :turn"
FINISH = """
UPDATE turn SET state = CASE WHEN problem = '' THEN 'done' ELSE 'failed' END, finished = :now
WHERE id = :turn AND state NOT IN ('done', 'failed') RETURNING *"""

log = logs.get("turns")


@dataclass(frozen=True, slots=True)
class Taken:
    """A batch of messages with whom it is from, and for which tenant: all a turn works on."""

    turn: TurnId
    tenant: Tenant
    person: Person
    messages: tuple[Inbound, ...]
    attempt: int
    today: int
    """Turns of the tenant since midnight where it is, this one included."""
    planned: Mapping[str, Letter]
    """The reply, by its keys, if an earlier attempt made it durable before it died."""

    @property
    def last(self) -> Inbound:
        return self.messages[-1]

    @property
    def conversation(self) -> Conversation:
        return self.last.conversation


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """The body of the engine's workflow ``turn``; called with the id of one turn."""

    database: Database
    engine: Engine
    tenants: Tenants
    sessions: Sessions
    post: Post
    speaking: Speaking
    attachments: Attachments
    outgoing: Outgoing
    delivery: Delivery
    records: Records
    edits: Edits
    ending: Ending
    lanes: Lanes
    board: Board
    metrics: Metrics
    quiet: Callable[[TenantId, str], float]

    async def __call__(self, id: str) -> None:
        """One step for the engine: each part of a turn leaves a mark of its own when it is done (the messages are
        fixed, the reply is planned, a send is claimed), so that being run again from the top is going on."""
        turn = TurnId(id)
        async with self.lanes.running(turn):
            self.board.open(turn)
            try:
                await self.engine.step("turn", partial(self._run, turn), retry=PATIENT)
            finally:
                self.board.close(turn)

    async def _run(self, turn: TurnId) -> None:
        self.lanes.waits(turn)
        try:
            keys = await self._answered(turn)
        except (Unavailable, OSError):
            raise  # the engine tries again: the database or the disk may come back
        except Exception as fault:
            log.exception("turn.broke", turn=turn)
            keys = await self._broke(turn, fault)
        for key in keys:
            await self.delivery.send(key)
        await self._finish(turn)
        await self._end_long(turn)

    async def _answered(self, turn: TurnId) -> list[str]:
        """The keys of what is to be sent, once the turn is answered and what it changed is committed."""
        while True:
            # Asked anew after each wait: who may talk, and how, is what tenant.yaml says now.
            tenant = self.tenants.get(inbox.tenant_of(turn))
            async with self.lanes.folder(tenant.id):
                found, planned = await self.database.write(partial(self._take, turn, tenant))
                if isinstance(found, inbox.Batch):
                    return await self._begun(turn, tenant, found, planned)
            await self._wait(found)

    def _take(
        self, turn: TurnId, tenant: Tenant, tx: Transaction
    ) -> tuple[inbox.Batch | inbox.Pause | inbox.After, Mapping[str, Letter]]:
        return inbox.take(tx, turn, self.quiet, midnight(tenant), time.time()), outbox.planned(tx, turn)

    async def _begun(
        self, turn: TurnId, tenant: Tenant, batch: inbox.Batch, planned: Mapping[str, Letter]
    ) -> list[str]:
        last = batch.messages[-1]
        person = tenant.config.person(last.channel, last.sender)
        if person is None:  # removed since the message was accepted: nobody answers for them, least of all as the owner
            await self._trouble(turn, "whoever wrote is not among the tenant's people any more")
            return []
        return await self._work(Taken(turn, tenant, person, batch.messages, batch.attempt, batch.today, planned))

    async def _broke(self, turn: TurnId, fault: Exception) -> list[str]:
        """A defect, or a tenant that cannot be worked for: the turn ends with an apology, so that the next one runs."""
        problem = fault.problem if isinstance(fault, Fault) else f"{type(fault).__name__}: {fault}"
        await self._trouble(turn, f"broke: {problem}")
        try:
            tenant = self.tenants.get(inbox.tenant_of(turn))
        except Fault:
            return []  # it is gone, or was never in order: there is nobody to answer as
        messages = await self.database.read(lambda tx: inbox.messages(tx, turn))
        letters = answers(messages[-1], [reply.APOLOGIES["died"]])
        return list(await self.speaking.plan(turn, tenant, letters))

    async def _trouble(self, turn: TurnId, problem: str) -> None:
        log.warning("turn.troubled", turn=turn, problem=problem)
        await self.database.write(lambda tx: tx.run(TROUBLE, turn=turn, problem=problem))

    async def _wait(self, reason: inbox.Pause | inbox.After) -> None:
        """Until the person pauses, or the turn before this one has ended."""
        match reason:
            case inbox.Pause(seconds):
                await asyncio.sleep(seconds)
            case inbox.After(previous):
                await self.lanes.wait_for(previous)

    async def _work(self, taken: Taken) -> list[str]:
        letters, course = taken.planned, NOT_ASKED
        if not letters:
            await self.edits.begin(taken.tenant, taken.turn)  # until then nothing in the folder is the turn's own
            try:
                letters, course = await self._answer(taken)
            except Exception:
                # Before another conversation's turn could take what is left for an admin's edits.
                await asyncio.to_thread(self.records.set_aside, taken.tenant, taken.turn)
                raise
        # Written again after a kill, too: the log has each line once.
        said = asyncio.to_thread(self.records.said, taken.tenant, taken.turn, letters)
        course = replace(course, role=taken.person.role.value, reached=bool(letters))
        await asyncio.gather(said, self._commit(taken, course))
        return list(letters)

    async def _answer(self, taken: Taken) -> tuple[Mapping[str, Letter], Course]:
        self.board.post(taken.turn, Progress("working"))
        if any(message.media for message in taken.messages):
            brought = await self.attachments.bring(taken.tenant, taken.messages)
            taken = replace(taken, messages=tuple(brought))
        recalled = await asyncio.to_thread(self.records.recalled, taken.tenant, taken.messages)
        taken = replace(taken, messages=tuple(recalled))
        signs = Signs(self.post, taken.tenant, taken.last, taken.turn)
        async with self._heard(taken), beside(signs.run()):
            text, course = await self._ask(taken, signs)
            self._show_words(taken.turn, signs.end())
        course = replace(course, withheld=reply.holds_secrets(text))
        said, named = reply.files(text)
        copies = await asyncio.to_thread(self._copies, taken, named)
        parts = self.post.split(taken.last.channel, reply.guard(said)) if said or not copies else []
        if await self.database.read(lambda tx: inbox.is_taken_over(tx, taken.tenant.id, taken.conversation)):
            parts, copies = [], []  # the business answered by itself meanwhile
        letters = await self.speaking.plan(taken.turn, taken.tenant, [*answers(taken.last, parts), *copies])
        self.board.post(taken.turn, Reply("\n\n".join(one.text for one in letters.values() if one.text)))
        return letters, course

    def _copies(self, taken: Taken, named: Sequence[str]) -> list[Letter]:
        """A letter for each file the answer carries, or a word that it could not be sent."""
        letters = []
        for number, rel in enumerate(named):
            (to,) = answers(taken.last, [""])
            try:
                file = self.outgoing.copy(taken.tenant, taken.turn, rel, taken.person.role, number=number)
                # Where no files go, its name does: nothing is lost in silence.
                carried = self.post.carries_files(taken.last.channel)
                letters.append(replace(to, file=file) if carried else replace(to, text=f"(a file: {rel})"))
            except Fault as fault:
                log.warning("file.not_sent", turn=taken.turn, problem=fault.problem)
                letters.append(replace(to, text=f"I could not send {rel.rpartition('/')[2]}."))
        return letters

    async def _ask(self, taken: Taken, signs: Signs) -> tuple[str, Course]:
        """The agent's words, or an apology; the trouble is recorded with the turn."""
        if taken.attempt > ATTEMPTS:
            return await self._apologise(taken, "died", f"it was begun {taken.attempt - 1} times and never ended")
        if not self.lanes.begins(taken.turn):
            return reply.APOLOGIES["stopped"], Course(stopped=True)
        if taken.today > taken.tenant.config.limits.turns_per_day:
            return await self._apologise(taken, "turns", f"{taken.today} turns today")
        rules = self.records.brought_up(taken.tenant, taken.messages)
        course = Course(head=self.records.head(taken.tenant))
        ask = Ask(
            tenant=taken.tenant.id,
            folder=taken.tenant.folder.root,
            conversation=taken.conversation,
            turn=taken.turn,
            prompt=prompt.compose(
                taken.messages,
                taken.person,
                taken.tenant.config.zone,
                standing=self.records.onboarding_line(taken.tenant, taken.person),
                rules=rules,
            ),
            rules=tuple(rule.path for rule in rules),
            role=taken.person.role,
            said=prompt.said(taken.messages, taken.person),
            timezone=taken.tenant.config.timezone,
            streams=self.post.streams(taken.last.channel),
        )
        try:
            answer = await self.sessions.ask(ask, partial(self._show, taken.turn, signs))
        except AskFailed as fault:
            return await self._apologise(taken, fault.reason, fault.problem, replace(course, answer=fault.done))
        text = reply.APOLOGIES["stopped"] if answer.stopped else answer.text
        return text, replace(course, answer=answer, stopped=answer.stopped)

    async def _apologise(
        self, taken: Taken, reason: str, problem: str, course: Course = NOT_ASKED
    ) -> tuple[str, Course]:
        await self._trouble(taken.turn, f"{reason}: {problem}")
        return reply.APOLOGIES[reason], replace(course, problem=reason)

    @asynccontextmanager
    async def _heard(self, taken: Taken) -> AsyncIterator[None]:
        """What was said is in the log when the block ends. A session that begins reads it; a warm one does not wait."""
        fresh = not self.sessions.is_warm(taken.tenant.id, taken.conversation)
        writing = asyncio.create_task(
            asyncio.to_thread(self.records.heard, taken.tenant, taken.turn, taken.person, taken.messages, synced=fresh)
        )
        try:
            if fresh:
                await asyncio.shield(writing)
            yield
        finally:
            await writing

    async def _commit(self, taken: Taken, course: Course) -> None:
        """What the turn changed, by concern. After the reply is durable, so that a second run does not ask again."""
        origin = Origin(
            actor="agent",
            tenant=taken.tenant.id,
            conversation=taken.conversation,
            turn=taken.turn,
            trigger=f"message {taken.last.id}",
            reason=taken.last.text,
        )
        commits, bad = await asyncio.to_thread(self.records.commit, taken.tenant, origin, course)
        if commits:
            await self.database.write(lambda tx: tx.run(COMMITTED, turn=taken.turn, commits=json.dumps(commits)))
            self.board.post(taken.turn, Commits(tuple(commits)))
        await self.edits.refuse(taken.tenant, bad, whose=AGENT)

    async def _finish(self, turn: TurnId) -> None:
        rows = await self.database.write(lambda tx: tx.run(FINISH, turn=turn, now=time.time()))
        for row in rows:  # none when it was finished before a kill
            seconds = row["finished"] - row["opened"]
            self.metrics.messages_processed.labels(row["tenant"], row["state"]).inc()
            self.metrics.message_processing.labels(row["tenant"]).observe(seconds)
            log.info("turn.finished", turn=turn, state=row["state"], ms=round(1000 * seconds))
        self.board.post(turn, Done())

    async def _end_long(self, turn: TurnId) -> None:
        """A session that has grown too long ends with its turn, before it costs more than it knows."""
        tenant_id, conversation = inbox.tenant_of(turn), inbox.conversation_of(turn)
        if self.sessions.has_grown(tenant_id, conversation):
            log.info("session.rolled_over", tenant=tenant_id, conversation=conversation)
            await self.ending(self.tenants.get(tenant_id), conversation)

    def _show_words(self, turn: TurnId, words: str) -> None:
        if words:
            self.board.post(turn, Partial(words))

    def _show(self, turn: TurnId, signs: Signs, event: AgentEvent) -> None:
        match event:
            case events.Partial(text):
                self._show_words(turn, signs.add(text))
            case events.ToolStarted(name, _):
                self.board.post(turn, ToolRan(name=name))
            case events.ToolEnded(run):
                self.board.post(turn, ToolRan(name=run.name, ok=run.ok, ms=run.ms))
            case events.AskedAgain():
                signs.restart()
                self.board.post(turn, Progress("started again"))


def midnight(tenant: Tenant) -> float:
    """When the tenant's day began, in seconds since the epoch."""
    return datetime.now(tenant.config.zone).replace(hour=0, minute=0, second=0, microsecond=0).timestamp()
