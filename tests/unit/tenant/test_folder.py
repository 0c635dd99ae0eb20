import contextlib
import os
import stat
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runtime.errors import Broken, Fault, NotFound, Refused
from runtime.tenant.folder import COMMITTED, MAX_READ, TEMPORARY_PREFIX, Folder, stamp_of

OUTSIDE = "not for this tenant"

# Names an agent or a stranger might try, mixed with ordinary ones and with the links that are planted below.
ODD = ["..", ".", "", "x" * 300, "\0", "\ud800"]
PLANTED = ["life", "a.md", "link-out", "link-up", "link-file", "link-in", "loop", "fifo"]
PARTS = st.sampled_from(ODD + PLANTED) | st.text(max_size=8)
NAMES = st.builds(
    lambda start, parts: start + "/".join(parts), st.sampled_from(["", "/", "//"]), st.lists(PARTS, max_size=6)
)


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    place = tmp_path / "other"
    place.mkdir()
    (place / "a.md").write_text(OUTSIDE)
    return place


@pytest.fixture
def folder(tmp_path: Path, outside: Path) -> Folder:
    root = tmp_path / "anden"
    (root / "life" / "life").mkdir(parents=True)
    for place in (root, root / "life", root / "life" / "life"):
        (place / "a.md").write_text("mine")
        (place / "link-out").symlink_to(outside)
        (place / "link-up").symlink_to("..")
        (place / "link-file").symlink_to(outside / "a.md")
        (place / "link-in").symlink_to(root / "life")
        (place / "loop").symlink_to("loop")
        os.mkfifo(place / "fifo")
    return Folder(root)


def fresh(tmp_path: Path) -> Folder:
    (tmp_path / "fresh").mkdir()
    return Folder(tmp_path / "fresh")


PROPERTY = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@PROPERTY
@given(rel=NAMES)
def test_no_name_leads_out(folder: Folder, rel: str) -> None:
    try:
        found = folder.path(rel)
    except Refused:
        return
    assert found.is_relative_to(folder.root)
    assert not found.is_symlink()


@PROPERTY
@given(rel=NAMES)
def test_no_name_reads_what_lies_outside(folder: Folder, rel: str) -> None:
    with contextlib.suppress(Refused, NotFound):
        assert folder.read_text(rel) != OUTSIDE


@PROPERTY
@given(rel=NAMES, text=st.text(st.characters(codec="utf-8"), max_size=20))
def test_what_is_written_is_inside_and_reads_back(folder: Folder, outside: Path, rel: str, text: str) -> None:
    try:
        folder.write_text(rel, text)
    except Refused:
        pass
    else:
        assert folder.read_text(rel) == text
        assert folder.path(rel).read_bytes() == text.encode()
    assert [path.name for path in outside.iterdir()] == ["a.md"]
    assert (outside / "a.md").read_text() == OUTSIDE


@pytest.mark.parametrize("level", [1, 2, 3])
def test_a_link_planted_at_any_level_is_not_followed(tmp_path: Path, outside: Path, level: int) -> None:
    folder = fresh(tmp_path)
    names = ["a", "b", "c"]
    folder.root.joinpath(*names[: level - 1]).mkdir(parents=True, exist_ok=True)
    folder.root.joinpath(*names[:level]).symlink_to(outside if level < 3 else outside / "a.md")
    rel = "/".join(names)
    with pytest.raises(Refused):
        folder.read_text(rel)
    if level < 3:
        with pytest.raises(Refused):
            folder.write_text(rel, "gone")
    else:
        folder.write_text(rel, "mine")  # the link is replaced, its target is not touched
        assert folder.read_text(rel) == "mine"
    assert (outside / "a.md").read_text() == OUTSIDE
    assert len(list(outside.iterdir())) == 1


@pytest.mark.parametrize("flags", [os.O_RDONLY, os.O_WRONLY, os.O_RDWR, os.O_WRONLY | os.O_APPEND | os.O_CREAT])
def test_a_fifo_neither_blocks_nor_opens(folder: Folder, flags: int) -> None:
    with pytest.raises(Refused, match="not a regular file"):
        folder.open_regular("fifo", flags)


