"""A tenant that is only played, from day to day; what judges is the product.

Baselines, E, prove-it, the gate's verdict, cool-downs and limits are asked as the runtime asks them.
"""

import random
from datetime import datetime, timedelta

from _gate_sim import gated
from _ideas import IDEAS, WORDINGS
from _played import (
    BEGIN,
    DEFECT,
    FILES,
    HARMS,
    MECHANISMS,
    MEMORY,
    MOST_DEFECTS,
    NEUTRAL,
    NEVER,
    SETTLED,
    UNDONE,
    Change,
    File,
    Life,
    Seen,
    detected,
    dialogues,
    poisson,
)

from runtime.annealing.verification import cooldown, proving
from runtime.annealing.verification.cooldown import Landing, Sign, Tombstone
from runtime.annealing.verification.eprocess import Outcome, baseline
from runtime.annealing.verification.ideas import Idea, idea
from runtime.annealing.verification.proving import Fate, GateAgain, Goes, Keep, Probation, RollBack


class Tenant:
    """One that improves itself, or with ``improves`` False one that never does. Both have the same defects by seed.
    ``harmful``: share of the proposals that do harm. ``drift``: chance a day that something more goes wrong with a
    file."""

    def __init__(self, seed: str, *, per_day: float, harmful: float, improves: bool, drift: float = 0.0) -> None:
        self.world, self.ran = random.Random(f"world {seed}"), random.Random(f"turns {seed} {improves}")
        self.per_day, self.harmful, self.improves, self.drift = per_day, harmful, improves, drift
        self.files = [File(name=f"sop-{n}", defects=[self._defect(0)]) for n in range(FILES)]
        self.landings: list[Landing] = []
        self.tombstones: list[Tombstone] = []
        self.daily: list[tuple[int, int]] = []
        self.life = Life()

    def live(self, days: int) -> Life:
        for day in range(-SETTLED, days):
            if day == 0:
                self.life.turns = self.life.bad = 0
            for file in self.files:
                if self.world.random() < self.drift and len(file.defects) < MOST_DEFECTS:
                    file.defects.append(self._defect(len(file.defects)))
            self._day(BEGIN + timedelta(days=day), improves=self.improves and day >= 0)
        self.life.ends += [(one.kind, "probation") for file in self.files if (one := file.change)]
        return self.life

    def _defect(self, which: int) -> str:
        return IDEAS[which * 2 + self.world.randrange(2)]

    def _day(self, start: datetime, *, improves: bool) -> None:
        count = poisson(self.ran, self.per_day)
        where = list(dialogues(self.ran, count))
        self.daily.append((count, len(set(where))))
        analyses = [6, 12, 18, 24]
        for n, conversation in enumerate(where):
            at = start + timedelta(hours=7 + 14 * n / max(1, count))
            while improves and analyses[0] <= at.hour:
                self._analyse(start + timedelta(hours=analyses.pop(0)))
            self._turn(at, conversation)
        for hour in analyses if improves else ():
            self._analyse(start + timedelta(hours=hour))

    def _turn(self, at: datetime, conversation: str) -> None:
        file = self.ran.choice(self.files)
        bad = self.ran.random() < file.rate
        self.life.turns += 1
        self.life.bad += bad
        if not self.improves:
            return
        seen = detected(self.ran, bad=bad)
        about = self._cause(file) if bad else self.ran.choice(IDEAS)
        outcome = Outcome(turn=f"t{at.timestamp()}", conversation=conversation, day=at.date(), bad=seen)
        file.seen.append(Seen(outcome, at, file.version, about if seen else ""))
        file.signals += file.seen[-1:] if seen else []
        if file.change:
            file.change.ys.append(seen)
            self._judge(file, file.change, at)

    def _cause(self, file: File) -> str:
        """What a bad turn was about: one of the file's defects, or anything."""
        if self.ran.random() < DEFECT * len(file.wrong) / file.rate:
            return self.ran.choice(file.wrong)
        return self.ran.choice(IDEAS)

    def _analyse(self, now: datetime) -> None:
        for file in self.files:
            if file.change:
                self._judge(file, file.change, now)
        for file in self.files:
            self._propose(file, now)

    def _propose(self, file: File, now: datetime) -> None:
        """The idea with the most signals first, in new words each time."""
        if cooldown.may_land(file.name, self.landings, now):
            return
        for intent, signs in sorted(self._signals(file, now).items(), key=lambda one: -len(one[1])):
            evidence = [Sign(one.outcome.conversation, one.outcome.day, one.at) for one in signs]
            if cooldown.too_little(evidence):
                continue
            named = idea(file.name, file.name, self.ran.choice(WORDINGS[IDEAS.index(intent)]))
            mechanism = self.ran.choice(MECHANISMS)
            if cooldown.may_propose(named, mechanism, evidence, self.tombstones, now):
                self.life.refused += 1
            else:
                self.life.again += now < file.rests.get(intent, now)
                self._gate(file, self._change(file, named, mechanism, signs[-3:]), now)
                return

    def _signals(self, file: File, now: datetime) -> dict[str, list[Seen]]:
        """By idea, of the last weeks, without those that led to what was kept."""
        found: dict[str, list[Seen]] = {}
        for one in file.signals:
            if one.at > max(now - MEMORY, file.settled.get(one.idea, BEGIN - MEMORY)):
                found.setdefault(one.idea, []).append(one)
        return found

    def _change(self, file: File, named: Idea, mechanism: str, triggers: list[Seen]) -> Change:
        kind, intent = "neutral", triggers[0].idea
        if self.ran.random() < self.harmful:
            kind = "harmful"
        elif intent in file.wrong and self.ran.random() >= NEUTRAL:
            kind = "good"
        harm = self.ran.choice(HARMS) if kind == "harmful" else 0.0
        return Change(kind, harm, intent, named, mechanism, triggers)

    def _gate(self, file: File, change: Change, now: datetime) -> None:
        self.life.proposed += 1
        accepted, entombed = gated(self.ran, change.kind, change.harm)
        self.life.gates.append((change.kind, change.harm, accepted))
        if not accepted:
            stone = cooldown.after_rejected(change.idea, change.mechanism, self.tombstones, now, entombed=entombed)
            self._bury(file, change, stone)
            return
        change.landed = change.gated = now
        change.landing = len(self.landings)
        self.landings.append(Landing(file=file.name, at=now))
        change.probation = self._probation(file, change, now)
        file.change = change
        file.harms += change.harm
        file.mended |= {change.intent} if change.kind == "good" else set()
        file.version += 1

    def _probation(self, file: File, change: Change, now: datetime) -> Probation:
        everything = [one for other in self.files for one in other.seen if one.at > now - MEMORY]
        earlier = [one.outcome for one in file.seen if one.at > now - MEMORY and one.version != UNDONE]
        base = baseline(
            earlier,
            [one.outcome for one in change.triggers],
            rate=sum(one.outcome.bad for one in everything) / len(everything),
        )
        return Probation(base=base, ys=(), landed=now, gated=now, before=self._use(self.daily[:-1][-MEMORY.days :]))

    def _use(self, days: list[tuple[int, int]]) -> proving.Use | None:
        if not days:
            return None
        turns, talks = (sum(column) for column in zip(*days, strict=True))
        return proving.Use(turns=turns, days=len(days), dialogues=talks)

    def _judge(self, file: File, change: Change, now: datetime) -> None:
        opened = change.probation
        assert opened
        whole = max(1, (now.date() - change.landed.date()).days)
        one = Probation(
            base=opened.base,
            ys=change.ys,
            landed=change.landed,
            gated=change.gated,
            before=opened.before,
            after=self._use(self.daily[-whole - 1 : -1]),
        )
        self._follow(file, change, proving.fate(one, now), now)

    def _follow(self, file: File, change: Change, end: Fate, now: datetime) -> None:
        match end:
            case Goes():
                return
            case GateAgain():
                change.gated = now
                if not gated(self.ran, change.kind, change.harm, landed=True)[0]:
                    self._undo(file, change, "rolled_back", now)
            case Keep():
                file.settled[change.intent] = change.landed
                self._over(file, change, "kept", now)
            case RollBack():
                self._undo(file, change, "rolled_back", now)
            case _:
                self._undo(file, change, "unproven", now)

    def _undo(self, file: File, change: Change, state: str, now: datetime) -> None:
        file.harms -= change.harm
        if change.kind == "good":
            file.mended.discard(change.intent)
        for one in file.seen:
            if one.version == file.version:
                one.version = UNDONE
        file.version += 1
        after = cooldown.after_rollback if state == "rolled_back" else cooldown.after_unproven
        self._bury(file, change, after(change.idea, change.mechanism, self.tombstones, now))
        self._over(file, change, state, now)

    def _bury(self, file: File, change: Change, stone: Tombstone) -> None:
        self.tombstones.append(stone)
        file.rests[change.intent] = stone.until or NEVER

    def _over(self, file: File, change: Change, state: str, now: datetime) -> None:
        landed = self.landings[change.landing]
        back = now if state == "rolled_back" else None
        self.landings[change.landing] = Landing(file=landed.file, at=landed.at, over=now, rolled_back=back)
        self.life.ends.append((change.kind, state))
        file.change = None
