"""The rehearsal: a model that follows a scenario instead of thinking, served as the Messages API is.

Owns the answers' bytes: streamed events, whole messages, delays, injected errors. Does not own what is said (scenario).
It asks nobody, needs no key, and says of itself that it is a rehearsal.
Protocol: platform.claude.com/docs/en/api/messages and …/build-with-claude/streaming.
"""

import asyncio
import hashlib
import json
import secrets
from collections import OrderedDict
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runtime import logs
from runtime.agent import scenario
from runtime.agent.attempts import error_body
from runtime.agent.hearing import ANNOUNCEMENT, Heard, hear
from runtime.agent.metering import BYTES_PER_TOKEN
from runtime.agent.scenario import Round, Rules, Step, fill
from runtime.agent.upstream import Call, CutOff, Reply
from runtime.errors import ConfigFault

DEMO = Path(__file__).parent / "scenarios" / "demo.yaml"
"""The scenario that is used when proxystaff.yaml names none."""

_DELTA = 24
"""Characters of one text_delta."""

_REMEMBERED = 10_000
_HTTP_ERRORS = {429: "rate_limit_error", 500: "api_error", 529: "overloaded_error"}
_JSON = {"content-type": "application/json"}
_EVENTS = {"content-type": "text/event-stream; charset=utf-8"}


class RehearsalUpstream:
    """Follows the scenario in ``path``; a saved change is in force at the next request."""

    name = "rehearsal"

    def __init__(self, path: Path = DEMO) -> None:
        """Raises ConfigFault with every fault of the file."""
        self._path = path
        self._stamp = _stamp(path)
        self._rules = Rules(scenario.load(path))
        self._tries: OrderedDict[str, int] = OrderedDict()
        logs.get("agent").warning("model.rehearsal", scenario=str(path))

    async def close(self) -> None:
        """Nothing is held."""

    async def send(self, call: Call) -> Reply:
        try:
            self._reload()
        except ConfigFault as fault:
            return _error(500, "api_error", fault.problem, {"x-should-retry": "false"})
        if call.path.endswith("/count_tokens"):
            return _whole(json.dumps({"input_tokens": _tokens(call.asked_bytes)}).encode())
        heard = hear(call.body)
        answer = self._answer(call, heard)
        if isinstance(answer.failure, int):
            await _wait(answer.parts)
            retry = {} if answer.retry_after is None else {"retry-after": f"{answer.retry_after:g}"}
            return _error(answer.failure, _HTTP_ERRORS[answer.failure], "a rehearsed error", retry)
        if call.streamed:
            return Reply(200, _EVENTS, _stream(call, answer))
        return Reply(200, _JSON, _message(call, answer))

    def _reload(self) -> None:
        stamp = _stamp(self._path)
        if stamp != self._stamp:
            self._rules = Rules(scenario.load(self._path))
            self._tries.clear()
            self._stamp = stamp

    def _answer(self, call: Call, heard: Heard) -> "_Answer":
        """Fill in the round's steps, up to the first error that is due."""
        following = self._rules.next_round(heard)
        announcing = following.final and self._rules.scenario.announce and not heard.announced
        parts: list[_Part] = []
        for number, step in enumerate(following.steps):
            if step.delay is not None:
                parts.append(_Pause(step.delay))
            elif step.error is not None:
                if self._is_due(step, number, following, call, heard):
                    return _Answer(tuple(parts), step.error, step.retry_after)
            elif step.use is not None:
                parts += [_Tool(use.tool, fill(use.input, following.captures)) for use in step.use]
            elif step.say is not None:
                text = fill(step.say, following.captures)
                pace = self._rules.scenario.pace if step.pace is None else step.pace
                parts.append(_Text(f"{ANNOUNCEMENT} {text}" if announcing else text, pace))
                announcing = False
        return _Answer(tuple(parts))

    def _is_due(self, step: Step, number: int, following: Round, call: Call, heard: Heard) -> bool:
        """Without ``times`` always; with it, the first so many tries of one and the same question."""
        if step.times is None:
            return True
        question = (call.session, *map(str, following.place), str(number), str(heard.length), heard.typed)
        key = hashlib.sha256("\0".join(question).encode("utf-8", "replace")).hexdigest()
        tried = self._tries.pop(key, 0)
        self._tries[key] = tried + 1
        if len(self._tries) > _REMEMBERED:
            self._tries.popitem(last=False)
        return tried < step.times


def _stamp(path: Path) -> tuple[int, int, int]:
    if not path.is_file():
        raise ConfigFault(
            [f"{path}: there is no such scenario"], hint="set model.rehearsal in proxystaff.yaml to a file"
        )
    found = path.stat()
    return found.st_mtime_ns, found.st_size, found.st_ino


# The parts of one answer.


@dataclass(frozen=True, slots=True)
class _Pause:
    seconds: float


