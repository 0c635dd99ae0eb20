import os
import threading
import time
import traceback
from pathlib import Path

import pytest

from runtime.errors import Broken, ConfigFault, Fault, NotFound
from runtime.tenant.folder import Folder, stamp_of
from runtime.tenant.git.history import ADMIN, History, Origin
from runtime.tenant.registry import Tenants
from runtime.tenant.secrets import Keys, SecretRef
from runtime.words import TenantId

ANDEN, ZOE = TenantId("anden"), TenantId("zoe")


def write(home: Path, tenant: str, text: str) -> None:
    """Save as an editor does: another file, renamed into its place."""
    folder = home / "tenants" / tenant
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tenant.yaml~").write_text(text)
    (folder / "tenant.yaml~").rename(folder / "tenant.yaml")


def yaml(name: str, number: str = "") -> str:
    account = f'whatsapp: {{phone_number_id: "{number}", access_token: secret:W}}' if number else ""
    return f"name: {name}\ntimezone: UTC\npeople: [{{name: {name}, role: owner}}]\nchannels: {{{account}}}\n"


@pytest.fixture
def tenants(tmp_path: Path) -> Tenants:
    write(tmp_path, "anden", yaml("Anden", "111"))
    write(tmp_path, "zoe", yaml("Zoe", "222"))
    keys = Keys(tmp_path / "var")
    keys.create()
    return Tenants(tmp_path / "tenants", keys)


def test_a_tenant_is_loaded_with_its_secrets(tenants: Tenants) -> None:
    anden = tenants.get(ANDEN)
    assert (anden.id, anden.config.name) == ("anden", "Anden")
    anden.secrets.set("W", "secret-value")
    assert anden.config.channels.whatsapp is not None
    assert anden.secret(anden.config.channels.whatsapp.access_token) == "secret-value"
    with pytest.raises(NotFound, match="proxystaff secret set anden X"):
        anden.secret(SecretRef("X"))
    assert "secret-value" not in repr(anden)


@pytest.mark.parametrize(
    "id_", ["nobody", "", ".", "..", "../anden", "Anden", "anden/", "a\0", "-a", "a" * 41, ".new-a"]
)
def test_what_is_no_tenant(tenants: Tenants, id_: str) -> None:
    with pytest.raises(NotFound):
        tenants.get(TenantId(id_))


def test_an_unchanged_tenant_is_not_read_again_and_a_changed_one_is(tenants: Tenants, tmp_path: Path) -> None:
    while (stamp := stamp_of(tmp_path / "tenants/anden/tenant.yaml")) is None or stamp.fresh_at:
        time.sleep(0.005)
    first = tenants.get(ANDEN)
    assert tenants.get(ANDEN) is first
    write(tmp_path, "anden", yaml("Wick"))
    assert tenants.get(ANDEN).config.name == "Wick"
    (tmp_path / "tenants/anden/tenant.yaml").write_text(yaml("Kciw"))  # in place, at once, of the same length
    assert tenants.get(ANDEN).config.name == "Kciw"


def test_a_new_process_serves_what_was_committed_while_the_file_is_wrong(tenants: Tenants, tmp_path: Path) -> None:
    History(Folder(tmp_path / "tenants/anden"), home=tmp_path).create(Origin(actor=ADMIN, tenant="anden"))
    write(tmp_path, "anden", yaml("Anden").replace("UTC", "Nowhere"))
    write(tmp_path, "zoe", "name: [")
    fresh = Tenants(tmp_path / "tenants", Keys(tmp_path / "var"))
    assert fresh.get(ANDEN).config.timezone == "UTC"
    assert "tenant.yaml:2: timezone" in str(fresh.broken()[ANDEN])
    assert [one.id for one in fresh.all()] == ["anden"], "nothing was ever committed of the other"
    write(tmp_path, "anden", yaml("Wick"))
    assert fresh.get(ANDEN).config.name == "Wick"


def test_the_last_good_one_is_served_while_the_new_one_is_wrong(tenants: Tenants, tmp_path: Path) -> None:
    assert tenants.broken() == {}
    write(tmp_path, "anden", yaml("Anden").replace("UTC", "Nowhere"))
    assert tenants.get(ANDEN).config.timezone == "UTC"
    fault = tenants.broken()[ANDEN]
    assert isinstance(fault, ConfigFault)
    assert "tenant.yaml:2: timezone" in fault.faults[0]
    assert [one.id for one in tenants.all()] == ["anden", "zoe"]
    (tmp_path / "tenants/anden/tenant.yaml").unlink()
    assert tenants.get(ANDEN).config.timezone == "UTC"
    assert "no such file" in str(tenants.broken()[ANDEN])
    write(tmp_path, "anden", yaml("Anden").replace("UTC", "Europe/Rome"))
    assert tenants.get(ANDEN).config.timezone == "Europe/Rome"
    assert tenants.broken() == {}


