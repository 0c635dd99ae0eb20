"""One warm session: a Claude Code CLI in its sandbox, kept open between turns.

Owns the CLI's life from start to end, one turn at a time in it, and its interruption. The SDK wants its client opened
and closed by the same task, so a session is one task that takes turns from a queue. Does not own which session serves
whom or how many there are (pool.py), nor what the CLI is started with (options.py).
"""

import asyncio
import contextlib
import dataclasses
import os
import posixpath
import shutil
import signal
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from claude_agent_sdk import ClaudeSDKClient, ResultMessage

from runtime import logs
from runtime.agent import doors, exposing, guards, options, sandbox
from runtime.agent.events import AgentEvent, Answer, Ask, AskFailed, SessionDied, TurnTimedOut
from runtime.agent.exchange import exchange, words
from runtime.agent.gateway import SessionToken, Usage
from runtime.agent.isolation import Bwrap, FileToolsOnly
from runtime.agent.options import House, Spec
from runtime.errors import Fault
from runtime.tenant.folder import Folder

START_SECONDS = 60.0
"""A machine under load starts a CLI in seconds; one that takes this long never will."""

GRACE_SECONDS = 0.7
"""For a turn to end by itself once it is interrupted; then its sandbox is killed."""

CLOSE_SECONDS = 3.0

log = logs.get("agent")


@dataclass(slots=True)
class _Job:
    ask: Ask
    tell: Callable[[AgentEvent], None]
    done: asyncio.Future[Answer]
    receipts: guards.Receipts
    stopped: bool = False
    said: list[str] = field(default_factory=list)

    @property
    def now(self) -> Ask:
        """The ask as it stands by now, with the tools that ran."""
        return dataclasses.replace(self.ask, ran=(*self.ask.ran, *self.receipts.runs))


