"""A WhatsApp webhook POST as the words every channel shares. Pure: no clock, no disk, no network.

Protocol: Cloud API webhooks, fields ``messages`` and ``smb_message_echoes``: entry x changes x (messages, statuses,
errors), any number of each, for any number of business numbers. Does not own what a message of a type says
(``content``), who may speak (people), which tenant a number belongs to, nor that a message is taken once (its wamid is
unique for a number).
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from runtime.channels import wire
from runtime.channels.whatsapp.content import MEDIA, Content, content_of, context_of
from runtime.channels.wire import Object
from runtime.words import Arrival, How, Ignored, Inbound, SendState, StatusUpdate, TakenOver

CHANNEL = "whatsapp"

_MESSAGES = (
    *("text", "button", "interactive", "location", "contacts", "reaction", "order", "system", "edit", "revoke"),
    *("unsupported", "request_welcome", "ephemeral", "group_invite", "poll", "poll_update"),
)
_CHANGES = ("user_changed_number", "customer_changed_number", "user_changed_user_id", "customer_identity_changed")
_FIELDS = (
    *("calls", "user_preferences", "user_id_update", "history", "smb_app_state_sync", "flows", "security"),
    *("account_update", "account_alerts", "account_review_update", "account_settings_update", "automatic_events"),
    *("business_capability_update", "business_status_update", "payment_configuration_update", "partner_solutions"),
    *("phone_number_name_update", "phone_number_quality_update", "template_category_update", "tracking_events"),
    *("message_template_status_update", "message_template_quality_update", "message_template_components_update"),
    *("group_lifecycle_update", "group_participants_update", "group_settings_update", "group_status_update"),
)
_ECHOES = ("smb_message_echoes", "message_echoes")
_STATES = {
    "sent": SendState.SENT,
    "delivered": SendState.DELIVERED,
    "read": SendState.READ,
    "played": SendState.READ,
    "failed": SendState.FAILED,
}

REASONS = frozenset(
    {*MEDIA, *_MESSAGES, *_CHANGES, *_FIELDS, "group", "status", "error", "malformed", "unknown"}
    | {"unknown_type", "unknown_field"}
)
"""Every reason something is ignored for."""


@dataclass(frozen=True, slots=True)
class Received:
    """One arrival at a business number. ``number`` is Meta's phone_number_id; "" where the POST names none."""

    number: str
    arrival: Arrival


def parse(body: bytes, *, now: datetime, groups: bool = False) -> list[Received]:
    """Everything in one POST, in Meta's order; statuses of a change after its messages.

    ``now`` (aware) is the time of what carries none; ``groups``: whether messages of groups are read. Raises BadInput:
    not a JSON object. Anything of another shape is Ignored on its own, with what it is as the reason, and loses
    nothing beside it.
    """
    post = wire.load(body)
    if post.get("object") != "whatsapp_business_account":
        return [Received("", _ignored("unknown"))]
    changes = (change for entry in wire.children(post, "entry") for change in wire.children(entry, "changes"))
    received = _once(found for change in changes for found in _change(change, now, groups=groups))
    return received or [Received("", _ignored("malformed"))]


def _once(found: Iterable[tuple[str, Arrival]]) -> list[Received]:
    """Without what says the same nothing as the one before it: a body full of that is one line of the log."""
    received: list[Received] = []
    for number, arrival in found:
        again = received and isinstance(arrival, Ignored) and not arrival.id and arrival == received[-1].arrival
        if not again or received[-1].number != number:
            received.append(Received(number, arrival))
    return received


def _change(change: Object, now: datetime, *, groups: bool) -> Iterator[tuple[str, Arrival]]:
    value = wire.child(change, "value")
    number = wire.ident(wire.child(value, "metadata"), "phone_number_id")
    field = wire.kind(change, "field")
    if field != "messages" and field not in _ECHOES:
        yield number, _ignored(field) if field in _FIELDS else _ignored("unknown_field", detail=field)
        return
    if not number:
        yield "", _ignored("malformed")
        return
    yield from ((number, arrival) for arrival in _arrivals(value, field, now, groups=groups))


def _arrivals(value: Object, field: str, now: datetime, *, groups: bool) -> Iterator[Arrival]:
    people = _People(wire.children(value, "contacts"))
    readers: dict[str, Callable[[Object], Arrival]] = {
        "messages": lambda message: _message(message, people, now, groups=groups),
        "statuses": lambda status: _status(status, now),
    }
    if field in _ECHOES:
        readers = {"message_echoes": lambda echo: _echo(echo, now)}
    readers["errors"] = lambda error: _ignored("error", detail=describe(error))
    nothing = True
    for name, read in readers.items():
        for one in wire.children(value, name):
            nothing = False
            yield read(one)
    if nothing:
        yield _ignored("malformed")


