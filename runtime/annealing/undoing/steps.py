"""The inverse of what an improvement did to one rule, on what the rule is now. Pure.

ADD → the rule goes; UPDATE → the old words, with what others changed elsewhere in it; DELETE → it is put back; MOVE →
it is moved back. Whose change stays where two overlap is asked of the caller: a person's always does.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from runtime.annealing.undoing.landings import Step
from runtime.annealing.undoing.merging import is_pinned, merged_rule, same_rule, words
from runtime.tenant.git.changes import Content

Files = Mapping[str, Content | None]


@dataclass(frozen=True, slots=True)
class Put:
    """The files are to hold this. ``note``: what is worth saying about it."""

    files: Files
    note: str = ""


@dataclass(frozen=True, slots=True)
class Theirs:
    """Somebody has made it theirs since: it stays as it is. ``overlaps``: because they changed the same lines, which
    may look otherwise change by change."""

    note: str
    overlaps: bool = False


def inverse(step: Step, now: Files, *, touched: Callable[[str], bool], guarded: bool) -> Put | Theirs:
    """``now`` is what the files of the step hold; ``touched`` whether a person has changed one since. ``guarded``: a
    rule that a person has pinned since stays too."""
    if step.new is None:
        return _back(step, now, touched)
    held = now[step.new]
    if held is None:
        return Put({}, f"{step.new} is gone already")
    if guarded and step.after and is_pinned(held.data) and not is_pinned(step.after.data):
        return Theirs(f"{step.new} has been pinned since")
    if step.old is None:
        return _out(step, held, touched)
    return _changed(step, held, now, touched)


def _out(step: Step, held: Content, touched: Callable[[str], bool]) -> Put | Theirs:
    assert step.new
    assert step.after
    if same_rule(held.data, step.after.data):
        return Put({step.new: None})
    if touched(step.new):
        return Theirs(f"{step.new} has been edited by a person since")
    return Put({step.new: None}, f"{step.new} was changed since, and goes with that")


def _back(step: Step, now: Files, touched: Callable[[str], bool]) -> Put | Theirs:
    assert step.old
    assert step.before
    held = now[step.old]
    if held is None:
        return Put({step.old: step.before})
    if same_rule(held.data, step.before.data):
        return Put({}, f"{step.old} is back already")
    if touched(step.old):
        return Theirs(f"{step.old} has been written anew by a person")
    return Put({step.old: step.before}, f"{step.old} was written anew since: the old words are back")


def _changed(step: Step, held: Content, now: Files, touched: Callable[[str], bool]) -> Put | Theirs:
    """The same rule before and after, under the same name or another."""
    assert step.old
    assert step.new
    assert step.before
    assert step.after
    if step.old != step.new and now[step.old] is not None:
        return Theirs(f"{step.old} is the name of another rule by now")
    merged = merged_rule(step.after.data, held.data, step.before.data)
    if merged.overlaps and touched(step.new):
        return Theirs(f"{step.new} has been edited by a person since", overlaps=True)
    note = f"{step.new} was changed in the same lines since: the old words are back" if merged.overlaps else ""
    files: dict[str, Content | None] = {step.new: None}
    if not words(merged.data):
        return Put(files | {step.old: None}, f"{step.old} has no words left, and goes")
    return Put(files | {step.old: Content(held.mode, merged.data)}, note)
