"""How much memory sessions may take, and how much one takes. Reads /proc and the cgroup; decides in pure functions."""

from pathlib import Path
from typing import Literal

PER_SESSION = 160 * 1024 * 1024
"""Bytes. What a warm CLI was measured to take (110-155 MB private), rounded up."""

HEADROOM = 0.25
"""The part of what is free that is left free: for the runtime, git, and tools at work."""

MOST = 200
"""Warm sessions with max_warm: auto, however much memory there is."""

_UNLIMITED = 1 << 62


def capacity(max_warm: Literal["auto"] | int, available: int) -> int:
    """How many sessions are kept warm, at least one. ``available`` is in bytes."""
    if max_warm != "auto":
        return max_warm
    return max(1, min(MOST, int(available * (1 - HEADROOM)) // PER_SESSION))


def available(root: Path = Path("/")) -> int:
    """Bytes that can be had without swapping: the machine's, or the cgroup's where that is less. 0 if unknown."""
    free = _UNLIMITED
    try:
        for line in (root / "proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                free = int(line.split()[1]) * 1024
    except OSError:
        return 0
    return 0 if free == _UNLIMITED else min(free, _left_in_cgroup(root))


def _left_in_cgroup(root: Path) -> int:
    group = root / "sys/fs/cgroup"
    try:
        most = (group / "memory.max").read_text().strip()
        return _UNLIMITED if most == "max" else max(0, int(most) - int((group / "memory.current").read_text()))
    except (OSError, ValueError):
        return _UNLIMITED


def private_bytes(pid: int) -> int:
    """What only ``pid`` and those below it hold and cannot be read again from disk; 0 for one that is gone."""
    total = 0
    waiting = [pid]
    while waiting:
        one = Path("/proc") / str(waiting.pop())
        try:
            waiting += [int(child) for child in (one / "task" / one.name / "children").read_text().split()]
            rollup = (one / "smaps_rollup").read_text()
        except (OSError, ValueError):
            continue
        total += sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Private_Dirty:"))
    return total * 1024
