"""What the gateway asks: a server of the Messages API. The one place where a model provider is known.

Owns the real credential and the connection. Does not own retries (attempts), budgets or metering (gateway).
"""

import json
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

import httpx
from pydantic import SecretStr

from runtime.errors import ConfigFault, Unavailable

_TIMEOUT = httpx.Timeout(connect=10, read=180, write=60, pool=10)
"""Seconds. A streaming provider sends a ping every few seconds; silence of three minutes is a dead connection."""

_THINKING = ("thinking", "redacted_thinking")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request as it may leave the house. ``asked_bytes`` is its size as it came; ``session`` tells sessions
    apart for a scripted model and never leaves."""

    path: str
    query: str
    headers: Mapping[str, str]
    body: Mapping[str, Any]
    asked_bytes: int
    session: str = ""

    @property
    def model(self) -> str:
        return str(self.body.get("model", ""))

    @property
    def streamed(self) -> bool:
        return self.body.get("stream") is True

    def to(self, model: str) -> "Call":
        """The same question to another model. Thinking is bound to the model that thought it, so it stays behind."""
        if model == self.model:
            return self
        messages = [_without_thinking(message) for message in self.body.get("messages", ())]
        kept = [message for message in messages if message.get("content")]
        return replace(self, body={**self.body, "model": model, "messages": kept})


def _without_thinking(message: Mapping[str, Any]) -> Mapping[str, Any]:
    content = message.get("content")
    if message.get("role") != "assistant" or not isinstance(content, list):
        return message
    return {**message, "content": [block for block in content if block.get("type") not in _THINKING]}


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that has begun. ``chunks`` are its bytes as they came; closing it ends the call."""

    status: int
    headers: Mapping[str, str]
    chunks: AsyncGenerator[bytes, None]


class CutOff(Unavailable):
    """The answer broke off before its end, or never began."""


class Upstream(Protocol):
    """Whoever answers. ``name`` goes into the ledger: ``anthropic`` or ``rehearsal``."""

    name: str

    async def send(self, call: Call) -> Reply:
        """Ask, and return when the status is known. Raises CutOff; iterating ``chunks`` may raise it, too."""
        ...

    async def close(self) -> None: ...


class AnthropicUpstream:
    """The provider's API over HTTP/1.1, connections kept alive, no proxy taken from the environment."""

    name = "anthropic"

    def __init__(self, base_url: str, api_key: SecretStr) -> None:
        """Raises ConfigFault when there is no key: better now than at the first message."""
        if not api_key.get_secret_value():
            raise ConfigFault(
                ["proxystaff.yaml: model.api_key: no key for the model's provider"],
                hint="set ANTHROPIC_API_KEY, or try everything without a key: model: {upstream: rehearsal}",
            )
        self._client = httpx.AsyncClient(
            base_url=base_url,
            headers={
                "x-api-key": api_key.get_secret_value(),
                "user-agent": "proxystaff",
                "accept-encoding": "identity",  # the bytes are metered as they pass, and pass as they are
            },
            timeout=_TIMEOUT,
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=100, keepalive_expiry=60),
            trust_env=False,
        )

    async def send(self, call: Call) -> Reply:
        url = f"{call.path}?{call.query}" if call.query else call.path
        content = json.dumps(call.body, separators=(",", ":")).encode()
        request = self._client.build_request("POST", url, headers=call.headers, content=content)
        try:
            response = await self._client.send(request, stream=True)
        except httpx.TransportError as fault:
            raise _cut(fault) from fault
        return Reply(response.status_code, _headers(response), _chunks(response))

    async def close(self) -> None:
        await self._client.aclose()


def _headers(response: httpx.Response) -> Mapping[str, str]:
    return {name: value for name, value in response.headers.items() if name != "content-encoding"}


async def _chunks(response: httpx.Response) -> AsyncGenerator[bytes, None]:
    encoded = response.headers.get("content-encoding", "identity") != "identity"
    try:
        async for chunk in response.aiter_bytes() if encoded else response.aiter_raw():
            yield chunk
    except (httpx.TransportError, httpx.DecodingError) as fault:
        raise _cut(fault) from fault
    finally:
        await response.aclose()


def _cut(fault: Exception) -> CutOff:
    return CutOff(
        f"the model's provider did not answer: {type(fault).__name__}",
        hint="check the machine's network and model.base_url in proxystaff.yaml, then send the message again",
    )