def test_one_that_never_was_right_is_told_and_stops_nobody(tenants: Tenants, tmp_path: Path) -> None:
    (tmp_path / "tenants/empty").mkdir()
    write(tmp_path, "typo", "nmae: X\n")
    write(tmp_path, "binary", "x")
    (tmp_path / "tenants/binary/tenant.yaml").write_bytes(b"\xff\xfe\0")
    write(tmp_path, "fifo", "x")
    (tmp_path / "tenants/fifo/tenant.yaml").unlink()
    os.mkfifo(tmp_path / "tenants/fifo/tenant.yaml")
    write(tmp_path, "deep", "[" * 500)
    write(tmp_path, "Wrong Name", yaml("X"))
    (tmp_path / "tenants/lost+found").mkdir()
    (tmp_path / "tenants/.new-x").mkdir()
    (tmp_path / "tenants/README.md").touch()
    assert [one.id for one in tenants.all()] == ["anden", "zoe"]
    assert set(tenants.broken()) == {"empty", "typo", "binary", "fifo", "deep", "Wrong Name"}
    with pytest.raises(ConfigFault, match="nobody knows this key"):
        tenants.get(TenantId("typo"))
    with pytest.raises(Broken):
        tenants.get(TenantId("binary"))


def test_a_fault_raised_again_and_again_does_not_grow(tenants: Tenants, tmp_path: Path) -> None:
    write(tmp_path, "typo", "nmae: X\n")
    depths = []
    for _ in range(30):
        with pytest.raises(ConfigFault) as caught:
            tenants.get(TenantId("typo"))
        depths.append(len(traceback.extract_tb(caught.value.__traceback__)))
        time.sleep(0.001)
    assert max(depths) < 10


def test_a_tenant_that_was_removed_is_gone(tenants: Tenants, tmp_path: Path) -> None:
    tenants.get(ANDEN)
    (tmp_path / "tenants/anden").rename(tmp_path / "elsewhere")
    with pytest.raises(NotFound):
        tenants.get(ANDEN)
    assert [one.id for one in tenants.all()] == ["zoe"]
    assert tenants.by_whatsapp_number("111") is None
    (tmp_path / "tenants/anden").symlink_to(tmp_path / "elsewhere")  # the operator keeps it on another disk
    assert tenants.get(ANDEN).folder.root == (tmp_path / "elsewhere").resolve()
    (tmp_path / "tenants/anden").unlink()
    with pytest.raises(NotFound):
        tenants.get(ANDEN)


def test_no_home_yet_is_no_tenants(tmp_path: Path) -> None:
    tenants = Tenants(tmp_path / "tenants", Keys(tmp_path / "var"))
    assert (tenants.all(), tenants.broken(), tenants.by_whatsapp_number("1")) == ([], {}, None)


def test_a_number_leads_to_its_tenant_as_the_files_are_now(tenants: Tenants, tmp_path: Path) -> None:
    def owner(number: str) -> str | None:
        found = tenants.by_whatsapp_number(number)
        return found.id if found else None

    assert (owner("111"), owner("222"), owner("333"), owner("")) == ("anden", "zoe", None, None)
    write(tmp_path, "anden", yaml("Anden", "333"))
    assert (owner("111"), owner("333")) == (None, "anden")
    write(tmp_path, "zoe", yaml("Zoe", "111"))
    assert (owner("111"), owner("222")) == ("zoe", None)


def test_a_number_claimed_twice_goes_to_the_first_and_is_told(tenants: Tenants, tmp_path: Path) -> None:
    write(tmp_path, "zoe", yaml("Zoe", "111"))
    assert set(tenants.broken()) == {"zoe"}
    assert "111 is already the number of anden" in str(tenants.broken()[ZOE])
    found = tenants.by_whatsapp_number("111")
    assert found is not None
    assert found.id == "anden"
    assert tenants.get(ZOE).config.name == "Zoe"


def test_many_threads_and_an_editor_at_once(tenants: Tenants, tmp_path: Path) -> None:
    done, faults = threading.Event(), list[Fault]()

    def work() -> None:
        while not done.is_set():
            try:
                assert tenants.get(ANDEN).config.name in ("Anden", "Wick")
                assert tenants.by_whatsapp_number("222")
                assert len(tenants.all()) == 2
            except Fault as fault:
                faults.append(fault)

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for number in range(20):
        write(tmp_path, "anden", yaml("Wick" if number % 2 else "Anden", "111"))
    done.set()
    for worker in workers:
        worker.join(timeout=10)
    assert not faults


def test_a_look_at_an_unchanged_tenant_is_cheap(tenants: Tenants, tmp_path: Path) -> None:
    while (stamp := stamp_of(tmp_path / "tenants/anden/tenant.yaml")) is None or stamp.fresh_at:
        time.sleep(0.005)
    tenants.get(ANDEN)
    start = time.perf_counter()
    for _ in range(1000):
        tenants.get(ANDEN)
    assert time.perf_counter() - start < 0.5  # seconds; it takes some 0.01
