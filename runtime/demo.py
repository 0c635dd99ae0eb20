"""``scripts/demo``: the product at work in the terminal. Each step says what it shows, and fails when it does not.

Everything but the model and the channels' two servers is the real thing (see stage).
"""

import argparse
import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.syntax import Syntax

from runtime.agent.isolation import find_bwrap
from runtime.channels.doubles import Recorded, Recording
from runtime.errors import Fault
from runtime.stage import Stage, environment, staged
from runtime.tenant.git.history import Commit
from runtime.tenant.messages import MessageLog

SOP = "directives/lead-follow-up.md"

screen = Console(highlight=False, soft_wrap=True)


class NotShown(Fault):
    """A step did not show what it is there to show."""


async def narrate(stage: Stage) -> None:
    """The conversation. Every claim it prints has been checked."""
    _title(1, "A message on Telegram is answered")
    _heard(await _telegram(stage, "Hello!", 1))

    _title(2, "A fact is remembered, and what was remembered is a commit")
    head = stage.history.head()
    _heard(await _telegram(stage, "Please remember that Sarah Lee wants three bedrooms under $650k.", 2))
    _show(stage, await _commit_after(stage, head))

    _title(3, "It is known on WhatsApp too")
    reply = await _whatsapp(stage, "What do you know about Sarah", "wamid.demo3")
    _heard(reply)
    _require("three bedrooms" in reply, "the fact was not recalled")

    _title(4, "An SOP is changed on request, and reverted")
    head = stage.history.head()
    before = stage.tenant.folder.read_text(SOP)
    _heard(await _whatsapp(stage, "Please change the SOP for lead follow-up: call within 3 minutes", "wamid.demo4"))
    commit = await _commit_after(stage, head)
    _show(stage, commit)
    _require(stage.tenant.folder.read_text(SOP) != before, "the SOP did not change")
    _run(stage, "revert", stage.tenant.id, commit.id[:10])
    _require(stage.tenant.folder.read_text(SOP) == before, "the revert did not bring the SOP back")

    _title(5, "A message delivered twice is answered once")
    sent = len(stage.telegram.recording.sent)
    for _ in range(2):
        (await stage.post_telegram("Hi again", 5)).raise_for_status()
        screen.print("  Telegram → update 5, answered 200", style="dim")
    _heard(_text(await _next(stage.telegram.recording, sent)))
    await asyncio.sleep(1.0)
    _require(len(stage.telegram.recording.sent) == sent + 1, "it was answered twice")

    _title(6, "What was missed in the talking is learned after it")
    head = stage.history.head()
    _heard(await _telegram(stage, "By the way, our title company is First Title on Oak Street.", 6))
    _heard(await _telegram(stage, "/reset", 7))
    _show(stage, await _commit_after(stage, head))
    _run(stage, "runs", stage.tenant.id)

    _title(7, "The tenant's log: who said what")
    for line in MessageLog(stage.tenant.folder).recent(20):
        who = line.person if line.direction == "inbound" else "assistant"
        screen.print(f"  {line.at:%H:%M:%S}  {line.channel:<9} {who:<12} {escape(line.text)}", overflow="ellipsis")
    screen.print()
    _run(stage, "history", stage.tenant.id)


async def _telegram(stage: Stage, text: str, update_id: int) -> str:
    _said("Telegram", text)
    sent = len(stage.telegram.recording.sent)
    (await stage.post_telegram(text, update_id)).raise_for_status()
    return _text(await _next(stage.telegram.recording, sent))


async def _whatsapp(stage: Stage, text: str, id_: str) -> str:
    _said("WhatsApp", text)
    sent = len(stage.whatsapp.recording.sent)
    (await stage.post_whatsapp(text, id_)).raise_for_status()
    return _text(await _next(stage.whatsapp.recording, sent))


async def _next(recording: Recording, sent: int) -> Recorded:
    try:
        return (await recording.wait_for_sent(sent + 1, timeout=90))[sent]
    except TimeoutError:
        raise NotShown("no reply came within 90 seconds", hint="see the log below") from None


def _text(message: Recorded) -> str:
    text = message.body["text"]
    return str(text["body"] if isinstance(text, dict) else text)


async def _commit_after(stage: Stage, head: str) -> Commit:
    for _ in range(100):
        newest = stage.history.log(limit=1)[0]
        if newest.id != head:
            return newest
        await asyncio.sleep(0.1)
    raise NotShown("the turn left no commit", hint="see the log below")


def _show(stage: Stage, commit: Commit) -> None:
    screen.print(f"  commit [yellow]{commit.id[:10]}[/] {escape(commit.subject)}  [dim]{escape(commit.author)}[/]")
    changed = [line for line in stage.history.diff(commit.id).splitlines() if line[:1] in "+-@"]
    screen.print(Syntax("\n".join(f"    {line}" for line in changed), "diff", background_color="default"))


def _run(stage: Stage, *words: str) -> None:
    """A command as an operator would type it."""
    screen.print(f"  $ proxystaff {' '.join(words)}", style="bold")
    command = [sys.executable, "-m", "runtime", *words, "--home", str(stage.home)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment(stage.home), check=False)
    screen.print("\n".join(f"  {line}" for line in (done.stdout + done.stderr).splitlines()), markup=False)
    _require(done.returncode == 0, f"the command ended with {done.returncode}")


def _title(number: int, text: str) -> None:
    screen.print(f"\n[bold cyan]{number}. {text}[/]")


def _said(channel: str, text: str) -> None:
    screen.print(f"  Anden → {channel}: {escape(text)}")


def _heard(reply: str) -> None:
    screen.print(f"  [green]reply:[/] {escape(reply)}")


def _require(holds: bool, otherwise: str) -> None:  # noqa: FBT001 - reads as a sentence
    if not holds:
        raise NotShown(otherwise, hint="see the log below")


async def _perform(home: Path, *, live: bool, leave: bool) -> int:
    model = {"upstream": "anthropic" if live else "rehearsal"}
    environ = {"ANTHROPIC_API_KEY": os.environ["ANTHROPIC_API_KEY"]} if live else {}
    async with staged(home, environ=environ, model=model) as stage:
        try:
            confined = "bubblewrap" if find_bwrap() else "none here (install bubblewrap): file tools only"
            screen.print(f"[dim]home: {home}   model: {model['upstream']}   sandbox: {confined}[/]")
            await stage.start()
            await narrate(stage)
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
