"""A bad file is kept aside and the good one put back: nothing is lost, whenever the process dies."""

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from runtime.errors import Refused
from runtime.tenant.checks import check
from runtime.tenant.folder import TEMPORARY_PREFIX, Folder
from runtime.tenant.git import aside
from runtime.tenant.git.aside import ASIDE
from runtime.tenant.git.changes import last_changed
from runtime.tenant.git.commits import BadFile
from runtime.tenant.git.history import ADMIN, AGENT, History, Origin

ORIGIN = Origin(actor=AGENT, tenant="anden", turn="turn:anden:api:default:00000001")
SOP = (
    '---json\n{"name": "leads", "description": "d", "triggers": ["t"], "owner": "admin", "version": 1}\n---\n\nCall.\n'
)
SETTINGS = "name: Anden\ntimezone: UTC\npeople: [{name: Anden, role: owner}]\n"
TOOL = "print('sent')\n"
BROKEN = SOP.replace('"leads",', '"leads"')


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "anden"
    folder = Folder(root)
    folder_files = {"directives/leads.md": SOP, "tenant.yaml": SETTINGS, "life/notes.md": "- A.\n"}
    root.mkdir()
    for name, text in folder_files.items():
        folder.write_text(name, text)
    folder.write_text("execution/send.py", TOOL, mode=0o755)
    return root


@pytest.fixture
def history(root: Path, tmp_path: Path) -> History:
    made = History(Folder(root), home=tmp_path, check=check)
    made.create(Origin(actor=ADMIN, tenant="anden"))
    return made


def bad_of(history: History, root: Path) -> list[BadFile]:
    return list(aside.judged(Folder(root), history.uncommitted().changes, [check]))


def put_aside(history: History, root: Path, bad: Iterable[BadFile]) -> list[BadFile]:
    """As a turn does; those with which it was done."""
    done = []
    for one in bad:
        _, good, mode = history.committed(one.path) or ("", None, 0o644)
        if aside.put(Folder(root), one, good, mode=mode):
            done.append(one)
    return done


def kept(root: Path) -> dict[str, bytes]:
    """What is aside, by the name it had."""
    found = {}
    for path in sorted((root / ASIDE).rglob("*")):
        if path.is_file() and not path.name.startswith(TEMPORARY_PREFIX):
            found[str(path.relative_to(root / ASIDE)).rpartition(".")[0]] = path.read_bytes()
    return found


def test_what_is_good_is_committed_and_what_is_bad_is_named(history: History, root: Path) -> None:
    (root / "directives/leads.md").write_text(BROKEN)
    (root / "life/notes.md").write_text("- B.\n")
    result = history.commit_admin()
    assert [commit.files for commit in result.commits] == [("life/notes.md",)]
    (bad,) = result.bad
    assert (bad.path, bad.faults) == (
        "directives/leads.md",
        ("directives/leads.md:2: not JSON: Expecting ',' delimiter",),
    )
    assert bad.aside.startswith("state/aside/directives/leads.md.20")
    assert (root / "directives/leads.md").read_text() == BROKEN, "it stays until somebody puts it aside"
    assert kept(root) == {}


def test_a_bad_file_is_kept_and_the_committed_one_is_back(history: History, root: Path) -> None:
    (root / "directives/leads.md").write_text(BROKEN)
    (root / "directives/new.md").write_text("No head.")
    (root / "execution/send.py").write_text("print(")
    result = history.commit_agent(ORIGIN)
    assert result.commits == ()
    assert len(put_aside(history, root, result.bad)) == 3
    assert kept(root) == {
        "directives/leads.md": BROKEN.encode(),
        "directives/new.md": b"No head.",
        "execution/send.py": b"print(",
    }
    assert (root / "directives/leads.md").read_text() == SOP
    assert not (root / "directives/new.md").exists()
    assert (root / "execution/send.py").stat().st_mode & 0o777 == 0o755
    assert history.commit_admin() == history.commit_agent(ORIGIN)
    assert bad_of(history, root) == []


def test_an_earlier_copy_is_never_overwritten(history: History, root: Path) -> None:
    for text in ("one", "two", "three", "three"):
        (root / "directives/new.md").write_text(text)
        put_aside(history, root, bad_of(history, root))
    assert {path.read_text() for path in (root / ASIDE / "directives").iterdir()} == {"one", "two", "three"}


def test_settings_stay_where_they_are(history: History, root: Path) -> None:
    (root / "tenant.yaml").write_text("name: Anden\n")
    (root / "directives/leads.md").write_text(SOP + "More.\n")
    assert history.commit_agent(ORIGIN).bad == (), "no agent wrote them"
    (bad,) = history.commit_admin().bad
    assert (bad.path, bad.aside) == ("tenant.yaml", "")
    assert put_aside(history, root, [bad]) == []
    history.set_aside("turn")
    assert (root / "tenant.yaml").read_text() == "name: Anden\n"
    (root / "tenant.yaml").unlink()
    (gone,) = history.commit_admin().bad
    assert gone.faults == ("tenant.yaml:1: there is no such file",)