@dataclass(frozen=True, slots=True)
class _Text:
    text: str
    pace: float

    def block(self) -> dict[str, Any]:
        return {"type": "text", "text": self.text}


@dataclass(frozen=True, slots=True)
class _Tool:
    tool: str
    input: Mapping[str, Any]

    def block(self) -> dict[str, Any]:
        return {"type": "tool_use", "id": f"toolu_{secrets.token_hex(12)}", "name": self.tool, "input": self.input}


_Part = _Pause | _Text | _Tool


@dataclass(frozen=True, slots=True)
class _Answer:
    """``failure`` is how it ends: None is well, a number is an HTTP error in its place."""

    parts: tuple[_Part, ...]
    failure: int | str | None = None
    retry_after: float | None = None

    @property
    def stop_reason(self) -> str:
        return "tool_use" if any(isinstance(part, _Tool) for part in self.parts) else "end_turn"


async def _stream(call: Call, answer: _Answer) -> AsyncGenerator[bytes, None]:
    message = {**_head(call), "content": [], "stop_reason": None, "stop_sequence": None}
    yield _event({"type": "message_start", "message": {**message, "usage": _usage(call, 1)}})
    blocks = [part for part in answer.parts if not isinstance(part, _Pause)]
    index = 0
    for part in answer.parts:
        if isinstance(part, _Pause):
            await asyncio.sleep(part.seconds)
            continue
        broken = answer.failure is not None and index == len(blocks) - 1  # a line breaks in the middle of a word
        async for piece in _block(index, part, whole=not broken):
            yield piece
        index += 1
    match answer.failure:
        case "cut":
            raise CutOff("a rehearsed cut", hint="the scenario wanted it")
        case "malformed":
            yield b'event: content_block_delta\ndata: {"type": "content_block_de\n\n'
            return
        case "overloaded":
            yield b"event: error\ndata: " + error_body("overloaded_error", "a rehearsed error") + b"\n\n"
            return
    written = sum(len(json.dumps(part.block())) for part in blocks)
    delta = {"stop_reason": answer.stop_reason, "stop_sequence": None}
    end = _event({"type": "message_delta", "delta": delta, "usage": {"output_tokens": _tokens(written)}})
    yield end + _event({"type": "message_stop"})


async def _block(index: int, part: _Text | _Tool, *, whole: bool) -> AsyncGenerator[bytes, None]:
    block = part.block()
    if isinstance(part, _Tool):
        deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in _pieces(json.dumps(part.input))]
        block["input"], pace = {}, 0.0
    else:
        deltas = [{"type": "text_delta", "text": piece} for piece in _pieces(part.text)]
        block["text"], pace = "", part.pace
    ready = _event({"type": "content_block_start", "index": index, "content_block": block})
    for delta in deltas:
        ready += _event({"type": "content_block_delta", "index": index, "delta": delta})
        if pace:
            yield ready
            ready = b""
            await asyncio.sleep(pace)
    yield ready + _event({"type": "content_block_stop", "index": index}) if whole else ready


async def _message(call: Call, answer: _Answer) -> AsyncGenerator[bytes, None]:
    await _wait(answer.parts)
    blocks = [part.block() for part in answer.parts if not isinstance(part, _Pause)]
    usage = _usage(call, _tokens(len(json.dumps(blocks))))
    ending = {"stop_reason": answer.stop_reason, "stop_sequence": None, "usage": usage}
    whole = json.dumps({**_head(call), "content": blocks, **ending}).encode()
    if answer.failure in ("cut", "overloaded"):
        raise CutOff(f"a rehearsed error: {answer.failure}", hint="the scenario wanted it")
    yield whole[: len(whole) // 2] if answer.failure == "malformed" else whole


async def _wait(parts: tuple[_Part, ...]) -> None:
    await asyncio.sleep(sum(part.seconds for part in parts if isinstance(part, _Pause)))


def _head(call: Call) -> dict[str, Any]:
    return {"id": f"msg_{secrets.token_hex(12)}", "type": "message", "role": "assistant", "model": call.model}


def _usage(call: Call, output: int) -> dict[str, int]:
    return {
        "input_tokens": _tokens(call.asked_bytes),
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "output_tokens": output,
    }


def _pieces(text: str) -> list[str]:
    return [text[start : start + _DELTA] for start in range(0, len(text), _DELTA)]


def _tokens(size: int) -> int:
    return max(1, size // BYTES_PER_TOKEN)


def _event(event: Mapping[str, Any]) -> bytes:
    return f"event: {event['type']}\ndata: {json.dumps(event, separators=(',', ':'))}\n\n".encode()


def _whole(data: bytes, status: int = 200, headers: Mapping[str, str] = _JSON) -> Reply:
    async def chunks() -> AsyncGenerator[bytes, None]:
        yield data

    return Reply(status, headers, chunks())


def _error(status: int, kind: str, message: str, headers: Mapping[str, str]) -> Reply:
    return _whole(error_body(kind, message), status, {**_JSON, **headers})
