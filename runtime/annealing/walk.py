"""One walk of the loop: what is proposed goes through the gate and lands; then something new is proposed.

The body of the engine's workflow ``anneal``. Owns the order of the steps. Each improvement's own file says how far it
is, so a walk that was killed goes on with what is there: a play that was written down is not played again, a commit
that landed is found. It sends nothing to anybody, and holds the tenant's lane only while git is at work.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from runtime import logs
from runtime.agent.events import AskFailed
from runtime.annealing import fates, jobs, landing, weighing
from runtime.annealing.gate.gate import Gate
from runtime.annealing.graves import idea_of
from runtime.annealing.jobs import Walk
from runtime.annealing.loop import Loop, cases, graves, improvements
from runtime.annealing.probation import Watching
from runtime.annealing.proposing.proposer import Nothing, propose
from runtime.annealing.records import Gate as Record
from runtime.annealing.records import Improvement, Kind, State
from runtime.annealing.undoing.landings import landing_of
from runtime.annealing.verification import cooldown
from runtime.engine.rounds import Rounds
from runtime.errors import Fault, Refused, Unavailable
from runtime.tenant.git.commits import Commit, Conflict
from runtime.tenant.registry import Tenant
from runtime.words import TurnId

MOST_PROPOSALS = 2
"""Proposals that one walk asks for."""

log = logs.get("annealing")


class SteppedAside(Unavailable):
    """Somebody waits for a reply: the walk begins later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Walker(Rounds):
    """Called with the id of one walk; one is at work at a time."""

    step = "anneal"
    broken_seconds = jobs.PAUSE

    loop: Loop
    gate: Gate
    watching: Watching

    async def _look(self, id: str) -> float | None:
        """Go on as far as it goes now; seconds until the next look, None when the walk has ended."""
        walk = await self.loop.database.read(lambda tx: jobs.find(tx, id))
        if walk is None or walk.state == "done":
            return None
        now = self.loop.clock()
        if walk.due > now:
            return min(walk.due - now, jobs.PAUSE)
        begun = await self.loop.database.write(lambda tx: jobs.begin(tx, id, now))
        return await self._begun(begun) if begun else None

    async def _begun(self, walk: Walk) -> float | None:
        try:
            outcome = await self._walk(walk)
        except SteppedAside as fault:
            due, problem = self.loop.clock() + weighing.PATIENCE, fault.problem
            await self.loop.database.write(lambda tx: jobs.step_aside(tx, walk.id, problem, due))
            return weighing.PATIENCE
        except (AskFailed, Unavailable, OSError) as fault:
            problem = fault.problem if isinstance(fault, Fault) else str(fault)
            return await self._again(walk, problem)
        except Fault as fault:
            await self._end(walk, "failed", fault.problem)
            return None
        except Exception as fault:  # the border of a job: it is ours to mend, and must not be walked into for ever
            log.exception("walk.broke", walk=walk.id)
            return await self._again(walk, f"{type(fault).__name__}: {fault}; see the log")
        await self._end(walk, outcome, "")
        return None

    async def _again(self, walk: Walk, problem: str) -> float | None:
        """The model or the disk may come back; after some attempts the next timer is waited for."""
        if walk.attempts >= jobs.ATTEMPTS:
            await self._end(walk, "failed", problem)
            return None
        due = self.loop.clock() + jobs.BACKOFF
        await self.loop.database.write(lambda tx: jobs.again(tx, walk.id, problem, due))
        log.warning("walk.failed", walk=walk.id, problem=problem)
        return jobs.PAUSE

    async def _end(self, walk: Walk, outcome: str, problem: str) -> None:
        now = self.loop.clock()
        await self.loop.database.write(lambda tx: jobs.end(tx, walk.id, outcome, problem, now))
        log.info("walk.ended", walk=walk.id, outcome=outcome, problem=problem)

    # What a walk does

    async def _walk(self, walk: Walk) -> str:
        """What came of it, in a line."""
        if self.gate.busy():
            raise SteppedAside("somebody waits for a reply", hint="it goes on by itself")
        tenant = self.loop.tenants.get(walk.tenant)
        done = [] if walk.dry else await self._landed(tenant)
        if frozen := await asyncio.to_thread(graves(tenant).frozen):
            return "; ".join([*done, f"frozen since {frozen.since:%Y-%m-%d %H:%M}: {frozen.reason}"])
        if tenant.config.improvements.paused and not walk.dry:
            return "; ".join([*done, "paused: nothing new begins"])
        if walk.kind is jobs.Kind.EMPTY:
            return await self._empty(tenant)
        await asyncio.to_thread(cases(tenant).seed)
        if not walk.dry:
            await asyncio.to_thread(_entomb, tenant)
            done += [await self._on(tenant, one) for one in await self._open(tenant)]
            done += await self._regate(tenant)
        done += await self._new(tenant, dry=walk.dry)
        return "; ".join(done) or "nothing to do"

    async def _landed(self, tenant: Tenant) -> list[str]:
        """What a walk that was killed has landed: it is in force, and watched whatever happened since."""
        history, gated = self.loop.history(tenant), await asyncio.to_thread(improvements(tenant).in_state, State.GATED)
        async with self.loop.lanes.folder(tenant.id):
            found = [(one, await asyncio.to_thread(landing.landed, history, one)) for one in gated]
        return [await self._watched(tenant, one, commit) for one, commit in found if commit]

    async def _open(self, tenant: Tenant) -> Sequence[Improvement]:
        """What an earlier walk left on its way."""
        return await asyncio.to_thread(improvements(tenant).in_state, State.PROPOSED, State.GATED)

    async def _new(self, tenant: Tenant, *, dry: bool) -> list[str]:
        done: list[str] = []
        for shown in await asyncio.to_thread(weighing.shown, self.loop, tenant, await self._pending(tenant)):
            if len(done) >= MOST_PROPOSALS:
                break
            asked = partial(self.loop.questions.ask, tenant.id)
            made = await propose(shown, asked, idea=weighing.key, zone=tenant.config.zone, now=self.loop.now())
            if isinstance(made, Nothing):
                log.info("proposal.none", tenant=tenant.id, family=shown.family, why=made.why)
                done.append(f"{shown.family}: nothing proposed ({made.why})")
                continue
            if why := await asyncio.to_thread(weighing.why_not, tenant, made):
                log.info("proposal.refused", tenant=tenant.id, family=shown.family, why=why)
                done.append(f"{shown.family}: not proposed ({why})")
                continue
            if dry:
                done.append(await self._would(tenant, made))
            else:
                await asyncio.to_thread(improvements(tenant).put, made)
                done.append(await self._on(tenant, made))
        return done

    async def _would(self, tenant: Tenant, one: Improvement) -> str:
        """What would become of a proposal; nothing of it is kept."""
        played = await self._tried(tenant, one)
        words = "; ".join(f"{op.do} {op.rule}: {op.text}" for op in one.operations)
        verdict = "would land" if played.gate.accepted else f"would not land ({'; '.join(played.gate.reasons)})"
        return f"{one.id}: {verdict}: {words}"

    async def _on(self, tenant: Tenant, one: Improvement) -> str:
        """An improvement as far as it goes: through the gate, and onto HEAD when there may be a landing now."""
        if one.state is State.PROPOSED:
            one = await self._gated(tenant, one)
        if one.state is not State.GATED:
            return f"{one.id}: {one.state.value} ({one.reason})"
        tenant = self.loop.tenants.get(tenant.id)  # the gate takes its time: somebody may have paused it meanwhile
        if why := await asyncio.to_thread(weighing.why_wait, tenant, one, self.loop.now()):
            return f"{one.id}: gated, waits ({why})"
        return await self._land(tenant, one)

    async def _gated(self, tenant: Tenant, one: Improvement) -> Improvement:
        one = await self.gate.run(one, tenant)
        await asyncio.to_thread(_entomb, tenant)
        return one

    async def _tried(self, tenant: Tenant, one: Improvement) -> Improvement:
        """``one`` as the gate leaves it; nothing of it is written down."""
        return await replace(self.gate, save=_nowhere).run(one, tenant)

    async def _land(self, tenant: Tenant, one: Improvement) -> str:
        history = self.loop.history(tenant)
        async with self.loop.lanes.folder(tenant.id):
            await asyncio.to_thread(self.loop.records.settle, tenant, TurnId(f"improvement:{one.id}"))
            try:
                files = await asyncio.to_thread(landing.files, history, tenant, one, self.loop.now())
                commit = await asyncio.to_thread(landing.land, history, one, files)
            except (Conflict, Refused) as fault:  # the rule it was made for is another by now, or is being edited
                return await self._conflict(tenant, one, fault.problem)
        if commit is None:
            return await self._conflict(tenant, one, "the folder says all of it already")
        return await self._watched(tenant, one, commit)

    async def _watched(self, tenant: Tenant, one: Improvement, commit: Commit) -> str:
        went = await asyncio.to_thread(self.loop.went, tenant, await self._pending(tenant))
        watch = fates.start(one, [turn for turn in went if turn.at <= commit.at], tenant)
        landed = {"state": State.PROBATION, "commit": commit.id, "landed": commit.at, "watch": watch}
        await asyncio.to_thread(improvements(tenant).put, one.model_copy(update=landed))
        log.info("improvement.landed", tenant=tenant.id, improvement=one.id, commit=commit.id)
        return f"{one.id}: landed as {commit.id[:10]}"

    async def _conflict(self, tenant: Tenant, one: Improvement, why: str) -> str:
        over = {"state": State.CONFLICT, "ended": self.loop.now(), "reason": why}
        await asyncio.to_thread(improvements(tenant).put, one.model_copy(update=over))
        return f"{one.id}: conflict ({why})"

    async def _regate(self, tenant: Tenant) -> list[str]:
        """What has been in play too rarely for a verdict is played again each week, with the cases of today."""
        done = []
        now = self.loop.now()
        for one in await asyncio.to_thread(improvements(tenant).in_state, State.PROBATION):
            if one.kind is Kind.EMPTY or not weighing.gate_is_due(one, now):
                continue
            commit = await asyncio.to_thread(landing_of, self.loop.history(tenant), one)
            if commit is None:  # it is not part of the history any more: there is nothing to play it on
                continue
            gate = Record(parent=commit.parents[0], started=now)
            tried = await self._tried(tenant, one.model_copy(update={"gate": gate, "state": State.PROPOSED}))
            played = one.model_copy(update={"gate": tried.gate})
            if played.gate.accepted is False:
                why = "; ".join(played.gate.reasons)
                await self.watching.end(tenant, played, State.UNPROVEN, f"its gate was run again: {why}")
            else:
                await asyncio.to_thread(improvements(tenant).put, played)
            done.append(f"{one.id}: played again, {'passed' if played.gate.accepted else 'failed'}")
        return done

    async def _empty(self, tenant: Tenant) -> str:
        """Land nothing, and watch it like a change: what is then rolled back is the live rate of false alarms."""
        one = await asyncio.to_thread(weighing.empty, self.loop, tenant, await self._pending(tenant))
        if one is None:
            return "no empty landing: one is on probation, or nothing was said yet"
        await asyncio.to_thread(improvements(tenant).put, one)
        return f"{one.id}: an empty landing, to measure false alarms"

    async def _pending(self, tenant: Tenant) -> set[TurnId]:
        rows = await self.loop.database.read(lambda tx: jobs.unjudged(tx, tenant.id))
        return {TurnId(row["id"]) for row in rows}


def _nowhere(_one: Improvement) -> None:
    """A play that is not written down: nothing but the verdict is wanted."""


def _entomb(tenant: Tenant) -> None:
    """A tombstone for all that the gate refused, each once."""
    place = graves(tenant)
    there = {(one.idea, one.at) for one in place.tombstones()}
    for one in improvements(tenant).in_state(State.REJECTED):
        at = one.ended or one.opened
        if (idea_of(one), at) in there:
            continue
        earlier = [other for other in place.tombstones() if other.at < at]
        place.add(cooldown.after_rejected(idea_of(one), one.mechanism, earlier, at, entombed=one.gate.entombs))
