"""A tenant folder and a pool around the fake model, for the agent's tests."""

import os
import shutil
import subprocess
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fakes_model import FakeGateway, FakeModel

from runtime.agent.events import Ask
from runtime.agent.isolation import Bwrap, find_bwrap
from runtime.agent.pool import Sessions
from runtime.settings import SessionSettings
from runtime.words import Conversation, Role, TenantId, TurnId

GIT = ["git", "-c", "user.name=Admin", "-c", "user.email=admin@proxystaff.invalid"]
OUTSIDE = {"PATH": os.defpath, "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull}


def bwrap() -> Bwrap:
    found = find_bwrap()
    assert found, "install bubblewrap: these tests are about the sandbox"
    return Bwrap(found)


def make_tenant(tenants: Path, name: str) -> Path:
    """A small folder of the right shape, as a git repository."""
    root = tenants / name
    for folder in ("life", "directives", "execution", "state/messages", "state/media", ".secrets"):
        (root / folder).mkdir(parents=True)
    (root / "CLAUDE.md").write_text("# Blueprint\nRead life/ first.\n")
    (root / "tenant.yaml").write_text(f"name: {name}\n")
    (root / "life" / "identity.md").write_text(f"I work for {name}.\n")
    (root / "directives" / "README.md").write_text(f"Standing words of {name}.\n")
    (root / "state" / "messages" / "2026-11.jsonl").write_text('{"id": "1"}\n')
    (root / ".secrets" / "API_KEY").write_text("the-secret-of-the-tenant")
    (root / ".gitignore").write_text("state/\n.secrets/\n")
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "First"]):
        subprocess.run([*GIT, *command], cwd=root, env=OUTSIDE, check=True, capture_output=True)
    return root


def ask(folder: Path, text: str, *, conversation: str = "telegram:1", turn: str = "t1", **more: Any) -> Ask:
    return Ask(
        tenant=TenantId(folder.name),
        folder=folder,
        conversation=Conversation(conversation),
        turn=TurnId(turn),
        prompt=text,
        role=more.pop("role", Role.OWNER),
        **more,
    )


@asynccontextmanager
async def pool(var: Path, model: FakeModel, *, isolation: Any = None, settings: Any = None, **more: Any) -> Any:
    gateway = FakeGateway(model)
    sessions = Sessions(
        SessionSettings(**({"max_warm": 2} | (settings or {}))),
        gateway=gateway,
        isolation=isolation or bwrap(),
        var=var,
        model="sonnet",
        **more,
    )
    async with sessions:
        yield sessions


def below(pid: int) -> list[int]:
    """``pid`` and everything it started, as far as it is there."""
    found, waiting = [], [pid]
    while waiting:
        one = waiting.pop()
        try:
            children = Path(f"/proc/{one}/task/{one}/children").read_text().split()
        except OSError:
            continue
        found.append(one)
        waiting += [int(child) for child in children]
    return found


def running(pids: list[int]) -> list[int]:
    """Those of ``pids`` that still run: one that nobody has reaped yet does not."""
    left = []
    for pid in pids:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if state not in "ZX":
            left.append(pid)
    return left


def copy_blueprint(tenants: Path, name: str) -> Path:
    root = tenants / name
    shutil.copytree(Path(__file__).parent.parent / "blueprint", root)
    return root
