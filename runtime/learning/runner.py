"""One run: the agent does its task in a folder of its own, and what came of it lands as one commit.

The body of the engine's workflow ``run``. Owns the order of its steps and what follows when one fails; what a kill at
each of them leaves is in docs/learning.md. It sends nothing to anybody, and holds the tenant's lane only while git is
at work. Does not own when a run is due (clock.py) nor what each kind of run is asked and may change (tasks.py).
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from runtime import logs
from runtime.agent.events import Answer, Ask, AskFailed
from runtime.agent.pool import Sessions
from runtime.engine.database import Database, Transaction
from runtime.engine.rounds import Rounds
from runtime.errors import Fault, Unavailable
from runtime.learning import moments, runs
from runtime.learning.keeping import Kept
from runtime.learning.moments import Again, Ending, Kind, Over, Surroundings
from runtime.learning.runs import Run
from runtime.learning.tasks import Brief, Consolidating, Learning, Task
from runtime.tenant.git import worktrees
from runtime.tenant.git.history import AGENT, Origin
from runtime.tenant.git.worktrees import Conflict, Failed, Merged, NoChanges, Outcome
from runtime.tenant.life.budgets import Budgets
from runtime.tenant.registry import Tenant, Tenants
from runtime.turns.course import Course
from runtime.turns.lanes import Lanes
from runtime.turns.records import Records
from runtime.words import Conversation, TurnId

log = logs.get("learning")


class CutShort(Unavailable):
    """The run was stopped from outside, and is to be begun again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What came of one attempt. ``upto``: how far of what was said it has seen; ``head``: the commit it worked on;
    ``note``: what else is to be told; ``final``: there is no other one."""

    outcome: Outcome
    upto: int | None
    answer: Answer | None = None
    head: str = ""
    note: str = ""
    final: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Runner(Rounds):
    """Called with the id of one run. ``folders`` is where runs have theirs; one run is at work at a time."""

    step = "run"
    broken_seconds = moments.LONGEST_WAIT

    database: Database
    tenants: Tenants
    sessions: Sessions
    records: Records
    lanes: Lanes
    folders: Path
    budgets: Budgets
    now: Callable[[], float] = time.time

    async def _look(self, id: str) -> float | None:
        """Go on with the run as far as it goes now; seconds until the next look, None when it has ended."""
        run, turns = await self.database.read(lambda tx: _standing(tx, id))
        if run is None:
            return None
        if run.state == "done":
            await self._clear(run)
            return None
        around = Surroundings(open_turns=turns, full=self.sessions.is_full())
        seconds = moments.wait(run.due, around, self.now())
        if seconds is not None:
            return seconds
        begun = await self.database.write(lambda tx: runs.begin(tx, id, self.now()))
        return await self._begun(begun) if begun else None

    async def _begun(self, run: Run) -> float | None:
        log.info("run.began", run=run.id, attempt=run.attempts)
        try:
            tenant = self.tenants.get(run.tenant)
            task = await self._task(run, tenant)
            attempt = await self._attempt(run, tenant, task)
        except AskFailed as fault:
            failed = Failed(f"{fault.reason}: {fault.problem}")
            attempt = Attempt(outcome=failed, upto=run.upto, answer=fault.done)
        except (Unavailable, OSError) as fault:  # the disk, a person's git, the end of the process
            problem = fault.problem if isinstance(fault, Fault) else str(fault)
            due = self.now() + moments.LONGEST_WAIT
            await self.database.write(lambda tx: runs.give_back(tx, run, problem, due))
            return moments.LONGEST_WAIT
        except Fault as fault:
            attempt = Attempt(outcome=Failed(fault.problem), upto=run.upto)
        return await self._settle(run, attempt)

    async def _task(self, run: Run, tenant: Tenant) -> Task:
        if run.kind is Kind.CONSOLIDATION:
            now = datetime.fromtimestamp(self.now(), tenant.config.zone)
            return Consolidating(rel=run.file, budgets=self.budgets, now=now)
        found = await self.database.read(lambda tx: runs.covered(tx, run, tenant))
        return Learning(kind=run.kind, found=tuple(found), zone=tenant.config.zone, covers=run.upto)

    async def _attempt(self, run: Run, tenant: Tenant, task: Task) -> Attempt:
        """What came of the task, landed. An attempt that died when all was kept asks nobody again."""
        history = self.records.book(tenant).history
        answer: Answer | None = None
        note = base = ""
        if not await asyncio.to_thread(history.kept, run.id):
            if run.attempts > moments.ATTEMPTS:
                problem = f"it was begun {run.attempts - 1} times and never ended"
                return Attempt(outcome=Failed(problem), upto=task.upto)
            tree = await self._folder(run, tenant)
            base = tree.base
            if run.file:
                await self.database.write(lambda tx: runs.saw(tx, run, tree.blob(run.file)))
            brief = await asyncio.to_thread(task.begin, tree)
            answer = await self._ask(run, tenant, tree, brief) if brief else None
            kept = await asyncio.to_thread(_kept, task, tree)
            note = f"not taken: {', '.join(kept.left)}" if kept.left else ""
            if kept.problem:
                failed = Failed(kept.problem)
                final = kept.final
                return Attempt(outcome=failed, upto=task.upto, answer=answer, head=base, note=note, final=final)
            if not kept.changes:
                return Attempt(outcome=NoChanges(), upto=task.upto, answer=answer, head=base, note=note)
            origin = _origin(run, answer)
            await asyncio.to_thread(tree.keep, list(kept.changes), origin, title=kept.title, first=kept.first)
        async with self.lanes.folder(tenant.id):
            await asyncio.to_thread(self.records.settle, tenant, TurnId(run.id))
            outcome = await asyncio.to_thread(worktrees.land, history, run.id)
        return Attempt(outcome=outcome, upto=task.upto, answer=answer, head=base, note=note)

    async def _folder(self, run: Run, tenant: Tenant) -> worktrees.Worktree:
        """From what is committed, an admin's edits included: they are in force."""
        async with self.lanes.folder(tenant.id):
            await asyncio.to_thread(self.records.settle, tenant, TurnId(run.id))
        return await asyncio.to_thread(worktrees.make, self.folders, run.id, self.records.book(tenant).history)

    async def _ask(self, run: Run, tenant: Tenant, tree: worktrees.Worktree, brief: Brief) -> Answer:
        conversation = Conversation(run.id)
        ask = Ask(
            tenant=tenant.id,
            folder=tree.folder.root,
            conversation=conversation,
            turn=TurnId(run.id),
            prompt=brief.prompt,
            said=brief.said,
            role=brief.role,
            timezone=tenant.config.timezone,
            streams=False,
            apart=True,
        )
        try:
            answer = await self.sessions.ask(ask)
        finally:
            await self.sessions.close_conversation(tenant.id, conversation, tree.folder.root)
        if answer.stopped:
            raise CutShort("it was stopped from outside", hint="it begins again by itself")
        return answer

    async def _settle(self, run: Run, attempt: Attempt) -> float | None:
        """Write down what came of an attempt; the folder and what was kept go once that is durable."""
        ending, problem, landed = _told(attempt)
        match moments.after(ending, run.attempts, self.now(), final=attempt.final):
            case Again(at):
                await self.database.write(lambda tx: runs.again(tx, run, ending, problem, at))
                log.warning("run.failed", run=run.id, outcome=ending.value, problem=problem)
                await self._clear(run)
                return max(0.0, at - self.now())
            case Over(learned):
                await self._log(run, attempt, ending, landed)
                upto = attempt.upto if learned else None
                now = self.now()
                await self.database.write(
                    lambda tx: runs.end(tx, run, ending, problem, landed=landed, upto=upto, now=now)
                )
                log.info("run.ended", run=run.id, outcome=ending.value, problem=problem, commit=landed)
                await self._clear(run)
                return None

    async def _clear(self, run: Run) -> None:
        try:
            history = self.records.book(self.tenants.get(run.tenant)).history
        except Fault:  # the tenant is gone, and with it what was kept
            history = None
        await asyncio.to_thread(worktrees.discard, self.folders, run.id, history)

    async def _log(self, run: Run, attempt: Attempt, ending: Ending, landed: str) -> None:
        """The run's line in the tenant's turn log, once."""
        try:
            tenant = self.tenants.get(run.tenant)
        except Fault:
            return
        origin = _origin(run, attempt.answer)
        commits = [landed] if landed else []
        course = Course(answer=attempt.answer, head=attempt.head)
        await asyncio.to_thread(self.records.ran, tenant, origin, course, commits, ending.value)


def _kept(task: Task, tree: worktrees.Worktree) -> Kept:
    """What of the folder may land."""
    changes = tree.difference().changes
    return task.keep(changes, {one.path: tree.before(one.path) for one in changes})


def _standing(tx: Transaction, id: str) -> tuple[Run | None, int]:
    run = runs.find(tx, id)
    return run, runs.open_turns(tx, run.tenant) if run else 0


def _origin(run: Run, answer: Answer | None) -> Origin:
    reason = answer.text if answer else ""
    about = run.conversation if run.kind is Kind.REFLECTION else ""
    return Origin(
        actor=AGENT, tenant=run.tenant, conversation=about, turn=run.id, trigger=run.kind.value, reason=reason
    )


def _told(attempt: Attempt) -> tuple[Ending, str, str]:
    """How an attempt ended, what is to be said about it, and the commit."""
    match attempt.outcome:
        case Merged(commit):
            return Ending.MERGED, attempt.note, commit
        case NoChanges():
            return Ending.NO_CHANGES, attempt.note, ""
        case Conflict(_, problem):
            return Ending.CONFLICT, problem, ""
        case Failed(problem):
            return Ending.FAILED, "; ".join(part for part in (problem, attempt.note) if part), ""
