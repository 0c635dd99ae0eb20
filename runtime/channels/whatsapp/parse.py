"""A WhatsApp webhook POST as the words every channel shares. Pure: no clock, no disk, no network.

Protocol: Cloud API webhooks, field ``messages``: entry x changes x (messages, statuses, errors), any number of each,
for any number of business numbers. Owns which kinds reach a turn. Does not own who may speak (people), which tenant
a number belongs to, nor that a message is taken once (its wamid is unique for a number).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from runtime.channels import wire
from runtime.channels.wire import Object
from runtime.words import Arrival, How, Ignored, Inbound, SendState, StatusUpdate

CHANNEL = "whatsapp"

_MEDIA = ("image", "video", "document", "audio", "sticker")
_MESSAGES = (
    *("text", "button", "interactive", "location", "contacts", "reaction", "order", "system", "edit", "revoke"),
    *("unsupported", "request_welcome", "ephemeral", "group_invite", "poll", "poll_update"),
)
_FIELDS = (
    *("smb_message_echoes", "message_echoes", "calls", "user_preferences", "history", "smb_app_state_sync"),
    *("account_update", "account_alerts", "account_review_update", "phone_number_quality_update", "security"),
    *("phone_number_name_update", "message_template_status_update", "template_category_update", "flows"),
    *("business_capability_update", "message_template_quality_update", "message_template_components_update"),
)
_STATES = {
    "sent": SendState.SENT,
    "delivered": SendState.DELIVERED,
    "read": SendState.READ,
    "played": SendState.READ,
    "failed": SendState.FAILED,
}

REASONS = frozenset({*_MEDIA, *_MESSAGES, *_FIELDS, "group", "echo", "status", "error", "malformed", "unknown"})
"""Every reason something is ignored for."""


@dataclass(frozen=True, slots=True)
class Received:
    """One arrival at a business number. ``number`` is Meta's phone_number_id; "" where the POST names none."""

    number: str
    arrival: Arrival


def parse(body: bytes, *, now: datetime) -> list[Received]:
    """Everything in one POST, in Meta's order; statuses of a change after its messages.

    ``now`` (aware) is the time of what carries none. Raises BadInput: not a JSON object. Anything of another shape
    is Ignored on its own, with what it is as the reason, and loses nothing beside it.
    """
    post = wire.load(body)
    if post.get("object") != "whatsapp_business_account":
        return [Received("", _ignored("unknown"))]
    received = [
        Received(number, arrival)
        for entry in wire.children(post, "entry")
        for change in wire.children(entry, "changes")
        for number, arrival in _change(change, now)
    ]
    return received or [Received("", _ignored("malformed"))]


def _change(change: Object, now: datetime) -> Iterator[tuple[str, Arrival]]:
    value = wire.child(change, "value")
    number = wire.ident(wire.child(value, "metadata"), "phone_number_id")
    field = wire.kind(change, "field")
    if field != "messages":
        # What the business itself wrote on its phone is never answered.
        yield number, _ignored("echo" if field in ("smb_message_echoes", "message_echoes") else field)
        return
    if not number:
        yield "", _ignored("malformed")
        return
    contacts = wire.children(value, "contacts")
    messages, statuses, errors = (wire.children(value, key) for key in ("messages", "statuses", "errors"))
    yield from ((number, _message(message, contacts, now)) for message in messages)
    yield from ((number, _status(status, now)) for status in statuses)
    yield from ((number, _ignored("error", id_=describe(error))) for error in errors)
    if not (messages or statuses or errors):
        yield number, _ignored("malformed")


def _message(message: Object, contacts: list[Object], now: datetime) -> Arrival:
    key, kind = wire.ident(message, "id"), wire.kind(message, "type")
    phone, user_id = wire.ident(message, "from"), wire.ident(message, "from_user_id")
    contact = _contact(contacts, phone, user_id)
    address = phone or wire.ident(contact, "wa_id") or user_id or wire.ident(contact, "user_id")
    if not key or not address:
        return _ignored("malformed", id_=key)
    if wire.ident(message, "group_id"):
        return _ignored("group", id_=key)
    text, extra = _content(message, kind)
    if not text.strip():
        return _ignored(kind, id_=key)
    context = wire.child(message, "context")
    forwarded = any(context.get(mark) is True for mark in ("forwarded", "frequently_forwarded"))
    user_id = user_id or wire.ident(contact, "user_id")
    return Inbound(
        channel=CHANNEL,
        id=key,
        sender=address,
        address=address,
        text=text,
        sent_at=wire.moment(message, "timestamp", now),
        kind=kind,
        how=How.FORWARDED if forwarded else How.TYPED,
        sender_name=wire.text(wire.child(contact, "profile"), "name"),
        reply_to=wire.ident(context, "id"),
        extra={name: value for name, value in (*extra, ("user_id", user_id)) if value},
    )


def _content(message: Object, kind: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """The words of a message of ``kind`` and what else is known of it; no words for a kind without any.

    ``extra`` of a file: ``file_id``, ``mime``, ``filename``, ``sha256``; of a pressed button: ``choice``, its id.
    """
    part = wire.child(message, kind)
    match kind:
        case "text":
            return wire.text(part, "body"), ()
        case "button":
            return wire.text(part, "text"), (("choice", wire.text(part, "payload")),)
        case "interactive":
            reply = wire.child(part, "button_reply") or wire.child(part, "list_reply")
            return wire.text(reply, "title"), (("choice", wire.text(reply, "id")),)
        case _ if kind in _MEDIA:
            names = {"file_id": "id", "mime": "mime_type", "filename": "filename", "sha256": "sha256"}
            return wire.text(part, "caption"), tuple((ours, wire.text(part, theirs)) for ours, theirs in names.items())
        case _:
            return "", ()


def _contact(contacts: list[Object], phone: str, user_id: str) -> Object:
    """Who of ``contacts`` wrote: by phone or user id; the only one, where the message names nobody."""
    for contact in contacts:
        if phone and wire.ident(contact, "wa_id") == phone:
            return contact
        if user_id and wire.ident(contact, "user_id") == user_id:
            return contact
    return contacts[0] if len(contacts) == 1 and not phone and not user_id else {}


def _status(status: Object, now: datetime) -> Arrival:
    key, name = wire.ident(status, "id"), wire.text(status, "status")
    state = _STATES.get(name)
    if not key or state is None:
        return _ignored("status" if key else "malformed", id_=key)
    return StatusUpdate(
        channel=CHANNEL,
        id=key,
        state=state,
        at=wire.moment(status, "timestamp", now),
        tracker=wire.text(status, "biz_opaque_callback_data"),
        problem="; ".join(describe(error) for error in wire.children(status, "errors")),
    )


def describe(error: Object) -> str:
    """One of Meta's errors in a line: the code, then the most telling of its texts."""
    details = wire.text(wire.child(error, "error_data"), "details")
    said = details or wire.text(error, "message") or wire.text(error, "title")
    return f"{wire.ident(error, 'code') or 'no code'} {said[:200]}".strip()


def _ignored(reason: str, *, id_: str = "") -> Ignored:
    return Ignored(channel=CHANNEL, reason=reason, id=id_)
