"""The log of signals: ``state/annealing/signals/YYYY-MM.jsonl``, one line a signal, append-only.

Owns reading and writing it. Does not own the files (tenant/monthly.py) nor what a signal is (records.py).
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

from pydantic import ValidationError

from runtime.annealing.signals.records import Signal
from runtime.tenant.folder import Folder
from runtime.tenant.monthly import Line, MonthlyLog, instant

SIGNALS = "state/annealing/signals"


class SignalLog:
    """One tenant's signals. Safe for many threads; calls block (one write and one fsync an append)."""

    def __init__(self, folder: Folder) -> None:
        self._log = MonthlyLog(folder, SIGNALS, lambda line: line.get("id"))

    def append(self, signals: Iterable[Signal]) -> int:
        """Write signals durably; how many were new. One that is in the log already is not written again, so a step
        that is run twice adds nothing. Raises Unavailable (disk full)."""
        return self._log.append([to_line(one) for one in signals])

    def read(self, *, since: datetime | None = None) -> Iterator[Signal]:
        """Signals as they were written, oldest first, those at or after ``since``."""
        first = instant(since) if since else ""
        for signal in map(from_line, self._log.lines(since=first)):
            if signal and instant(signal.at) >= first:
                yield signal

    def unreadable(self) -> list[str]:
        """Lines that are damaged, as ``file:line``; all else passes over them."""
        return self._log.unreadable()


def to_line(signal: Signal) -> Line:
    return {**signal.model_dump(mode="json", exclude_defaults=True), "at": instant(signal.at)}


def from_line(raw: Line) -> Signal | None:
    """A line read back; None when it is no signal."""
    try:
        return Signal.model_validate(raw)
    except ValidationError:
        return None
