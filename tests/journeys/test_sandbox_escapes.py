"""Everything an agent that means harm could try from inside its sandbox, by name. Each must fail, for the right reason.

The attempts run under the very options a session runs under. What would harm the machine if it succeeded is only
opened, never written: a test must not be the accident it guards against.
"""

import contextlib
import dataclasses
import os
import re
import socket
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from agent_house import bwrap, make_tenant

from runtime.agent import sandbox
from runtime.errors import Refused
from runtime.tenant.folder import Folder
from runtime.words import Conversation, Role

pytestmark = pytest.mark.journey

HARNESS = """
import ctypes, errno, fcntl, os, signal, socket, stat, subprocess, sys, termios
WORLD = WORLD_FACTS
KEYCTL = {'x86_64': 250, 'aarch64': 219}[os.uname().machine]
CLONE = {'x86_64': 56, 'aarch64': 220}[os.uname().machine]
libc = ctypes.CDLL(None, use_errno=True)
def call(name, *arguments):
    if getattr(libc, name)(*arguments) == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
def connect(family, address, kind=socket.SOCK_STREAM):
    with socket.socket(family, kind) as s:
        s.settimeout(3)
        s.connect(address)
        s.send(b"hello")
def read(path):
    with open(path, "rb") as f:
        return f.read(200)
def openable(path, flags=os.O_WRONLY):
    os.close(os.open(path, flags | os.O_NONBLOCK))
def attempt():
    CODE
try:
    print("DONE", repr(attempt()))
except OSError as fault:
    print("NO", errno.errorcode.get(fault.errno, fault.errno))
"""


@dataclass
class World:
    """A tenant to be inside of, and what is outside of it to be reached."""

    inside: Path
    start: sandbox.Start
    facts: dict[str, object]

    def attempt(self, code: str) -> str:
        """What came of running ``code`` where the CLI runs, started as the CLI is started."""
        lines = "\n".join(f"    {line}" for line in code.strip().splitlines())
        program = HARNESS.replace("WORLD_FACTS", repr(self.facts)).replace("    CODE", lines)
        environment = {**os.environ, "HOST_SECRET": "of-the-host"}
        command = [str(self.start.script), program]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, env=environment, check=False)
        return (done.stdout + done.stderr).strip()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    home = tmp_path_factory.mktemp("home")
    inside, other = make_tenant(home / "tenants", "anden"), make_tenant(home / "tenants", "berta")
    (inside / "state/annealing/cases").mkdir(parents=True)
    workplace = home / "var" / "workplace"
    workplace.mkdir(parents=True)
    (home / "var" / "secret.key").write_text("the-key-of-the-runtime")
    with contextlib.ExitStack() as stack:
        facts = {
            "home": str(home),
            "other": str(other),
            "inside": str(inside),
            "tcp": stack.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1],
            "everywhere": stack.enter_context(socket.create_server(("0.0.0.0", 0))).getsockname()[1],
            "six": _server6(stack),
            "unix": str(home / "host.sock"),
            "abstract": f"\0proxystaff-test-{os.getpid()}",
            "runtime": os.getpid(),
            "address": _own_address(),
        }
        sleeper = subprocess.Popen(["sleep", "600"])
        stack.callback(sleeper.wait)
        stack.callback(sleeper.kill)
        facts["pid"] = sleeper.pid
        facts["key"] = 1 << 30 - 1
        _listening(stack, home / "host.sock")
        abstract = stack.enter_context(socket.socket(socket.AF_UNIX))
        abstract.bind(facts["abstract"])
        abstract.listen()
        _hand_in(_listening(stack, workplace / "door"))
        start = sandbox.build(bwrap(), _machine(home), _room(inside, workplace), "the prompt")
        yield World(inside, start, facts)
        assert sleeper.poll() is None, "an attempt reached a process of the host"


def _machine(home: Path) -> sandbox.Machine:
    """This machine, with a program in the CLI's place that runs what it is given."""
    this = sandbox.Machine.this()
    probe = home / "probe"
    probe.write_text(f"#!{this.python} -IS\nimport sys\nexec(sys.argv[1])\n")
    probe.chmod(0o755)
    return dataclasses.replace(this, cli=probe)


