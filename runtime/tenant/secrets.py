"""A tenant's credentials, encrypted at rest: ``.secrets/NAME`` in its folder, read with the keys of the home.

Owns the keys (``var/secret.key``, or the environment's), who may read them, and changing them under everything that
is encrypted. Does not own which secrets a tenant needs (config). In the clear a value is only in memory.
"""

import fcntl
import os
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from runtime.errors import BadInput, Broken, Fault, NotFound, Refused
from runtime.settings import Settings
from runtime.tenant.folder import Folder

KEY_FILE = "secret.key"
SECRETS = ".secrets"
MAX_VALUE = 64 * 1024  # characters; a credential file of some provider is a few thousand

_LOCK_FILE = "secret.lock"
_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,63}")


@dataclass(frozen=True, slots=True)
class SecretRef:
    """The name of a secret where a configuration wants its value. Raises ValueError when it is not a name."""

    name: str

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"{self.name!r} is no name of a secret: wanted capitals, digits and _, such as API_KEY")

    def __str__(self) -> str:
        return f"secret:{self.name}"


class Keys:
    """The keys of one home, newest first: the first one encrypts, any of them decrypts.

    They are read again at every use, so that a running server goes on through a rotation made beside it.
    Raises Refused (others may read the file), NotFound (no key yet) or Broken (it holds no key).
    """

    def __init__(self, var: Path, given: str = "") -> None:
        """``var``: the home's folder for what is not a tenant's. ``given``: keys from the environment, with commas;
        they are used instead of the file."""
        self.path = var / KEY_FILE
        self.given = tuple(key.strip() for key in given.split(",") if key.strip())

    @classmethod
    def of(cls, settings: Settings) -> "Keys":
        return cls(settings.var, settings.secret_key)

    def create(self) -> bool:
        """Make the key file, unless there is one or the keys are given. True when it was made."""
        if self.given:
            return False
        with self.locked(exclusive=True):
            if os.path.lexists(self.path):
                return False
            self.write([_new_key()])
            return True

    def read(self) -> list[str]:
        """The keys as they are now, newest first."""
        if self.given:
            return list(self.given)
        hint = "run: proxystaff init (or bring the key of the home that these tenants come from)"
        try:
            _refuse_readable_by_others(os.lstat(self.path), self.path, mode="600")
            text = Folder(self.path.parent).read_text(KEY_FILE)
        except (FileNotFoundError, NotFound):
            raise NotFound(f"there is no secret key at {self.path}", hint=hint) from None
        keys = [line.strip() for line in text.splitlines() if line.strip()]
        if not keys:
            raise Broken(f"{self.path} is empty", hint="bring it back from a backup; without it no secret can be read")
        return keys

    def write(self, keys: list[str]) -> None:
        """Replace the key file whole, durably, readable by its owner only."""
        Folder(self.path.parent).write_text(KEY_FILE, "".join(f"{key}\n" for key in keys), mode=0o600)

    def fernet(self) -> MultiFernet:
        fernets = []
        for number, key in enumerate(self.read(), start=1):
            try:
                fernets.append(Fernet(key))
            except ValueError:
                where = "PROXYSTAFF_SECRET_KEY" if self.given else str(self.path)
                raise Broken(
                    f"key {number} of {where} is not a key (wanted 32 bytes in URL-safe base64)",
                    hint="bring it back from a backup, or remove it if nothing was ever encrypted with it",
                ) from None
        return MultiFernet(fernets)

    @contextmanager
    def locked(self, *, exclusive: bool) -> Iterator[None]:
        """Held shared to encrypt, exclusively to change keys: nothing is written with a key that is being dropped."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = Folder(self.path.parent).open_regular(_LOCK_FILE, os.O_RDWR | os.O_CREAT, mode=0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH)
            yield
        finally:
            os.close(descriptor)


class SecretStore:
    """The secrets of one tenant. Raises as Keys does; Refused too when others may read ``.secrets``."""

    def __init__(self, folder: Folder, keys: Keys) -> None:
        self._folder = folder
        self._keys = keys

    def get(self, name: str) -> str:
        """The value in the clear. Raises NotFound when it is not set, Broken when our keys do not open it."""
        rel = _file(name)
        self._check(rel)
        try:
            try:
                return self._decrypt(name, rel)
            except InvalidToken:
                return self._decrypt(name, rel)  # a rotation went by between reading the secret and reading the keys
        except InvalidToken:
            raise self._not_ours(name) from None

    def set(self, name: str, value: str) -> None:
        """Encrypt with the newest key and keep it, durably."""
        rel = _file(name)
        if not value or len(value) > MAX_VALUE:
            raise BadInput(
                f"the value of {name} has {len(value)} characters, wanted 1 to {MAX_VALUE}",
                hint="give the value on standard input",
            )
        self._folder.make(SECRETS, mode=0o700)
        self._check(rel)
        with self._keys.locked(exclusive=False):
            self._write(rel, self._keys.fernet().encrypt(value.encode()))

    def remove(self, name: str) -> None:
        self._folder.remove(_file(name))

    def names(self) -> list[str]:
        """What is set, sorted. No value is read."""
        return [name for name in self._folder.names(SECRETS) if _NAME.fullmatch(name)]

    def rotate(self) -> int:
        """Encrypt everything again with the newest key; how many there were. A kill leaves each readable."""
        names = self.names()
        fernet = self._keys.fernet()
        for name in names:
            rel = _file(name)
            self._check(rel)
            try:
                self._write(rel, fernet.rotate(self._folder.read_bytes(rel)))
            except InvalidToken:
                raise self._not_ours(name) from None
        return len(names)

    def _decrypt(self, name: str, rel: str) -> str:
        try:
            token = self._folder.read_bytes(rel)
        except NotFound:
            tenant = self._folder.root.name
            raise NotFound(
                f"secret {name} is not set for {tenant}", hint=f"put it with: proxystaff secret set {tenant} {name}"
            ) from None
        return self._keys.fernet().decrypt(token).decode()

    def _write(self, rel: str, token: bytes) -> None:
        self._folder.write_text(rel, token.decode(), mode=0o600)

    def _check(self, rel: str) -> None:
        for part, mode in ((SECRETS, "700"), (rel, "600")):
            path = self._folder.root / part
            try:
                _refuse_readable_by_others(os.lstat(path), path, mode=mode)
            except FileNotFoundError:
                return

    def _not_ours(self, name: str) -> Broken:
        return Broken(
            f"secret {name} of {self._folder.root.name} does not open with the key of this home",
            hint=f"bring back the key it was set with, or set it again: proxystaff secret set "
            f"{self._folder.root.name} {name}",
        )


def rotate_key(keys: Keys, tenants: Path, progress: Callable[[str], None] = lambda _: None) -> int:
    """Change the key under every secret of every tenant; how many secrets there were. ``progress`` gets folder names.

    The new key is durable before anything is encrypted with it, and the old ones go only when nothing needs them any
    more, so that a kill at any line leaves every secret readable; running it again finishes it. With keys from the
    environment it only encrypts everything with the first of them.
    Raises Broken, with the old keys kept, when a secret of any tenant could not be encrypted again.
    """
    with keys.locked(exclusive=True):
        found = keys.read()
        if len(found) == 1 and not keys.given:  # more than one: a rotation that did not finish
            found = [_new_key(), *found]
            keys.write(found)
        count, faults = 0, []
        for folder in sorted(tenants.glob("[!.]*/")):
            progress(folder.name)
            try:
                count += SecretStore(Folder(folder), keys).rotate()
            except Fault as fault:
                faults.append(f"{folder.name}: {fault.problem}; {fault.hint}")
        if faults:
            raise Broken(
                "not everything has the new key, so the old ones were kept:\n" + "\n".join(faults),
                hint="mend these and run it again",
            )
        if not keys.given:
            keys.write(found[:1])
        return count


def _file(name: str) -> str:
    try:
        return f"{SECRETS}/{SecretRef(name).name}"
    except ValueError as fault:
        raise BadInput(str(fault), hint="use the name that stands after secret: in tenant.yaml") from None


def _new_key() -> str:
    return Fernet.generate_key().decode()


def _refuse_readable_by_others(known: os.stat_result, path: Path, *, mode: str) -> None:
    if stat.S_ISLNK(known.st_mode):
        raise Refused(f"{path} is a link", hint="put the real one in its place")
    if known.st_mode & 0o077:
        raise Refused(
            f"others on this machine can read {path} (mode {stat.S_IMODE(known.st_mode):o})",
            hint=f"chmod {mode} {path}",
        )
