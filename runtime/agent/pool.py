"""The warm sessions: which one serves an ask, when one starts, and which one has to go.

Owns how many there are, one turn at a time in a conversation, what happens when a session dies under a turn, and that
nothing is left when the runtime ends. Does not own a session's own life (session.py).

At most ``capacity`` turns run at once, and every running turn holds a place; so whoever has got a place and finds all
sessions taken finds at least one of them idle, and the one idle the longest makes room. What nobody waits for has one
place apart: it neither makes a person wait nor ends a session that is kept warm for one.
"""

import asyncio
import contextlib
import os
import shutil
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import uuid4

from runtime import logs
from runtime.agent import memory, prompt, sandbox
from runtime.agent.conversations import Conversations, has_transcript
from runtime.agent.doors import Doors
from runtime.agent.events import AgentEvent, Answer, Ask, AskedAgain, AskFailed, SessionDied, TurnTimedOut
from runtime.agent.isolation import Bwrap, Isolation
from runtime.agent.naming import TENANT
from runtime.agent.options import GatewayDoor, House, Spec
from runtime.agent.session import Session
from runtime.agent.toolbox import Toolbox
from runtime.agent.views import config_of
from runtime.settings import SessionSettings
from runtime.tenant.folder import Folder
from runtime.tenant.rules import composing
from runtime.tenant.rules.shelf import Shelves
from runtime.words import Conversation, TenantId

NOTED_SECONDS = 60.0
"""When a session was used last is kept to this: it is compared with hours, and a turn need not wait for the disk."""

Key = tuple[TenantId, Conversation]

log = logs.get("agent")


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolStats:
    """``private_bytes``: what each warm session takes, in no order. Read from /proc, so ask for it seldom."""

    warm: int
    busy: int
    capacity: int
    private_bytes: tuple[int, ...]


@dataclass(slots=True)
class _Lane:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    users: int = 0


@dataclass(slots=True)
class _Running:
    """An ask that has its conversation to itself. ``stopped``: somebody asked for it to end."""

    task: "asyncio.Task[Answer] | None" = None
    session: Session | None = None
    stopped: bool = False


