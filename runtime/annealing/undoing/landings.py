"""What landed, and what of it is in force: an improvement's commit, the commits that took it back or put it back.

Owns reading that from the history, and what an improvement changed in which file. Does not own taking one back
(plan.py, taking_back.py). Reads only.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from runtime.annealing.records import Improvement, Kind
from runtime.errors import BadInput, NotFound, Refused
from runtime.tenant.git.changes import FILE, PROGRAM, Content, Entry, is_versioned
from runtime.tenant.git.commits import Commit
from runtime.tenant.git.history import AGENT, History
from runtime.tenant.rules.files import path_of, ref_of

REVERTS = "Reverts-Improvement"
SUPERSEDES = "Supersedes"
"""Trailers of a commit that takes one back: its id, and (``Supersedes-1`` …) the ids of those that went with it."""


class Past:
    """What files held, by commit and path. Each commit is listed once and each content read once."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._blobs: dict[str, bytes] = {}
        self._listed: dict[str, Mapping[str, Entry]] = {}

    def files(self, commit: str) -> Mapping[str, Entry]:
        """Those that the runtime versions."""
        if commit not in self._listed:
            listed = self._history.files(commit)
            ours = {path: entry for path, entry in listed.items() if is_versioned(path)}
            self._listed[commit] = {path: one for path, one in ours.items() if one.mode in (FILE, PROGRAM)}
        return self._listed[commit]

    def read(self, commit: str, paths: Iterable[str]) -> dict[str, Content | None]:
        """What the files held; None where there was none."""
        entries = {path: self.files(commit).get(path) for path in paths}
        missing = {entry.blob for entry in entries.values() if entry} - self._blobs.keys()
        if missing:
            self._blobs |= self._history.blobs(missing)
        return {path: Content(one.mode, self._blobs[one.blob]) if one else None for path, one in entries.items()}

    def one(self, commit: str, path: str) -> Content | None:
        return self.read(commit, [path])[path]

    def changed(self, commit: Commit) -> list[str]:
        """The files that a commit changed, against its first parent."""
        before, after = self.files(commit.parents[0]) if commit.parents else {}, self.files(commit.id)
        return sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))


@dataclass(frozen=True, slots=True)
class Standing:
    """What became of a landing. ``commit`` is what it is in force by (or was last): the landing itself, or the commit
    that put it back. ``undone`` took it back, None while it is in force. ``chain`` are all of these commits."""

    improvement: Improvement
    landing: str
    commit: Commit
    undone: Commit | None
    chain: frozenset[str]

    @property
    def id(self) -> str:
        return self.improvement.id


def standing(improvement: Improvement, landing: Commit, later: Iterable[Commit]) -> Standing:
    """``later``: the commits after the landing, oldest first."""
    inside, outside = {landing.id}, set[str]()
    commit, undone = landing, None
    for one in later:
        named = (one.trailers.get(REVERTS), *superseded_by(one))
        if one.reverts in inside or improvement.id in named or one.id == improvement.undone:
            outside.add(one.id)
            undone = undone or one
        elif one.reverts in outside:
            inside.add(one.id)
            commit, undone = one, None
    return Standing(improvement, landing.id, commit, undone, frozenset(inside | outside))


def superseded_by(commit: Commit) -> tuple[str, ...]:
    """The ids of those that a commit took back because they stood on what it takes back."""
    return tuple(value for key, value in commit.trailers.items() if key.startswith(f"{SUPERSEDES}-"))


def landing_of(history: History, improvement: Improvement) -> Commit | None:
    """None when it never landed, or when its commit is not part of the history any more."""
    try:
        found = history.find(improvement.commit) if improvement.commit else None
    except (NotFound, BadInput, Refused):
        return None
    return found if found and found.parents and history.follows(history.head(), found.id) else None


def is_by_person(commit: Commit) -> bool:
    """Whether somebody made this change, and not the assistant or the runtime of its own accord."""
    return not commit.by_agent or commit.trailers.get("Actor", AGENT) not in (AGENT, "")


@dataclass(frozen=True, slots=True)
class Step:
    """What an improvement did to one file: ``old`` is its name before (None: it was not there), ``new`` its name after
    (None: it went). Both are there and differ for a rule that was moved."""

    old: str | None
    new: str | None
    before: Content | None
    after: Content | None

    @property
    def paths(self) -> frozenset[str]:
        return frozenset(path for path in (self.old, self.new) if path)