def test_a_fifo_with_something_in_it_is_not_read(folder: Folder) -> None:
    pipe = os.open(folder.root / "fifo", os.O_RDWR)
    os.write(pipe, b"from the pipe")
    with pytest.raises(Refused):
        folder.read_text("fifo")
    assert os.read(pipe, 100) == b"from the pipe"
    os.close(pipe)


def test_open_regular_appends_and_makes_the_folders(tmp_path: Path) -> None:
    folder = fresh(tmp_path)
    for line in (b"one\n", b"two\n"):
        descriptor = folder.open_regular("state/messages/2026-11.jsonl", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(descriptor, line)
        os.close(descriptor)
    assert folder.read_bytes("state/messages/2026-11.jsonl") == b"one\ntwo\n"


def test_no_descriptor_is_leaked(folder: Folder) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for rel in ("life/a.md", "nothing/here", "life/link-out/a.md", "fifo", "life", "x" * 300, "loop/a"):
        for act in (folder.read_text, lambda name: folder.write_text(name, "x"), folder.names, folder.make):
            try:
                act(rel)
            except Fault:
                continue
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    folder = fresh(tmp_path)
    folder.write_text("a.md", "old")
    with pytest.raises(UnicodeEncodeError):
        folder.write_text("a.md", "half \ud800")
    assert folder.read_text("a.md") == "old"
    assert [path.name for path in folder.root.iterdir()] == ["a.md"]


def test_a_write_keeps_the_mode_or_takes_the_given_one(tmp_path: Path) -> None:
    folder = fresh(tmp_path)
    folder.write_text("tool.py", "1")
    assert stat.S_IMODE((folder.root / "tool.py").stat().st_mode) == 0o644
    (folder.root / "tool.py").chmod(0o750)
    folder.write_text("tool.py", "2")
    assert stat.S_IMODE((folder.root / "tool.py").stat().st_mode) == 0o750
    folder.write_text("tool.py", "3", mode=0o600)
    assert stat.S_IMODE((folder.root / "tool.py").stat().st_mode) == 0o600


def test_a_folder_in_the_place_of_a_file_is_refused(tmp_path: Path) -> None:
    folder = fresh(tmp_path)
    folder.make("a.md")
    with pytest.raises(Refused):
        folder.write_text("a.md", "x")
    with pytest.raises(Refused):
        folder.read_text("a.md")
    assert [path.name for path in folder.root.iterdir()] == ["a.md"]


def test_a_file_is_not_read_beyond_its_bound(tmp_path: Path) -> None:
    folder = fresh(tmp_path)
    with (folder.root / "huge").open("wb") as file:
        file.truncate(MAX_READ + 1)
    with pytest.raises(Refused, match="larger than 16 MB"):
        folder.read_text("huge")


def test_what_is_not_text_is_broken(tmp_path: Path) -> None:
    folder = fresh(tmp_path)
    (folder.root / "a.md").write_bytes(b"caf\xe9")
    with pytest.raises(Broken, match="not UTF-8"):
        folder.read_text("a.md")


def test_remove_takes_the_link_not_what_it_points_to(folder: Folder, outside: Path) -> None:
    folder.remove("link-file")
    assert (outside / "a.md").exists()
    assert "link-file" not in folder.names("")
    with pytest.raises(NotFound):
        folder.remove("link-file")


def test_names_are_sorted_and_nothing_is_listed_through_a_link(folder: Folder) -> None:
    (folder.root / "life" / f"{TEMPORARY_PREFIX}1234.tmp").touch()
    assert folder.names("life/life") == sorted(set(PLANTED) - {"life"})
    assert TEMPORARY_PREFIX not in " ".join(folder.names("life"))
    assert folder.names("nowhere") == []
    with pytest.raises(Refused):
        folder.names("link-out")


def test_tidy_takes_only_what_a_kill_left(folder: Folder, outside: Path) -> None:
    left = [place / f"{TEMPORARY_PREFIX}12.tmp" for place in (folder.root, folder.root / "life", outside)]
    for path in left:
        path.touch()
        os.utime(path, (0, 0))
    (folder.root / f"{TEMPORARY_PREFIX}34.tmp").touch()  # being written just now
    assert folder.tidy() == 2
    assert [path.exists() for path in left] == [False, False, True]
    assert (folder.root / f"{TEMPORARY_PREFIX}34.tmp").exists()
    assert folder.read_text("life/life/a.md") == "mine"


# --- stamps: was anything committed changed?


def settled(folder: Folder) -> None:
    """As if everything in the folder had been written long ago (a ctime cannot be set, so wait for it)."""
    deadline = threading.Event()
    while any(stamp.fresh_at for stamp in folder.stamps().values()):
        deadline.wait(0.005)


@pytest.fixture
def tree(tmp_path: Path) -> Folder:
    folder = fresh(tmp_path)
    for rel in (*COMMITTED[:3], "life/a.md", "life/events/2026-11.md", "execution/t.py", "state/schedules.yaml"):
        folder.write_text(rel, "text")
    folder.write_text("state/messages/2026-11.jsonl", "{}")
    folder.write_text("notes.txt", "nobody versions this")
    settled(folder)
    return folder


def test_stamps_are_equal_when_nothing_changed(tree: Folder) -> None:
    before = tree.stamps()
    assert set(before) == {
        *COMMITTED[:3],
        "life/a.md",
        "life/events/2026-11.md",
        "execution/t.py",
        "state/schedules.yaml",
    }
    tree.write_text("state/messages/2026-11.jsonl", "{}{}")
    assert tree.stamps() == before


@pytest.mark.parametrize(
    "change",
    [
        lambda root: (root / "life/new.md").touch(),
        lambda root: (root / "life/a.md").unlink(),
        lambda root: (root / "life/a.md").chmod(0o600),
        lambda root: (root / "life/a.md").rename(root / "life/b.md"),
        lambda root: (root / "life/link").symlink_to("/etc"),
        lambda root: os.mkfifo(root / "life/pipe"),
        lambda root: (root / "state/schedules.yaml").write_text("more"),
    ],
)
def test_any_change_shows(tree: Folder, change: object) -> None:
    before = tree.stamps()
    change(tree.root)  # type: ignore[operator]
    assert tree.stamps() != before


def test_a_change_that_sets_the_time_back_shows(tree: Folder) -> None:
    file = tree.root / "life/a.md"
    known, before = file.stat(), tree.stamps()
    file.write_text("test")
    os.utime(file, ns=(known.st_atime_ns, known.st_mtime_ns))
    assert tree.stamps() != before


def test_what_changed_only_just_is_never_taken_for_unchanged(tree: Folder) -> None:
    (tree.root / "life/a.md").write_text("test")
    assert tree.stamps() != tree.stamps()
    settled(tree)
    assert tree.stamps() == tree.stamps()


def test_stamps_do_not_look_behind_links(tree: Folder) -> None:
    (tree.root / "life" / "etc").symlink_to("/etc")
    assert not [name for name in tree.stamps() if name.startswith("life/etc/")]


def test_a_nest_too_deep_to_name_does_not_stop_the_scan(tree: Folder) -> None:
    current = os.open(tree.root / "life", os.O_RDONLY)
    for _ in range(40):  # 40 * 200 bytes: longer than any path may be
        os.mkdir("d" * 200, dir_fd=current)
        deeper = os.open("d" * 200, os.O_RDONLY, dir_fd=current)
        os.close(current)
        current = deeper
    os.close(current)
    assert tree.stamps() != tree.stamps()


def test_stamp_of_one_file(tree: Folder) -> None:
    assert stamp_of(tree.root / "life/a.md") == tree.stamps()["life/a.md"]
    assert stamp_of(tree.root / "life/none.md") is None