class Sessions:
    """``var`` is where the sessions' workplaces lie (``var/sandbox``). Enter it before the first ask; leaving ends
    every session. Not safe across event loops."""

    def __init__(
        self,
        settings: SessionSettings,
        *,
        gateway: GatewayDoor,
        isolation: Isolation,
        var: Path,
        model: str,
        machine: sandbox.Machine | None = None,
        toolbox: Toolbox | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._house = House(
            isolation=isolation,
            machine=machine or sandbox.Machine.this(),
            gateway=gateway,
            doors=Doors(gateway.app),
            model=model,
            turn_seconds=settings.turn_timeout_seconds,
            idle_seconds=settings.idle_minutes * 60,
            toolbox=toolbox or Toolbox(),
        )
        self._longest = timedelta(hours=settings.timeout_hours)
        self._longest_context = settings.max_context_tokens
        self.capacity = memory.capacity(settings.max_warm, memory.available())
        self._places = asyncio.Semaphore(self.capacity)
        self._apart = asyncio.Semaphore(1)
        self._workplaces = var / "sandbox"
        self._shelves = Shelves(composing.README)
        self._sessions: dict[Key, Session] = {}
        self._lanes: dict[Key, _Lane] = {}
        self._running: dict[Key, _Running] = {}
        self._started = 0
        self._now = now
        self._closing = False

    async def __aenter__(self) -> Self:
        self._workplaces.mkdir(mode=0o700, parents=True, exist_ok=True)
        for left in self._workplaces.iterdir():
            if not _alive(left.name.partition("-")[0]):
                shutil.rmtree(left, ignore_errors=True)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing = True
        await asyncio.gather(*(_stop(running) for running in list(self._running.values())))
        await asyncio.gather(*(session.close() for session in list(self._sessions.values())))

    async def ask(self, ask: Ask, on_event: Callable[[AgentEvent], None] = lambda _: None) -> Answer:
        """One turn of a conversation, after those asked before it. ``on_event`` is called from this event loop.

        Raises SessionDied, TurnTimedOut, ModelRefused (all AskFailed), or Refused when the tenant's folder is not fit
        to be shown. Cancelling it interrupts the turn.
        """
        key = (ask.tenant, ask.conversation)
        async with self._lane(key):
            running = self._running[key] = _Running()
            running.task = asyncio.create_task(self._answer(ask, on_event, running))
            try:
                return await asyncio.shield(running.task)
            except asyncio.CancelledError:
                await _stop(running)
                if _is_cancelled():
                    raise
                return Answer(text="", tools=(), session="", stopped=True, ms=0)
            finally:
                del self._running[key]

    async def interrupt(self, tenant: TenantId, conversation: Conversation) -> bool:
        """End the running turn of a conversation within a second; False when none is running."""
        running = self._running.get((tenant, conversation))
        if running is None:
            return False
        await _stop(running)
        return True

    def is_warm(self, tenant: TenantId, conversation: Conversation) -> bool:
        """Whether a session that was started before will most likely serve the next ask."""
        session = self._sessions.get((tenant, conversation))
        return session is not None and not session.ended

    def has_grown(self, tenant: TenantId, conversation: Conversation) -> bool:
        """Whether the conversation's warm session is longer than settings allow."""
        session = self._sessions.get((tenant, conversation))
        return session is not None and session.context > self._longest_context

    def is_full(self) -> bool:
        """Whether somebody who wrote now would have to wait for a place."""
        return sum(session.in_use for session in self._of_people()) >= self.capacity

    async def close_conversation(self, tenant: TenantId, conversation: Conversation, folder: Path) -> None:
        """The next ask starts a new Claude session, which knows nothing of this one. ``folder`` is the tenant's."""
        key = (tenant, conversation)
        async with self._lane(key):
            Conversations(Folder(folder)).forget(conversation)
            if session := self._sessions.get(key):
                await session.close()

    def stats(self) -> PoolStats:
        warm = [session for session in self._sessions.values() if not session.ended]
        pids = [pid for session in warm if (pid := session.pid) is not None]
        return PoolStats(
            warm=len(warm),
            busy=sum(session.in_use for session in warm),
            capacity=self.capacity,
            private_bytes=tuple(memory.private_bytes(pid) for pid in pids),
        )

    def workdir(self, folder: Folder) -> str:
        """A tenant's folder as its agent sees it."""
        return TENANT if isinstance(self._house.isolation, Bwrap) else str(folder.root)

    @contextlib.asynccontextmanager
    async def _lane(self, key: Key) -> AsyncIterator[None]:
        lane = self._lanes.setdefault(key, _Lane())
        lane.users += 1
        try:
            async with lane.lock:
                yield
        finally:
            lane.users -= 1
            if not lane.users:
                del self._lanes[key]

    async def _answer(self, ask: Ask, tell: Callable[[AgentEvent], None], running: _Running) -> Answer:
        async with self._apart if ask.apart else self._places:
            try:
                return await self._attempt(ask, tell, running)
            except (SessionDied, TurnTimedOut) as fault:
                # Asked once more, unless somebody outside may have been reached already. A play has its folder and its
                # recordings for one attempt.
                if fault.external or running.stopped or self._closing or ask.replay is not None:
                    raise
                first = fault
            log.warning("turn.asked_again", turn=ask.turn, problem=first.problem)
            tell(AskedAgain(first.problem))
            try:
                answer = await self._attempt(replace(ask, ran=first.tools), tell, running)
            except AskFailed as fault:
                fault.tools, fault.usage = first.tools + fault.tools, first.usage + fault.usage
                fault.exposed = {**fault.exposed, **first.exposed}
                raise
            return replace(
                answer,
                tools=first.tools + answer.tools,
                usage=first.usage + answer.usage,
                exposed={**answer.exposed, **first.exposed},
            )

    async def _attempt(self, ask: Ask, tell: Callable[[AgentEvent], None], running: _Running) -> Answer:
        session = await self._session_for(ask)
        running.session = session
        try:
            answer = await session.ask(ask, tell)
        except (SessionDied, TurnTimedOut):
            await session.close()
            raise
        finally:
            session.in_use, running.session = False, None
        if session.noted is None or session.last_used - session.noted > NOTED_SECONDS:
            session.noted = session.last_used
            await asyncio.to_thread(
                Conversations(Folder(ask.folder)).note, ask.conversation, session.claude_id, now=self._now()
            )
        return answer

    async def _session_for(self, ask: Ask) -> Session:
        """The conversation's warm session if it still fits, or a new one; marked as in use."""
        if self._closing:
            raise _closing()
        folder = Folder(ask.folder)
        standing = composing.of_directive(self._shelves.of(folder).rules(), composing.README)
        spec = Spec(
            tenant=ask.tenant,
            conversation=ask.conversation,
            folder=folder.root,
            role=ask.role,
            timezone=ask.timezone,
            streams=ask.streams,
            apart=ask.apart,
            replay=ask.replay,
            prompt=prompt.read(folder, standing),
            rules=tuple(rule.path for rule in standing),
            stamps=sandbox.stamps(folder),
        )
        session = self._sessions.get((ask.tenant, ask.conversation))
        if session is not None and not session.ended and session.spec == spec:
            session.in_use = True
            return session
        if session is not None:
            await session.close()
        return await self._open(spec, folder)

    async def _open(self, spec: Spec, folder: Folder) -> Session:
        conversations = Conversations(folder)
        known = conversations.find(spec.conversation, now=self._now(), longest=self._longest)
        workdir = self.workdir(folder)
        if known is not None and has_transcript(folder, workdir, known, config_of(spec.role, spec.conversation)):
            try:
                return await self._begin(spec, known, resume=True)
            except SessionDied as fault:
                log.warning("session.not_resumed", tenant=spec.tenant, session=known, problem=fault.problem)
        new = str(uuid4())
        # Noted before the first turn: one that dies in the middle is gone on with, too.
        await asyncio.to_thread(conversations.note, spec.conversation, new, now=self._now())
        return await self._begin(spec, new, resume=False)

    async def _begin(self, spec: Spec, claude_id: str, *, resume: bool) -> Session:
        self._started += 1
        workplace = self._workplaces / f"{os.getpid()}-{self._started}"
        session = Session(self._house, spec, workplace, claude_id=claude_id, resume=resume)
        session.in_use = True
        key = (spec.tenant, spec.conversation)
        # Both at once, before anything else can run: the place of the one is the other's.
        leaving = None if spec.apart or len(self._of_people()) < self.capacity else self._idle_longest()
        if leaving is not None:
            self._drop(leaving)
        self._sessions[key] = session
        if leaving is not None:
            log.info("session.made_room", tenant=leaving.spec.tenant, conversation=leaving.spec.conversation)
            await leaving.close()
        if self._closing:
            self._drop(session)
            raise _closing()
        try:
            await session.start(when_ended=lambda: self._drop(session))
        except BaseException:
            session.in_use = False
            raise
        return session

    def _idle_longest(self) -> Session | None:
        idle = [session for session in self._of_people() if not session.in_use]
        return min(idle, key=lambda session: session.last_used, default=None)

    def _of_people(self) -> list[Session]:
        return [session for session in self._sessions.values() if not session.spec.apart]

    def _drop(self, session: Session) -> None:
        key = (session.spec.tenant, session.spec.conversation)
        if self._sessions.get(key) is session:
            del self._sessions[key]


async def _stop(running: _Running) -> None:
    """End it and wait until it has ended: in its session if it is there already, otherwise on the way."""
    running.stopped = True
    task = running.task
    if task is None or task.done():
        return
    if running.session is None or not await running.session.interrupt():
        task.cancel()
    await asyncio.wait([task])


def _is_cancelled() -> bool:
    """Is whoever asked being cancelled, rather than the turn alone?"""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _closing() -> SessionDied:
    return SessionDied("the runtime is ending", hint="ask again when it runs")


def _alive(pid: str) -> bool:
    return pid.isdecimal() and (Path("/proc") / pid).exists()
