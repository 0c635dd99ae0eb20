"""Both ends of a turn as bytes on a socket, so that what is measured is the product and not the tools around it."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

TAKEN = json.dumps({"ok": True, "result": {"message_id": 1, "date": 0, "chat": {"id": 1, "type": "private"}}}).encode()


class Sink(asyncio.Protocol):
    """A channel's API that takes everything. ``arrived`` gets the moment the first byte of a message came in."""

    arrived: "asyncio.Queue[float]"

    def __init__(self, arrived: "asyncio.Queue[float]") -> None:
        self.arrived = arrived
        self.buffer = b""
        self.began = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        if not self.buffer:
            self.began = time.perf_counter()
        self.buffer += data
        head, found, body = self.buffer.partition(b"\r\n\r\n")
        if not found or len(body) < _length(head):
            return
        self.buffer = b""
        if b"/sendMessage " in head.partition(b"\r\n")[0]:
            self.arrived.put_nowait(self.began)
        self.transport.write(_response(TAKEN))


@asynccontextmanager
async def sink() -> AsyncIterator[tuple[str, "asyncio.Queue[float]"]]:
    """Its address, and the queue of arrivals."""
    arrived: asyncio.Queue[float] = asyncio.Queue()
    server = await asyncio.get_running_loop().create_server(lambda: Sink(arrived), "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", arrived


class Line:
    """One kept-open connection that posts."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def open(cls, address: str) -> "Line":
        where = urlsplit(address)
        return cls(*await asyncio.open_connection(where.hostname, where.port))

    async def post(self, path: str, body: bytes, headers: dict[str, str]) -> tuple[float, float]:
        """When the first byte left and when the answer was there. Raises RuntimeError for any status but 200."""
        given = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        head = f"POST {path} HTTP/1.1\r\nhost: bench\r\ncontent-length: {len(body)}\r\n{given}\r\n"
        began = time.perf_counter()
        self._writer.write(head.encode() + body)
        answer = await self._reader.readuntil(b"\r\n\r\n")
        await self._reader.readexactly(_length(answer))
        if not answer.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(answer.decode())
        return began, time.perf_counter()

    def close(self) -> None:
        self._writer.close()


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    return 0


def _response(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)
