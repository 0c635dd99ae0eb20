"""What takes an improvement back: which others go with it, and what every file is to hold afterwards.

Owns who goes with whom and in which order the ways are tried. Does not own the inverse of one change (steps.py,
replaying.py), nor the commit (taking_back.py). Reads only: the same history gives the same plan.

A later improvement of the same rule goes too, newest first: its words were written for a rule that will not be there.
What a person has made theirs stays, with whatever later improvements did to it, and is said; so do the owner's own
words, which are no improvement of anything but a person's edit.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

from runtime.annealing.records import Improvement, State
from runtime.annealing.undoing.landings import Landed, Scene, Step, scene
from runtime.annealing.undoing.merging import same_rule, words
from runtime.annealing.undoing.replaying import put_on, replay, replay_rule, revisions
from runtime.annealing.undoing.steps import Put, Theirs, inverse
from runtime.errors import ConfigFault
from runtime.tenant.checks import check
from runtime.tenant.git.changes import Content
from runtime.tenant.git.history import History
from runtime.tenant.rules.files import ref_of


class Way(StrEnum):
    """How it was taken back, the strongest that was needed."""

    COMMIT = "commit"  # as git reverts it
    RULE = "rule"  # by the names of its rules
    CASCADE = "cascade"  # with later improvements of the same rules
    CHAIN = "chain"  # a tool made anew without it and what stands on it
    TAG = "tag"  # a file made anew from the last commit that was known to be good
    RECORD = "record"  # nothing of it is left that may be changed: no commit
    ALREADY = "already"  # there is a commit that took it back


Trial = Callable[[Mapping[str, bytes | None]], bool]
"""Whether the tenant would be well with these files as they are to be (None: gone), such as by a tool's own tests."""


@dataclass(frozen=True, slots=True)
class Plan:
    """``files``: what differs from HEAD. ``taken``: what goes, newest first. ``alarm``: what a person is to look at."""

    files: Mapping[str, Content | None]
    taken: tuple[Landed, ...]
    way: Way
    notes: tuple[str, ...] = ()
    alarm: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """``guarded``: a rule that a person has pinned is not taken back."""

    history: History
    improvements: Sequence[Improvement]
    scene: Scene
    culprit: Landed
    guarded: bool
    trial: Trial


def plan(case: Case) -> Plan:
    """Begins anew whenever it turns out that something stays, or that something else has to go too."""
    left: dict[str, str] = {}
    fallen: frozenset[str] = frozenset()
    while True:
        attempt = _Attempt(case, _going(case, left, fallen), left, fallen)
        attempt.run()
        if attempt.left.keys() <= left.keys() and attempt.fallen <= fallen:
            return attempt.plan()
        left, fallen = attempt.left, fallen | attempt.fallen


def _going(case: Case, left: Collection[str], fallen: Collection[str]) -> tuple[Landed, ...]:
    """The culprit and all that stands on it, by rules that are not ``left`` as they are. Newest first."""
    going: list[Landed] = []
    touched: set[str] = set()
    for one in case.scene.landed:
        linked = one.rules & touched and one.standing.improvement.state in (State.PROBATION, State.KEPT)
        linked = linked and not one.is_stated
        if one.place >= case.culprit.place and (one.id == case.culprit.id or linked or one.id in fallen):
            going.append(one)
            touched |= one.rules - set(left)
    return tuple(reversed(going))


