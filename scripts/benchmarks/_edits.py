"""What was meant by a history of edits of rules, and what is to be there when some improvements had never been.

It knows no git and no text of a file: a rule is a list of lines that know where they came from, an edit says which
line it was made to. So it says independently of the code under test what taking an improvement back has to leave.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from runtime.tenant.heads import Rule as Head
from runtime.tenant.rules.files import Rule

Who = Literal["improvement", "person", "loop"]
Drop = tuple[str, int]
"""An improvement and a rule: what the one did to the other never was."""

SINCE = date(2026, 11, 2)
FIRST, LAST = -1, -2
"""Instead of a line: the place before all, and after all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What an edit does to the rule ``uid``. ``line`` is the line's number, ``old`` its words as the editor saw them;
    an inserted one stands between ``left`` and ``right``. ``pure``: a line is cut that came alone, so that nothing is
    left of either."""

    uid: int
    do: str
    ref: str = ""
    line: int = 0
    old: str = ""
    new: str = ""
    left: int = FIRST
    right: int = LAST
    lines: tuple[tuple[int, str], ...] = ()
    pure: bool = False
    state: str = ""


@dataclass(frozen=True, slots=True)
class Edit:
    """One commit. ``id`` is the improvement it belongs to, such as its landing or the loop's note that it is kept;
    ``names`` are those of the rules that a landing's operations name."""

    by: Who
    effects: tuple[Effect, ...]
    id: str = ""
    names: frozenset[str] = frozenset()


@dataclass(slots=True)
class Held:
    """A rule as it is."""

    ref: str
    lines: list[int]
    words: dict[int, str]
    triggers: list[str] = field(default_factory=list)
    state: str = "kept"
    helpful: int = 0
    improvement: str = ""
    since: date | None = None

    @property
    def idea(self) -> str:
        return f"idea of {self.improvement}" if self.improvement else ""

    @property
    def text(self) -> str:
        return "\n".join(self.words[line] for line in self.lines)

    def stamp(self, improvement: str) -> None:
        self.state, self.improvement, self.since = "probation", improvement, SINCE

    def rule(self) -> Rule:
        directive, _, name = self.ref.partition("/")
        head = {"id": name, "state": self.state, "triggers": tuple(self.triggers), "helpful": self.helpful}
        return Rule(directive, Head(**head, improvement=self.improvement, idea=self.idea, since=self.since), self.text)


World = dict[int, Held]


@dataclass(slots=True)
class Replayed:
    """``stuck``: rules, and numbers of edits whose place in it is not there this time. ``gone``: by a person's hand."""

    world: World
    stuck: set[tuple[int, int]]
    gone: set[int]


def replay(edits: Iterable[Edit], dropped: Collection[Drop]) -> Replayed:
    """All edits on nothing, but what ``dropped`` names."""
    done = Replayed({}, set(), set())
    for number, edit in enumerate(edits):
        for one in edit.effects:
            if edit.id and (edit.id, one.uid) in dropped:
                continue
            if not _apply(done.world, one, edit) and edit.by != "loop":
                done.stuck.add((one.uid, number))
            if one.do == "delete" and edit.by == "person":
                done.gone.add(one.uid)
    done.world = {uid: held for uid, held in done.world.items() if held.lines}  # without words it is no rule
    return done


def _apply(world: World, one: Effect, edit: Edit) -> bool:
    if one.do == "create":
        held = world[one.uid] = Held(one.ref, [line for line, _ in one.lines], dict(one.lines))
        if edit.id:
            held.stamp(edit.id)
        return True
    if one.do == "delete":
        world.pop(one.uid, None)
        return True
    held_now = world.get(one.uid)
    return one.pure if held_now is None else _change(held_now, one, edit)


def _change(held: Held, one: Effect, edit: Edit) -> bool:
    match one.do:
        case "rename":
            held.ref = one.ref
            held.stamp(edit.id)
        case "state":
            held.state = one.state
        case "anew":
            held.stamp(edit.id)
            held.helpful = 0
        case "count":
            held.helpful += 1
        case "trigger":
            held.triggers += [one.new]
        case "rewrite":
            held.lines, held.words = [line for line, _ in one.lines], dict(one.lines)
        case _:
            return _LINES[one.do](held, one)
    return True


def _replace(held: Held, one: Effect) -> bool:
    seen = held.words.get(one.line) == one.old
    if seen:
        held.words[one.line] = one.new
    return seen


