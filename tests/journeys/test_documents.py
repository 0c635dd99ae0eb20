"""The documents tell the truth: their commands run, their links lead somewhere, their tests exist."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from runtime.stage import environment

pytestmark = pytest.mark.journey

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("*/README.md")])


STAY_HERE = """printf 'telegram: {api_base: "http://127.0.0.1:9"}\\n'"""
"""Nobody listens there: what doctor asks Telegram stays on this machine."""


def blocks(text: str) -> list[str]:
    return re.findall(r"```sh\n(.*?)```", text, re.DOTALL)


def test_the_two_commands_are_scripts_that_are_there() -> None:
    first, second, *_ = blocks(README)
    for command in (first, second):
        assert os.access(ROOT / command.strip(), os.X_OK)


@pytest.mark.sandbox
def test_what_the_readme_says_to_do_for_real_works(tmp_path: Path) -> None:
    (block,) = [block for block in blocks(README) if "proxystaff init" in block]
    script = (
        block.replace("/srv/proxystaff", str(tmp_path / "home"))
        .replace("ANTHROPIC_API_KEY=…", "ANTHROPIC_API_KEY=not-a-key")
        .replace("proxystaff serve", "proxystaff status")  # which would go on for ever
        .replace("export PROXYSTAFF_HOME", f"{STAY_HERE} >> {tmp_path}/home/proxystaff.yaml\nexport PROXYSTAFF_HOME")
    )
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    given = {**environment(tmp_path), "PATH": path, "BOT_TOKEN": "1:a", "WEBHOOK_SECRET": "b"}
    done = subprocess.run(
        ["sh", "-eu", "-c", script], capture_output=True, text=True, env=given, cwd=tmp_path, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "not serving" in done.stdout


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_and_named_files_lead_somewhere(document: Path) -> None:
    text = re.sub(r"```.*?```", "", document.read_text(), flags=re.DOTALL)
    links = [link for link in re.findall(r"\]\(([^)#]+)", text) if "://" not in link]
    missing = [link for link in links if not (document.parent / link).exists()]
    named = re.findall(r"`((?:tests|runtime|scripts|docs|blueprint)/[\w./-]+)`", text)
    missing += [name for name in named if not (ROOT / name).exists()]
    assert missing == []


def test_the_changelog_names_the_version() -> None:
    version = re.search(r'^version = "(.*)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert version
    assert "## [Unreleased]" in (ROOT / "CHANGELOG.md").read_text()


def test_no_lock_file_names_a_host() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        assert "://" not in (ROOT / name).read_text()
