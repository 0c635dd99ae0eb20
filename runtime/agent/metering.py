"""How many tokens an answer took, read from the side while it passes through untouched.

Owns the reading of ``usage`` in the Messages API's answers, streamed (server-sent events) or whole.
Protocol: platform.claude.com/docs/en/build-with-claude/streaming. Keeps no text.
"""

import json
from collections.abc import Mapping
from typing import Any

from runtime.agent.prices import Tokens

BYTES_PER_TOKEN = 4
"""A guess, used only where the provider did not live to say: never to lower a number it gave."""

_FRAME = 100
"""Bytes of a content_block_delta line that are not the model's words, about."""


class Meter:
    """Fed the bytes of one answer in whatever pieces they come.

    ``started``: the provider began to answer; ``finished``: the last event was seen, so the numbers are whole;
    ``failure``: the type of an ``error`` event, empty when there was none.
    """

    def __init__(self, *, streamed: bool) -> None:
        self.model = ""
        self.started = False
        self.finished = False
        self.failure = ""
        self._streamed = streamed
        self._rest = b""
        self._usage: dict[str, Any] = {}
        self._words = 0

    def feed(self, chunk: bytes) -> None:
        if not self._streamed:
            self._rest += chunk
            return
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            if line.startswith(b"data:"):
                self._event(line[5:])

    def close(self) -> None:
        """Nothing more comes. A whole (not streamed) answer is read now."""
        if self._streamed or not self._rest:
            return
        answer = _object(self._rest)
        self._rest = b""
        if "usage" in answer:
            self._start(answer)
            self.finished = True

    def tokens(self, *, asked_bytes: int) -> Tokens:
        """What was used. Of an answer that broke off, what is known, and an estimate for what is not:
        the prompt from the bytes that were asked, the output from the bytes that came."""
        known = _tokens(self._usage)
        if self.finished:
            return known
        guess = self._words // BYTES_PER_TOKEN
        prompt = known.input if self.started else asked_bytes // BYTES_PER_TOKEN
        return known + Tokens(input=prompt - known.input, output=max(0, guess - known.output))

    def _event(self, data: bytes) -> None:
        if b'"content_block' in data[:32]:  # most lines of an answer; not worth a parse
            self._words += max(0, len(data) - _FRAME)
            return
        event = _object(data)
        match event.get("type"):
            case "message_start":
                self._start(event.get("message") or {})
            case "message_delta":
                self._merge(event.get("usage"))
            case "message_stop":
                self.finished = True
            case "error":
                self.failure = str((event.get("error") or {}).get("type", "api_error"))
            case "content_block_delta":
                self._words += max(0, len(data) - _FRAME)

    def _start(self, message: Mapping[str, Any]) -> None:
        self.started = True
        self.model = str(message.get("model") or "")
        self._merge(message.get("usage"))

    def _merge(self, usage: object) -> None:
        """Numbers of a later event are cumulative and stand for the earlier ones."""
        if isinstance(usage, Mapping):
            self._usage.update((key, value) for key, value in usage.items() if value is not None)


def _tokens(usage: Mapping[str, Any]) -> Tokens:
    written = _count(usage, "cache_creation_input_tokens")
    split = usage.get("cache_creation")
    hour = min(written, _count(split, "ephemeral_1h_input_tokens")) if isinstance(split, Mapping) else 0
    return Tokens(
        input=_count(usage, "input_tokens"),
        output=_count(usage, "output_tokens"),
        cache_write_5m=written - hour,
        cache_write_1h=hour,
        cache_read=_count(usage, "cache_read_input_tokens"),
    )


def _count(usage: Mapping[str, Any], key: str) -> int:
    value = usage.get(key)
    return max(0, value) if isinstance(value, int) else 0


def _object(data: bytes) -> Mapping[str, Any]:
    """A JSON object, or an empty one: a damaged line is the reader's to refuse, not the meter's."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
