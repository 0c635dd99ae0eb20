"""The watch says which tenant was touched, and no more; it never leaves the folder."""

import itertools
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.tenant.watch import MOST, Watch, folders
from runtime.words import TenantId

ANDEN, FENCE = TenantId("anden"), TenantId("fence")


class Heard:
    """What a watch said. inotify keeps the order, so a folder made in another tenant is a fence: what was said before
    is all that was to be said."""

    def __init__(self) -> None:
        self._tenants: list[TenantId] = []
        self._some = threading.Condition()
        self._fences = itertools.count()

    def __call__(self, tenant: TenantId) -> None:
        with self._some:
            self._tenants.append(tenant)
            self._some.notify_all()

    def since(self, fence: Path) -> set[TenantId]:
        """Of whom something was said since the last time, but for the fence itself."""
        (fence / str(next(self._fences))).mkdir()
        with self._some:
            assert self._some.wait_for(lambda: FENCE in self._tenants, 20), "nothing was said"
            found = {tenant for tenant in self._tenants if tenant != FENCE}
            self._tenants.clear()
            return found


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def watch(heard: Heard) -> Iterator[Watch]:
    made = Watch(heard)
    if not made.works:
        pytest.skip("no inotify here")
    yield made
    made.close()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "anden"
    for name in ("life/knowledge", "directives/rules", "execution", "state/claude", ".git/objects"):
        (root / name).mkdir(parents=True)
    (root / "tenant.yaml").write_text("name: Anden\n")
    return root


@pytest.fixture
def fence(watch: Watch, tmp_path: Path) -> Path:
    (tmp_path / "fence/life").mkdir(parents=True)
    watch.follow(FENCE, tmp_path / "fence")
    return tmp_path / "fence/life"


def test_what_is_versioned_is_heard_and_nothing_else(watch: Watch, heard: Heard, root: Path, fence: Path) -> None:
    watch.follow(ANDEN, root)
    for name in (
        *("life/.x.md.swp", "life/x.md~", "life/4913", "directives/.ps-1.tmp", "directives/.#x.md"),
        *("directives/#x.md#", "state/recent_messages.json", "state/claude/x.jsonl", ".git/index", ".git/objects/x"),
        "notes.txt",
    ):
        (root / name).write_text("x")
        assert heard.since(fence) == set(), name
    for name in (
        "life/knowledge/x.md",
        "directives/rules/x.md",
        "execution/x.py",
        "state/schedules.yaml",
        "tenant.yaml",
    ):
        (root / name).write_text("x")
        assert heard.since(fence) == {ANDEN}, name
    (root / "life/knowledge/x.md").unlink()
    assert heard.since(fence) == {ANDEN}
    (root / "execution/x.py").chmod(0o755)
    assert heard.since(fence) == {ANDEN}


def test_folders_that_come_go_and_move_are_followed(watch: Watch, heard: Heard, root: Path, fence: Path) -> None:
    watch.follow(ANDEN, root)
    (root / "life/deep/er").mkdir(parents=True)
    assert heard.since(fence) == {ANDEN}
    watch.follow(ANDEN, root)
    (root / "life/deep/er/x.md").write_text("x")
    assert heard.since(fence) == {ANDEN}
    shutil.rmtree(root / "life/deep")
    (root / "life/deep").mkdir()  # often of the same inode
    assert heard.since(fence) == {ANDEN}
    watch.follow(ANDEN, root)
    (root / "life/deep/x.md").write_text("x")
    assert heard.since(fence) == {ANDEN}
    (root / "life/deep").rename(root / "life/deeper")
    (root / "life/deep").mkdir()
    watch.follow(ANDEN, root)
    assert heard.since(fence) == {ANDEN}
    for name in ("life/deep/y.md", "life/deeper/y.md"):
        (root / name).write_text("y")
        assert heard.since(fence) == {ANDEN}, name


def test_a_tenant_that_is_forgotten_is_not_heard(watch: Watch, heard: Heard, root: Path, fence: Path) -> None:
    watch.follow(ANDEN, root)
    watch.forget(ANDEN)
    (root / "life/x.md").write_text("x")
    assert heard.since(fence) == set()
    shutil.rmtree(root)
    watch.follow(ANDEN, root)
    watch.forget(ANDEN)


def test_no_link_is_followed(root: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    (outside / "deep").mkdir(parents=True)
    (root / "life/out").symlink_to(outside)
    shutil.rmtree(root / "directives")
    (root / "directives").symlink_to(outside)
    assert {rel for rel, _ in folders(root)} == {"", "state", "life", "life/knowledge", "execution"}


def test_so_many_folders_and_no_more(watch: Watch, heard: Heard, root: Path, fence: Path) -> None:
    for number in range(MOST):
        (root / f"life/d{number}").mkdir()
    found = [rel for rel, _ in folders(root)]
    assert len(found) == MOST
    assert set(found[:5]) == {"", "state", "life", "directives", "execution"}
    watch.follow(ANDEN, root)
    (root / "tenant.yaml").write_text("x")
    assert heard.since(fence) == {ANDEN}


def test_thousands_of_events_are_taken(watch: Watch, heard: Heard, root: Path, fence: Path) -> None:
    watch.follow(ANDEN, root)
    for number in range(5_000):
        (root / f"life/{number}.md").write_text("x")
    assert heard.since(fence) == {ANDEN}
    os.utime(root / "life/0.md")
    assert heard.since(fence) == {ANDEN}