def _cut(held: Held, one: Effect) -> bool:
    if one.line not in held.words:
        return one.pure
    seen = held.words[one.line] == one.old
    if seen:
        held.lines.remove(one.line)
        del held.words[one.line]
    return seen


def _insert(held: Held, one: Effect) -> bool:
    """Between its neighbours; where one of them is not there, beside the other."""
    places = [FIRST, *held.lines, LAST]
    left, right = (places.index(side) if side in places else None for side in (one.left, one.right))
    if left is not None and right is not None and right != left + 1:
        return False
    place = left if left is not None else None if right is None else right - 1
    if place is None:
        return False
    held.lines.insert(place, one.line)
    held.words[one.line] = one.new
    return True


_LINES = {"replace": _replace, "cut": _cut, "insert": _insert}


@dataclass(frozen=True, slots=True)
class Expected:
    """``going``: the improvements that go, oldest first. ``drops``: what of them never was, once they are gone."""

    world: World
    going: tuple[str, ...]
    drops: frozenset[Drop]


def without(edits: Sequence[Edit], undone: Collection[Drop], culprit: str, standing: Sequence[str]) -> Expected:
    """What there is to be once ``culprit`` is taken back; ``standing`` are the improvements in force, oldest first.

    Those that came later to a rule of the same name go with it. A rule stays as it is when a person edited what goes
    (and it is still there), pinned it, or gave its name to another one.
    """
    refs = _refs(edits)
    touched = {edit.id: {one.uid for one in edit.effects} for edit in edits if edit.by == "improvement"}
    names = {edit.id: edit.names for edit in edits if edit.by == "improvement"}
    now = replay(edits, undone)
    idle = _idle(edits)
    begun = next(number for number, edit in enumerate(edits) if edit.by == "improvement" and edit.id == culprit)
    later = [one for edit in edits[begun:] if edit.by == "person" for one in edit.effects]
    by_person = {one.uid for one in later if one.do == "create"}
    moved = {one.uid for edit in edits[begun:] for one in edit.effects if one.do == "rename"}
    stays: set[int] = set()
    while True:
        going, linked = [], set[str]()
        free = {ref for uid in stays for ref in refs[uid]}
        free |= {ref for uid in moved if refs[uid] & free for ref in refs[uid]}
        for id_ in standing[standing.index(culprit) :]:
            if id_ == culprit or names[id_] & linked:
                going.append(id_)
                linked |= names[id_] - free
        drops = frozenset((id_, uid) for id_ in going for uid in touched[id_] - stays)
        then = replay(edits, {*undone, *drops})
        uids = {uid for _, uid in drops}
        kept = {
            uid for uid, _ in then.stuck - now.stuck - idle if uid in uids and (uid in now.world or uid not in now.gone)
        }
        kept |= {uid for uid in uids if uid in now.world and now.world[uid].state == "pinned"}
        kept |= uids & set(_clashing(then.world))
        taken = {held.ref for uid, held in then.world.items() if uid in by_person}
        kept |= {uid for uid in uids - then.world.keys() if refs[uid] & taken and uid < min(by_person)}
        if not kept:
            return Expected(then.world, tuple(going), drops)
        stays |= kept
        stays |= {uid for uid in uids if refs[uid] & {ref for one in kept for ref in refs[one]} & taken}


def _idle(edits: Sequence[Edit]) -> set[tuple[int, int]]:
    """What people did to lines that were put in, and that a person cut again."""
    theirs = {one.line for edit in edits for one in edit.effects if one.do == "insert"}
    cut = {one.line for edit in edits if edit.by == "person" for one in edit.effects if one.do == "cut"}
    numbered = ((number, one) for number, edit in enumerate(edits) for one in edit.effects if edit.by == "person")
    return {(one.uid, number) for number, one in numbered if one.line in theirs & cut}


def _clashing(world: World) -> list[int]:
    refs = [held.ref for held in world.values()]
    return [uid for uid, held in world.items() if refs.count(held.ref) > 1]


def _refs(edits: Iterable[Edit]) -> dict[int, set[str]]:
    """Every name that each rule ever had."""
    refs: dict[int, set[str]] = {}
    for one in (one for edit in edits for one in edit.effects if one.ref):
        refs.setdefault(one.uid, set()).add(one.ref)
    return refs
