"""A Messages API that says what a test tells it to, as an ASGI app, and a gateway around it.

The product's own scripted model is the rehearsal; this one is small on purpose and serves the agent's own tests.
"""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from runtime.agent.gateway import Usage

Body = dict[str, Any]


@dataclass(frozen=True)
class Say:
    text: str
    after: float = 0.0


@dataclass(frozen=True)
class Use:
    """The model calls one tool."""

    name: str
    input: dict[str, Any]


@dataclass(frozen=True)
class Fail:
    status: int
    kind: str = "overloaded_error"
    message: str = "no"


Step = Say | Use | Fail
Script = Callable[[Body], Step]


def last_words(body: Body) -> str:
    """The text of the last thing a person said: the last element may be a system message."""
    for message in reversed(body["messages"]):
        if message["role"] != "user":
            continue
        content = message["content"]
        if isinstance(content, str):
            return content
        texts = [block["text"] for block in content if block["type"] == "text"]
        return texts[-1] if texts else ""
    return ""


def last_result(body: Body) -> str | None:
    """The result of the tool just used, or None when a person spoke last."""
    for message in reversed(body["messages"]):
        if message["role"] != "user":
            continue
        content = [block for block in message["content"] if not _is_reminder(block)]
        if not content or content[-1]["type"] != "tool_result":
            return None
        said = content[-1].get("content", "")
        return said if isinstance(said, str) else "".join(b.get("text", "") for b in said)
    return None


def _is_reminder(block: Any) -> bool:
    """What the CLI adds of its own; a plain string is a person's."""
    return isinstance(block, str) or block.get("text", "").startswith("<system-reminder>")


def echo(body: Body) -> Step:
    return Say(f"echo: {last_words(body)}")


def then_say(step: Callable[[str], Step]) -> Script:
    """Use a tool on each new prompt, then say what it gave."""

    def script(body: Body) -> Step:
        result = last_result(body)
        return Say(f"result: {result}") if result is not None else step(last_words(body))

    return script


@dataclass
class FakeModel:
    """Remembers every request it was sent; answers with ``script``."""

    script: Script = echo
    requests: list[Body] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    others: list[str] = field(default_factory=list)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        raw = b""
        while True:
            event = await receive()
            raw += event.get("body", b"")
            if not event.get("more_body"):
                break
        if scope["path"] != "/v1/messages" or scope["method"] != "POST":
            self.others.append(f"{scope['method']} {scope['path']}")
            await _plain(send, 404 if scope["path"] != "/" else 200, {"type": "error"})
            return
        body = json.loads(raw)
        self.requests.append(body)
        self.sizes.append(len(raw))
        self.headers.append({k.decode(): v.decode() for k, v in scope["headers"]})
        step = self.script(body)
        if isinstance(step, Fail):
            error = {"type": "error", "error": {"type": step.kind, "message": step.message}}
            await _plain(send, step.status, error)
            return
        if isinstance(step, Say) and step.after:
            await asyncio.sleep(step.after)
        await _stream(send, step, body.get("model", "fake"))


async def _plain(send: Any, status: int, body: Body) -> None:
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(body).encode()})


async def _stream(send: Any, step: Say | Use, model: str) -> None:
    usage = {"input_tokens": 10, "output_tokens": 1, "cache_read_input_tokens": 0, "cache_creation_input_tokens": 0}
    events: list[Body] = [
        {
            "type": "message_start",
            "message": {
                "id": f"msg_{uuid4().hex}",
                "type": "message",
                "role": "assistant",
                "model": model,
                "content": [],
                "stop_reason": None,
                "stop_sequence": None,
                "usage": usage,
            },
        }
    ]
    if isinstance(step, Say):
        events.append({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}})
        half = len(step.text) // 2
        events += [
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": piece}}
            for piece in (step.text[:half], step.text[half:])
        ]
        stop = "end_turn"
    else:
        block = {"type": "tool_use", "id": f"toolu_{uuid4().hex}", "name": step.name, "input": {}}
        delta = {"type": "input_json_delta", "partial_json": json.dumps(step.input)}
        events.append({"type": "content_block_start", "index": 0, "content_block": block})
        events.append({"type": "content_block_delta", "index": 0, "delta": delta})
        stop = "tool_use"
    events.append({"type": "content_block_stop", "index": 0})
    events.append({"type": "message_delta", "delta": {"stop_reason": stop}, "usage": {"output_tokens": 5}})
    events.append({"type": "message_stop"})
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
    for event in events:
        data = f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()
        await send({"type": "http.response.body", "body": data, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


@dataclass
class FakeGateway:
    """The gateway as the pool knows it, in front of a FakeModel."""

    app: FakeModel
    tokens: dict[str, tuple[str, str]] = field(default_factory=dict)
    turns: list[tuple[str, str]] = field(default_factory=list)
    ended: int = 0
    closed: list[str] = field(default_factory=list)

    def open(self, tenant: str, conversation: str) -> str:
        token = f"door-{len(self.tokens)}"
        self.tokens[token] = (tenant, conversation)
        return token

    def close(self, token: str) -> None:
        self.closed.append(token)

    def begin_turn(self, token: str, turn: str) -> None:
        self.turns.append((token, turn))

    def end_turn(self, token: str) -> Usage:
        self.ended += 1
        return Usage()
