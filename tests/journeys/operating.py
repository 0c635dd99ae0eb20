"""An operator: somebody at a shell, in a home."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from runtime.stage import environment

ROOT = Path(__file__).parents[2]


class Operator:
    """Somebody at a shell, in a home."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def run(self, *words: str, status: int = 0, stdin: str = "") -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "runtime", *words],
            input=stdin,
            capture_output=True,
            text=True,
            env={**environment(self.home), "PROXYSTAFF_HOME": str(self.home)},
            cwd=ROOT,
            timeout=120,
            check=False,
        )
        assert done.returncode == status, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def json(self, *words: str) -> Any:
        return json.loads(self.run(*words, "--json").stdout)
