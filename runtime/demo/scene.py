"""Speaking to the product as a realtor does, and showing what came of it. What does not come fails the demo.

Owns the words on the screen and the waiting. Does not own what is shown (narration.py, self_change.py).
"""

import asyncio
import sys
from collections.abc import Callable

from rich.console import Console
from rich.markup import escape
from rich.syntax import Syntax

from runtime.channels.doubles import Recorded, Recording
from runtime.errors import Fault
from runtime.stage import Stage, environment
from runtime.tenant.git.history import Commit

PATIENCE = 90.0
"""Seconds after which what has not come does not come."""

screen = Console(highlight=False, soft_wrap=True)


class NotShown(Fault):
    """A step did not show what it is there to show."""


async def telegram(stage: Stage, words: str, update_id: int) -> str:
    """Say ``words``; the reply."""
    said("Telegram", words)
    sent = len(stage.telegram.recording.sent)
    (await stage.post_telegram(words, update_id)).raise_for_status()
    return await told(stage.telegram.recording, sent)


async def whatsapp(stage: Stage, words: str, id_: str) -> str:
    """Say ``words``; the reply."""
    said("WhatsApp", words)
    sent = len(stage.whatsapp.recording.sent)
    (await stage.post_whatsapp(words, id_)).raise_for_status()
    return await told(stage.whatsapp.recording, sent)


async def told(recording: Recording, sent: int) -> str:
    """The message after the first ``sent`` ones."""
    try:
        return _text((await recording.wait_for_sent(sent + 1, timeout=PATIENCE))[sent])
    except TimeoutError:
        raise NotShown(f"no message came within {PATIENCE:.0f} seconds", hint="see the log below") from None


def _text(message: Recorded) -> str:
    text = message.body["text"]
    return str(text["body"] if isinstance(text, dict) else text)


async def commit_after(stage: Stage, head: str) -> Commit:
    """The newest commit, once it is not ``head``."""
    await until(lambda: stage.history.head() != head, "the turn left no commit", seconds=10)
    return stage.history.log(limit=1)[0]


async def until(holds: Callable[[], bool], otherwise: str, *, seconds: float = PATIENCE) -> None:
    try:
        async with asyncio.timeout(seconds):
            while not holds():  # noqa: ASYNC110 - files and commits of another process: there is no event
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise NotShown(otherwise, hint="see the log below") from None


def show(stage: Stage, commit: Commit, *trailers: str) -> None:
    """A commit and what it changed; with ``trailers``, also what it says for itself."""
    screen.print(f"  commit [yellow]{commit.id[:10]}[/] {escape(commit.subject)}  [dim]{escape(commit.author)}[/]")
    if trailers:
        evidence = [*commit.body.splitlines(), *(f"{name}: {commit.trailers[name]}" for name in trailers)]
        screen.print("\n".join(f"    {line}" for line in evidence), markup=False)
    changed = [line for line in stage.history.diff(commit.id).splitlines() if line[:1] in "+-@"]
    screen.print(Syntax("\n".join(f"    {line}" for line in changed), "diff", background_color="default"))


async def run(stage: Stage, *words: str) -> None:
    """A command as an operator would type it."""
    screen.print(f"  $ proxystaff {' '.join(words)}", style="bold")
    command = [sys.executable, "-m", "runtime", *words, "--home", str(stage.home)]
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=environment(stage.home),
    )
    printed, _ = await process.communicate()
    screen.print("\n".join(f"  {line}" for line in printed.decode().splitlines()), markup=False)
    require(process.returncode == 0, f"the command ended with {process.returncode}")


def title(number: int, words: str) -> None:
    screen.print(f"\n[bold cyan]{number}. {words}[/]")


def remark(words: str) -> None:
    screen.print(f"  [dim]{escape(words)}[/]")


def said(channel: str, words: str) -> None:
    screen.print(f"  Anden → {channel}: {escape(words)}")


def heard(reply: str) -> None:
    screen.print(f"  [green]reply:[/] {escape(reply)}")


def notified(line: str) -> None:
    """What the assistant says unasked."""
    screen.print(f"  [green]unasked:[/] {escape(line)}")


def require(holds: bool, otherwise: str) -> None:  # noqa: FBT001 - reads as a sentence
    if not holds:
        raise NotShown(otherwise, hint="see the log below")