class Session:
    """``claude_id`` is the Claude session's id; with ``resume`` its transcript is gone on with."""

    def __init__(self, house: House, spec: Spec, workplace: Path, *, claude_id: str, resume: bool) -> None:
        self.spec, self.claude_id, self.resumed = spec, claude_id, resume
        self.in_use = False
        self.last_used = time.monotonic()
        self.noted: float | None = None
        self.context = 0
        """Tokens of the longest request of the last turn."""
        self._house = dataclasses.replace(house, toolbox=house.toolbox.playing(spec.replay))
        self._workplace = workplace
        self._jobs: asyncio.Queue[_Job | None] = asyncio.Queue()
        self._job: _Job | None = None
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._ready.add_done_callback(_seen)
        self._task: asyncio.Task[None] | None = None
        self._room: sandbox.Room | None = None
        self._process: int | None = None
        self._token = SessionToken("")
        self._client: ClaudeSDKClient | None = None
        self._ending = False
        self._stderr: deque[str] = deque(maxlen=8)

    @property
    def ended(self) -> bool:
        """It takes no more turns."""
        return self._ending or (self._task is not None and self._task.done())

    @property
    def pid(self) -> int | None:
        """Of the process that holds the whole session; None before the start."""
        try:
            return self._room.pid() if self._room else None
        except Fault:
            return None

    async def start(self, *, when_ended: Callable[[], None]) -> None:
        """Returns when the CLI is there. Raises SessionDied or, for a tenant folder that is not in order, Refused."""
        self._task = asyncio.create_task(self._live(), name=f"session {self.spec.tenant} {self.spec.conversation}")
        self._task.add_done_callback(lambda _: when_ended())
        await asyncio.shield(self._ready)

    async def ask(self, ask: Ask, tell: Callable[[AgentEvent], None]) -> Answer:
        """One turn. Raises SessionDied, TurnTimedOut (the session is over) or ModelRefused (it goes on)."""
        done: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        done.add_done_callback(_seen)
        receipts = guards.Receipts(self._house.effects, tell, exposing.at_first(self.spec.rules, ask.rules))
        job = _Job(ask, tell, done, receipts)
        if self.ended:
            raise self._died("it had ended before")
        self._jobs.put_nowait(job)
        return await done

    async def interrupt(self) -> bool:
        """End the running turn within a second; False when none is running."""
        job = self._job
        if job is None or job.done.done():
            return False
        job.stopped = True
        with contextlib.suppress(Exception):  # whatever the CLI does instead of stopping: it is killed below
            async with asyncio.timeout(GRACE_SECONDS):
                if self._client:
                    await self._client.interrupt()
                await asyncio.wait([job.done])
        if not job.done.done():
            self.kill()
            await asyncio.wait([job.done], timeout=CLOSE_SECONDS)
        return True

    async def close(self) -> None:
        """End the CLI and everything in its sandbox; returns when nothing of it is left."""
        self._ending = True
        self._jobs.put_nowait(None)
        if self._task is None:
            return
        _, late = await asyncio.wait([self._task], timeout=CLOSE_SECONDS)
        if late:
            self.kill()
            await asyncio.wait([self._task], timeout=CLOSE_SECONDS)

    def kill(self) -> None:
        """At once and whole: the process that is killed takes its pid namespace with it."""
        self._ending = True
        with contextlib.suppress(ProcessLookupError):
            if self._process is not None:
                signal.pidfd_send_signal(self._process, signal.SIGKILL)
            elif (pid := self.pid) is not None:
                os.kill(pid, signal.SIGKILL)

    # Everything below runs in the session's own task, but for the hooks.

    async def _live(self) -> None:
        gateway = self._house.gateway
        self._token = gateway.open(self.spec.tenant, self.spec.conversation)
        try:
            async with self._started() as client:
                self._client = client
                self._ready.set_result(None)
                while job := await self._next():
                    if not job.done.done():  # whoever asked may have gone
                        await self._serve(client, job)
        except Exception as fault:  # noqa: BLE001 - the border to the SDK: whatever it was, the session is over
            if not self._ready.done():
                self._ready.set_exception(fault if isinstance(fault, Fault) else self._died(str(fault)))
        finally:
            self._ending = True
            self._client = None
            gateway.close(self._token)
            self._fail_waiting()
            if self._process is not None:
                os.close(self._process)
                self._process = None
            shutil.rmtree(self._workplace, ignore_errors=True)

    @contextlib.asynccontextmanager
    async def _started(self) -> AsyncIterator[ClaudeSDKClient]:
        began = time.perf_counter()
        async with self._room_with_door() as (room, opened):
            self._room = room
            start = sandbox.build(self._house.isolation, self._house.machine, room, self.spec.prompt)
            client = ClaudeSDKClient(self._options(start))
            try:
                async with asyncio.timeout(START_SECONDS):
                    await client.connect()
                    await opened
                if hasattr(os, "pidfd_open"):
                    self._process = os.pidfd_open(room.pid())
                log.info("session.started", **self._names(), resumed=self.resumed, ms=_ms(began))
                yield client
            except TimeoutError:
                self.kill()
                raise self._died(f"it did not start within {START_SECONDS:.0f} s") from None
            except BaseException:
                if self._process is None:
                    self.kill()
                raise
            finally:
                await self._leave(client)

    @contextlib.asynccontextmanager
    async def _room_with_door(self) -> AsyncIterator[tuple[sandbox.Room, asyncio.Future[None]]]:
        spec, folder = self.spec, Folder(self.spec.folder)
        self._workplace.mkdir(mode=0o700, parents=True)
        room = sandbox.Room(
            folder=folder,
            workplace=self._workplace,
            role=spec.role,
            conversation=spec.conversation,
            token=self._token,
            timezone=spec.timezone,
        )
        if isinstance(self._house.isolation, Bwrap):
            async with self._house.doors.beside(room.door) as opened:
                yield room, opened
            return
        with doors.on_loopback() as listening:
            port = listening.getsockname()[1]
            async with self._house.doors.serving(listening):
                yield dataclasses.replace(room, port=port), _at_once()

    async def _leave(self, client: ClaudeSDKClient) -> None:
        killing = asyncio.get_running_loop().call_later(CLOSE_SECONDS / 2, self.kill)
        try:
            await client.disconnect()
        except Exception as fault:  # noqa: BLE001 - it is going anyway
            log.warning("session.left_badly", **self._names(), problem=str(fault))
        finally:
            killing.cancel()
            if self._process is not None:
                self.kill()  # the CLI has gone; a shell it left behind goes with the sandbox
                await _gone(self._process)

    async def _next(self) -> _Job | None:
        """The next turn; None when the session is to end, or was idle for long enough."""
        if self._ending:
            return None
        try:
            async with asyncio.timeout(self._house.idle_seconds):
                return await self._jobs.get()
        except TimeoutError:
            if not self._jobs.empty():
                return self._jobs.get_nowait()
            self._ending = True
            return None

    async def _serve(self, client: ClaudeSDKClient, job: _Job) -> None:
        self._job = job
        try:
            answer = await self._turn(client, job)
        except AskFailed as fault:
            fault.tools, fault.external = tuple(job.receipts.runs), job.receipts.external
            fault.exposed = job.receipts.exposed
            _fail(job, fault)
        except BaseException:
            _fail(job, self._died("it was ended from outside"))
            raise
        else:
            if not job.done.done():
                job.done.set_result(answer)
        finally:
            self._job = None
            self.last_used = time.monotonic()

    async def _turn(self, client: ClaudeSDKClient, job: _Job) -> Answer:
        began = time.perf_counter()
        gateway = self._house.gateway
        gateway.begin_turn(self._token, job.ask.turn)
        result: ResultMessage | None = None
        fault: AskFailed | None = None
        try:
            async with asyncio.timeout(self._house.turn_seconds):
                result = await exchange(client, job.ask.prompt, job.said, job.tell)
            if result is None:
                raise self._died("it ended in the middle of a turn")
        except TimeoutError:
            fault = self._timed_out()
        except Exception as trouble:  # noqa: BLE001 - the border to the SDK: it raises plain exceptions, too
            fault = trouble if isinstance(trouble, SessionDied) else self._died(str(trouble))
        finally:
            usage = gateway.end_turn(self._token)
            self.context = usage.context
        if fault is not None:
            self.kill()
        if fault is not None and not job.stopped:
            fault.usage = (usage,)
            raise fault
        return self._answer(job, result, usage, ms=_ms(began))

    def _answer(self, job: _Job, result: ResultMessage | None, usage: Usage, *, ms: int) -> Answer:
        text, stopped = words(result, job.said, usage, stopped=job.stopped)
        return Answer(
            text=text,
            tools=tuple(job.receipts.runs),
            session=self.claude_id,
            stopped=stopped,
            ms=ms,
            usage=(usage,),
            exposed=job.receipts.exposed,
        )

    def _options(self, start: sandbox.Start) -> Any:
        isolation = self._house.isolation
        confined = isinstance(isolation, Bwrap)
        policy = guards.Policy(
            root=start.tenant,
            role=self.spec.role,
            # Outside of a sandbox a command reaches the network, and a play reaches nobody.
            shell=isinstance(isolation, Bwrap) if self.spec.replay else not isinstance(isolation, FileToolsOnly),
            apart=self.spec.apart,
            replay=self.spec.replay,
            effects=self._house.effects,
            confined=confined,
            resolve=posixpath.normpath if confined else guards.follow,
        )
        reading = exposing.Reading(Folder(self.spec.folder), start.tenant)
        return options.options(
            self._house,
            self.spec,
            start,
            claude_id=self.claude_id,
            resume=self.resumed,
            hooks=guards.hooks(policy, lambda: self._job.receipts if self._job else None, reading),
            servers=self._house.toolbox.servers(self.spec.role, lambda: self._job.now if self._job else None),
            stderr=self._stderr.append,
        )

    def _fail_waiting(self) -> None:
        while not self._jobs.empty():
            if job := self._jobs.get_nowait():
                _fail(job, self._died("it ended before this turn"))

    def _names(self) -> dict[str, str]:
        return {"tenant": self.spec.tenant, "conversation": self.spec.conversation}

    def _died(self, why: str) -> SessionDied:
        said = "; ".join(self._stderr)
        return SessionDied(
            f"the session died: {why}{f' (it said: {said})' if said else ''}"[:1000],
            hint="the next message starts it again; if it happens often, see doctor",
        )

    def _timed_out(self) -> TurnTimedOut:
        return TurnTimedOut(
            f"the turn took longer than {self._house.turn_seconds:g} s",
            hint="ask for less at once, or raise sessions.turn_timeout_seconds",
        )


async def _gone(process: int) -> None:
    """Until a process, and with a sandbox's first one all others in it, has ended."""
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(process, ended.set)
    try:
        async with asyncio.timeout(CLOSE_SECONDS):
            await ended.wait()
    except TimeoutError:
        log.warning("session.does_not_end", seconds=CLOSE_SECONDS)
    finally:
        loop.remove_reader(process)


def _at_once() -> asyncio.Future[None]:
    done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    done.set_result(None)
    return done


def _fail(job: _Job, fault: AskFailed) -> None:
    if not job.done.done():
        job.done.set_exception(fault)


def _seen(future: "asyncio.Future[Any]") -> None:
    """Its fault counts as seen, also when whoever waited for it has gone."""
    if not future.cancelled():
        future.exception()


def _ms(began: float) -> int:
    return round(1000 * (time.perf_counter() - began))
