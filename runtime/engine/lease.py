"""The lease of a home: one process at a time runs it, and the kernel frees it however that process ends."""

import fcntl
import os
from pathlib import Path

from runtime.errors import Refused


class Lease:
    """Held from before the engine starts until it has stopped. Two processes with one engine identity
    would each re-run what the other is running."""

    def __init__(self, var: Path) -> None:
        self.path = var / "lease"
        self._fd: int | None = None

    def take(self) -> None:
        """Raises Refused when another live process holds it, and says which."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.pread(fd, 32, 0).decode(errors="replace").strip()
            os.close(fd)
            raise Refused(
                f"this home is already served by process {holder or '(unknown)'}",
                hint="stop that process first, or give this one another --home",
            ) from None
        os.ftruncate(fd, 0)
        os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
        self._fd = fd

    def held_elsewhere(self) -> bool:
        """Whether a live process serves this home (asked by commands that do not serve)."""
        try:
            self.take()
        except Refused:
            return True
        self.release()
        return False

    def release(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None
