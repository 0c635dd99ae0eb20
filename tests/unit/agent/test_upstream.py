import asyncio
import gzip
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from runtime.agent.upstream import AnthropicUpstream, Call, CutOff
from runtime.errors import ConfigFault

PIECES = [b"event: ping\ndata: {}\n", b"\n\xff\xfe not even text\n", b"end"]


class Provider:
    """A double of the provider on loopback: remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, str], bytes]] = []
        self.hung_up = asyncio.Event()
        self.app = Starlette(routes=[Route("/v1/{what:path}", self._answer, methods=["POST"])])

    async def _answer(self, request: Request) -> Response:
        self.asked.append((str(request.url), dict(request.headers), await request.body()))
        match request.path_params["what"]:
            case "messages/cut":
                return StreamingResponse(self._cut())
            case "messages/slow":
                return StreamingResponse(self._slow())
            case "messages/packed":
                return Response(gzip.compress(b"".join(PIECES)), headers={"content-encoding": "gzip"})
            case "messages/busy":
                return Response(b"busy", 529, headers={"retry-after": "7"})
        return StreamingResponse(_pieces(), headers={"request-id": "req_1"})

    async def _cut(self) -> AsyncIterator[bytes]:
        yield PIECES[0]
        raise RuntimeError("the line broke")

    async def _slow(self) -> AsyncIterator[bytes]:
        try:
            yield PIECES[0]
            await asyncio.sleep(60)
        finally:
            self.hung_up.set()


async def _pieces() -> AsyncIterator[bytes]:
    for piece in PIECES:
        yield piece
        await asyncio.sleep(0)


@asynccontextmanager
async def provided() -> AsyncIterator[tuple[Provider, AnthropicUpstream]]:
    provider = Provider()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(provider.app, log_level="critical", lifespan="off"))
        serving = asyncio.create_task(server.serve([listening]))
        upstream = AnthropicUpstream(f"http://127.0.0.1:{listening.getsockname()[1]}", SecretStr("sk-real"))
        try:
            yield provider, upstream
        finally:
            await upstream.close()
            server.should_exit = True
            await serving


def call(path: str = "/v1/messages", **body: Any) -> Call:
    return Call(
        path=path,
        query="beta=true",
        headers={"anthropic-version": "2023-06-01"},
        body={"model": "claude-sonnet-5-5", "stream": True, **body},
        asked_bytes=100,
        session="never leaves",
    )


async def test_the_credential_is_put_in_and_the_answer_comes_byte_for_byte(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")  # a proxy of the environment is not for us
    async with provided() as (provider, upstream):
        reply = await upstream.send(call(messages=[{"role": "user", "content": "h\ud83d"}]))
        assert b"".join([chunk async for chunk in reply.chunks]) == b"".join(PIECES)
        assert (reply.status, reply.headers["request-id"]) == (200, "req_1")
    [(url, headers, body)] = provider.asked
    assert url.endswith("/v1/messages?beta=true")
    assert headers["x-api-key"] == "sk-real"
    assert headers["accept-encoding"] == "identity"
    assert headers["anthropic-version"] == "2023-06-01"
    assert "never leaves" not in str(headers)
    assert json.loads(body)["messages"][0]["content"] == "h\ud83d"


async def test_a_packed_answer_is_unpacked() -> None:
    async with provided() as (_, upstream):
        reply = await upstream.send(call("/v1/messages/packed"))
        assert b"".join([chunk async for chunk in reply.chunks]) == b"".join(PIECES)
        assert "content-encoding" not in reply.headers


async def test_an_error_is_an_answer() -> None:
    async with provided() as (_, upstream):
        reply = await upstream.send(call("/v1/messages/busy"))
        assert (reply.status, reply.headers["retry-after"]) == (529, "7")
        assert [chunk async for chunk in reply.chunks] == [b"busy"]


async def test_a_line_that_breaks_is_a_cut() -> None:
    async with provided() as (_, upstream):
        reply = await upstream.send(call("/v1/messages/cut"))
        with pytest.raises(CutOff):
            _ = [chunk async for chunk in reply.chunks]


async def test_closing_the_answer_hangs_up() -> None:
    async with provided() as (provider, upstream):
        reply = await upstream.send(call("/v1/messages/slow"))
        await anext(reply.chunks)
        await reply.chunks.aclose()
        await asyncio.wait_for(provider.hung_up.wait(), 5)


async def test_nobody_there_is_a_cut_that_says_what_to_check() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    upstream = AnthropicUpstream(f"http://127.0.0.1:{port}", SecretStr("sk-real"))
    with pytest.raises(CutOff, match=r"model\.base_url"):
        await upstream.send(call())
    await upstream.close()


def test_without_a_key_there_is_no_upstream() -> None:
    with pytest.raises(ConfigFault, match="ANTHROPIC_API_KEY"):
        AnthropicUpstream("https://api.anthropic.com", SecretStr(""))


def test_another_model_is_not_shown_what_the_first_one_thought() -> None:
    thought = {"type": "thinking", "thinking": "hm", "signature": "s"}
    asked = call(
        messages=[
            {"role": "user", "content": "hi"},
            {"role": "assistant", "content": [thought, {"type": "text", "text": "hello"}]},
            {"role": "assistant", "content": [thought]},
            {"role": "user", "content": [{"type": "text", "text": "and?"}]},
        ]
    )
    other = asked.to("claude-haiku-5-5")
    assert other.model == "claude-haiku-5-5"
    assert [message["content"] for message in other.body["messages"]] == [
        "hi",
        [{"type": "text", "text": "hello"}],
        [{"type": "text", "text": "and?"}],
    ]
    assert asked.to("claude-sonnet-5-5") is asked
