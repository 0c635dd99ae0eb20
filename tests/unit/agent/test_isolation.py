from pathlib import Path
from typing import Any

import pytest

from runtime.agent.events import IsolationMissing
from runtime.agent.isolation import Bwrap, FileToolsOnly, Unconfined, decide, find_bwrap, trial

HERE = Path("/usr/bin/bwrap")


@pytest.mark.parametrize(
    ("setting", "found", "tenants", "platform", "trouble", "outcome"),
    [
        ("auto", HERE, 5, "linux", "", Bwrap(HERE)),
        ("bwrap", HERE, 1, "linux", "", Bwrap(HERE)),
        ("auto", None, 1, "linux", "", FileToolsOnly()),
        ("auto", None, 0, "linux", "", FileToolsOnly()),
        ("auto", HERE, 1, "linux", "no namespaces", FileToolsOnly()),
        ("auto", None, 1, "darwin", "", FileToolsOnly()),
        ("none", HERE, 1, "linux", "", Unconfined()),
        ("auto", None, 2, "linux", "", "apt-get install bubblewrap"),
        ("bwrap", None, 1, "linux", "", "apt-get install bubblewrap"),
        ("auto", HERE, 2, "linux", "no namespaces", "user namespaces"),
        ("auto", HERE, 2, "darwin", "", "Linux"),
        ("none", HERE, 2, "linux", "", "isolation: auto"),
    ],
)
def test_the_decision(
    setting: Any, found: Path | None, tenants: int, platform: str, trouble: str, outcome: object
) -> None:
    if isinstance(outcome, str):
        with pytest.raises(IsolationMissing) as caught:
            decide(setting, bwrap=found, tenants=tenants, platform=platform, trouble=trouble)
        assert outcome in caught.value.hint
    else:
        assert decide(setting, bwrap=found, tenants=tenants, platform=platform, trouble=trouble) == outcome


def test_a_trial_says_what_is_wrong() -> None:
    bwrap = find_bwrap()
    assert bwrap is not None
    assert trial(bwrap) == ""
    assert "does not run" in trial(Path("/nowhere/bwrap"))
    assert "ended with 1" in trial(Path("/usr/bin/false"))
