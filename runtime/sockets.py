"""An ASGI app on a TCP socket, for the time of a block. Signals belong to whoever runs the block."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from starlette.types import ASGIApp

from runtime.errors import Refused


class _Server(uvicorn.Server):
    """uvicorn ends its process by the signal that stopped it, before anybody else can tidy up."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def listen(host: str = "127.0.0.1", port: int = 0) -> socket.socket:
    """A listening socket; port 0 lets the system choose. Whoever connects from here on waits and is not turned away.

    It says that it is TCP, because asyncio sets TCP_NODELAY only where it does: without it an answer waits 40 ms.
    Raises Refused when the address cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(2048)
    except OSError as fault:
        listener.close()
        raise Refused(
            f"cannot listen on {host}:{port}: {fault.strerror}", hint="stop what does, or take another port"
        ) from None
    return listener


@asynccontextmanager
async def serving(app: ASGIApp, listener: socket.socket | None = None, *, patience: int = 1) -> AsyncIterator[str]:
    """Serve ``app`` on ``listener`` (or a loopback port of its own); gives its address, as ``http://host:port``.

    At the end of the block requests under way have ``patience`` seconds to finish.
    """
    listener = listener or listen()
    config = uvicorn.Config(app, log_config=None, lifespan="off", timeout_graceful_shutdown=patience, access_log=False)
    server = _Server(config)
    with listener:
        running = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            while not server.started:
                await asyncio.wait({running}, timeout=0.005)
                if running.done():
                    await running
            host, port = listener.getsockname()[:2]
            yield f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        finally:
            server.should_exit = True
            await running
