"""The words every room shares: ids, people, messages.

Records only: no clock, no disk, no network. A channel parses its own wire format into these and
formats from them; nothing above the edge sees a channel's JSON.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NewType

TenantId = NewType("TenantId", str)
"""The name of a tenant's folder: ``[a-z0-9][a-z0-9-]{0,39}``."""

Conversation = NewType("Conversation", str)
"""One person on one channel with one tenant: ``<channel>:<address>``, always beside a TenantId."""

TurnId = NewType("TurnId", str)
"""``turn:<tenant>:<channel>:<address>:<n>``, n zero-padded to 8, so that ids of one conversation sort."""


class Role(StrEnum):
    """What a person may cause. An owner may do everything, a member talks, a guest only asks."""

    OWNER = "owner"
    MEMBER = "member"
    GUEST = "guest"


class How(StrEnum):
    """How words came to be here. Only what was typed or spoken by the person is their own word."""

    TYPED = "typed"
    VOICE = "voice"
    FORWARDED = "forwarded"
    QUOTED = "quoted"
    DOCUMENT = "document"
    ECHO = "echo"
    AGENT = "agent"
    SCHEDULE = "schedule"


class Direction(StrEnum):
    INBOUND = "inbound"
    OUTBOUND = "outbound"


class SendState(StrEnum):
    """Where an outbound message stands. ``unknown``: it was tried and nobody knows if it left."""

    QUEUED = "queued"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Someone who may talk to a tenant. ``addresses`` maps a channel's name to their id on it."""

    name: str
    role: Role
    addresses: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """A file that came with a message and is still with the channel: ``ref`` is its id there.

    ``kind``: image, audio, voice, video, document, sticker. ``size`` in bytes, None where the channel does not say.
    ``path`` is where it lies in the tenant's folder once it was fetched, ``problem`` why it could not be.
    """

    ref: str
    kind: str
    mime: str = ""
    name: str = ""
    size: int | None = None
    path: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbound:
    """What someone said to a tenant, in words every channel shares.

    ``id`` is the channel's own id, unique within (tenant, channel): the same id twice is the same
    message. ``sender`` is the channel's id of who wrote; ``address`` is where a reply goes (the same
    for a private chat). Times are aware, UTC. ``replaces`` is the id of an earlier message that this one
    is an edited form of; ``quoted`` the words of the one it answers; ``album`` what is the same for pictures
    sent together; ``group``: more people than the sender read along.
    """

    channel: str
    id: str
    sender: str
    address: str
    text: str
    sent_at: datetime
    kind: str = "text"
    how: How = How.TYPED
    sender_name: str = ""
    reply_to: str = ""
    media: tuple[Media, ...] = ()
    quoted: str = ""
    replaces: str = ""
    album: str = ""
    group: bool = False
    extra: Mapping[str, str] = field(default_factory=dict)

    @property
    def conversation(self) -> Conversation:
        """In a group each person has a conversation of their own: one's words are never another's."""
        where = f"{self.address}/{self.sender}" if self.group else self.address
        return Conversation(f"{self.channel}:{where}")


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusUpdate:
    """What a channel reports of a message we sent: ``id`` is the channel's id of it,
    ``tracker`` our own key, where the channel hands it back. ``code``: of a failure, as in GiveUp."""

    channel: str
    id: str
    state: SendState
    at: datetime
    tracker: str = ""
    problem: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignored:
    """Something that arrived and is rightly not answered. It is counted and logged with the reason; ``detail`` is
    what an admin may want to know of it."""

    channel: str
    reason: str
    id: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenOver:
    """The business itself wrote to this person, from its own phone: the assistant stays silent there until released."""

    channel: str
    id: str
    address: str
    text: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StopPressed:
    """Someone pressed the channel's own stop button while an answer was being written."""

    channel: str
    id: str
    sender: str
    address: str


Arrival = Inbound | StatusUpdate | TakenOver | StopPressed | Ignored


@dataclass(frozen=True, slots=True, kw_only=True)
class Outbound:
    """One message to send: ``key`` is ours, the same for every attempt at the same message.

    ``file`` is the absolute path of a file to send, ``text`` then its caption. ``template`` names an approved template
    (WhatsApp, outside its window), ``text`` is then its only parameter.
    """

    key: str
    address: str
    text: str
    reply_to: str = ""
    file: str = ""
    template: str = ""


# What came of one attempt to send. The channel decides which, from its own error table.


@dataclass(frozen=True, slots=True)
class Sent:
    """The channel took it. ``id`` is the channel's id of the message."""

    id: str


@dataclass(frozen=True, slots=True)
class TryLater:
    """The channel refused for now, and surely did not take it. ``after`` is in seconds, if it said."""

    problem: str
    after: float | None = None


@dataclass(frozen=True, slots=True)
class GiveUp:
    """It will never be taken as it is. ``hint`` says who has to change what; ``code`` is the channel's own for why
    (WhatsApp's 131047: the window is closed)."""

    problem: str
    hint: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class Uncertain:
    """The request left and no answer came: it may have been delivered. Never resent blindly."""

    problem: str


SendOutcome = Sent | TryLater | GiveUp | Uncertain
