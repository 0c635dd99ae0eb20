"""Updates as Telegram makes them, for its double: one a call, ready to be posted or polled."""

import json
import time
from typing import Any

_BOT = {"id": 110201543, "is_bot": True, "first_name": "Double", "username": "double_bot"}


def text_update(text: str, *, sender: int, update_id: int, at: int | None = None) -> bytes:
    """An Update with a private text message, as Telegram posts it. ``at``: Unix seconds, now if not given."""
    return message_update(sender=sender, update_id=update_id, at=at, text=text)


def message_update(
    *, sender: int, update_id: int, at: int | None = None, kind: str = "message", **content: Any
) -> bytes:
    """An Update with a private message of any ``content``: ``voice={…}``, ``photo=[…]``, ``media_group_id="…"`` …."""
    message = {
        "message_id": update_id,
        "from": _person(sender),
        "chat": {"id": sender, "first_name": "Person", "type": "private"},
        "date": at if at is not None else int(time.time()),
        **content,
    }
    return json.dumps({"update_id": update_id, kind: message}).encode()


def callback_update(data: str, *, sender: int, update_id: int, callback_id: str = "1") -> bytes:
    """An Update of a button that was pressed under a message of the bot."""
    chat = {"id": sender, "first_name": "Person", "type": "private"}
    message = {"message_id": 1, "from": _BOT, "chat": chat, "date": int(time.time()), "text": "Which one?"}
    query = {"id": callback_id, "from": _person(sender), "chat_instance": "1", "data": data, "message": message}
    return json.dumps({"update_id": update_id, "callback_query": query}).encode()


def stop_update(*, sender: int, update_id: int, draft_id: int = 1) -> bytes:
    """An Update of the Stop button of a draft."""
    stop = {"chat": {"id": sender, "first_name": "Person", "type": "private"}, "draft_id": draft_id}
    return json.dumps({"update_id": update_id, "stopped_message_generation": stop}).encode()


def _person(sender: int) -> dict[str, Any]:
    return {"id": sender, "is_bot": False, "first_name": "Person", "language_code": "en"}
