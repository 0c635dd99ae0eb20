"""Signals that need no words: what failed, was repeated, undone, stopped or asked again. Pure.

Owns what each looks like in the turn log and in the messages of a turn. Does not own where they come from.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from runtime.agent.guards import BUILT_IN
from runtime.annealing.signals.forms import found, matter
from runtime.annealing.signals.reading import read
from runtime.annealing.signals.records import Hard, Signal, Source, signal_id
from runtime.tenant.life.terms import terms
from runtime.tenant.turnlog import TurnLine

REPEATED = 3
"""As often the same call in one turn is going round in circles."""

UNDONE_WITHIN = timedelta(minutes=10)
SAME_QUESTION = 0.75
"""Part of the words of two messages that they share when they ask the same (Jaccard)."""

_FEWEST_WORDS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """A turn as it ended: ``line`` of the turn log, the words of its messages (``said``, the owner's own) and those of
    the two turns before it in the same conversation, oldest first. ``previous`` is the turn before it."""

    line: TurnLine
    said: Sequence[str] = ()
    earlier: Sequence[Sequence[str]] = field(default=())
    previous: TurnLine | None = None
    message: str = ""


def hard(turn: Happened) -> list[Signal]:
    """The hard signals of one turn, each once. What the person complained of by undoing or asking again blames the
    turn before; all else blames the turn it happened in."""
    found = [*_of_tools(turn.line), *_repeated(turn), *_of_outcome(turn.line), *_undone(turn), *_asked_again(turn)]
    return list({signal.id: signal for signal in found}.values())


def _of_tools(line: TurnLine) -> Iterator[Signal]:
    for at, run in enumerate(line.tools):
        if not run.get("ok", True):
            name = str(run.get("name", ""))
            mended = any(str(one.get("name", "")) == name and one.get("ok", True) for one in line.tools[at + 1 :])
            yield _signal(line, _kind(run), tool=name, reached=not mended and _reaches(run))


def _reaches(run: Mapping[str, Any]) -> bool:
    """Whether a person is left without something when it fails. What the agent looks up, and how it works on files, it
    goes about in another way: a search that finds nothing ends in a failure, too."""
    return run.get("effect") == "external" or (run.get("effect") == "write" and run.get("name") not in BUILT_IN)


def _kind(run: Mapping[str, Any]) -> Hard:
    said = read(str(run.get("output", ""))).plain
    return next((Hard(name) for name in found(said, matter("failing"))), Hard.EXIT)


def _repeated(turn: Happened) -> Iterator[Signal]:
    """The same call three times in a turn, or twice running over two turns when it failed or wrote before."""
    counted: dict[str, int] = {}
    for run in turn.line.tools:
        call = _call(run)
        counted[call] = counted.get(call, 0) + 1
        if counted[call] == REPEATED:
            yield _signal(turn.line, Hard.REPEATED, tool=str(run.get("name", "")), reached=False)
    before = {_call(run) for run in turn.previous.tools if run.get("effect") != "read"} if turn.previous else set()
    for run in turn.line.tools:
        if _call(run) in before:
            yield _signal(turn.line, Hard.REPEATED, tool=str(run.get("name", "")), reached=False)


def _call(run: Mapping[str, Any]) -> str:
    return json.dumps([run.get("name"), run.get("input")], sort_keys=True, default=str).casefold()


def _of_outcome(line: TurnLine) -> Iterator[Signal]:
    if line.extra.get("stopped"):
        yield _signal(line, Hard.INTERRUPTED)
    elif line.extra.get("problem"):
        yield _signal(line, Hard.FAILED)


def _undone(turn: Happened) -> Iterator[Signal]:
    before = turn.previous
    if before is None or not _did_something(before) or turn.line.at - before.at > UNDONE_WITHIN:
        return
    if any(matter("undoing")["undo"].match(read(text).plain.removeprefix("/")) for text in turn.said):
        yield _signal(before, Hard.UNDONE, message=turn.message)


def _did_something(line: TurnLine) -> bool:
    return bool(line.commits) or any(run.get("ok", True) and run.get("effect") != "read" for run in line.tools)


def _asked_again(turn: Happened) -> Iterator[Signal]:
    """The same words again within two turns: the answer was none."""
    now = _words(turn.said)
    if turn.previous is None or len(now) < _FEWEST_WORDS:
        return
    if any(_same(now, _words(said)) for said in turn.earlier[-2:]):
        yield _signal(turn.previous, Hard.ASKED_AGAIN, message=turn.message)


def _words(said: Sequence[str]) -> frozenset[str]:
    return frozenset(terms(" ".join(said)))


def _same(one: frozenset[str], other: frozenset[str]) -> bool:
    return bool(other) and len(one & other) / len(one | other) >= SAME_QUESTION


def _signal(line: TurnLine, kind: Hard, *, tool: str = "", message: str = "", reached: bool = True) -> Signal:
    return Signal(
        id=signal_id(line.turn, message, kind, tool),
        turn=line.turn,
        conversation=line.conversation,
        at=line.at,
        message=message,
        kind=kind,
        source=Source.OWNER,
        tool=tool,
        reached=reached,
    )
