"""The whole product on a scenario of the test's own."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from runtime.stage import Stage, staged
from tests.journeys.waiting import until


@asynccontextmanager
async def rehearsing(folder: Path, scenario: str, **settings: Mapping[str, object]) -> AsyncIterator[Stage]:
    """Not started yet; ``settings`` are sections of proxystaff.yaml. The end of its log is printed, for a failure."""
    (folder / "scenario.yaml").write_text(scenario)
    model = {"upstream": "rehearsal", "rehearsal": str(folder / "scenario.yaml")}
    async with staged(folder / "home", model=model, **settings) as stage:
        yield stage
        print(stage.tail(60))


async def telegram(stage: Stage, text: str, number: int) -> str:
    """What the owner hears first after writing ``text``; ``number`` tells one update from the others."""
    sent = len(stage.telegram.recording.sent)
    (await stage.post_telegram(text, number)).raise_for_status()
    await until(lambda: len(stage.telegram.recording.sent) > sent)
    return str(stage.telegram.recording.sent[sent].body["text"])
