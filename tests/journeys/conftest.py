"""The whole product, started as an operator starts it, against loopback doubles of the channels."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from runtime.stage import Stage, staged


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """A running product; ``stage.log`` is shown when a test fails."""
    async with staged(tmp_path / "home") as made:
        await made.start()
        yield made
        print(made.tail(60))
