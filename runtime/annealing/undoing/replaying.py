"""A file made anew without some of the commits that changed it: from an earlier version, the others one by one.

Owns that for tools and the like, where later changes build upon earlier ones (the chain that stands on what is taken
back is left out, the rest is put on again with a trial after each), and for a rule, where change by change two may be
disjoint that overlap when taken together. Does not own which commits are taken back (plan.py). Reads only.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from runtime.annealing.undoing.landings import Past, Scene
from runtime.annealing.undoing.merging import merged_rule, merged_text
from runtime.tenant.git.changes import Content
from runtime.tenant.git.commits import Commit

Passes = Callable[[Content | None], bool]
"""Whether the file may hold this."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """``fallen`` are the ids of improvements that could not be put on again, ``lost`` subjects of other commits by the
    assistant that could not."""

    content: Content | None
    fallen: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()


def revisions(past: Past, commits: Sequence[Commit], path: str) -> list[tuple[Commit, Content | None, Content | None]]:
    """The commits that changed a file, with what it held before and after; the order stays."""
    found = []
    for commit in commits:
        if path in commit.files and commit.parents:
            before, after = past.one(commit.parents[0], path), past.one(commit.id, path)
            if before != after:
                found.append((commit, before, after))
    return found


def replay(
    scene: Scene, path: str, start: Content | None, commits: Sequence[Commit], taken: Collection[str], passes: Passes
) -> Replayed | None:
    """``path`` from ``start`` with ``commits`` put on again but those of the improvements ``taken``.

    None when there is no such file: ``start`` itself does not pass, or what a person changed cannot be put on it.
    """
    if not passes(start):
        return None
    state, fallen, lost = start, [], []
    for commit, before, after in revisions(scene.past, commits, path):
        landed = scene.by_commit.get(commit.id)
        if commit.id in scene.paired or (landed and landed.id in taken):
            continue
        on, merged = put_on(state, before, after)
        if merged and passes(on):
            state = on
        elif scene.is_a_persons(commit):
            return None
        elif landed:
            fallen.append(landed.id)
        else:
            lost.append(commit.subject)
    return Replayed(state, tuple(fallen), tuple(lost))


def replay_rule(
    scene: Scene, names: Collection[str], start: Content, commits: Sequence[Commit], taken: Collection[str]
) -> Replayed | None:
    """A rule (under all of its ``names``, one at a time) from ``start`` with ``commits`` put on again but those of the
    improvements ``taken``. None when what a person changed cannot be put on it."""
    state, lost = start, []
    for commit in commits:
        landed = scene.by_commit.get(commit.id)
        if commit.id in scene.paired or (landed and landed.id in taken) or not commit.parents:
            continue
        held = [scene.past.read(id_, names) for id_ in (commit.parents[0], commit.id)]
        if held[0] == held[1]:
            continue
        before, after = (_only(files) for files in held)
        if before is None or after is None:
            return None
        merged = merged_rule(before.data, after.data, state.data)
        if not merged.overlaps:
            state = Content(state.mode, merged.data)
        elif scene.is_a_persons(commit):
            return None
        else:
            lost.append(commit.subject)
    return Replayed(state, lost=tuple(lost))


def _only(held: Mapping[str, Content | None]) -> Content | None:
    """What is there, under whichever name; None where there is nothing, or more than one."""
    there = [one for one in held.values() if one]
    return there[0] if len(there) == 1 else None


def put_on(state: Content | None, before: Content | None, after: Content | None) -> tuple[Content | None, bool]:
    """A change on another version than the one it was made to, and whether that can be."""
    if state in (before, after):
        return after, True
    if state is None or before is None or after is None:
        return state, False
    data = merged_text(before.data, state.data, after.data)
    return Content(state.mode if after.mode == before.mode else after.mode, data or b""), data is not None
