"""Starting git, and nothing else: history.py is the only one who does.

GitPython is not used: it hands every process the whole environment of this one (``GIT_*`` included), and no call can
take that away. Here a process gets the few settings it needs and no more. Needs git 2.38 (``merge-tree --write-tree``).
"""

import re
import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from runtime.errors import Broken, Unavailable

# Whatever the repository's own config says: nothing of a person's or an agent's is run, nothing is fetched, and what
# is committed is on the disk before the call returns.
_ALWAYS = {
    "core.hooksPath": "/dev/null",
    "core.fsmonitor": "false",
    "core.attributesFile": "/dev/null",
    "core.logAllRefUpdates": "true",
    "core.fsync": "committed,loose-object,reference",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "merge.renormalize": "false",
    "commit.gpgSign": "false",
    "log.showSignature": "false",
    "i18n.logOutputEncoding": "UTF-8",
}

_LOCK = re.compile(rb"Unable to create '(.+?\.lock)': File exists")

# Seconds. git holds a ref's lock for a moment, but the index's for as long as a person writes a commit message.
_STALE_REF = 5.0
_STALE_INDEX = 600.0
_PATIENCE = 8.0


@dataclass(frozen=True, slots=True)
class Ran:
    code: int
    out: bytes
    error: str

    def text(self) -> str:
        return self.out.decode("utf-8", "replace").strip()


class Git:
    """git on one ``.git`` folder, taken as a bare repository: it has no work tree to look into."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._program = shutil.which("git") or ""

    def __call__(
        self,
        *words: str,
        stdin: bytes = b"",
        ok: Sequence[int] | None = (0,),
        timeout: float = 60,
        skip_if_locked: bool = False,
    ) -> Ran:
        """Run one command. Raises Broken when its exit status is not among ``ok`` (None: any will do), Unavailable
        when another git holds a lock for too long; with ``skip_if_locked`` that is no fault, and nothing is done."""
        settings = [word for key, value in _ALWAYS.items() for word in ("-c", f"{key}={value}")]
        until = time.monotonic() + _PATIENCE
        while True:
            ran = self._run(["--bare", *settings, *words], self._environment(), stdin, timeout)
            lock = _LOCK.search(ran.error.encode("utf-8", "surrogateescape")) if ran.code else None
            if lock is None:
                break
            held = Path(lock[1].decode("utf-8", "surrogateescape"))
            if not _remove_if_stale(held) and (skip_if_locked or time.monotonic() > until):
                if skip_if_locked:
                    return ran
                raise Unavailable(
                    f"another git is at work in {self.folder.parent.name}", hint=f"end it, or remove {held}"
                )
            time.sleep(0.05)
        if ok is not None and ran.code not in ok:
            raise Broken(
                f"git {words[0]} failed in {self.folder.parent.name}: {ran.error.strip() or f'status {ran.code}'}",
                hint=f"look with `git -C {self.folder.parent} fsck`",
            )
        return ran

    def init(self) -> None:
        """A new repository with nothing in it but what git needs: no template, no hook."""
        words = ["init", "--quiet", "--template=", "--initial-branch=main", str(self.folder.parent)]
        environment = self._environment()
        del environment["GIT_DIR"]
        ran = self._run(words, environment, b"", 60, cwd=self.folder.parent)
        if ran.code:
            raise Broken(f"git init failed: {ran.error.strip()}", hint="check the disk's space and the folder's owner")

    def identity(self, home: Path) -> str | None:
        """``Name <address>`` that git would use for the person whose home this is; None where git knows none."""
        environment = {
            "PATH": self._environment()["PATH"],
            "HOME": str(home),
            "GIT_DIR": str(self.folder),
            "LC_ALL": "C",
        }
        ran = self._run(["-c", "user.useConfigOnly=true", "var", "GIT_AUTHOR_IDENT"], environment, b"", 60)
        found = re.fullmatch(r"(.+ <[^<>\n]+>) \d+ [+-]\d{4}", ran.text())
        return found[1] if ran.code == 0 and found else None

    def _run(
        self, words: list[str], environment: dict[str, str], stdin: bytes, timeout: float, cwd: Path | None = None
    ) -> Ran:
        if not self._program:
            raise Unavailable("git is not installed", hint="apt-get install git")
        try:
            done = subprocess.run(
                [self._program, *words],
                input=stdin,
                capture_output=True,
                env=environment,
                cwd=cwd or self.folder,
                timeout=timeout,
                check=False,
                start_new_session=True,  # Ctrl-C in the terminal must not cut a commit in two
            )
        except subprocess.TimeoutExpired:
            raise Unavailable(f"git {words[-1]} took longer than {timeout:.0f} s", hint="check the disk") from None
        except FileNotFoundError:
            raise Broken(f"{self.folder} is not there", hint="restore the tenant's folder with its .git") from None
        return Ran(done.returncode, done.stdout, done.stderr.decode("utf-8", "surrogateescape"))

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": f"{Path(self._program).parent}:/usr/bin:/bin",
            "HOME": "/nonexistent",
            "LC_ALL": "C",
            "GIT_DIR": str(self.folder),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_ALLOW_PROTOCOL": "none",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_AUTHOR_NAME": "ProxyStaff",
            "GIT_AUTHOR_EMAIL": "agent@proxystaff.invalid",
            "GIT_COMMITTER_NAME": "ProxyStaff",
            "GIT_COMMITTER_EMAIL": "agent@proxystaff.invalid",
        }


def _remove_if_stale(lock: Path) -> bool:
    """Remove a lock that a killed git left. Its owner is gone when it is older than git ever holds one."""
    try:
        age = time.time() - lock.stat().st_mtime
        if age < (_STALE_INDEX if lock.name == "index.lock" else _STALE_REF):
            return False
        lock.unlink()
    except FileNotFoundError:
        return True
    return True
