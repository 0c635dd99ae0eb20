"""A Telegram update as the words every channel shares. Pure: no clock, no disk, no network.

Protocol: Bot API, objects Update and Message. Owns which kinds of update and which chats reach a turn. Does not own
what a message holds (content), who may speak (people), nor that an update is taken once (its id is unique for a bot,
so for a tenant).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from runtime.channels import wire
from runtime.channels.telegram import content, entities
from runtime.channels.telegram.content import KINDS, name_of
from runtime.channels.wire import Object
from runtime.words import Arrival, Ignored, Inbound, StopPressed

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
_CHATS = ("group", "supergroup", "channel")

REASONS = frozenset(
    {*_UPDATES, *KINDS.values(), *_CHATS, "service", "migrated", "live_location", "from_bot", "malformed", "unknown"}
    | {"blocked", "unblocked", "added_to_chat", "removed_from_chat"}
)
"""Every reason an update is ignored for."""


@dataclass(frozen=True, slots=True)
class Bot:
    """Who we are in a group: ``id`` is the number before the colon of the token, ``username`` without the @."""

    id: str
    username: str


def parse(body: bytes, *, now: datetime, bot: Bot | None = None) -> list[Arrival]:
    """The one update in ``body``. ``now`` (aware) is the time of a message that carries none. Groups are heard only
    where ``bot`` says who is meant when somebody is addressed there.

    Raises BadInput: not a JSON object. An update of any other shape is Ignored with what it is as the reason.
    """
    return [read(wire.load(body), now=now, bot=bot)]


def read(update: Object, *, now: datetime, bot: Bot | None = None) -> Arrival:
    """One update, of any shape. Inbound: ``id`` is the update's; the ``message_id`` in ``extra`` is what a ``reply_to``
    and a ``replaces`` of the same chat name. ``address`` is the chat's id, with ``_`` and the topic's behind it."""
    key = update_id(update)
    if not key:
        return _ignored("malformed", "")
    kind = next((name for name in _UPDATES if name in update), "unknown")
    part = wire.child(update, kind)
    match kind:
        case "message":
            return _message(part, key, now, bot)
        case "edited_message":
            return _edited(part, key, now, bot)
        case "callback_query":
            return _pressed(part, key, now)
        case "my_chat_member":
            return _ignored(_membership(part), key)
        case "stopped_message_generation":
            return _stopped(part, key)
        case _:
            return _ignored(kind, key)


def update_id(update: Object) -> str:
    return wire.ident(update, "update_id") if isinstance(update.get("update_id"), int) else ""


def callback_of(update: Object) -> str:
    """The id under which a pressed button wants an answer, whatever became of the update; "" for any other kind."""
    return wire.ident(wire.child(update, "callback_query"), "id")


def _message(message: Object, key: str, now: datetime, bot: Bot | None) -> Arrival:
    chat, author = wire.child(message, "chat"), wire.child(message, "from")
    if refusal := _unheard(message, bot):
        return _ignored(refusal, key)
    held = content.read(message)
    if not held.says_something:
        return _ignored(held.kind if held.kind not in ("", "text") else _silent(message), key)
    answered = content.quoted(message)
    group = _is_group(chat)
    return Inbound(
        channel=CHANNEL,
        id=key,
        sender=wire.ident(author, "id") or wire.ident(chat, "id"),
        address=_address(message),
        text=_without_name(held.text, bot) if group and bot else held.text,
        sent_at=wire.moment(message, "date", now),
        kind=held.kind,
        how=content.how_of(message, held),
        sender_name=name_of(author) or name_of(chat),
        reply_to=answered.id,
        media=held.media,
        quoted=answered.words,
        album=wire.ident(message, "media_group_id"),
        group=group,
        extra=dict(_extra(message, quoted_from=answered.who)),
    )


def _edited(message: Object, key: str, now: datetime, bot: Bot | None) -> Arrival:
    """The new form of an earlier message. A location that moves is edited every few seconds, and is not said again."""
    if "location" in message and "venue" not in message:
        return _ignored("live_location", key)
    arrival = _message({**message, "date": message.get("edit_date", message.get("date"))}, key, now, bot)
    return replace(arrival, replaces=arrival.extra.get("message_id", "")) if isinstance(arrival, Inbound) else arrival


def _pressed(query: Object, key: str, now: datetime) -> Arrival:
    """A button under one of our messages. The message may be too old to be shown (date 0), or not given at all."""
    author, message = wire.child(query, "from"), wire.child(query, "message")
    chat = wire.child(message, "chat")
    sender = wire.ident(author, "id")
    if not sender or not isinstance(author.get("id"), int):
        return _ignored("malformed", key)
    choice = wire.text(query, "data") or wire.text(query, "game_short_name")
    if chat.get("type") == "channel" or not choice.strip():
        return _ignored("channel" if choice.strip() else "callback_query", key)
    known = {
        "callback_id": wire.ident(query, "id"),
        "choice": choice,
        "username": wire.text(author, "username"),
    }
    return Inbound(
        channel=CHANNEL,
        id=key,
        sender=sender,
        address=_address(message) if isinstance(chat.get("id"), int) else sender,
        text=_label(message, choice) or choice,
        sent_at=now,
        kind="button",
        sender_name=name_of(author),
        reply_to=wire.ident(message, "message_id"),
        quoted=content.read(message).text,
        group=_is_group(chat),
        extra={name: value for name, value in known.items() if value},
    )


def _label(message: Object, choice: str) -> str:
    """What stands on the button with this data."""
    rows = wire.child(message, "reply_markup").get("inline_keyboard")
    for row in rows if isinstance(rows, list) else []:
        for button in wire.children({"row": row}, "row"):
            if button.get("callback_data") == choice:
                return wire.text(button, "text")
    return ""


def _stopped(stop: Object, key: str) -> Arrival:
    """Drafts are for private chats: who pressed is whose chat it is."""
    chat = wire.child(stop, "chat")
    if not isinstance(chat.get("id"), int) or _is_group(chat) or not wire.ident(chat, "id"):
        return _ignored("malformed", key)
    thread = wire.ident(stop, "message_thread_id")
    person = wire.ident(chat, "id")
    return StopPressed(channel=CHANNEL, id=key, sender=person, address=f"{person}_{thread}" if thread else person)


def _membership(change: Object) -> str:
    """What the bot became in a chat: in a private one, the person blocked it or let it in again."""
    gone = wire.child(change, "new_chat_member").get("status") in ("kicked", "left")
    if _is_group(wire.child(change, "chat")):
        return "removed_from_chat" if gone else "added_to_chat"
    return "blocked" if gone else "unblocked"


# Who is heard


def _unheard(message: Object, bot: Bot | None) -> str:
    """Why ``message`` is not for us; "" when it is."""
    chat, author = wire.child(message, "chat"), wire.child(message, "from")
    if not isinstance(chat.get("id"), int) or not wire.ident(chat, "id"):
        return "malformed"
    if any(mark in message for mark in ("migrate_to_chat_id", "migrate_from_chat_id")):
        return "migrated"
    kind = wire.kind(chat, "type") if chat.get("type") in _CHATS else "group"
    if _is_group(chat) and (kind == "channel" or bot is None or not _addressed(message, bot)):
        return kind
    return "from_bot" if author.get("is_bot") is True else ""


def _is_group(chat: Object) -> bool:
    return chat.get("type") in _CHATS or wire.ident(chat, "id").startswith("-")


def _addressed(message: Object, bot: Bot) -> bool:
    """Whether a message of a group is for the bot: it is named, commanded by name, or answered."""
    answered = wire.child(wire.child(message, "reply_to_message"), "from")
    return wire.ident(answered, "id") == bot.id or entities.names(message, bot.id, bot.username)


def _without_name(text: str, bot: Bot) -> str:
    """The words without the bot's name in front of them: it is an address, not a part of what is said."""
    if not bot.username:
        return text
    return re.sub(rf"^\s*@{re.escape(bot.username)}\b[\s,:]*", "", text, count=1, flags=re.IGNORECASE) or text


