"""Workflows: after a kill they go on from the last finished step. Each in a process: there is one engine a process."""

import subprocess
import sys
from pathlib import Path

WORK = """
import asyncio, os, signal, sys
from pathlib import Path
from runtime.engine.database import Database
from runtime.engine.durable import Engine, Retry

var, how = Path(sys.argv[1]), sys.argv[2]
trace = open(var / "trace", "a")

def note(what):
    trace.write(what + "\\n")
    trace.flush()

async def main():
    database = Database("sqlite", var)
    engine = Engine(database)
    over = asyncio.Event()
    tries = 0

    async def body(id):
        nonlocal tries
        async def first():
            note("first")
            return 7
        async def second():
            nonlocal tries
            tries += 1
            note("second")
            if how == "start":
                await engine.start("other", "other:1")
            if how == "die":
                os.kill(os.getpid(), signal.SIGKILL)
            if how == "fail" and tries < 3:
                raise OSError("the disk is gone")
            return 1
        assert await engine.step("first", first) == 7
        await engine.step("second", second, retry=Retry(attempts=5, first=0.01))
        note("end")
        over.set()

    async def other(id):
        note("other")

    engine.register("work", body)
    engine.register("other", other)
    await engine.launch()
    await engine.start("work", "work:1")
    await engine.start("work", "work:1")
    await asyncio.wait_for(over.wait(), 30)
    engine.close()
    database.close()

asyncio.run(main())
"""


def run(var: Path, how: str) -> list[str]:
    subprocess.run([sys.executable, "-c", WORK, str(var), how], check=how != "die", capture_output=True, timeout=60)
    return (var / "trace").read_text().split()


def test_an_id_starts_once(tmp_path: Path) -> None:
    assert run(tmp_path, "work") == ["first", "second", "end"]


def test_a_killed_process_goes_on_from_the_last_finished_step(tmp_path: Path) -> None:
    assert run(tmp_path, "die") == ["first", "second"]
    assert run(tmp_path, "work") == ["first", "second", "second", "end"]


def test_a_step_that_fails_is_tried_again(tmp_path: Path) -> None:
    assert run(tmp_path, "fail") == ["first", "second", "second", "second", "end"]


def test_a_step_may_start_another_workflow(tmp_path: Path) -> None:
    assert sorted(run(tmp_path, "start")) == ["end", "first", "other", "second"]