@dataclass(frozen=True)
class Landed:
    """An improvement in force: ``place`` counts the commits of the history, the later the higher."""

    standing: Standing
    place: int
    past: Past

    @property
    def id(self) -> str:
        return self.standing.id

    @property
    def commit(self) -> Commit:
        return self.standing.commit

    @property
    def is_stated(self) -> bool:
        return self.standing.improvement.kind is Kind.STATED

    @cached_property
    def rules(self) -> frozenset[str]:
        """The files of the rules that it touched."""
        touched = {path for path in self.commit.files if ref_of(path)}
        return frozenset(touched | {path_of(ref) for ref in self.standing.improvement.rules})

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        return steps(self.past, self.standing.improvement, self.commit)


def steps(past: Past, improvement: Improvement, commit: Commit) -> tuple[Step, ...]:
    """By its commit: what it changed, a moved rule as one step."""
    parent, paths = commit.parents[0], past.changed(commit)
    before, after = past.read(parent, paths), past.read(commit.id, paths)
    first = _first_names(improvement)
    moves = {path: first[path] for path in paths if path in first and not before[path] and before.get(first[path])}
    moved = {old: new for new, old in moves.items() if after[old] is None}
    found = [Step(old, new, before[old], after[new]) for old, new in moved.items()]
    for path in paths:
        if path not in moved and path not in moved.values():
            old, new = (path if side[path] else None for side in (before, after))
            found.append(Step(old, new, before[path], after[path]))
    return tuple(found)


def _first_names(improvement: Improvement) -> dict[str, str]:
    """By the file that a rule was moved to: the one that it was before all of its moves."""
    first: dict[str, str] = {}
    for operation in improvement.operations:
        if operation.do == "MOVE" and operation.to:
            old = path_of(operation.rule)
            first[path_of(operation.to)] = first.pop(old, old)
    return first


@dataclass(frozen=True)
class Scene:
    """The history after a commit: ``later`` oldest first, ``trunk`` those of them that HEAD stood on one after the
    other, ``landed`` the improvements that landed in it and are in force, oldest first."""

    past: Past
    head: str
    later: Sequence[Commit]
    landed: Sequence[Landed]
    standings: Sequence[Standing]

    @cached_property
    def trunk(self) -> Sequence[Commit]:
        commits = {commit.id: commit for commit in self.later}
        found = []
        at = self.head
        while at in commits:
            found.append(commits[at])
            at = next(iter(commits[at].parents), "")
        return found[::-1]

    def after(self, landed: Landed) -> list[Commit]:
        """What of the trunk came later."""
        later = {commit.id for commit in self.later[landed.place + 1 :]}
        return [commit for commit in self.trunk if commit.id in later]

    @cached_property
    def paired(self) -> frozenset[str]:
        """Landings that are not in force, and the commits that took them back or put them back."""
        return frozenset(id_ for one in self.standings for id_ in one.chain) - {one.commit.id for one in self.landed}

    @cached_property
    def by_commit(self) -> Mapping[str, Landed]:
        return {one.commit.id: one for one in self.landed}

    def is_a_persons(self, commit: Commit) -> bool:
        """Whether it holds what a person wants: an edit, or a rule in the owner's own words. Who takes an improvement
        back or puts it back edits nothing."""
        if landed := self.by_commit.get(commit.id):
            return landed.is_stated
        return commit.id not in self.paired and is_by_person(commit)


def scene(history: History, improvements: Iterable[Improvement], since: str, *, begun: datetime | None = None) -> Scene:
    """After the commit ``since``. An improvement that landed before it is left out; ``begun`` is when that was, if it
    is known, and saves looking for those."""
    past, head, later = Past(history), history.head(), history.since(since)
    places = {commit.id: place for place, commit in enumerate(later)}
    standings = []
    for one in improvements:
        earlier = begun and one.landed and one.landed < begun
        landing = later[places[one.commit]] if one.commit in places else None
        if landing is None and one.commit and not earlier:
            landing = landing_of(history, one)  # a commit has another id once a person was erased
        if landing and landing.id in places:
            standings.append(standing(one, landing, later[places[landing.id] + 1 :]))
    landed = [Landed(found, places[found.commit.id], past) for found in standings if found.undone is None]
    return Scene(past, head, later, sorted(landed, key=lambda found: found.place), standings)