def _room(folder: Path, workplace: Path) -> sandbox.Room:
    return sandbox.Room(
        folder=Folder(folder),
        workplace=workplace,
        role=Role.OWNER,
        conversation=Conversation("telegram:1"),
        token="token-of-this-session",
    )


def _listening(stack: contextlib.ExitStack, path: Path) -> socket.socket:
    listening = stack.enter_context(socket.socket(socket.AF_UNIX))
    folder = os.open(path.parent, os.O_RDONLY)
    stack.callback(os.close, folder)
    listening.bind(f"/proc/self/fd/{folder}/{path.name}")
    listening.listen()
    return listening


def _hand_in(door: socket.socket) -> None:
    """Take what the sandboxes hand over at the door, as the runtime does, until the door is closed."""

    def take() -> None:
        with contextlib.suppress(OSError):
            while True:
                sandbox_side, _ = door.accept()
                with sandbox_side:
                    for descriptor in socket.recv_fds(sandbox_side, 16, 1)[1]:
                        os.close(descriptor)
                    sandbox_side.sendall(b"open")

    threading.Thread(target=take, daemon=True).start()


def _server6(stack: contextlib.ExitStack) -> int:
    try:
        return int(stack.enter_context(socket.create_server(("::1", 0), family=socket.AF_INET6)).getsockname()[1])
    except OSError:
        return 9


