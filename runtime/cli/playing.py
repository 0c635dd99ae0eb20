"""Playing cases by hand, once each, on what is committed. It brings in the agent: imported when it is asked for."""

import asyncio
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import typer

from runtime import logs
from runtime.annealing.gate import judging
from runtime.annealing.gate.case import Case
from runtime.annealing.gate.judging import Judge
from runtime.annealing.gate.playing import Played, Player, Stand
from runtime.app import agents
from runtime.cli.terminal import print_json, print_table, progress
from runtime.metrics import Metrics
from runtime.settings import Settings
from runtime.tenant.git.history import History
from runtime.tenant.git.worktrees import remove
from runtime.tenant.registry import Tenant, Tenants


def play(settings: Settings, tenants: Tenants, one: Tenant, chosen: Sequence[Case], *, json: bool) -> None:
    """Play and print; exits with 1 when one failed."""
    logs.configure(level="error")
    _print_plays(asyncio.run(_played(settings, tenants, one, chosen)), json=json)


async def _played(
    settings: Settings, tenants: Tenants, one: Tenant, chosen: Sequence[Case]
) -> list[tuple[Played, str]]:
    """Each once, on what is committed: what came of it, and why it failed."""
    history, played = History(one.folder), []
    async with agents(settings, tenants, Metrics()) as agent:
        folders = _folders(settings)
        player = Player(sessions=agent.sessions, folders=folders, now=lambda: datetime.now(UTC))
        judge, stand = Judge(agent.questions), Stand(tenant=one, history=history, base=history.head())
        try:
            with progress("playing") as report:
                for number, case in enumerate(chosen, 1):
                    done = await player.play(stand, case, f"{one.id}-{case.id}")
                    unmet = () if done.problems else await judge.unmet(one.id, done)
                    played.append((done, judging.failures(unmet, done.problems)))
                    report(number, len(chosen))
        finally:
            remove(folders)
    return played


def _folders(settings: Settings) -> Path:
    """For the plays of this process, apart from those of a gate that is at work; what a killed one left goes."""
    place = settings.var / "plays-by-hand"
    for left in place.iterdir() if place.is_dir() else ():
        if not Path("/proc", left.name).exists():
            remove(left)
    return place / str(os.getpid())


def _print_plays(played: Sequence[tuple[Played, str]], *, json: bool) -> None:
    if json:
        print_json(
            [
                {
                    "id": one.case.id,
                    "passed": not why,
                    "why": why,
                    "answer": one.answer,
                    "outbox": [str(used) for used in one.outbox],
                    "seconds": round(one.seconds, 2),
                }
                for one, why in played
            ]
        )
    else:
        rows = [(one.case.id, _passed(one, why), f"{one.seconds:.1f} s", why) for one, why in played]
        print_table(("id", "", "took", "why"), rows, empty="no cases")
    if any(why for _, why in played):
        raise typer.Exit(1)


def _passed(one: Played, why: str) -> str:
    if one.case.expect.is_open:
        return "only compared"
    return "failed" if why else "passed"
