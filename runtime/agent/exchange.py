"""One exchange with an open CLI: the prompt goes in, words come out as they are spoken, and a result ends it.

Owns the SDK's messages and what a result means. Does not own the session it happens in (session.py).
"""

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any
from uuid import uuid4

from claude_agent_sdk import ClaudeSDKClient, ResultMessage, StreamEvent

from runtime.agent.events import AgentEvent, ModelRefused, Partial
from runtime.agent.gateway import Usage


async def exchange(
    client: ClaudeSDKClient, prompt: str, said: list[str], tell: Callable[[AgentEvent], None]
) -> ResultMessage | None:
    """The result of ``prompt``, None when the CLI ended before it. ``said`` holds the words of its last message."""
    message_id = str(uuid4())
    await client.query(_message(prompt, message_id))
    async for message in client.receive_messages():
        match message:
            case StreamEvent(parent_tool_use_id=None, event=event):
                if event.get("type") == "message_start":
                    said.clear()
                elif text := _text_of(event):
                    said.append(text)
                    tell(Partial(text))
            case ResultMessage(user_message_uuids=ids) if ids is None or message_id in ids:
                return message
    return None


def words(result: ResultMessage | None, said: Sequence[str], usage: Usage, *, stopped: bool) -> tuple[str, bool]:
    """What the assistant says in the end, and whether it was stopped. Raises ModelRefused when it could not answer."""
    aborted = result is not None and (result.terminal_reason or "").startswith("aborted")
    spoken = "".join(said)
    if stopped or aborted or result is None:
        return spoken, True
    if result.is_error:
        raise _refused(result, usage)
    return result.result or spoken, False


def _refused(result: ResultMessage, usage: Usage) -> ModelRefused:
    detail = usage.refused or f"upstream:{result.api_error_status or result.subtype}"
    said = result.result or "; ".join(result.errors or ()) or result.subtype
    hint = "raise limits.usd_per_day, or wait for tomorrow" if detail == "budget" else "see the gateway's log lines"
    fault = ModelRefused(f"the model did not answer: {said[:500]}", hint=hint, detail=detail)
    fault.usage = (usage,)
    return fault


async def _message(prompt: str, message_id: str) -> AsyncIterator[dict[str, Any]]:
    """With an id of its own, so that its result is told from one that came late."""
    content = {"role": "user", "content": prompt}
    yield {"type": "user", "message": content, "parent_tool_use_id": None, "uuid": message_id}


def _text_of(event: dict[str, Any]) -> str:
    match event:
        case {"type": "content_block_delta", "delta": {"type": "text_delta", "text": str(text)}}:
            return text
        case _:
            return ""
