"""What every double does: keep the requests, let a test wait for them, fail on request."""

import asyncio
import json
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One request: ``method`` is the Bot API's, or the last part of the path; ``account`` the token or number it
    was made for; ``status`` what it was answered (0: no answer)."""

    method: str
    account: str
    body: Body
    status: int

    @property
    def ok(self) -> bool:
        return self.status == 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """How the next request goes wrong. ``taken``: the message is accepted (and appears in ``sent``) all the same;
    ``silent``: no answer is ever sent; ``delay``: seconds before the answer (with status 200 the regular one: merely
    slow); ``method``: only for that one. A request that is refused anyway is refused, and the trouble is spent."""

    status: int = 500
    body: Body | str = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    taken: bool = False
    silent: bool = False
    delay: float = 0.0
    method: str = ""

    @property
    def accepts(self) -> bool:
        return self.taken or self.status == 200

    async def answer(self, request: Request, regular: Response) -> Response:
        await asyncio.sleep(self.delay)
        if self.silent:
            return await _silence(request)
        if self.status == 200:
            return regular
        if isinstance(self.body, str):
            return Response(self.body, self.status, dict(self.headers), media_type="text/html")
        return JSONResponse(self.body, self.status, dict(self.headers))


TAKEN_WITHOUT_ANSWER = Trouble(status=0, taken=True, silent=True)
"""The worst case: the message is out, and nobody was told."""


@dataclass
class Recording:
    """The memory of one double."""

    requests: list[Recorded] = field(default_factory=list)
    sent: list[Recorded] = field(default_factory=list)
    """The messages that were taken, in order: what the person would see."""
    troubles: deque[Trouble] = field(default_factory=deque)
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    def fail_next(self, *troubles: Trouble) -> None:
        """The next requests go wrong in this way, one each; those after them are well again."""
        self.troubles.extend(troubles)

    def next_trouble(self, method: str) -> Trouble | None:
        for trouble in self.troubles:
            if trouble.method in ("", method):
                self.troubles.remove(trouble)
                return trouble
        return None

    async def keep(self, request: Recorded, *, taken: bool) -> None:
        async with self._changed:
            self.requests.append(request)
            if taken:
                self.sent.append(request)
            self._changed.notify_all()

    async def wait_for_sent(self, count: int, *, timeout: float = 10.0) -> list[Recorded]:
        """All messages taken, as soon as there are ``count``. Raises TimeoutError after ``timeout`` seconds."""
        async with asyncio.timeout(timeout), self._changed:
            await self._changed.wait_for(lambda: len(self.sent) >= count)
        return list(self.sent)


async def _silence(request: Request) -> Response:
    """Say nothing until the other side hangs up."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
    return Response(status_code=499)


async def read_object(request: Request) -> Body | None:
    """The JSON object of a request; None when the body is not one."""
    try:
        value = json.loads(await request.body())
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
