"""Work beside a block: it ends with the block, and its failure is seen without failing the block."""

import asyncio

from structlog.testing import capture_logs

from runtime.background import beside


async def test_the_work_ends_with_the_block() -> None:
    steps: list[str] = []

    async def work() -> None:
        steps.append("began")
        try:
            await asyncio.Event().wait()
        finally:
            steps.append("ended")

    async with beside(work()):
        await asyncio.sleep(0)
        assert steps == ["began"]
    assert steps == ["began", "ended"]


async def test_work_that_fails_is_logged_and_the_block_goes_on() -> None:
    async def work() -> None:
        raise ValueError("a defect")

    with capture_logs() as seen:
        async with beside(work()):
            await asyncio.sleep(0.01)
            assert [line["event"] for line in seen] == ["background.failed"]
    assert len(seen) == 1
