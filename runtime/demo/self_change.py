"""The assistant changes itself: by a rule that its owner states, and by one that it learns, which then does harm.

Owns the two steps and what each has to show. Does not own any of what happens (docs/annealing.md).
"""

from functools import partial

from runtime.annealing.records import Improvement, Kind, State
from runtime.annealing.signals.log import SignalLog
from runtime.annealing.signals.records import Label
from runtime.annealing.store import Improvements
from runtime.annealing.verification.eprocess import alpha, crossed
from runtime.cli.improvements import plot
from runtime.demo import past
from runtime.demo.scene import (
    commit_after,
    heard,
    notified,
    remark,
    require,
    run,
    show,
    telegram,
    title,
    told,
    until,
)
from runtime.stage import Stage

STANDING = "From now on always attach the W-9 with invoices."

AWAY = "Which day do you suggest for a showing of {}? They are away on Saturday."
COMPLAINT = "no, Sunday. I said they are away on Saturday"
HOMES = ("9 Oak", "3 Fir", "7 Ash", "20 Birch", "31 Vine", "8 Cedar", "5 Larch", "40 Pine")


async def stated(stage: Stage) -> None:
    """A rule that the owner states is written at once, and goes at a word."""
    title(8, "A standing rule is written down as soon as it is said, and “undo that” takes it back")
    head, sent = stage.history.head(), len(stage.telegram.recording.sent)
    heard(await telegram(stage, STANDING, 8))
    line = await told(stage.telegram.recording, sent + 1)
    notified(line)
    require("Written down as a rule" in line, "the owner was not told of the rule")
    show(stage, await commit_after(stage, head))
    head = stage.history.head()
    reply = await telegram(stage, "undo that", 9)
    heard(reply)
    require(reply.startswith("Undone: Learned: From now on"), "the rule was not taken back")
    show(stage, await commit_after(stage, head))


async def learned(stage: Stage) -> None:
    """Corrections become a rule, which is played, lands, does harm and is taken back, all by itself."""
    title(9, "Corrections become a rule; the rule does harm, and is undone by itself")
    days = " and ".join(str(ago) for ago in past.DAYS)
    remark(f"A demo has no days to wait for: two corrections, {days} days old, were put into the logs beforehand.")
    remark("The third one comes now, and what follows from them is the product's own doing.")
    await _corrected(stage)
    one = await _landed(stage)
    remark("In use the rule is too broad: it also holds where the owner has just said that Saturday will not do.")
    await _does_harm(stage, one)
    await _taken_back(stage, _find(stage, one))


async def _corrected(stage: Stage) -> None:
    reply = await telegram(stage, past.ASKED, 10)
    heard(reply)
    require("Sunday" in reply, "the mistake was not made")
    heard(await telegram(stage, past.CORRECTED, 11))
    log = SignalLog(stage.tenant.folder)
    wanted = len(past.DAYS) + 1
    await until(
        lambda: sum(one.kind is Label.CORRECTION for one in log.read()) >= wanted, "the correction was not noticed"
    )


async def _landed(stage: Stage) -> Improvement:
    remark("Every six hours, while nobody waits, it looks for something to improve; here it is told to look now.")
    remark("Each case is played on copies of the tenant, as it is and with the rule.")
    await run(stage, "anneal", stage.tenant.id, "--now")
    found = [one for one in Improvements(stage.tenant.folder).all() if one.kind is Kind.LEARNED]
    require(len(found) == 1 and found[0].state is State.PROBATION, "nothing landed")
    await run(stage, "improvements", stage.tenant.id, found[0].id)
    show(stage, stage.history.find(found[0].commit), "Improvement")
    return found[0]


async def _does_harm(stage: Stage, one: Improvement) -> None:
    """Turns with the rule in play, each of which the owner complains of, until it is taken back."""
    for bad, home in enumerate(HOMES, start=1):
        reply = await telegram(stage, AWAY.format(home), 10 + 2 * bad)
        heard(reply)
        require("Saturday" in reply, "the rule was not in force")
        heard(await telegram(stage, COMPLAINT, 11 + 2 * bad))
        await until(partial(_is_weighed, stage, one, bad), "the turn was not counted")
        if _find(stage, one).state is not State.PROBATION:
            return


def _is_weighed(stage: Stage, one: Improvement, bad: int) -> bool:
    """Whether so many bad turns were counted, and what follows from them is done."""
    now = _find(stage, one)
    if now.state is not State.PROBATION:
        return True
    watch = now.watch
    return watch is not None and sum(watch.ys) >= bad and not crossed(watch.e, alpha(owner_visible=now.owner_visible))


async def _taken_back(stage: Stage, one: Improvement) -> None:
    require(one.state is State.ROLLED_BACK, f"it was not taken back, but is {one.state.value}")
    for line in plot(one):
        remark(line)
    show(stage, stage.history.find(one.undone), "Reverts-Improvement", "E", "n")
    await until(partial(_tells, stage), "the owner was not told")
    notified(next(text for text in stage.telegram.texts if "took back" in text))
    reply = await telegram(stage, AWAY.format("9 Oak"), 40)
    heard(reply)
    require("Sunday" in reply, "the rule is still in force")


def _tells(stage: Stage) -> bool:
    return any("took back" in text for text in stage.telegram.texts)


def _find(stage: Stage, one: Improvement) -> Improvement:
    return Improvements(stage.tenant.folder).find(one.id)
