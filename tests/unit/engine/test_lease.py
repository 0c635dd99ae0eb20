"""The lease of a home: one live process at a time, free again however that one ends."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from runtime.engine.lease import Lease
from runtime.errors import Refused

HOLD = """
import sys, time
from pathlib import Path
from runtime.engine.lease import Lease
Lease(Path(sys.argv[1])).take()
print("held", flush=True)
time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path: Path):
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_a_second_process_is_refused_and_told_who_holds_it(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    with pytest.raises(Refused, match=f"served by process {holder.pid}"):
        Lease(tmp_path).take()
    assert Lease(tmp_path).held_elsewhere()


def test_a_killed_process_frees_it(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    lease = Lease(tmp_path)
    lease.take()
    lease.release()
    assert not Lease(tmp_path).held_elsewhere()
