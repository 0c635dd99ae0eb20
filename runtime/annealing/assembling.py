"""How the parts of the loop meet: read this to know what it is made of."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from runtime.annealing import probation
from runtime.annealing.clock import ANNEAL, AnnealingClock
from runtime.annealing.gate.gate import Gate
from runtime.annealing.gate.judging import Judge
from runtime.annealing.gate.playing import Player
from runtime.annealing.loop import Loop, improvements
from runtime.annealing.noticing import Noticing
from runtime.annealing.probation import Watching
from runtime.annealing.recognising import Recognising
from runtime.annealing.records import Improvement
from runtime.annealing.replaying import Replaying
from runtime.annealing.walk import Walker
from runtime.engine.durable import Engine
from runtime.turns.commands import UndoImprovement
from runtime.words import TenantId


@dataclass(frozen=True, slots=True, kw_only=True)
class Annealing:
    """``clock`` makes the loop move; ``undo`` is what the owner's /undo asks for."""

    clock: AnnealingClock
    undo: UndoImprovement


def assemble(loop: Loop, engine: Engine, folders: Path, *, busy: Callable[[], bool]) -> Annealing:
    """Registers the workflow. ``folders``: where plays have theirs; ``busy``: whether somebody waits for a reply."""

    def save(one: Improvement) -> None:
        improvements(loop.tenants.get(TenantId(one.tenant))).put(one)

    player = Player(sessions=loop.sessions, folders=folders, now=loop.now)
    player.clear()
    judge = Judge(loop.questions)
    gate = Gate(player=player, judge=judge, history=loop.history, save=save, busy=busy, now=loop.now)
    watching = Watching(loop=loop, replaying=Replaying(loop=loop, player=player, judge=judge))
    walker = Walker(loop=loop, engine=engine, gate=gate, watching=watching)
    engine.register(ANNEAL, walker)
    recognising = Recognising(loop=loop, watching=watching)
    noticing = Noticing(loop=loop, watching=watching, recognising=recognising)
    clock = AnnealingClock(loop=loop, engine=engine, noticing=noticing, walker=walker)
    return Annealing(clock=clock, undo=partial(probation.undone_by_owner, loop))
