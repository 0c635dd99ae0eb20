"""The conversation. Every claim it prints has been checked."""

import asyncio

from rich.markup import escape

from runtime.demo import self_change
from runtime.demo.scene import (
    commit_after,
    heard,
    remark,
    require,
    run,
    screen,
    show,
    telegram,
    title,
    told,
    whatsapp,
)
from runtime.stage import Stage
from runtime.tenant.messages import MessageLog

SOP = "directives/lead-follow-up.md"


async def narrate(stage: Stage, *, live: bool) -> None:
    """All steps. ``live``: with the real model, which does not err on cue."""
    await _remembers(stage)
    await _changes_an_sop(stage)
    await _answers_once(stage)
    await _learns(stage)
    _shows_its_log(stage)
    await self_change.stated(stage)
    if live:
        remark("Left out with --live: corrections that become a rule. It takes a model that errs on cue.")
    else:
        await self_change.learned(stage)
    await run(stage, "history", stage.tenant.id)


async def _remembers(stage: Stage) -> None:
    title(1, "A message on Telegram is answered")
    heard(await telegram(stage, "Hello!", 1))

    title(2, "A fact is remembered, and what was remembered is a commit")
    head = stage.history.head()
    heard(await telegram(stage, "Please remember that Sarah Lee wants three bedrooms under $650k.", 2))
    show(stage, await commit_after(stage, head))

    title(3, "It is known on WhatsApp too")
    reply = await whatsapp(stage, "What do you know about Sarah", "wamid.demo3")
    heard(reply)
    require("three bedrooms" in reply, "the fact was not recalled")


async def _changes_an_sop(stage: Stage) -> None:
    title(4, "An SOP is changed on request, and reverted")
    head = stage.history.head()
    before = stage.tenant.folder.read_text(SOP)
    heard(await whatsapp(stage, "Please change the SOP for lead follow-up: call within 3 minutes", "wamid.demo4"))
    commit = await commit_after(stage, head)
    show(stage, commit)
    require(stage.tenant.folder.read_text(SOP) != before, "the SOP did not change")
    await run(stage, "revert", stage.tenant.id, commit.id[:10])
    require(stage.tenant.folder.read_text(SOP) == before, "the revert did not bring the SOP back")


async def _answers_once(stage: Stage) -> None:
    title(5, "A message delivered twice is answered once")
    sent = len(stage.telegram.recording.sent)
    for _ in range(2):
        (await stage.post_telegram("Hi again", 5)).raise_for_status()
        remark("Telegram → update 5, answered 200")
    heard(await told(stage.telegram.recording, sent))
    await asyncio.sleep(1.0)
    require(len(stage.telegram.recording.sent) == sent + 1, "it was answered twice")


async def _learns(stage: Stage) -> None:
    title(6, "What was missed in the talking is learned after it")
    head = stage.history.head()
    heard(await telegram(stage, "By the way, our title company is First Title on Oak Street.", 6))
    heard(await telegram(stage, "/reset", 7))
    show(stage, await commit_after(stage, head))
    await run(stage, "runs", stage.tenant.id)


def _shows_its_log(stage: Stage) -> None:
    title(7, "The tenant's log: who said what")
    for line in MessageLog(stage.tenant.folder).recent(14):
        who = line.person if line.direction == "inbound" else "assistant"
        screen.print(f"  {line.at:%H:%M:%S}  {line.channel:<9} {who:<12} {escape(line.text)}", overflow="ellipsis")
