"""The command: its arguments, a stage to play on, and the end."""

import argparse
import asyncio
import os
import shutil
import sys
import tempfile
from pathlib import Path

from rich.markup import escape

from runtime.agent.isolation import find_bwrap
from runtime.demo import past
from runtime.demo.narration import narrate
from runtime.demo.scene import screen
from runtime.errors import Fault
from runtime.stage import staged


async def _perform(home: Path, *, live: bool, leave: bool) -> int:
    model = {"upstream": "anthropic" if live else "rehearsal"}
    environ = {"ANTHROPIC_API_KEY": os.environ["ANTHROPIC_API_KEY"]} if live else {}
    async with staged(home, environ=environ, model=model) as stage:
        try:
            confined = "bubblewrap" if find_bwrap() else "none here (install bubblewrap): file tools only"
            screen.print(f"[dim]home: {home}   model: {model['upstream']}   sandbox: {confined}[/]")
            if not live:
                past.lay_down(stage.tenant)
            await stage.start()
            await narrate(stage, live=live)
        except Fault as fault:
            screen.print(f"\n[bold red]The demo failed:[/] {escape(fault.problem)}\n{escape(stage.tail())}")
            return 1
        screen.print("\n[bold green]All of it was shown.[/]")
        if not leave:
            screen.print(f"Still serving at {stage.address} (health: {stage.address}/health). Ctrl-C ends it.")
            screen.print(f"Look around: git -C {stage.tenant.folder.root} log", style="dim")
            assert stage.process is not None
            await stage.process.wait()
        return 0


def main() -> None:
    """Parse the arguments, perform, clean up."""
    parser = argparse.ArgumentParser(
        prog="scripts/demo", description="The product at work, with no key and no network."
    )
    parser.add_argument("--exit", action="store_true", help="end after the narration, with status 0 or 1")
    parser.add_argument("--live", action="store_true", help="use the real model (ANTHROPIC_API_KEY)")
    parser.add_argument("--home", type=Path, help="keep the demo's home in this new folder")
    given = parser.parse_args()
    if given.live and not os.environ.get("ANTHROPIC_API_KEY"):
        parser.error("--live needs ANTHROPIC_API_KEY in the environment")
    if given.home and given.home.exists():
        parser.error(f"{given.home} is there already; name a new folder")
    home = given.home or Path(tempfile.mkdtemp(prefix="proxystaff-demo-"))
    try:
        status = asyncio.run(_perform(home, live=given.live, leave=given.exit))
    except KeyboardInterrupt:
        status = 0
    finally:
        if not given.home:
            shutil.rmtree(home, ignore_errors=True)
    sys.exit(status)


if __name__ == "__main__":
    main()
