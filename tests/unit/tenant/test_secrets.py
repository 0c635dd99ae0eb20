import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runtime.errors import BadInput, Broken, Fault, NotFound, Refused
from runtime.tenant.folder import Folder
from runtime.tenant.secrets import Keys, SecretRef, SecretStore, rotate_key

VALUE = "123456:AAH-telegram"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    keys = Keys(tmp_path / "var")
    assert keys.create()
    return keys


def store(home: Path, keys: Keys, tenant: str = "anden") -> SecretStore:
    (home / "tenants" / tenant).mkdir(parents=True, exist_ok=True)
    return SecretStore(Folder(home / "tenants" / tenant), keys)


def test_the_key_is_made_once_and_for_its_owner_only(tmp_path: Path, keys: Keys) -> None:
    before = keys.read()
    assert mode(tmp_path / "var" / "secret.key") == 0o600
    assert not keys.create()
    assert keys.read() == before
    assert len(before) == 1


def test_a_secret_is_kept_encrypted_for_its_owner_only(tmp_path: Path, keys: Keys) -> None:
    secrets = store(tmp_path, keys)
    secrets.set("TELEGRAM_BOT_TOKEN", VALUE)
    kept = tmp_path / "tenants/anden/.secrets/TELEGRAM_BOT_TOKEN"
    assert VALUE not in kept.read_text()
    assert (mode(kept), mode(kept.parent)) == (0o600, 0o700)
    assert secrets.get("TELEGRAM_BOT_TOKEN") == VALUE
    assert secrets.names() == ["TELEGRAM_BOT_TOKEN"]
    secrets.remove("TELEGRAM_BOT_TOKEN")
    assert secrets.names() == []


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=st.text(st.characters(codec="utf-8"), min_size=1, max_size=200))
def test_any_value_comes_back(tmp_path: Path, keys: Keys, value: str) -> None:
    secrets = store(tmp_path, keys)
    secrets.set("A", value)
    assert secrets.get("A") == value


def test_a_secret_that_is_not_set_names_the_command(tmp_path: Path, keys: Keys) -> None:
    with pytest.raises(NotFound, match="proxystaff secret set anden API_KEY"):
        store(tmp_path, keys).get("API_KEY")


@pytest.mark.parametrize("name", ["", "lower", "A-B", "../X", "A/B", "A\0", "_A", "1A", "A" * 65, "A\n"])
def test_what_is_no_name_of_a_secret(tmp_path: Path, keys: Keys, name: str) -> None:
    secrets = store(tmp_path, keys)
    for act in (secrets.get, secrets.remove, lambda name: secrets.set(name, "x")):
        with pytest.raises(BadInput):
            act(name)
    with pytest.raises(ValueError, match="no name of a secret"):
        SecretRef(name)


@pytest.mark.parametrize("value", ["", "x" * 70_000])
def test_a_value_that_cannot_be_meant(tmp_path: Path, keys: Keys, value: str) -> None:
    with pytest.raises(BadInput, match="standard input"):
        store(tmp_path, keys).set("A", value)


@pytest.mark.parametrize(
    ("open_up", "fix"),
    [
        ("var/secret.key", "chmod 600"),
        ("tenants/anden/.secrets", "chmod 700"),
        ("tenants/anden/.secrets/A", "chmod 600"),
    ],
)
@pytest.mark.parametrize("bits", [0o040, 0o004, 0o020])
def test_what_others_can_read_is_refused_with_the_fix(
    tmp_path: Path, keys: Keys, open_up: str, fix: str, bits: int
) -> None:
    secrets = store(tmp_path, keys)
    secrets.set("A", VALUE)
    path = tmp_path / open_up
    path.chmod(mode(path) | bits)
    for act in (lambda: secrets.get("A"), lambda: secrets.set("A", "new"), secrets.rotate):
        with pytest.raises(Refused, match=f"{fix} .*{path.name}"):
            act()
    path.chmod(mode(path) & 0o700)
    assert secrets.get("A") == VALUE


def test_a_link_planted_for_a_secret_is_not_read(tmp_path: Path, keys: Keys) -> None:
    mine, other = store(tmp_path, keys), store(tmp_path, keys, "zoe")
    other.set("A", "of zoe")
    mine.set("B", "b")
    (tmp_path / "tenants/anden/.secrets/A").symlink_to(tmp_path / "tenants/zoe/.secrets/A")
    with pytest.raises(Refused):
        mine.get("A")
    with pytest.raises(Refused):
        mine.set("A", "x")
    assert other.get("A") == "of zoe"


def test_without_a_key_nothing_is_read_or_made(tmp_path: Path) -> None:
    secrets = store(tmp_path, Keys(tmp_path / "var"))
    with pytest.raises(NotFound, match="proxystaff init"):
        secrets.set("A", "x")
    assert not (tmp_path / "var/secret.key").exists()


def test_another_homes_key_says_so(tmp_path: Path, keys: Keys) -> None:
    secrets = store(tmp_path, keys)
    secrets.set("A", VALUE)
    with pytest.raises(Broken, match="does not open with the key of this home"):
        store(tmp_path, Keys(tmp_path / "var", Fernet.generate_key().decode())).get("A")
    (tmp_path / "var/secret.key").write_text(Fernet.generate_key().decode())
    with pytest.raises(Broken, match="does not open with the key of this home"):
        secrets.get("A")