def _own_address() -> str:
    """This machine's address on its network, found without sending anything."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            return str(probe.getsockname()[0])
        except OSError:
            return "192.0.2.7"


ABSENT = "NO ENOENT"
READ_ONLY = "NO EROFS"
NO_NETWORK = "NO ENETUNREACH"

ATTEMPTS: dict[str, tuple[str, str]] = {
    # reading what is not one's own
    "read another tenant": ("return read(WORLD['other'] + '/life/identity.md')", ABSENT),
    "read one's own folder by its outer name": ("return os.listdir(WORLD['inside'])", ABSENT),
    "walk up from one's own folder": ("return read('/tenant/../tenants/berta/life/identity.md')", ABSENT),
    "read the runtime's key": ("return read(WORLD['home'] + '/var/secret.key')", ABSENT),
    "read the credentials of one's own tenant": ("return os.listdir('/tenant/.secrets')", ABSENT),
    "read the cases one is judged by": (
        "if not os.listdir('/tenant/state/annealing'): raise OSError(errno.ENOENT, 'nothing')",
        ABSENT,
    ),
    "read the host's home folders": ("return os.listdir('/home')", ABSENT),
    "read the host's root": ("return read('/' + 'root/.ssh/id_ed25519')", ABSENT),
    "read the host's passwords": ("return read('/etc/shadow')", ABSENT),
    "read the host's accounts": ("return b'agent:x:1000' in read('/etc/passwd') and read('/etc/hostname')", ABSENT),
    "read the session's own options": ("return read(WORLD['home'] + '/var/workplace/options')", ABSENT),
    "read the runtime's memory": (
        "return read(f\"/proc/{{WORLD['runtime']}}/environ\")".replace("{{", "{").replace("}}", "}"),
        ABSENT,
    ),
    "read the kernel's log": ("return openable('/proc/kmsg', os.O_RDONLY)", r"NO E(PERM|NOENT)"),
    "read the disk itself": (
        "return [n for n in os.listdir('/dev') if n.startswith(('sd', 'vd', 'nvme', 'mem'))] or open('/dev/mem')",
        ABSENT,
    ),
    "find sysfs": ("return os.listdir('/sys/class')", ABSENT),
    "find cgroups": ("return os.listdir('/sys/fs/cgroup')", ABSENT),
    "find the host's sockets": ("return os.listdir('/run')", ABSENT),
    "climb through /proc/1/root": ("return os.listdir('/proc/1/root' + WORLD['home'])", ABSENT),
    "see the host's processes": (
        "names = [read(f'/proc/{p}/cmdline') for p in os.listdir('/proc') if p.isdigit()]\n"
        "if len(names) > 4: return names\nraise OSError(errno.ESRCH, 'only our own')",
        "NO ESRCH",
    ),
    "find the host's environment": (
        "for p in [p for p in os.listdir('/proc') if p.isdigit()]:\n"
        "    with open(f'/proc/{p}/environ', 'rb') as f:\n"
        "        if b'PYTEST' in f.read(): return p\n"
        "if 'HOST_SECRET' in os.environ: return 'env'\nraise OSError(errno.ENOENT, 'nothing of it')",
        ABSENT,
    ),
    "use an open file of the host": (
        "for p in [p for p in os.listdir('/proc') if p.isdigit()]:\n"
        "    for fd in os.listdir(f'/proc/{p}/fd'):\n"
        "        try: to = os.readlink(f'/proc/{p}/fd/{fd}')\n"
        "        except FileNotFoundError: continue\n"
        "        if to.startswith('/') and not to.startswith(('/dev/null', '/proc')): return to\n"
        "raise OSError(errno.EBADF, 'none')",
        "NO EBADF",
    ),
    # writing what is not one's own
    "write CLAUDE.md": ("openable('/tenant/CLAUDE.md')", READ_ONLY),
    "replace CLAUDE.md": (
        "open('/tenant/state/x', 'w'); os.rename('/tenant/state/x', '/tenant/CLAUDE.md')",
        r"NO E(XDEV|ROFS|BUSY)",
    ),
    "write tenant.yaml": ("openable('/tenant/tenant.yaml')", READ_ONLY),
    "plant a git hook": ("open('/tenant/.git/hooks/post-commit', 'w')", READ_ONLY),
    "write git's config": ("openable('/tenant/.git/config')", READ_ONLY),
    "take .git away": ("os.rename('/tenant/.git', '/tenant/.git2')", r"NO E(ROFS|BUSY)"),
    "write the message log": ("openable('/tenant/state/messages/2026-11.jsonl', os.O_WRONLY | os.O_APPEND)", READ_ONLY),
    "write the memory but by its tools": ("open('/tenant/life/x.md', 'w')", READ_ONLY),
    "write a rule": ("open('/tenant/directives/rules/x.md', 'w')", READ_ONLY),
    "replace the rules": ("os.rename('/tenant/directives/rules', '/tenant/directives/old')", "NO EBUSY"),
    "write the turn log": ("open('/tenant/state/turns/2026-11.jsonl', 'w')", READ_ONLY),
    "write the improvements' record": ("open('/tenant/state/annealing/x', 'w')", READ_ONLY),
    "write which session serves whom": ("open('/tenant/state/sessions/conversations.json', 'w')", READ_ONLY),
    "replace the message log by renaming": (
        "os.makedirs('/tenant/state/own', exist_ok=True); os.rename('/tenant/state/messages', '/tenant/state/old')",
        "NO EBUSY",
    ),
    "replace the state folder": ("os.rename('/tenant/state', '/tenant/directives/state')", r"NO E(BUSY|XDEV|ROFS)"),
    "plant .claude settings": ("os.mkdir('/tenant/.claude')", READ_ONLY),
    "plant .mcp.json": ("open('/tenant/.mcp.json', 'w')", READ_ONLY),
    "plant .gitattributes": ("open('/tenant/.gitattributes', 'w')", READ_ONLY),
    "write a program of the host": ("openable('/usr/bin/env')", READ_ONLY),
    "write the CLI": ("openable('/opt/proxystaff/claude')", READ_ONLY),
    "write the system prompt": ("openable('/opt/proxystaff/prompt')", READ_ONLY),
    "write the sandbox's accounts": ("openable('/etc/passwd')", READ_ONLY),
    "write into the sandbox's root": ("open('/planted', 'w')", READ_ONLY),
    "fill the machine's memory through /tmp": (
        "with open('/tmp/fill', 'wb') as f:\n    for _ in range(400): f.write(bytes(1 << 20))",
        "NO ENOSPC",
    ),
    # the kernel
    "open a sysctl for writing": ("openable('/proc/sys/kernel/core_pattern')", READ_ONLY),
    "open any file of /proc for writing": (
        "for top, folders, files in os.walk('/proc'):\n"
        "    folders[:] = [f for f in folders if not f.isdigit() and f not in ('self', 'thread-self')]\n"
        "    for name in files:\n"
        "        try: openable(f'{top}/{name}')\n"
        "        except OSError: continue\n"
        "        return f'{top}/{name}'\n"
        "raise OSError(errno.EROFS, 'none')",
        READ_ONLY,
    ),
    "open sysrq for writing": ("openable('/proc/sysrq-trigger')", r"NO E(ROFS|NOENT|ACCES)"),
    "make a user namespace": ("call('unshare', 0x10000000)", "NO EPERM"),
    "make a user namespace by clone": ("call('syscall', CLONE, 0x10000000 | 17, 0, 0, 0, 0)", "NO ENOSPC"),
    "make a mount namespace": ("call('unshare', 0x00020000)", "NO EPERM"),
    "mount": ("call('mount', b'none', b'/tmp', b'tmpfs', 0, None)", "NO EPERM"),
    "make a mount writable again": ("call('mount', None, b'/tenant', None, 32 | 4096, None)", "NO EPERM"),
    "unmount": ("call('umount2', b'/tenant/state/messages', 2)", "NO EPERM"),
    "chroot": ("os.chroot('/tmp')", "NO EPERM"),
    "become root": ("os.setuid(0)", "NO E(INVAL|PERM)"),
    "become another group": ("os.setgroups([0])", "NO EPERM"),
    "run a setuid program as root": (
        "done = subprocess.run(['/usr/bin/su', '-c', 'id -u'], input='', capture_output=True, text=True)\n"
        "if done.stdout.strip() == '0': return 'root'\nraise OSError(errno.EPERM, 'no')",
        "NO EPERM",
    ),
    "hold a capability": (
        "caps = {w.split()[1] for p in ('1', 'self') for w in open(f'/proc/{p}/status') if w.startswith('Cap')}\n"
        "if caps != {'0' * 16}: return caps\nraise OSError(errno.EPERM, 'none')",
        "NO EPERM",
    ),
    "make a device": ("os.mknod('/tmp/disk', stat.S_IFBLK | 0o600, os.makedev(8, 0))", "NO EPERM"),
    "kill a process of the host": ("os.kill(WORLD['pid'], signal.SIGKILL)", "NO ESRCH"),
    "signal the runtime": ("os.kill(WORLD['runtime'], 0)", "NO ESRCH"),
    "trace a process of the host": ("call('ptrace', 16, WORLD['pid'], None, None)", "NO E(SRCH|PERM)"),
    "type into the operator's terminal": (
        "fcntl.ioctl(os.open('/dev/tty', os.O_RDWR), termios.TIOCSTI, b'x')",
        "NO ENXIO",
    ),
    "set the clock": ("import time; time.clock_settime(time.CLOCK_REALTIME, time.time())", "NO EPERM"),
    "rename the machine": ("socket.sethostname(socket.gethostname())", "NO EPERM"),
    "find a key of the host's user": ("call('syscall', KEYCTL, 11, WORLD['key'], None, 0)", "NO EPERM"),
    "use the host's session keyring": ("call('syscall', KEYCTL, 10, -3, b'user', b'x', 0)", "NO EPERM"),
    "use io_uring": ("call('syscall', 425, 1, None)", "NO EPERM"),
    # the network
    "connect to a port of the host's loopback": (
        "connect(socket.AF_INET, ('127.0.0.1', WORLD['tcp']))",
        "NO ECONNREFUSED",
    ),
    "connect to the host by its own address": (
        "connect(socket.AF_INET, (WORLD['address'], WORLD['everywhere']))",
        NO_NETWORK,
    ),
    "connect to the local network": ("connect(socket.AF_INET, ('192.168.1.1', 80))", NO_NETWORK),
    "connect to a public address": ("connect(socket.AF_INET, ('198.51.100.7', 443))", NO_NETWORK),
    "connect to the cloud's metadata": ("connect(socket.AF_INET, ('169.254.169.254', 80))", NO_NETWORK),
    "ask a name server": ("connect(socket.AF_INET, ('192.0.2.53', 53), socket.SOCK_DGRAM)", NO_NETWORK),
    "connect over IPv6": (
        "connect(socket.AF_INET6, ('2001:db8::1', 443))",
        r"NO E(NETUNREACH|AFNOSUPPORT|ADDRNOTAVAIL)",
    ),
    "connect to the host's IPv6 loopback": (
        "connect(socket.AF_INET6, ('::1', WORLD['six']))",
        r"NO E(CONNREFUSED|ADDRNOTAVAIL|AFNOSUPPORT)",
    ),
    "connect to a unix socket of the host": ("connect(socket.AF_UNIX, WORLD['unix'])", ABSENT),
    "connect to an abstract socket of the host": ("connect(socket.AF_UNIX, WORLD['abstract'])", "NO ECONNREFUSED"),
    "open a raw socket": ("socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)", "NO EPERM"),
    "open a packet socket": ("socket.socket(socket.AF_PACKET, socket.SOCK_RAW)", "NO EPERM"),
    "configure the network": (
        "fcntl.ioctl(socket.socket(), 0x8914, b'lo'.ljust(16, b'\\0') + b'\\0' * 24)",
        "NO EPERM",
    ),
}


ALLOWED = {
    "read its own memory": "return read('/tenant/life/identity.md') == b'I work for anden.\\n'",
    "write its own directives": "open('/tenant/directives/new.md', 'w').close(); return True",
    "write a file it was sent": "open('/tenant/state/media/new.jpg', 'w').close(); return True",
    "use its own loopback": (
        "with socket.create_server(('127.0.0.1', 0)) as s: connect(socket.AF_INET, s.getsockname())\nreturn True"
    ),
    "run a program": "return subprocess.run(['/bin/sh', '-c', 'git -C /tenant log --oneline']).returncode == 0",
}


@pytest.mark.parametrize("name", ALLOWED)
def test_it_can(world: World, name: str) -> None:
    """That the attempts below fail says something only because these, made in the same way, do not."""
    assert world.attempt(ALLOWED[name]).endswith("DONE True")


@pytest.mark.parametrize("place", ["state/messages", "state/turns", "state/claude", "life", "CLAUDE.md", ".git"])
def test_what_was_exchanged_for_a_link_is_not_mounted(tmp_path: Path, place: str) -> None:
    folder = make_tenant(tmp_path, "anden")
    (tmp_path / "outside").mkdir()
    if (folder / place).exists():
        (folder / place).rename(tmp_path / "old")
    (folder / place).symlink_to(tmp_path / "outside")
    with pytest.raises(Refused, match=re.escape(place)):
        sandbox.sources(Folder(folder))


def test_what_an_agent_plants_is_not_followed_by_the_host(world: World) -> None:
    planted = """
os.symlink(WORLD['other'] + '/life/identity.md', '/tenant/directives/link.md')
os.symlink(WORLD['home'], '/tenant/state/media/home')
os.mkfifo('/tenant/directives/pipe.md')
return True"""
    assert world.attempt(planted) == "DONE True"
    folder = Folder(world.inside)
    for name in ("directives/link.md", "directives/pipe.md", "state/media/home/var/secret.key"):
        with pytest.raises(Refused):
            folder.read_text(name)
    folder.write_text("directives/link.md", "ours")
    assert "berta" in Path(str(world.facts["other"]), "life/identity.md").read_text()


@pytest.mark.parametrize("name", ATTEMPTS)
def test_it_cannot(world: World, name: str) -> None:
    code, reason = ATTEMPTS[name]
    said = world.attempt(code)
    assert re.fullmatch(reason, said), said
