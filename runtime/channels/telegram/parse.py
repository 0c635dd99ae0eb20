"""A Telegram update as the words every channel shares. Pure: no clock, no disk, no network.

Protocol: Bot API, objects Update and Message. Owns which kinds of update and message reach a turn. Does not own
who may speak (people), nor that an update is taken once (its id is unique for a bot, so for a tenant).
"""

from collections.abc import Iterator
from datetime import datetime

from runtime.channels import wire
from runtime.channels.wire import Object
from runtime.words import Arrival, How, Ignored, Inbound

CHANNEL = "telegram"

ALLOWED_UPDATES = ("message", "edited_message", "callback_query", "my_chat_member", "stopped_message_generation")
"""What setWebhook and getUpdates ask for; the other kinds are not sent to us at all."""

_UPDATES = (
    *ALLOWED_UPDATES,
    *("channel_post", "edited_channel_post", "business_connection", "business_message", "edited_business_message"),
    *("deleted_business_messages", "guest_message", "message_reaction", "message_reaction_count", "inline_query"),
    *("chosen_inline_result", "shipping_query", "pre_checkout_query", "purchased_paid_media", "poll", "poll_answer"),
    *("chat_member", "chat_join_request", "chat_boost", "removed_chat_boost", "managed_bot", "subscription"),
)

# The part of a message that holds its content, and our word for it. Order matters: an animation repeats itself
# in ``document``, a venue in ``location``.
_KINDS = {
    "animation": "video",
    "photo": "image",
    "voice": "voice",
    "audio": "audio",
    "video_note": "video",
    "video": "video",
    "document": "document",
    "sticker": "sticker",
    "paid_media": "paid_media",
    "venue": "location",
    "location": "location",
    "contact": "contacts",
    "poll": "poll",
    "checklist": "checklist",
    "dice": "dice",
    "game": "game",
    "story": "story",
    "invoice": "invoice",
    "successful_payment": "payment",
}

_FORWARDED = ("forward_origin", "forward_from", "forward_from_chat", "forward_sender_name", "forward_date")
_CHATS = ("group", "supergroup", "channel")

REASONS = frozenset({*_UPDATES, *_KINDS.values(), *_CHATS, "service", "from_bot", "malformed", "unknown"})
"""Every reason an update is ignored for."""


def parse(body: bytes, *, now: datetime) -> list[Arrival]:
    """The one update in ``body``. ``now`` (aware) is the time of a message that carries none.

    Raises BadInput: not a JSON object. An update of any other shape is Ignored with what it is as the reason.
    """
    return [_update(wire.load(body), now)]


def _update(update: Object, now: datetime) -> Arrival:
    number = update.get("update_id")
    key = wire.ident(update, "update_id") if isinstance(number, int) else ""
    if not key:
        return _ignored("malformed", "")
    kind = next((name for name in _UPDATES if name in update), "unknown")
    if kind != "message":
        return _ignored(kind, key)
    return _message(wire.child(update, "message"), key, now)


def _message(message: Object, key: str, now: datetime) -> Arrival:
    chat, author = wire.child(message, "chat"), wire.child(message, "from")
    address = wire.ident(chat, "id")
    if not address or not isinstance(chat.get("id"), int):
        return _ignored("malformed", key)
    if chat.get("type") in _CHATS or address.startswith("-"):
        return _ignored(wire.kind(chat, "type") if chat.get("type") in _CHATS else "group", key)
    if author.get("is_bot") is True:
        return _ignored("from_bot", key)
    part = next((name for name in _KINDS if name in message), "")
    text = wire.text(message, "text") or wire.text(message, "caption")
    if not text.strip():
        return _ignored(_KINDS[part] if part else _silent(message), key)
    return Inbound(
        channel=CHANNEL,
        id=key,
        sender=wire.ident(author, "id") or address,
        address=address,
        text=text,
        sent_at=wire.moment(message, "date", now),
        kind=_KINDS.get(part, "text"),
        how=How.FORWARDED if any(mark in message for mark in _FORWARDED) else How.TYPED,
        sender_name=_name(author) or _name(chat),
        reply_to=wire.ident(wire.child(message, "reply_to_message"), "message_id"),
        extra=dict(_extra(message, part)),
    )


def _silent(message: Object) -> str:
    """Why a message without words or content came: a notice of the chat (someone joined, a title), or broken."""
    return "malformed" if "text" in message or "date" not in message else "service"


def _extra(message: Object, part: str) -> Iterator[tuple[str, str]]:
    """``message_id`` (what a reply or a reaction refers to), ``thread``, ``username``, and of a file ``file_id``,
    ``mime``, ``filename``."""
    content = _largest(message) if part == "photo" else wire.child(message, part)
    found = {
        "message_id": wire.ident(message, "message_id"),
        "thread": wire.ident(message, "message_thread_id"),
        "album": wire.ident(message, "media_group_id"),
        "username": wire.text(wire.child(message, "from"), "username"),
        "file_id": wire.ident(content, "file_id"),
        "mime": wire.text(content, "mime_type"),
        "filename": wire.text(content, "file_name"),
    }
    return ((key, value) for key, value in found.items() if value)


def _largest(message: Object) -> Object:
    """A photo comes in several sizes; the one with the most pixels."""
    return max(wire.children(message, "photo"), key=_area, default={})


def _area(size: Object) -> int:
    width, height = size.get("width"), size.get("height")
    return width * height if isinstance(width, int) and isinstance(height, int) else 0


def _name(someone: Object) -> str:
    names = (wire.text(someone, "first_name"), wire.text(someone, "last_name"))
    return " ".join(name for name in names if name) or wire.text(someone, "username")


def _ignored(reason: str, key: str) -> Ignored:
    return Ignored(channel=CHANNEL, reason=reason, id=key)
