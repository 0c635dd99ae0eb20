"""What becomes of a self-change that has landed: it is watched turn by turn, and kept or taken back.

Owns the order: what is in play is counted, the evidence worked out, the fate decided (verification/, pure), and the
fate brought about. What a fate writes is written so that a kill on the way is mended by doing it again: the commit is
found by its trailer, the tombstone and the line to the owner are there once, and the state comes last. That one goes
back is written down before it does, so that what a kill left half done is gone on with and not decided anew.
"""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from runtime import logs
from runtime.agent.events import AskFailed
from runtime.annealing import keeping, telling
from runtime.annealing.fates import are_pinned, blamed, counted, fate_of, landed_at, observed, put, speaking, watch_of
from runtime.annealing.graves import Freeze, idea_of
from runtime.annealing.loop import Loop, graves, improvements
from runtime.annealing.outcomes import Went
from runtime.annealing.records import Ending, Improvement, Kind, State
from runtime.annealing.replaying import Replaying
from runtime.annealing.undoing.plan import Way
from runtime.annealing.undoing.taking_back import TakenBack, take_back
from runtime.annealing.verification import blame, cooldown, mechanical
from runtime.annealing.verification.proving import GateAgain, Goes, Keep, RollBack, Unproven
from runtime.errors import Refused
from runtime.tenant.git.commits import Commit, Conflict
from runtime.tenant.git.history import AGENT, Origin
from runtime.tenant.registry import Tenant
from runtime.turns import inbox
from runtime.words import TurnId

log = logs.get("annealing")