class _Attempt:
    """One try with a given set of improvements. ``left`` (files that stay, and why) and ``fallen`` (ids of further ones
    that have to go) say what has to be otherwise at the next."""

    def __init__(self, case: Case, taken: tuple[Landed, ...], left: Mapping[str, str], fallen: Collection[str]) -> None:
        self._case = case
        self._scene = case.scene
        self._past = case.scene.past
        self._taken = taken
        self.left = dict(left)
        self.fallen: frozenset[str] = frozenset()
        self._files: dict[str, Content | None] = {}
        self._anew: frozenset[str] = frozenset()
        self._notes: dict[str, str] = {}
        self._alarms: list[str] = []
        self._ways = {Way.CASCADE} if len(taken) > 1 else {Way.RULE}
        self._ways |= {Way.CHAIN} if fallen else set()

    def run(self) -> None:
        for landed in self._taken:
            for step in landed.steps:
                if _is_rule(step):
                    self._undo(landed, step)
        others = {path for one in self._taken for step in one.steps if not _is_rule(step) for path in step.paths}
        for path in sorted(others):
            self._remake(path)
        for path in sorted(self._files.keys() - others):
            if not _is_good(path, self._files[path]):
                self._from_tag(path, partial(_is_good, path))

    def plan(self) -> Plan:
        files = {path: one for path, one in self._files.items() if one != self._past.one(self._scene.head, path)}
        way = next(way for way in (Way.TAG, Way.CHAIN, Way.CASCADE, Way.RULE) if way in self._ways)
        notes = tuple(dict.fromkeys(self._notes[path] for path in sorted(self._notes)))
        return Plan(files, self._taken, way if files else Way.RECORD, notes, "; ".join(self._alarms))

    # Rules

    def _undo(self, landed: Landed, step: Step) -> None:
        if stays := step.paths & self.left.keys():
            self._say(step.paths, f"left as it is: {self.left[min(stays)]}")
            return
        if step.paths & self._anew:
            return
        now = {path: self._now(path) for path in step.paths}
        done = inverse(step, now, touched=lambda path: self._touched(landed, path), guarded=self._case.guarded)
        match done:
            case Theirs(overlaps=True) if self._rule_anew(step):
                pass
            case Theirs():
                self.left |= {name: done.note for path in step.paths for name in self._names(path)}
            case Put():
                self._files |= done.files
                self._say(step.paths, done.note)

    def _rule_anew(self, step: Step) -> bool:
        """Take all that goes out of a rule at once, and put what others did to it on again, change by change."""
        names = frozenset(name for path in step.paths for name in self._names(path))
        first = [one for one in self._taken if any(names & step.paths for step in one.steps)][-1]
        held = self._past.read(first.commit.parents[0], names)
        there = [name for name in names if held[name]]
        start = held[there[0]] if len(there) == 1 else None
        found = replay_rule(self._scene, names, start, self._scene.after(first), self._ids) if start else None
        if found is None:
            return False
        content = found.content if found.content and words(found.content.data) else None
        self._files |= {**dict.fromkeys(names), there[0]: content}
        self._anew |= names
        self._say(names, _lost(there[0], found.lost))
        return True

    def _touched(self, landed: Landed, path: str) -> bool:
        """Whether a person has changed the rule since, under any name that it had."""
        commits = [one for one in self._scene.after(landed) if self._scene.is_a_persons(one)]
        return any(
            before is None or after is None or not same_rule(before.data, after.data)
            for name in self._names(path)
            for _, before, after in revisions(self._past, commits, name)
        )

    def _names(self, path: str) -> frozenset[str]:
        """The names that a rule had, as far as what is taken back has moved it."""
        names = frozenset({path})
        moves = [step.paths for one in self._taken for step in one.steps if len(step.paths) > 1]
        while more := frozenset(name for move in moves if move & names for name in move) - names:
            names |= more
        return names

    # Other files

    def _remake(self, path: str) -> None:
        if path in self.left:
            self._alarms.append(self.left[path])
            return

        def passes(content: Content | None) -> bool:
            data = {name: one.data if one else None for name, one in (self._files | {path: content}).items()}
            return _is_good(path, content) and self._case.trial(data)

        state, clean = self._now(path), True
        for step in (step for one in self._taken for step in one.steps if step.paths == {path}):
            state, merged = put_on(state, step.after, step.before)
            clean = clean and merged
        if clean and passes(state):
            self._files[path] = state
            return
        first = [one for one in self._taken if any(path in step.paths for step in one.steps)][-1]
        start = self._past.one(first.commit.parents[0], path)
        found = replay(self._scene, path, start, self._scene.after(first), self._ids, passes)
        if found is None:
            self._from_tag(path, passes)
            return
        self._ways.add(Way.CHAIN)
        self._files[path] = found.content
        self.fallen |= set(found.fallen)
        self._say([path], _lost(path, found.lost))

    def _from_tag(self, path: str, passes: Callable[[Content | None], bool]) -> None:
        """The file as it was when all was well, and what was kept since put on again."""
        history, parent = self._case.history, self._taken[-1].commit.parents[0]
        for tag, commit in history.goods():
            if not history.follows(parent, commit):
                continue
            since = scene(history, self._case.improvements, commit)
            found = replay(since, path, self._past.one(commit, path), since.trunk, self._ids, passes)
            if found is not None:
                self._ways.add(Way.TAG)
                self._files[path] = found.content
                ids = {one.id for one in self._scene.landed}
                self.fallen |= set(found.fallen) & ids
                self._alarms.append(f"{path} was made anew from {tag}: look whether it does what it should")
                self._say([path], _lost(path, [*found.lost, *(id_ for id_ in found.fallen if id_ not in ids)]))
                return
        self.left[path] = f"{path} still has what was to be taken back: nothing without it passes"

    @property
    def _ids(self) -> frozenset[str]:
        return frozenset(one.id for one in self._taken)

    def _now(self, path: str) -> Content | None:
        return self._files[path] if path in self._files else self._past.one(self._scene.head, path)

    def _say(self, paths: Iterable[str], note: str) -> None:
        if note:
            self._notes[min(paths)] = note


def _is_rule(step: Step) -> bool:
    return any(ref_of(path) for path in step.paths)


def _is_good(path: str, content: Content | None) -> bool:
    try:
        check(path, content.data if content else None)
    except ConfigFault:
        return False
    return True


def _lost(path: str, subjects: Sequence[str]) -> str:
    return f"{path}: without {', '.join(subjects)}, which changed the same lines" if subjects else ""
