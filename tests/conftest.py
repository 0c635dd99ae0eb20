"""What holds for every test: nothing of the host is inherited, nothing but loopback reached, no gap skipped."""

import ipaddress
import os
import socket
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from runtime.agent import isolation

KEPT = ("PATH", "LANG", "TMPDIR", "PYTHONPATH", "VIRTUAL_ENV", "CI", "PYTEST_XDIST_WORKER", "PYTEST_CURRENT_TEST")

# Before any test module is imported: a library that reads the environment at import finds nothing of the host.
for name in [name for name in os.environ if name not in KEPT and not name.startswith("PYTEST_")]:
    del os.environ[name]


# No example fails for being slow: machines are shared.
settings.register_profile("shared", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared")


def _stay_on_loopback(event: str, arguments: tuple[Any, ...]) -> None:
    if event != "socket.connect":
        return
    sock, address = arguments
    if sock.family in (socket.AF_INET, socket.AF_INET6) and not ipaddress.ip_address(address[0]).is_loopback:
        raise PermissionError(f"a test may not reach {address[0]}")


sys.addaudithook(_stay_on_loopback)


@pytest.fixture(autouse=True)
def nothing_of_the_host(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home of its own for whatever reads one."""
    monkeypatch.setenv("HOME", str(tmp_path_factory.getbasetemp()))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """In CI a skip is a failure: there is no part that may be missing there."""
    report: Any = yield
    if report.skipped and os.environ.get("CI") == "true" and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped in CI: {report.longrepr}"
    return report


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests marked ``sandbox`` need bubblewrap; they say so where it cannot be used."""
    marked = [item for item in items if item.get_closest_marker("sandbox")]
    bwrap = isolation.find_bwrap()
    trouble = isolation.trial(bwrap) if marked and bwrap else ""
    if marked and (bwrap is None or trouble):
        why = pytest.mark.skip(reason=f"no usable sandbox ({trouble or isolation.INSTALL})")
        for item in marked:
            item.add_marker(why)