@dataclass(frozen=True, slots=True, kw_only=True)
class Watching:
    """Called for a tenant after each of its turns, and at every look of the clock."""

    loop: Loop
    replaying: Replaying

    async def __call__(self, tenant: Tenant, pending: Collection[TurnId]) -> None:
        """``pending``: turns whose words were not looked at yet."""
        known = await asyncio.to_thread(improvements(tenant).all)
        if not any(one.state is State.PROBATION for one in known):
            return
        went = await asyncio.to_thread(self.loop.went, tenant, pending)
        while await self._look(tenant, known, went):
            known = await asyncio.to_thread(improvements(tenant).all)

    async def _look(self, tenant: Tenant, known: Sequence[Improvement], went: Sequence[Went]) -> bool:
        """Whether one came to its end: then the turns of the others say something else, and are counted again."""
        watched = [one for one in known if one.state is State.PROBATION]
        if not watched:
            return False
        place = graves(tenant)
        turns = speaking(known, watched, went, await asyncio.to_thread(place.resumed))
        now = [await asyncio.to_thread(counted, tenant, one, turns) for one in watched]
        real = [one for one in now if one.kind is not Kind.EMPTY]
        for one in now:
            if await self._act(tenant, one, went) or (
                await asyncio.to_thread(place.frozen) is None and await self._weigh(tenant, one, real, turns, went)
            ):
                return True
        return False

    async def _act(self, tenant: Tenant, one: Improvement, went: Sequence[Went]) -> bool:
        """Whether ``one`` came to its end by what needs no counting."""
        if await asyncio.to_thread(are_pinned, tenant, one):
            return await self.keep(tenant, one, telling.PINNED)
        if one.ending:
            return await self._go_back(tenant, one, one.ending)
        if tripped := mechanical.trips(await asyncio.to_thread(observed, tenant, one, went)):
            return await self.end(tenant, one, State.ROLLED_BACK, "; ".join(tripped))
        return False

    async def _weigh(
        self,
        tenant: Tenant,
        one: Improvement,
        watched: Sequence[Improvement],
        turns: Sequence[Went],
        went: Sequence[Went],
    ) -> bool:
        """Whether one came to its end by how its turns went. ``turns``: of all that there were, those that count."""
        if one.ending:
            return False
        now = self.loop.now()
        fate = fate_of(tenant, one, went, now)
        match fate:
            case RollBack(reason) if one.kind is Kind.EMPTY:
                return await self.end(tenant, one, State.ROLLED_BACK, reason)
            case RollBack():
                return await self._roll_back(tenant, one, fate, watched, turns)
            case Unproven(reason):
                return await self.end(tenant, one, State.UNPROVEN, reason)
            case Keep(better):
                return await self.keep(tenant, one, f"the chance that it helps is {better:.0%}")
            case Goes() | GateAgain():
                if mechanical.check_due(landed_at(one), watch_of(one).checked, now):
                    watch = watch_of(one).model_copy(update={"checked": now})
                    await asyncio.to_thread(put, tenant, one, watch=watch)
        return False

    async def _roll_back(
        self,
        tenant: Tenant,
        one: Improvement,
        fate: RollBack,
        watched: Sequence[Improvement],
        went: Sequence[Went],
    ) -> bool:
        """Take back what is to blame: it may be another change that was in play in the same turns, or none."""
        finding = blamed(tenant, watched, went)
        if isinstance(finding, blame.Suspected):
            suspects = [other for other in watched if other.id in finding.changes]
            try:
                finding = blamed(tenant, watched, went, await self.replaying(tenant, suspects, went))
            except AskFailed as fault:
                log.warning("improvement.not_blamed", tenant=tenant.id, improvement=one.id, problem=fault.problem)
                return False
        match finding:
            case blame.Frozen(e):
                reason = "turns went wrong in which no change was in play as well: the model, a provider, or the day"
                freeze = Freeze(since=self.loop.now(), e=e, reason=reason)
                if graves(tenant).frozen() is None:
                    await asyncio.to_thread(graves(tenant).freeze, freeze)
                    log.warning("annealing.frozen", tenant=tenant.id, e=round(e, 2))
            case blame.Blamed(change):
                guilty = one if change == one.id else await asyncio.to_thread(improvements(tenant).find, change)
                why = (
                    fate.reason if guilty.id == one.id else f"to blame for what {one.id} was in play in: {fate.reason}"
                )
                return guilty.ending is None and await self.end(tenant, guilty, State.ROLLED_BACK, why)
            case blame.Suspected(changes):
                why = f"one of {', '.join(changes)}: {fate.reason}"[:1000]
                ending = Ending(state=State.ROLLED_BACK, reason=why, at=self.loop.now(), group=changes)
                return await self._go_back(tenant, one, ending)
        return False

    async def end(self, tenant: Tenant, one: Improvement, state: State, reason: str) -> bool:
        """Take ``one`` back, and write down how it ended; False when something is in the way just now, and it is tried
        again at the next look."""
        return await self._go_back(tenant, one, Ending(state=state, reason=reason[:1000], at=self.loop.now()))

    async def _go_back(self, tenant: Tenant, one: Improvement, ending: Ending) -> bool:
        """``one``, or all of its group: whether each did."""
        place = improvements(tenant)
        ids = [id for id in ending.group if id != one.id]
        others = [await asyncio.to_thread(place.find, id) for id in ids]
        going = [other for other in (one, *others) if other.state is State.PROBATION]
        going = [await asyncio.to_thread(put, tenant, other, ending=ending) for other in going]
        return all([await self._goes_back(tenant, other, ending) for other in going])

    async def _goes_back(self, tenant: Tenant, one: Improvement, ending: Ending) -> bool:
        try:
            if ending.group:
                await asyncio.to_thread(_again, tenant, one, ending)
            taken = await self._take_back(tenant, one, ending.reason)
        except (Conflict, Refused) as fault:
            log.warning("improvement.not_taken_back", tenant=tenant.id, improvement=one.id, problem=fault.problem)
            return False
        await self.ended(tenant, one, ending.state, ending.reason, taken, entombs=not ending.group)
        return True

    async def _take_back(self, tenant: Tenant, one: Improvement, reason: str) -> TakenBack:
        if one.kind is Kind.EMPTY:
            return TakenBack("", (), Way.RECORD)
        async with self.loop.lanes.folder(tenant.id):
            await asyncio.to_thread(self.loop.records.settle, tenant, TurnId(f"improvement:{one.id}"))
            return await asyncio.to_thread(taken_back, self.loop, tenant, one, _origin(one, reason))

    async def ended(
        self,
        tenant: Tenant,
        one: Improvement,
        state: State,
        reason: str,
        taken: TakenBack,
        *,
        entombs: bool = True,
        at: datetime | None = None,
    ) -> None:
        """``one`` is taken back, whoever did it. ``at``: when; of a commit of ours, when that was made."""
        when = at if at is not None else await asyncio.to_thread(self._when, tenant, one, taken)
        if entombs and one.kind is Kind.LEARNED:
            await asyncio.to_thread(_entomb, tenant, one, state, when)
        over = one.model_copy(update=_over(state, reason, when, taken))
        await self.loop.database.write(lambda tx: telling.tell(tx, tenant, over, self.loop.clock()))
        for id in taken.superseded:
            later = await asyncio.to_thread(improvements(tenant).find, id)
            told = f"taken back with {one.id}, which it stood on"
            gone = {**_over(State.ROLLED_BACK, told, when, taken), "superseded": True}
            await self._forget_words(tenant, later)
            await asyncio.to_thread(improvements(tenant).put, later.model_copy(update=gone))
        await self._forget_words(tenant, one)
        await asyncio.to_thread(improvements(tenant).put, over)
        log.info("improvement.ended", tenant=tenant.id, improvement=one.id, state=state.value, reason=reason)
        if taken.alarm:
            log.error("improvement.alarm", tenant=tenant.id, improvement=one.id, problem=taken.alarm)

    async def _forget_words(self, tenant: Tenant, one: Improvement) -> None:
        """Sessions that were shown its words begin afresh with the next message, which finds them gone."""
        shown = one.watch.exposed if one.watch else ()
        for conversation in {inbox.conversation_of(TurnId(turn.turn)) for turn in shown}:
            await self.loop.sessions.close_conversation(tenant.id, conversation, tenant.folder.root)

    def _when(self, tenant: Tenant, one: Improvement, taken: TakenBack) -> datetime:
        if taken.commit:
            return self.loop.history(tenant).find(taken.commit).at
        return one.ending.at if one.ending else self.loop.now()

    async def reinstated(self, tenant: Tenant, one: Improvement, commit: Commit) -> None:
        """A person put back what had been taken back: it is theirs to decide, and it stays."""
        await asyncio.to_thread(graves(tenant).lift, idea_of(one).key)
        back = {"state": State.KEPT, "reason": f"{telling.OWNER} put it back", "ended": commit.at, "undone": ""}
        await asyncio.to_thread(improvements(tenant).put, one.model_copy(update=back))
        log.info("improvement.reinstated", tenant=tenant.id, improvement=one.id, commit=commit.id)

    async def keep(self, tenant: Tenant, one: Improvement, reason: str) -> bool:
        """It has proved itself: its rules say so, its triggers become protected cases, the owner hears of it. False
        when something is in the way just now."""
        now = self.loop.now()
        over = one.model_copy(update={"state": State.KEPT, "reason": reason, "ended": now, "ending": None})
        if one.kind is not Kind.EMPTY:
            async with self.loop.lanes.folder(tenant.id):
                await asyncio.to_thread(self.loop.records.settle, tenant, TurnId(f"improvement:{one.id}"))
                try:
                    await asyncio.to_thread(keeping.confirm, self.loop.history(tenant), tenant, over)
                    await asyncio.to_thread(self.loop.history(tenant).mark_good)
                except (Conflict, Refused) as fault:
                    log.warning(
                        "improvement.not_confirmed", tenant=tenant.id, improvement=one.id, problem=fault.problem
                    )
                    return False
            await asyncio.to_thread(keeping.protect, tenant, over)
        await self.loop.database.write(lambda tx: telling.tell(tx, tenant, over, self.loop.clock()))
        await asyncio.to_thread(improvements(tenant).put, over)
        log.info("improvement.kept", tenant=tenant.id, improvement=one.id, reason=reason)
        return True


