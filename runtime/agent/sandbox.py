"""What a session sees of this machine: its tenant's folder, the programs it needs, one door, nothing else.

Owns the list of mounts, the check of every mount's source, and the small script that starts the CLI. The SDK gives
its child the parent's whole environment, so the script begins by dropping it. bwrap's options are read from a file,
so that ``ps`` shows none of them. Does not own whether there is a sandbox at all (isolation.py), nor what goes
through the door (doors.py).

Measured, and the reason for some options: for the kernel a process that the host's root started keeps root's rights
over /proc/sys whatever its number inside, hence ``--remount-ro /proc``; and a file mounted inside a writable mount
loses its mount when the host replaces that file, hence folders only inside ``state``.
"""

import json
import os
import platform
import shlex
import stat
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import claude_agent_sdk

from runtime.agent import door, seccomp
from runtime.agent.isolation import Bwrap, Isolation
from runtime.agent.naming import TENANT
from runtime.agent.views import CONFIG, HIDDEN, KEPT, VIEWS, WRITABLE, config_of
from runtime.errors import NotFound, Refused
from runtime.tenant.folder import Folder
from runtime.words import Conversation, Role

PARTS = "/opt/proxystaff"
"""Where the programs of a session lie inside: the CLI, the door, the prompt."""

DOOR_PORT = 8701
READ_ONLY_FILES = ("CLAUDE.md", "tenant.yaml", ".gitignore")

_TMP_BYTES = 256 * 1024 * 1024
_SMALL_BYTES = 1024 * 1024
_SHARED_BYTES = 64 * 1024 * 1024

_CLI_ENVIRONMENT = {
    "CLAUDE_CODE_ENTRYPOINT": "sdk-py",
    "CLAUDE_AGENT_SDK_VERSION": claude_agent_sdk.__version__,
    "CLAUDE_CODE_SDK_READS_SESSION_STATE": "1",
    "DISABLE_AUTOUPDATER": "1",
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "CLAUDE_CODE_MAX_RETRIES": "0",  # the gateway asks again, and knows when to stop
    # What makes the first request smaller, or the same for everybody; each was measured.
    "CLAUDE_CODE_ATTRIBUTION_HEADER": "0",
    "CLAUDE_CODE_DISABLE_BACKGROUND_TASKS": "1",  # nor may a shell outlive its turn
    "CLAUDE_CODE_DISABLE_AUTO_MEMORY": "1",  # memory is life/, where people can read it
    "ENABLE_TOOL_SEARCH": "false",
    "IS_SANDBOX": "1",  # the CLI refuses to work without asking as root, unless it is told this
}