@pytest.mark.parametrize(
    ("text", "fault"), [("", "is empty"), ("\n\n", "is empty"), ("password", "key 1 of .* is not a key")]
)
def test_a_damaged_key_file_says_so_and_does_not_show_it(tmp_path: Path, keys: Keys, text: str, fault: str) -> None:
    keys.path.write_text(text)
    with pytest.raises(Broken, match=fault) as caught:
        keys.fernet()
    assert "password" not in str(caught.value)


def test_keys_from_the_environment_stand_instead_of_the_file(tmp_path: Path) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    store(tmp_path, Keys(tmp_path / "var", old)).set("A", VALUE)
    both = Keys(tmp_path / "var", f" {new}, {old},")
    assert not both.create()
    assert rotate_key(both, tmp_path / "tenants") == 1
    assert store(tmp_path, Keys(tmp_path / "var", new)).get("A") == VALUE
    assert not (tmp_path / "var/secret.key").exists()


def test_rotation_changes_the_key_under_every_tenant(tmp_path: Path, keys: Keys) -> None:
    stores = [store(tmp_path, keys, name) for name in ("anden", "zoe")]
    for number, secrets in enumerate(stores):
        secrets.set("A", f"a{number}")
        secrets.set("B", f"b{number}")
    (tmp_path / "tenants" / "README.md").touch()
    (old,) = keys.read()
    seen: list[str] = []
    assert rotate_key(keys, tmp_path / "tenants", seen.append) == 4
    (new,) = keys.read()
    assert new != old
    assert seen == ["anden", "zoe"]
    assert mode(keys.path) == 0o600
    for number, secrets in enumerate(stores):
        assert (secrets.get("A"), secrets.get("B")) == (f"a{number}", f"b{number}")
    with pytest.raises(Broken):
        store(tmp_path, Keys(tmp_path, old)).get("A")


def test_rotation_keeps_the_old_keys_while_anything_needs_them(tmp_path: Path, keys: Keys) -> None:
    good, bad = store(tmp_path, keys, "anden"), store(tmp_path, keys, "zoe")
    good.set("A", "a")
    bad.set("A", "lost")
    bad.set("B", "b")
    (tmp_path / "tenants/zoe/.secrets/A").write_text("not a token")
    with pytest.raises(Broken, match="zoe: secret A of zoe does not open"):
        rotate_key(keys, tmp_path / "tenants")
    assert len(keys.read()) == 2
    assert (good.get("A"), bad.get("B")) == ("a", "b")
    bad.set("A", "again")
    rotate_key(keys, tmp_path / "tenants")
    assert len(keys.read()) == 1
    assert (good.get("A"), bad.get("A"), bad.get("B")) == ("a", "again", "b")


def test_a_home_without_tenants_rotates(tmp_path: Path, keys: Keys) -> None:
    assert rotate_key(keys, tmp_path / "tenants") == 0


def test_readers_and_writers_beside_a_rotation_see_nothing_of_it(tmp_path: Path, keys: Keys) -> None:
    secrets = store(tmp_path, keys)
    secrets.set("A", VALUE)
    done, faults = threading.Event(), list[Fault]()

    def work(number: int) -> None:
        while not done.is_set():
            try:
                secrets.set(f"B{number}", "b")
                assert secrets.get("A") == VALUE
            except Fault as fault:
                faults.append(fault)

    workers = [threading.Thread(target=work, args=(number,)) for number in range(2)]
    for worker in workers:
        worker.start()
    for _ in range(10):
        rotate_key(keys, tmp_path / "tenants")
    done.set()
    for worker in workers:
        worker.join(timeout=10)
    assert not faults
    assert [secrets.get(name) for name in secrets.names()] == [VALUE, "b", "b"]


# Kills a rotation at its first line, its second, … until one comes through, and reads every secret after each.
KILLER = """
import os, signal, sys
from pathlib import Path
from runtime.tenant.folder import Folder
from runtime.tenant.secrets import Keys, SecretStore, rotate_key

home = Path(sys.argv[1])
keys = Keys(home / "var")

def die_at(line):
    seen = 0
    def trace(frame, event, arg):
        nonlocal seen
        if "/runtime/tenant/" not in frame.f_code.co_filename:
            return None
        if event == "line":
            seen += 1
            if seen == line:
                os.kill(os.getpid(), signal.SIGKILL)
        return trace
    return trace

line = kills = 0
while True:
    line += 1
    child = os.fork()
    if child == 0:
        sys.settrace(die_at(line))
        rotate_key(keys, home / "tenants")
        os._exit(0)
    _, status = os.waitpid(child, 0)
    for tenant in ("anden", "zoe"):
        assert SecretStore(Folder(home / "tenants" / tenant), keys).get("A") == tenant, line
    if status == 0:
        break
    assert os.WTERMSIG(status) == signal.SIGKILL
    kills += 1
    for left in home.rglob(".ps-*"):  # so that the number of lines does not grow with every kill
        left.unlink()
assert len(keys.read()) == 1
print(kills)
"""


def test_a_rotation_killed_at_any_line_loses_no_secret(tmp_path: Path, keys: Keys) -> None:
    for tenant in ("anden", "zoe"):
        store(tmp_path, keys, tenant).set("A", tenant)
    run = subprocess.run(
        [sys.executable, "-c", KILLER, str(tmp_path)],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert int(run.stdout) > 50
