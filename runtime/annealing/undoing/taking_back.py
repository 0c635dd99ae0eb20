"""Taking an improvement back: one new commit on HEAD, made beside the folder, whatever came after the landing.

Owns the order (is it done already, what git would do, what the plan says, the commit) and the words of the commit.
Does not own the plan (plan.py), the record of the improvement (the caller writes it when this returns), nor when.

One commit takes back the improvement and those that stand on it, so that no kill leaves a tree with half of it, and
one ``git revert`` puts all of it back. Doing it again, after a kill too, finds that commit by its trailer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from runtime.annealing.records import Improvement
from runtime.annealing.undoing.landings import (
    REVERTS,
    SUPERSEDES,
    Landed,
    Scene,
    Standing,
    landing_of,
    scene,
    superseded_by,
)
from runtime.annealing.undoing.merging import reads_as
from runtime.annealing.undoing.plan import Case, Plan, Trial, Way, plan
from runtime.annealing.undoing.steps import Files
from runtime.errors import Broken, Refused
from runtime.tenant.git.changes import Content
from runtime.tenant.git.commits import Conflict, one_line, revert_subject, reverts_line
from runtime.tenant.git.history import AGENT, History, Origin
from runtime.tenant.rules.files import ref_of

ALARM = "Alarm"
WAY = "Way"
"""Further trailers: what a person should look at, and how it was taken back."""

_TRIES = 5


@dataclass(frozen=True, slots=True)
class TakenBack:
    """``commit`` is empty where nothing was left to change. ``superseded``: ids of the improvements that went with it,
    newest first. ``alarm``: what a person should look at; ``note``: what is worth knowing, such as what was left."""

    commit: str
    superseded: tuple[str, ...]
    way: Way
    alarm: str = ""
    note: str = ""


def take_back(
    history: History,
    improvements: Sequence[Improvement],
    one: Improvement,
    *,
    origin: Origin,
    e: float,
    n: int,
    trial: Trial = lambda _files: True,
) -> TakenBack:
    """``improvements`` are all of the tenant's. ``origin`` says who and why; what a person has pinned stays unless a
    person asks. ``e`` is the evidence, over ``n`` exposed turns.

    Raises Conflict when somebody is editing the same files, or Unavailable when a person's git is at work: nothing was
    changed, try again later. Raises Refused for a landing that is not part of the history.
    """
    history.settle()
    for _ in range(_TRIES):
        found = _scene(history, improvements, one)
        [standing] = [standing for standing in found.standings if standing.id == one.id]
        if standing.undone:
            return _already(standing)
        [culprit] = [landed for landed in found.landed if landed.id == one.id]
        case = Case(
            history=history,
            improvements=improvements,
            scene=found,
            culprit=culprit,
            guarded=origin.actor == AGENT,
            trial=trial,
        )
        made = _as_git_would(history, found, plan(case))
        outcome = TakenBack("", _superseded(made, one), made.way, made.alarm, "; ".join(made.notes))
        if not made.files:
            return outcome
        try:
            return replace(outcome, commit=_commit(history, found.head, made, culprit, origin, e=e, n=n))
        except Conflict as fault:
            if fault.files:
                raise
    raise Conflict(f"{one.id}: something is committed all the time", hint="it is tried again", files=())


def files_without(history: History, improvements: Sequence[Improvement], one: Improvement) -> Files:
    """What HEAD would hold without ``one``: the files that differ from it, as taking it back would make them. Raises as
    ``take_back`` does."""
    found = _scene(history, improvements, one)
    [culprit] = [landed for landed in found.landed if landed.id == one.id]
    case = Case(
        history=history,
        improvements=improvements,
        scene=found,
        culprit=culprit,
        guarded=True,
        trial=lambda _files: True,
    )
    return plan(case).files


def _scene(history: History, improvements: Sequence[Improvement], one: Improvement) -> Scene:
    landing = landing_of(history, one)
    if landing is None:
        raise Refused(f"{one.id} has no landing in the history", hint="see `proxystaff improvements`")
    others = [other for other in improvements if other.id != one.id]
    return scene(history, [one, *others], landing.parents[0], begun=one.landed)


def _already(standing: Standing) -> TakenBack:
    undone = standing.undone
    assert undone
    if undone.trailers.get(REVERTS) != standing.id:
        return TakenBack(undone.id, (), Way.ALREADY)
    return TakenBack(undone.id, superseded_by(undone), Way.ALREADY, undone.trailers.get(ALARM, ""))


def _as_git_would(history: History, found: Scene, made: Plan) -> Plan:
    """The same plan as ``git revert`` would do it, where that says the same rule by rule and file by file."""
    if made.way is not Way.RULE or made.notes:
        return made
    [landed] = made.taken
    try:
        files = history.without(landed.commit, found.head)
    except (Refused, Broken):
        return made
    if files is None or files.keys() != made.files.keys():
        return made
    same = all(_says_the_same(path, files[path], made.files[path]) for path in files)
    return replace(made, files=files, way=Way.COMMIT) if same else made


def _says_the_same(path: str, one: Content | None, two: Content | None) -> bool:
    if one == two or one is None or two is None:
        return one == two
    return bool(ref_of(path)) and one.mode == two.mode and reads_as(one.data, two.data)


def _superseded(made: Plan, one: Improvement) -> tuple[str, ...]:
    return tuple(landed.id for landed in made.taken if landed.id != one.id)


def _commit(history: History, head: str, made: Plan, culprit: Landed, origin: Origin, *, e: float, n: int) -> str:
    superseded = _superseded(made, culprit.standing.improvement)
    extra: Mapping[str, str] = {
        **origin.extra,
        REVERTS: culprit.id,
        **{f"{SUPERSEDES}-{number}": id_ for number, id_ in enumerate(superseded, start=1)},
        "E": f"{e:.4g}",
        "n": str(n),
        WAY: made.way.value,
        ALARM: made.alarm,
    }
    said = [f"With it goes what stands on it: {one.commit.subject} ({one.commit.id[:10]})." for one in made.taken[:-1]]
    said += [f"{one_line(note, 300)}." for note in made.notes]
    first = "\n\n".join([reverts_line(culprit.commit.id), *said])
    title = revert_subject(culprit.commit.subject)
    return history.put(made.files, replace(origin, extra=extra), base=head, title=title, first=first).id
