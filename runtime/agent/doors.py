"""The runtime's side of a session's door: it takes the socket made inside the sandbox and serves the gateway on it.

Owns the handing over and the serving, until the session ends. Does not own what is served (the gateway) nor the
inside (door.py). A server here is a listening socket and nothing else: a session that waits costs no wake-ups.
"""

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from runtime.agent.events import SessionDied

KEEP_ALIVE = 24 * 3600
"""Seconds. The CLI is the only client, and keeps its connection between turns."""


class Doors:
    """Serves one ASGI app on any number of sockets."""

    def __init__(self, app: Any) -> None:
        self._config = uvicorn.Config(
            app,
            http="h11",
            ws="none",
            lifespan="off",
            access_log=False,
            log_config=None,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE,
        )
        self._config.load()

    @contextlib.asynccontextmanager
    async def serving(self, listening: socket.socket) -> AsyncIterator[None]:
        """Serve until the block ends; what is still being answered then is cancelled."""
        state = ServerState()
        loop = asyncio.get_running_loop()
        listening.settimeout(0)
        server = await loop.create_server(
            lambda: H11Protocol(config=self._config, server_state=state, app_state={}),
            sock=listening,
        )
        try:
            yield
        finally:
            server.close()
            for connection in list(state.connections):
                connection.shutdown()
            for task in list(state.tasks):
                task.cancel()

    @contextlib.asynccontextmanager
    async def beside(self, path: Path) -> AsyncIterator[asyncio.Task[None]]:
        """Wait at ``path`` for a sandbox to hand over its socket, then serve on that. Gives the task of the waiting:
        done once the door is open, failed with SessionDied when what came was no door."""
        async with contextlib.AsyncExitStack() as served:
            with _waiting_at(path) as waiting:
                taking = asyncio.create_task(self._take(waiting, served))
                try:
                    yield taking
                finally:
                    taking.cancel()
                    await asyncio.gather(taking, return_exceptions=True)

    async def _take(self, waiting: socket.socket, served: contextlib.AsyncExitStack) -> None:
        loop = asyncio.get_running_loop()
        sandbox, _ = await loop.sock_accept(waiting)
        with sandbox:
            await _readable(sandbox)
            _, descriptors, _, _ = socket.recv_fds(sandbox, 16, 4)
            if len(descriptors) != 1:
                for descriptor in descriptors:
                    os.close(descriptor)
                raise SessionDied("the sandbox opened no door", hint="see doctor; the log has what bwrap said")
            await served.enter_async_context(self.serving(socket.socket(fileno=descriptors[0])))
            await loop.sock_sendall(sandbox, b"open")


def on_loopback() -> socket.socket:
    """For a session without a sandbox: a port of this machine's own loopback. Only the token keeps others out."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.bind(("127.0.0.1", 0))
    listening.listen(64)
    return listening


@contextlib.contextmanager
def _waiting_at(path: Path) -> Iterator[socket.socket]:
    """A unix socket at ``path``. Its name may be longer than the 107 bytes a socket's address holds."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as waiting:
            waiting.settimeout(0)
            waiting.bind(f"/proc/self/fd/{folder}/{path.name}")
            waiting.listen(1)
            yield waiting
    finally:
        os.close(folder)


async def _readable(sock: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(sock, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(sock)
