"""Archives on real files and real git: a tenant comes out as it went in, and nothing else comes out of one."""

import hashlib
import io
import json
import os
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runtime.errors import BadInput, NotFound, Refused, Unavailable
from runtime.tenant import archive
from runtime.tenant.folder import Folder
from runtime.tenant.git.history import ADMIN, AGENT, History, Origin

AGENT_ORIGIN = Origin(actor=AGENT, tenant="anden", reason="because")


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    root = tmp_path / "home/tenants/anden"
    for name, text in {
        "CLAUDE.md": "blueprint\n",
        "tenant.yaml": "name: Anden\n",
        ".gitignore": "state/*\n!state/schedules.yaml\n.secrets/\n",
        "life/identity.md": "Anden\n",
        "execution/send_email.py": "pass\n",
        "state/schedules.yaml": "[]\n",
        "state/messages/2026-11.jsonl": "{}\n",
        "state/claude/projects/x.jsonl": "transcript\n",
        "state/media/empty.bin": "",
        ".secrets/TOKEN": "encrypted",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    (root / "execution/send_email.py").chmod(0o755)
    (root / ".secrets/TOKEN").chmod(0o600)
    folder = Folder(root)
    history = History(folder, home=tmp_path)
    history.create(Origin(actor=ADMIN, tenant="anden"))
    (root / "life/identity.md").write_text("Andy\n")
    history.commit_agent(AGENT_ORIGIN)
    return folder


@pytest.fixture
def file(folder: Folder, tmp_path: Path) -> Path:
    archive.export(folder, tmp_path / "anden.tar.gz")
    return tmp_path / "anden.tar.gz"


@pytest.fixture
def tenants(tmp_path: Path) -> Path:
    return tmp_path / "other/tenants"


def contents(root: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and not path.is_symlink() and ".git" not in path.relative_to(root).parts
    }


def is_empty(tenants: Path) -> bool:
    return not tenants.exists() or list(tenants.iterdir()) == []


def test_a_tenant_comes_out_as_it_went_in(folder: Folder, file: Path, tenants: Path, tmp_path: Path) -> None:
    steps: list[tuple[int, int]] = []
    assert archive.import_(file, tenants, progress=lambda done, whole: steps.append((done, whole))) == "anden"
    root = tenants / "anden"
    expected = contents(folder.root)
    del expected[".secrets/TOKEN"]
    assert contents(root) == expected
    assert os.access(root / "execution/send_email.py", os.X_OK)
    assert not os.access(root / "life/identity.md", os.X_OK)
    old, new = History(folder), History(Folder(root), home=tmp_path)
    assert new.log() == old.log()
    status = subprocess.run(["git", "status", "--porcelain"], cwd=root, capture_output=True, text=True, check=True)
    assert status.stdout == ""
    new.revert(new.head(), AGENT_ORIGIN)
    assert (root / "life/identity.md").read_text() == "Anden\n"
    assert steps
    assert steps == sorted(steps)
    assert all(done <= whole for done, whole in steps)
    assert list(tenants.iterdir()) == [root]


def test_credentials_travel_only_when_asked_for(folder: Folder, tenants: Path, tmp_path: Path) -> None:
    file = tmp_path / "with.tar.gz"
    steps: list[tuple[int, int]] = []
    done = archive.export(folder, file, include_secrets=True, progress=lambda done, whole: steps.append((done, whole)))
    assert steps[-1][0] == steps[-1][1] == done.bytes
    assert file.stat().st_mode & 0o777 == 0o600
    archive.import_(file, tenants)
    assert (tenants / "anden/.secrets/TOKEN").read_text() == "encrypted"
    assert (tenants / "anden/.secrets/TOKEN").stat().st_mode & 0o777 == 0o600
    assert (tenants / "anden/.secrets").stat().st_mode & 0o777 == 0o700


def test_hooks_config_and_links_stay_behind(folder: Folder, tenants: Path, tmp_path: Path) -> None:
    (folder.root / ".git/hooks").mkdir()
    (folder.root / ".git/hooks/post-checkout").write_text("#!/bin/sh\nfalse\n")
    with (folder.root / ".git/config").open("a") as config:
        config.write("[core]\n\tfsmonitor = /bin/false\n")
    (folder.root / ".git/refs/heads/main.lock").touch()
    (folder.root / "life/link").symlink_to("/etc/passwd")
    (folder.root / "life/up").symlink_to("/etc")
    os.mkfifo(folder.root / "state/pipe")
    (folder.root / "life/sub/.git").mkdir(parents=True)
    (folder.root / "life/sub/.git/config").write_text("x")
    done = archive.export(folder, tmp_path / "x.tar.gz")
    assert {one.path for one in done.left_out} == {"life/link", "life/up", "state/pipe", "life/sub/.git/config"}
    archive.import_(tmp_path / "x.tar.gz", tenants)
    git = tenants / "anden/.git"
    assert not (git / "hooks").exists()
    assert "fsmonitor" not in (git / "config").read_text()
    assert not list(git.rglob("*.lock"))


def test_odd_names_travel(folder: Folder, tenants: Path, tmp_path: Path) -> None:
    names = [b"new\nline", b"\xff\xfe", "é🙂".encode(), b"-rf", b"x" * 255, b"back\\slash", b" "]
    for name in names:
        Path(os.fsdecode(os.fsencode(folder.root / "life") + b"/" + name)).write_text("x")
    archive.export(folder, tmp_path / "x.tar.gz")
    archive.import_(tmp_path / "x.tar.gz", tenants)
    assert contents(tenants / "anden").keys() == contents(folder.root).keys() - {".secrets/TOKEN"}


def test_a_tenant_that_exists_is_never_overwritten(file: Path, tenants: Path) -> None:
    archive.import_(file, tenants)
    with pytest.raises(Refused, match="already"):
        archive.import_(file, tenants)
    assert archive.import_(file, tenants, tenant="second") == "second"
    assert sorted(path.name for path in tenants.iterdir()) == ["anden", "second"]
    for wrong in ("../up", "Anden", "a/b", ".git"):
        with pytest.raises(BadInput):
            archive.import_(file, tenants, tenant=wrong)


def test_export_refuses_a_file_that_exists_or_lies_inside(folder: Folder, file: Path, tmp_path: Path) -> None:
    with pytest.raises(Refused):
        archive.export(folder, file)
    with pytest.raises(Refused):
        archive.export(folder, folder.root / "state/x.tar.gz")
    with pytest.raises(NotFound):
        archive.export(folder, tmp_path / "nowhere/x.tar.gz")
    assert not list(tmp_path.glob(".*.part"))


def test_what_a_killed_import_left_is_cleared_away(file: Path, tenants: Path) -> None:
    (tenants / ".import-0123").mkdir(parents=True)
    (tenants / ".import-0123/x").write_text("x")
    archive.import_(file, tenants)
    assert [path.name for path in tenants.iterdir()] == ["anden"]


def test_no_file_and_no_archive(tenants: Path, tmp_path: Path, file: Path) -> None:
    with pytest.raises(NotFound):
        archive.import_(tmp_path / "none", tenants)
    data = file.read_bytes()
    for wrong in (
        b"",
        b"junk" * 1000,
        data[:100],
        data[: len(data) // 2],
        data[:-600],
        data[:500] + b"\0" * 500 + data[1000:],
    ):
        (tmp_path / "wrong").write_bytes(wrong)
        with pytest.raises(BadInput):
            archive.import_(tmp_path / "wrong", tenants)
        assert is_empty(tenants)


# Archives made by somebody else


class Forge:
    """An archive of ours taken apart, for a test to alter and put together again with right sums."""

    def __init__(self, file: Path) -> None:
        self.members: list[tuple[tarfile.TarInfo, bytes]] = []
        self.after: list[str] = []
        with tarfile.open(file) as tar:
            for member in tar:
                content = tar.extractfile(member)
                assert content is not None
                self.members.append((member, content.read()))
        self.manifest: dict[str, Any] = json.loads(self.members.pop()[1])

    def add(self, name: str, data: bytes = b"x", **facts: Any) -> None:
        member = tarfile.TarInfo(name)
        member.size = len(data)
        for key, value in facts.items():
            setattr(member, key, value)
        self.members.append((member, data))
        path = name.removeprefix("files/")
        sum_ = hashlib.sha256(data).hexdigest()
        self.manifest["files"].append({"path": path, "size": len(data), "sha256": sum_, "mode": "file"})

    def write(self, file: Path) -> Path:
        with tarfile.open(file, "w:gz") as tar:
            for member, data in self.members:
                tar.addfile(member, io.BytesIO(data))
            data = json.dumps(self.manifest).encode()
            member = tarfile.TarInfo("manifest.json")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
            for name in self.after:
                tar.addfile(tarfile.TarInfo(name))
        return file


def link(kind: bytes) -> Callable[[Forge], None]:
    return lambda forge: forge.add("files/life/x", b"", type=kind, linkname="/etc/passwd")


ATTACKS: dict[str, Callable[[Forge], None]] = {
    "upwards": lambda forge: forge.add("files/../../evil"),
    "upwards in the middle": lambda forge: forge.add("files/life/../../evil"),
    "absolute": lambda forge: forge.add("files//etc/evil"),
    "outside files": lambda forge: forge.add("evil"),
    "only files": lambda forge: forge.add("files/"),
    "dot": lambda forge: forge.add("files/./x"),
    "symlink": link(tarfile.SYMTYPE),
    "hard link": link(tarfile.LNKTYPE),
    "device": link(tarfile.CHRTYPE),
    "pipe": link(tarfile.FIFOTYPE),
    "folder": link(tarfile.DIRTYPE),
    "nested git": lambda forge: forge.add("files/life/.git/config"),
    "nested git, other case": lambda forge: forge.add("files/life/.GIT/config"),
    "git by its short name": lambda forge: forge.add("files/git~1/config"),
    "twice": lambda forge: forge.add("files/tenant.yaml"),
    "a file as a folder": lambda forge: forge.add("files/tenant.yaml/x"),
    "a name too long": lambda forge: forge.add("files/life/" + "x" * 300),
    "unlisted": lambda forge: (forge.add("files/life/x"), forge.manifest["files"].pop())[0],
    "listed and not there": lambda forge: (forge.add("files/life/x"), forge.members.pop())[0],
    "wrong sum": lambda forge: forge.manifest["files"][0].update(sha256="0" * 64),
    "another format": lambda forge: forge.manifest.update(format=2),
    "no files": lambda forge: forge.manifest.update(files=None),
    "a name that is a path": lambda forge: forge.manifest.update(tenant="../evil"),
    "no name": lambda forge: forge.manifest.update(tenant=None),
    "more after the manifest": lambda forge: forge.after.append("files/life/late"),
    "an object missing": lambda forge: drop_object(forge),
}


def drop_object(forge: Forge) -> None:
    at = next(n for n, (member, _) in enumerate(forge.members) if member.name.startswith("files/.git/objects/"))
    name = forge.members.pop(at)[0].name.removeprefix("files/")
    forge.manifest["files"] = [one for one in forge.manifest["files"] if one["path"] != name]


@pytest.mark.parametrize("attack", ATTACKS)
def test_what_would_not_stay_inside_or_is_not_whole_is_refused(
    file: Path, tenants: Path, tmp_path: Path, attack: str
) -> None:
    forge = Forge(file)
    ATTACKS[attack](forge)
    with pytest.raises(BadInput):
        archive.import_(forge.write(tmp_path / "forged.tar.gz"), tenants)
    assert is_empty(tenants)
    assert not list(tmp_path.rglob("evil"))


def test_planted_hooks_and_config_are_dropped(file: Path, tenants: Path, tmp_path: Path) -> None:
    forge = Forge(file)
    for name in (
        "hooks/post-checkout",
        "config",
        "config.worktree",
        "info/attributes",
        "objects/info/alternates",
        "index",
    ):
        forge.add(f"files/.git/{name}", b"[core]\n\tfsmonitor = evil\n", mode=0o755)
    forge.manifest["files"].append(forge.manifest["files"].pop() | {"mode": "program"})
    archive.import_(forge.write(tmp_path / "forged.tar.gz"), tenants)
    git = tenants / "anden/.git"
    assert not any((git / name).exists() for name in ("hooks", "config.worktree", "info", "objects/info"))
    assert "evil" not in (git / "config").read_text()


def test_what_does_not_fit_on_the_disk_is_refused_before_it_is_written(tenants: Path, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "bomb.tar.gz", "w:gz") as tar:
        member = tarfile.TarInfo("files/life/bomb")
        member.size = 1 << 60
        tar.addfile(member)
    with pytest.raises(Unavailable, match="no room"):
        archive.import_(tmp_path / "bomb.tar.gz", tenants)
    assert is_empty(tenants)