def test_what_was_saved_again_meanwhile_is_left_alone(history: History, root: Path) -> None:
    (root / "directives/leads.md").write_text(BROKEN)
    (root / "directives/new.md").write_text("No head.")
    bad = history.commit_admin().bad
    (root / "directives/leads.md").write_text(SOP + "Mended.\n")
    (root / "directives/new.md").unlink()
    assert put_aside(history, root, bad) == []
    assert (root / "directives/leads.md").read_text() == SOP + "Mended.\n"
    assert kept(root)["directives/leads.md"] == BROKEN.encode()


@pytest.mark.parametrize("planted", ["link", "file", "folder of the name"])
def test_where_the_way_is_barred_nothing_is_moved(history: History, root: Path, tmp_path: Path, planted: str) -> None:
    (root / "directives/leads.md").write_text(BROKEN)
    (bad,) = history.commit_admin().bad
    (root / "state").mkdir()
    outside = tmp_path / "outside"
    outside.mkdir()
    if planted == "link":
        (root / "state/aside").symlink_to(outside)
    elif planted == "file":
        (root / "state/aside").write_text("mine")
    else:
        (root / bad.aside).mkdir(parents=True)
    assert put_aside(history, root, [bad]) == []
    assert (root / "directives/leads.md").read_text() == BROKEN
    assert list(outside.iterdir()) == []


@pytest.mark.parametrize("name", ["n" * 250 + ".md", "\udcff.md", "a\nb.md", "-rf.md"])
def test_any_name_can_be_put_aside(history: History, root: Path, name: str) -> None:
    (root / "directives" / name).write_text("No head.")
    assert len(put_aside(history, root, bad_of(history, root))) == 1
    assert list(kept(root).values()) == [b"No head."]
    assert not (root / "directives" / name).exists()


def test_a_revert_that_would_break_a_file_is_refused(history: History, root: Path, tmp_path: Path) -> None:
    loose = History(Folder(root), home=tmp_path)
    (root / "directives/leads.md").write_text(BROKEN)
    loose.commit_admin()  # as plain git would
    (root / "directives/leads.md").write_text(SOP)
    (mended,) = history.commit_agent(ORIGIN).commits
    with pytest.raises(Refused, match=r"directives/leads\.md:2: not JSON"):
        history.revert(mended.id, ORIGIN)
    assert (history.head(), (root / "directives/leads.md").read_text()) == (mended.id, SOP)
    assert history.commit_admin().commits == ()


def test_when_something_was_last_edited(history: History, root: Path) -> None:
    folder = Folder(root)
    assert last_changed(folder, history.uncommitted().changes) == 0
    (root / "life/notes.md").write_text("- B.\n")
    assert last_changed(folder, history.uncommitted().changes) == (root / "life/notes.md").stat().st_ctime_ns / 1e9
    history.commit_admin()
    (root / "life/notes.md").unlink()
    assert last_changed(folder, history.uncommitted().changes) == (root / "life").stat().st_ctime_ns / 1e9


# Dies at the n-th call of a function, and puts aside what is bad as a turn does.
KILLED = """
import os, signal, sys
from pathlib import Path
from runtime.tenant.git import aside
from runtime.tenant.checks import check
from runtime.tenant.folder import Folder
from runtime.tenant.git.history import History

seen = 0
def trace(frame, event, arg):
    global seen
    here = frame.f_code.co_name == sys.argv[2] and frame.f_code.co_filename.endswith(sys.argv[3])
    seen += here and event == "call"
    if seen == int(sys.argv[4]):
        os.kill(os.getpid(), signal.SIGKILL)

history = History(Folder(Path(sys.argv[1])), check=check)
bad = history.commit_admin().bad
sys.settrace(trace)
for one in bad:
    _, good, mode = history.committed(one.path) or ("", None, 0o644)
    aside.put(Folder(Path(sys.argv[1])), one, good, mode=mode)
"""


@pytest.mark.parametrize(
    ("function", "file", "call"),
    [
        ("put", "aside.py", 1),  # before anything
        ("_refuse_other", "folder.py", 1),  # the copy is written and not yet there
        ("write_bytes", "folder.py", 2),  # the copy is there, the bad file too
        ("_refuse_other", "folder.py", 2),  # the good one is written and not yet in its place
        ("put", "aside.py", 2),  # the first of two is done
        ("remove", "folder.py", 1),
    ],
)
def test_a_kill_at_any_step_loses_nothing(
    history: History, root: Path, tmp_path: Path, function: str, file: str, call: int
) -> None:
    (root / "directives/leads.md").write_text(BROKEN)
    (root / "directives/new.md").write_text("No head.")
    run = subprocess.run(
        [sys.executable, "-c", KILLED, str(root), function, file, str(call)],
        env={"PYTHONPATH": os.pathsep.join(sys.path), "HOME": str(tmp_path), "PATH": os.environ["PATH"]},
        check=False,
    )
    assert run.returncode == -9
    for name, text in (("leads.md", BROKEN), ("new.md", "No head.")):
        here = root / "directives" / name
        assert kept(root).get(f"directives/{name}") == text.encode() or here.read_text() == text
    assert (root / "directives/leads.md").exists()
    assert history.commit_admin().commits == (), "nothing is taken for an edit"
    put_aside(history, root, bad_of(history, root))
    assert kept(root) == {"directives/leads.md": BROKEN.encode(), "directives/new.md": b"No head."}
    assert (root / "directives/leads.md").read_text() == SOP
    assert not (root / "directives/new.md").exists()