class _People:
    """The contacts of one change, by phone number and by user id."""

    def __init__(self, contacts: list[Object]) -> None:
        self._only = contacts[0] if len(contacts) == 1 else {}
        self._by_phone = {wire.ident(one, "wa_id"): one for one in reversed(contacts)}
        self._by_user = {wire.ident(one, "user_id"): one for one in reversed(contacts)}

    def who(self, phone: str, user_id: str) -> Object:
        """Who wrote; the only one there is, where the message names nobody."""
        if not phone and not user_id:
            return self._only
        nobody: Object = {}
        found = self._by_phone.get(phone, nobody) if phone else nobody
        return found or (self._by_user.get(user_id, nobody) if user_id else nobody)


def _message(message: Object, people: _People, now: datetime, *, groups: bool) -> Arrival:
    key, kind = wire.ident(message, "id"), wire.kind(message, "type")
    if kind == "system":
        return _system(message, key)
    phone, user_id = wire.ident(message, "from"), wire.ident(message, "from_user_id")
    contact = people.who(phone, user_id)
    user_id = user_id or wire.ident(contact, "user_id")
    # Who has a username may have no phone number; then Meta's own id of them is their address.
    sender = phone or wire.ident(contact, "wa_id") or user_id
    group = wire.ident(message, "group_id")
    if not key or not sender:
        return _ignored("malformed", id_=key)
    if group and not groups:
        return _ignored("group", id_=key)
    content = content_of(message, kind)
    if content is None:
        return _without_content(message, kind, key)
    context, profile = wire.child(message, "context"), wire.child(contact, "profile")
    edited = kind in ("edit", "revoke")
    extra = (*content.extra, *context_of(message), ("user_id", user_id), ("username", wire.text(profile, "username")))
    return Inbound(
        channel=CHANNEL,
        id=key,
        sender=sender,
        address=group or sender,
        text=content.text,
        sent_at=wire.moment(message, "timestamp", now),
        kind=content.kind,
        how=_how(content, context),
        sender_name=wire.text(profile, "name"),
        reply_to=content.target if kind == "reaction" else wire.ident(context, "id"),
        media=content.media,
        replaces=content.target if edited else "",
        group=bool(group),
        extra={name: value for name, value in extra if value},
    )


def _how(content: Content, context: Object) -> How:
    forwarded = any(context.get(mark) is True for mark in ("forwarded", "frequently_forwarded"))
    return How.FORWARDED if forwarded else content.how


def _without_content(message: Object, kind: str, key: str) -> Ignored:
    errors = wire.children(message, "errors")
    what = wire.kind(wire.child(message, "unsupported"), "type") if kind == "unsupported" else kind
    detail = f"{what}: {describe(errors[0])}" if errors else what
    known = kind in _MESSAGES or kind in MEDIA
    return _ignored(kind if known else "unknown_type", id_=key, detail=detail if detail != kind or not known else "")


def _system(message: Object, key: str) -> Ignored:
    """A person's number or id is another now: tenant.yaml has to follow, or they are a stranger from here on."""
    system = wire.child(message, "system")
    kind = wire.kind(system, "type")
    before = wire.ident(system, "previous_user_id") or wire.ident(message, "from")
    after = next((new for name in ("new_wa_id", "wa_id", "user_id") if (new := wire.ident(system, name))), "")
    detail = f"{before or 'somebody'} is {after} now" if after and after != before else ""
    return _ignored(kind if kind in _CHANGES else "system", id_=key, detail=detail)


def _echo(echo: Object, now: datetime) -> Arrival:
    """The business wrote on its own phone. Whatever it was: a person has taken over there."""
    key = wire.ident(echo, "id")
    address = wire.ident(echo, "to") or wire.ident(echo, "to_user_id")
    if wire.ident(echo, "group_id"):
        return _ignored("group", id_=key)
    if not key or not address:
        return _ignored("malformed", id_=key)
    content = content_of(echo, wire.kind(echo, "type"))
    at = wire.moment(echo, "timestamp", now)
    return TakenOver(channel=CHANNEL, id=key, address=address, text=content.text if content else "", at=at)


def _status(status: Object, now: datetime) -> Arrival:
    key, name = wire.ident(status, "id"), wire.text(status, "status")
    state = _STATES.get(name)
    if not key or state is None:
        return _ignored("status" if key else "malformed", id_=key)
    errors = wire.children(status, "errors")
    return StatusUpdate(
        channel=CHANNEL,
        id=key,
        state=state,
        at=wire.moment(status, "timestamp", now),
        tracker=wire.text(status, "biz_opaque_callback_data"),
        problem="; ".join(describe(error) for error in errors),
        code=next((code for error in errors if (code := wire.ident(error, "code"))), ""),
    )


def describe(error: Object) -> str:
    """One of Meta's errors in a line: the code, then the most telling of its texts."""
    details = wire.text(wire.child(error, "error_data"), "details")
    said = details or wire.text(error, "message") or wire.text(error, "title")
    return f"{wire.ident(error, 'code') or 'no code'} {said[:200]}".strip()


def _ignored(reason: str, *, id_: str = "", detail: str = "") -> Ignored:
    return Ignored(channel=CHANNEL, reason=reason, id=id_, detail=detail)