def _over(state: State, reason: str, at: datetime, taken: TakenBack) -> dict[str, object]:
    return {"state": state, "reason": reason[:1000], "ended": at, "undone": taken.commit, "ending": None}


def taken_back(loop: Loop, tenant: Tenant, one: Improvement, origin: Origin) -> TakenBack:
    """Take ``one`` back by a commit. Raises as undoing's take_back. Blocks."""
    e, n = (one.watch.e, len(one.watch.ys)) if one.watch else (1.0, 0)
    return take_back(loop.history(tenant), improvements(tenant).all(), one, origin=origin, e=e, n=n)


def undone_by_owner(loop: Loop, tenant: Tenant, id: str, origin: Origin) -> Commit | None:
    """Take an improvement back because its owner says so, also while a turn is at work: the agent does not write rules.
    The state follows when the commit is seen. None when nothing of it was left. Blocks."""
    taken = taken_back(loop, tenant, improvements(tenant).find(id), origin)
    return loop.history(tenant).find(taken.commit) if taken.commit else None


def _origin(one: Improvement, reason: str) -> Origin:
    return Origin(actor=AGENT, tenant=one.tenant, turn=f"improvement:{one.id}:back", trigger="annealing", reason=reason)


def _entomb(tenant: Tenant, one: Improvement, state: State, at: datetime) -> None:
    place = graves(tenant)
    make = cooldown.after_unproven if state is State.UNPROVEN else cooldown.after_rollback
    place.add(make(idea_of(one), one.mechanism, place.tombstones(), at))


def _again(tenant: Tenant, one: Improvement, ending: Ending) -> None:
    """A suspect that was taken back lands once more, when none of the others is on probation."""
    fresh = {"state": State.GATED, "opened": ending.at, "commit": "", "landed": None, "watch": None, "ending": None}
    alone = tuple(f"{other}-again" for other in ending.group)
    improvements(tenant).put(one.model_copy(update={**fresh, "id": f"{one.id}-again", "alone": alone}))
