"""The whole product on a scenario of the test's own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from runtime.stage import Stage, staged


@asynccontextmanager
async def rehearsing(folder: Path, scenario: str) -> AsyncIterator[Stage]:
    """Not started yet; the end of its log is printed, for a test that fails."""
    (folder / "scenario.yaml").write_text(scenario)
    model = {"upstream": "rehearsal", "rehearsal": str(folder / "scenario.yaml")}
    async with staged(folder / "home", model=model) as stage:
        yield stage
        print(stage.tail(60))