_ETC = {
    "passwd": "agent:x:1000:1000:agent:/tmp/home:/bin/bash\nroot:x:0:0:root:/:/usr/sbin/nologin\n",
    "group": "agent:x:1000:\nroot:x:0:\n",
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
    "hosts": "127.0.0.1 localhost\n",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """The programs of this machine that a session uses, and where they lie outside."""

    cli: Path
    python: Path
    prefix: Path

    @staticmethod
    def this() -> "Machine":
        """The SDK's own CLI and the Python that runs this. Raises NotFound when the CLI is not there."""
        cli = Path(claude_agent_sdk.__file__).parent / "_bundled" / "claude"
        if not cli.is_file():
            raise NotFound(f"no Claude Code CLI at {cli}", hint="reinstall claude-agent-sdk: its wheel carries the CLI")
        return Machine(cli=cli, python=Path(sys.executable).resolve(), prefix=Path(sys.base_prefix).resolve())


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """One session's sandbox: whose folder, for whom the agent works in it, how it reaches the gateway.

    ``workplace`` is a folder of the session's own, outside of the tenant, where its script and door lie.
    ``token`` is what the gateway knows the session by; ``port`` is the door's, on the loopback it is served on.
    """

    folder: Folder
    workplace: Path
    role: Role
    conversation: Conversation
    token: str
    port: int = DOOR_PORT
    timezone: str = "UTC"

    @property
    def config(self) -> str:
        """Where the session's transcripts lie in the tenant's folder."""
        return config_of(self.role, self.conversation)

    @property
    def door(self) -> Path:
        return self.workplace / "door"

    def pid(self) -> int:
        """Of the process that, when it is killed, takes the whole session with it. Raises NotFound."""
        try:
            said = json.loads((self.workplace / "pid").read_text())
            return int(said if isinstance(said, int) else said["child-pid"])
        except (OSError, ValueError, KeyError):
            raise NotFound("the session has not started", hint="see the log for what its start said") from None


@dataclass(frozen=True, slots=True)
class Start:
    """How the SDK starts the CLI: the script, and where the system prompt and the tenant lie for the CLI."""

    script: Path
    prompt: str
    tenant: str


def build(isolation: Isolation, machine: Machine, room: Room, prompt: str) -> Start:
    """Write what the session needs into its workplace, which is there and empty but for the door.

    Raises Refused when something of the tenant's folder that would be mounted is not what it should be.
    """
    mounts = sources(room.folder, room.config)
    written = _write(room.workplace / "prompt", prompt)
    pid = shlex.quote(str(room.workplace / "pid"))
    match isolation:
        case Bwrap(path):
            for name, text in _ETC.items():
                _write(room.workplace / name, text)
            options = _write(room.workplace / "options", "\0".join(arguments(machine, room, mounts)) + "\0")
            calls = room.workplace / "calls"
            calls.write_bytes(seccomp.program(platform.machine()))
            inside = [str(machine.python), "-I", "-S", f"{PARTS}/door.py", f"{PARTS}/door", str(room.port)]
            command = ["/usr/bin/env", "-i", str(path), "--args", "9", "--", *inside, f"{PARTS}/claude"]
            files = f"9<{shlex.quote(str(options))} 8<{shlex.quote(str(calls))} 7>{pid}"
            script = f'exec {shlex.join(command)} "$@" {files}'
            start = Start(room.workplace / "start", f"{PARTS}/prompt", TENANT)
        case _:
            home = room.workplace / "home"
            home.mkdir()
            values = environment(machine, room, home=str(home), config=str(mounts[room.config]))
            # From a file, like bwrap's options: an argument of env would show in ``ps``.
            exports = "".join(f"export {shlex.quote(f'{name}={value}')}\n" for name, value in values.items())
            sourced = _write(room.workplace / "environment", exports)
            inner = f'. {shlex.quote(str(sourced))}; exec "$0" "$@"'
            command = ["/usr/bin/env", "-i", "/bin/sh", "-c", inner, str(machine.cli)]
            script = f'echo $$ >{pid}\nexec {shlex.join(command)} "$@"'
            start = Start(room.workplace / "start", str(written), str(room.folder.root))
    _write(start.script, f"#!/bin/sh\numask 022\nulimit -c 0\n{script}\n", mode=0o700)
    return start


def environment(machine: Machine, room: Room, *, home: str, config: str) -> Mapping[str, str]:
    """All the CLI is told. Nothing of the runtime's own environment is in it."""
    return {
        "PATH": f"{machine.prefix}/bin:/usr/local/bin:/usr/bin:/bin",
        "HOME": home,
        "SHELL": "/bin/bash",
        "LANG": "C.UTF-8",
        "TZ": room.timezone,
        "TMPDIR": home,
        "PYTHONDONTWRITEBYTECODE": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "ANTHROPIC_BASE_URL": f"http://127.0.0.1:{room.port}",
        "ANTHROPIC_API_KEY": room.token,
        "CLAUDE_CONFIG_DIR": config,
        **_CLI_ENVIRONMENT,
    }


def arguments(machine: Machine, room: Room, mounts: Mapping[str, Path]) -> list[str]:
    """bwrap's options. Pure but for one look at how this machine's root is laid out."""
    return [
        *("--unshare-all", "--unshare-user", "--uid", "1000", "--gid", "1000", "--disable-userns"),
        *(
            "--info-fd",
            "7",
            "--die-with-parent",
            "--new-session",
            "--cap-drop",
            "ALL",
            "--clearenv",
            "--hostname",
            "staff",
        ),
        *_system(machine),
        *_programs(machine, room),
        *_tenant(room, mounts),
        *(part for name in ("/proc", "/dev", "/") for part in ("--remount-ro", name)),
        *(("--seccomp", "8") if seccomp.program(platform.machine()) else ()),
        *("--chdir", TENANT),
        *(
            part
            for name, value in environment(machine, room, home="/tmp/home", config=f"{TENANT}/{CONFIG}").items()  # noqa: S108 - the sandbox's own
            for part in ("--setenv", name, value)
        ),
    ]


def _system(machine: Machine) -> list[str]:
    options = ["--ro-bind", "/usr", "/usr"]
    for name in ("bin", "sbin", "lib", "lib32", "lib64", "libx32"):
        top = Path("/") / name
        if top.is_symlink():
            options += ["--symlink", str(top.readlink()), str(top)]
        elif top.is_dir():
            options += ["--ro-bind", str(top), str(top)]
    # Which awk, which library: without these two much of /usr does not start.
    for name in ("/etc/alternatives", "/etc/ld.so.cache"):
        options += ["--ro-bind-try", name, name]
    options += ["--proc", "/proc", "--dev", "/dev"]
    options += ["--size", str(_SHARED_BYTES), "--tmpfs", "/dev/shm"]  # noqa: S108 - the sandbox's own
    options += ["--size", str(_TMP_BYTES), "--tmpfs", "/tmp", "--dir", "/tmp/home"]  # noqa: S108 - the sandbox's own
    if not machine.prefix.is_relative_to("/usr"):
        options += ["--ro-bind", str(machine.prefix), str(machine.prefix)]
    return options


def _programs(machine: Machine, room: Room) -> list[str]:
    options = []
    for name in _ETC:
        options += ["--ro-bind", str(room.workplace / name), f"/etc/{name}"]
    for path, name in (
        (machine.cli, "claude"),
        (Path(door.__file__), "door.py"),
        (room.door, "door"),
        (room.workplace / "prompt", "prompt"),
    ):
        options += ["--ro-bind", str(path), f"{PARTS}/{name}"]
    return options


def _tenant(room: Room, mounts: Mapping[str, Path]) -> list[str]:
    """/tenant is a folder of nothing that cannot be written; on it only what is named is mounted."""
    options = ["--size", str(_SMALL_BYTES), "--tmpfs", TENANT]
    view = VIEWS[room.role]
    for name, source in mounts.items():
        if name == room.config:
            options += ["--bind", str(source), f"{TENANT}/{CONFIG}"]
        elif name in HIDDEN:
            empty = ["--size", str(_SMALL_BYTES), "--tmpfs", f"{TENANT}/{name}", "--remount-ro", f"{TENANT}/{name}"]
            options += empty if view.shows(name) else []
        elif view.shows(name):
            options += ["--bind" if name in view.writable else "--ro-bind", str(source), f"{TENANT}/{name}"]
    return [*options, "--remount-ro", TENANT]


def sources(folder: Folder, config: str = CONFIG) -> Mapping[str, Path]:
    """What of a tenant may be mounted, each checked to be a real folder or file of its own, made when it is missing.

    Nobody inside can exchange one of them later: each is a mount there, and a mount cannot be renamed.
    Raises Refused for a link or anything else in the place of one.
    """
    found: dict[str, Path] = {}
    for name in (*WRITABLE, *KEPT, config):  # what lies in another comes after it
        try:
            found[name] = _checked(folder, name, stat.S_ISDIR)
        except NotFound:
            folder.make(name)
            found[name] = _checked(folder, name, stat.S_ISDIR)
    for name in (".git", *READ_ONLY_FILES):
        try:
            found[name] = _checked(folder, name, stat.S_ISDIR if name == ".git" else stat.S_ISREG)
        except NotFound:
            continue  # /tenant itself cannot be written: nobody inside can make it
    return found


def stamps(folder: Folder) -> tuple[tuple[str, int, int, int], ...]:
    """What a running sandbox was made from: a mounted file is not replaced inside when it is outside, so that a
    session with other stamps has to be started anew. Folders are live; of them only which one it is counts.
    Raises Refused as ``sources`` does."""
    found = []
    for name, path in sources(folder).items():
        known = path.lstat()
        if stat.S_ISDIR(known.st_mode):
            found.append((name, known.st_ino, 0, 0))
        else:
            found.append((name, known.st_ino, known.st_mtime_ns, known.st_size))
    return tuple(found)


def _checked(folder: Folder, name: str, wanted: Callable[[int], bool]) -> Path:
    path = folder.root / name
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        raise NotFound(f"{name} is not there", hint="restore it from the tenant's git history") from None
    if not wanted(mode):  # lstat: a link is neither
        raise Refused(
            f"{name} of tenant {folder.root.name} is not an ordinary {'folder' if wanted is stat.S_ISDIR else 'file'},"
            " and the agent is not started on it",
            hint=f"look at {path}, remove it, and restore what was there",
        )
    return path


def _write(path: Path, text: str, *, mode: int = 0o600) -> Path:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    return path
