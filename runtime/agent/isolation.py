"""How well this machine can confine an agent, decided once at the start. Closed by default.

Owns the decision and the trial run of bwrap. Does not own what a sandbox looks like (sandbox.py).
"""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from runtime.agent.events import IsolationMissing

INSTALL = "install bubblewrap (Debian, Ubuntu: apt-get install bubblewrap)"


@dataclass(frozen=True, slots=True)
class Bwrap:
    """Every session in a sandbox of its own."""

    path: Path


@dataclass(frozen=True, slots=True)
class FileToolsOnly:
    """One tenant, no shell and no tools of its own; only the guard's path checks confine the agent."""


@dataclass(frozen=True, slots=True)
class Unconfined:
    """One tenant, and the agent can do what the runtime's user can. Only ever chosen by hand."""


Isolation = Bwrap | FileToolsOnly | Unconfined


def decide(
    setting: Literal["auto", "bwrap", "none"],
    *,
    bwrap: Path | None,
    tenants: int,
    platform: str,
    trouble: str = "",
) -> Isolation:
    """Pure. ``bwrap`` is where it was found; ``trouble`` is why it does not work, if it does not (see ``trial``).

    Raises IsolationMissing when what is asked for cannot be had here.
    """
    usable = platform == "linux" and bwrap is not None and not trouble
    if setting != "none" and usable and bwrap is not None:
        return Bwrap(bwrap)
    if setting == "bwrap" or tenants > 1:
        raise _missing(setting, bwrap=bwrap, tenants=tenants, platform=platform, trouble=trouble)
    return Unconfined() if setting == "none" else FileToolsOnly()


def _missing(setting: str, *, bwrap: Path | None, tenants: int, platform: str, trouble: str) -> IsolationMissing:
    why = f"{tenants} tenants cannot be kept apart" if tenants > 1 else "the sandbox cannot be used"
    if setting == "none":
        return IsolationMissing(f"{why} with isolation: none", hint="set isolation: auto, or serve a single tenant")
    if platform != "linux":
        return IsolationMissing(f"{why}: there is no bwrap on {platform}", hint="run ProxyStaff on Linux")
    if bwrap is None:
        return IsolationMissing(f"{why}: bwrap is not installed", hint=INSTALL)
    return IsolationMissing(
        f"{why}: {trouble}",
        hint="allow unprivileged user namespaces (sysctl kernel.unprivileged_userns_clone=1, "
        "kernel.apparmor_restrict_unprivileged_userns=0, user.max_user_namespaces>0)",
    )


def find_bwrap() -> Path | None:
    found = shutil.which("bwrap", path="/usr/bin:/usr/local/bin:/bin")
    return Path(found) if found else None


def trial(bwrap: Path) -> str:
    """Why a sandbox cannot be made here, in bwrap's words; empty when it can."""
    wanted = ["--unshare-all", "--unshare-user", "--uid", "1000", "--gid", "1000", "--disable-userns"]
    lasting = ["--die-with-parent", "--new-session", "--cap-drop", "ALL", "--clearenv"]
    seen = ["--ro-bind", "/usr", "/usr", "--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64"]
    command = [str(bwrap), *wanted, *lasting, *seen, "--proc", "/proc", "--remount-ro", "/proc", "/usr/bin/true"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, env={}, check=False)
    except (OSError, subprocess.TimeoutExpired) as fault:
        return f"bwrap does not run: {fault}"
    return "" if done.returncode == 0 else done.stderr.strip() or f"bwrap ended with {done.returncode}"
