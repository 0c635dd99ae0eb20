"""The same instant model for every arm of a benchmark: the rehearsal served over HTTP by a process of its own.

    python scripts/benchmarks/_instant.py SCENARIO     prints its address, then serves until it is ended

``GET /stats`` tells how many requests came and how many bytes the first one had.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from runtime import logs
from runtime.agent.rehearsal import RehearsalUpstream
from runtime.agent.upstream import Call
from runtime.sockets import serving

SCENARIO = "announce: false\nreplies:\n  - when: {regex: '.'}\n    do: [{say: Done and dusted.}]\n"


def application(upstream: RehearsalUpstream) -> Starlette:
    seen = {"requests": 0, "first_request_bytes": 0}

    async def messages(request: Request) -> Response:
        body = await request.body()
        seen["requests"] += 1
        seen["first_request_bytes"] = seen["first_request_bytes"] or len(body)
        call = Call(path="/v1/messages", query="", headers={}, body=await request.json(), asked_bytes=len(body))
        reply = await upstream.send(call)
        return StreamingResponse(reply.chunks, reply.status, dict(reply.headers))

    async def stats(_request: Request) -> Response:
        return JSONResponse(seen)

    return Starlette(routes=[Route("/v1/messages", messages, methods=["POST"]), Route("/stats", stats)])


@asynccontextmanager
async def instant_model(folder: Path) -> AsyncIterator[str]:
    """Start it in a process of its own; gives its address."""
    scenario = folder / "instant.yaml"
    scenario.write_text(SCENARIO)
    process = await asyncio.create_subprocess_exec(
        sys.executable, __file__, str(scenario), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        yield (await process.stdout.readline()).decode().strip()
    finally:
        process.kill()
        await process.wait()


async def _serve(scenario: Path) -> None:
    logs.configure(level="error")
    async with serving(application(RehearsalUpstream(scenario))) as address:
        print(address, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1])))