def _address(message: Object) -> str:
    """Where an answer goes: the chat, and its topic where it has them."""
    chat, thread = wire.ident(wire.child(message, "chat"), "id"), wire.ident(message, "message_thread_id")
    return f"{chat}_{thread}" if thread and message.get("is_topic_message") is True else chat


def _silent(message: Object) -> str:
    """Why a message without words or content came: a notice of the chat (someone joined, a title), or broken."""
    return "malformed" if "text" in message or "date" not in message else "service"


def _extra(message: Object, *, quoted_from: str) -> Iterator[tuple[str, str]]:
    """``message_id`` (what a reply or an edit refers to), ``username``, ``chat`` (a group's title), and whose words are
    shown: ``forwarded_from``, ``quoted_from``, ``via_bot``."""
    forwarded = any(mark in message for mark in ("forward_origin", "forward_date"))
    found = {
        "message_id": wire.ident(message, "message_id"),
        "username": wire.text(wire.child(message, "from"), "username"),
        "chat": wire.text(wire.child(message, "chat"), "title"),
        "forwarded_from": content.forwarded_from(message) if forwarded else "",
        "quoted_from": quoted_from,
        "via_bot": wire.text(wire.child(message, "via_bot"), "username"),
    }
    return ((name, value) for name, value in found.items() if value)


def _ignored(reason: str, key: str) -> Ignored:
    return Ignored(channel=CHANNEL, reason=reason, id=key)
