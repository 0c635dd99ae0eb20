"""Small parts of the session pool that need no CLI: memory, conversations, the prompt, the system call filter."""

import platform
import struct
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from runtime.agent import memory, prompt, seccomp
from runtime.agent.conversations import FILE, Conversations, has_transcript
from runtime.tenant.folder import Folder
from runtime.words import Conversation

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY = timedelta(days=1)
TALK = Conversation("telegram:1")
ID = "11111111-2222-4333-8444-555555555555"
GB = 1 << 30


@pytest.mark.parametrize(
    ("max_warm", "available", "sessions"),
    [("auto", 0, 1), ("auto", GB // 8, 1), ("auto", 2 * GB, 9), ("auto", 1000 * GB, memory.MOST), (3, 0, 3)],
)
def test_capacity(max_warm: object, available: int, sessions: int) -> None:
    assert memory.capacity(max_warm, available) == sessions  # type: ignore[arg-type]


def test_a_cgroup_may_leave_less_than_the_machine(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    (tmp_path / "sys/fs/cgroup").mkdir(parents=True)
    assert memory.available(tmp_path) == 0
    (tmp_path / "proc/meminfo").write_text("MemTotal: 9 kB\nMemAvailable: 4096 kB\n")
    assert memory.available(tmp_path) == 4096 * 1024
    (tmp_path / "sys/fs/cgroup/memory.max").write_text("max\n")
    assert memory.available(tmp_path) == 4096 * 1024
    (tmp_path / "sys/fs/cgroup/memory.max").write_text("3000\n")
    (tmp_path / "sys/fs/cgroup/memory.current").write_text("1000\n")
    assert memory.available(tmp_path) == 2000


def test_a_conversation_is_gone_on_with_until_it_is_too_old_or_forgotten(tmp_path: Path) -> None:
    kept = Conversations(Folder(tmp_path))
    assert kept.find(TALK, now=NOW, longest=DAY) is None
    kept.note(TALK, ID, now=NOW)
    assert kept.find(TALK, now=NOW + DAY, longest=DAY) == ID
    assert kept.find(TALK, now=NOW + DAY * 1.1, longest=DAY) is None
    assert kept.find(Conversation("telegram:2"), now=NOW, longest=DAY) is None
    kept.forget(TALK)
    kept.forget(TALK)
    assert kept.find(TALK, now=NOW, longest=DAY) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        '{"telegram:1": 7}',
        '{"telegram:1": {"session": "--resume=x", "used": "2026-11-20T12:00:00+00:00"}}',
        f'{{"telegram:1": {{"session": "{ID}", "used": "2026-11-20T12:00:00"}}}}',
        f'{{"telegram:1": {{"session": "{ID}", "used": "soon"}}}}',
    ],
)
def test_what_cannot_be_read_counts_as_not_there(tmp_path: Path, text: str) -> None:
    folder = Folder(tmp_path)
    folder.write_text(FILE, text)
    assert Conversations(folder).find(TALK, now=NOW, longest=DAY) is None
    Conversations(folder).note(TALK, ID, now=NOW)
    assert Conversations(folder).find(TALK, now=NOW, longest=DAY) == ID


def test_a_transcript_is_a_file_with_something_in_it(tmp_path: Path) -> None:
    place = tmp_path / "state/claude/projects/-tenant"
    place.mkdir(parents=True)
    folder = Folder(tmp_path)
    assert not has_transcript(folder, "/tenant", ID)
    (place / f"{ID}.jsonl").symlink_to("/etc/passwd")
    assert not has_transcript(folder, "/tenant", ID)
    (place / f"{ID}.jsonl").unlink()
    (place / f"{ID}.jsonl").write_text("{}\n")
    assert has_transcript(folder, "/tenant", ID)


def test_the_prompt_begins_with_what_is_the_same_for_all() -> None:
    ours = prompt.compose("Answer in Danish.\n")
    assert ours.startswith(prompt.LAYER)
    assert prompt.own_words(ours) == "Answer in Danish.\n"
    assert prompt.own_words("You are somebody else.") is None
    assert len(prompt.CONSTANT) < 2500


def run_filter(program: bytes, audit: int, number: int) -> int:
    """What the kernel would return: the few instructions of BPF that are used."""
    lines = [struct.unpack("<HBBI", program[at : at + 8]) for at in range(0, len(program), 8)]
    loaded, at = 0, 0
    while True:
        code, yes, no, value = lines[at]
        at += 1
        if code == 0x20:
            loaded = {0: number, 4: audit}[value]
        elif code == 0x15:
            at += yes if loaded == value else no
        elif code == 0x35:
            at += yes if loaded >= value else no
        else:
            return int(value)


def test_the_filter_refuses_what_is_listed_and_other_conventions() -> None:
    program = seccomp.program("x86_64")
    audit = 0xC000003E
    for refused in (248, 250, 101, 165, 442, 0x40000000 | 1):
        assert run_filter(program, audit, refused) == seccomp._REFUSE
    for allowed in (0, 1, 59, 231, 435):
        assert run_filter(program, audit, allowed) == seccomp._ALLOW
    assert run_filter(program, 0x40000003, 1) == seccomp._REFUSE
    assert seccomp.program("vax") == b""
    assert seccomp.program(platform.machine())
