"""What every channel shares: the desk it reports to, and the events of a turn it may follow.

Owns the seams only. Does not own how a channel's wire format is read (each channel's ``parse``), what a turn
does, or where an account's secret is kept: the object behind a desk is put together in ``app``.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Protocol, TypeVar

from pydantic import SecretStr

from runtime.errors import Fault
from runtime.metrics import Metrics
from runtime.words import (
    Conversation,
    Inbound,
    Media,
    Outbound,
    SendOutcome,
    StatusUpdate,
    StopPressed,
    TakenOver,
    TenantId,
    TurnId,
)

Delivered = Inbound | StatusUpdate | TakenOver | StopPressed
"""What of an ``Arrival`` is handed in; the rest is counted at the channel's edge."""


class Desk(Protocol):
    """Where a channel hands in what arrived."""

    @property
    def metrics(self) -> Metrics: ...

    async def receive(self, tenant: TenantId, arrivals: Sequence[Delivered]) -> None:
        """Take ``arrivals``, in order. Returns only when they are durable: the channel is then told that all is well.

        The same ``Inbound.id`` may come any number of times, and a status before its message; both are no fault.
        Raises Unavailable when the write did not happen: the channel is asked to deliver again. Any other
        exception is a defect; a batch is then offered once more message by message, so that one cannot lose the rest.
        """


class TelegramDesk(Desk, Protocol):
    """What the Telegram webhook needs."""

    def telegram_secret(self, tenant: TenantId) -> SecretStr | None:
        """The webhook secret of ``tenant``; None when there is no such tenant, or it has no Telegram, or it is broken.
        Never raises: an unknown tenant and a wrong secret must look the same from outside."""


@dataclass(frozen=True, slots=True)
class WhatsAppKeys:
    """The app's secrets at Meta, one pair for the whole process. An empty one closes what it guards."""

    app_secret: SecretStr
    verify_token: SecretStr


class WhatsAppDesk(Desk, Protocol):
    """What the WhatsApp webhook needs."""

    def whatsapp_keys(self) -> WhatsAppKeys: ...

    def tenant_of_number(self, phone_number_id: str) -> TenantId | None:
        """Whose number this is; None when nobody's. Never raises."""


class ApiDesk(Protocol):
    """What the HTTP API needs."""

    @property
    def metrics(self) -> Metrics: ...

    def authorize(self, tenant: TenantId, key: str) -> bool:
        """Whether ``key`` opens ``tenant``'s API, compared in constant time (``arriving.same_secret``).
        False for an unknown or broken tenant and for one without a key. Never raises."""

    async def submit(self, tenant: TenantId, message: Inbound) -> TurnId:
        """Accept ``message`` durably and say which turn answers it. The same ``message.id`` gives the same turn.

        Raises Unavailable (try again), Refused (a limit or policy; again changes nothing).
        """

    def follow(self, turn: TurnId, *, after: int = 0) -> AsyncIterator["TurnEvent"]:
        """The events of ``turn`` with an id above ``after``, as they come; ends after ``Done`` or ``Failed``.

        A turn that is over gives at least its ``Reply``, ``Commits`` and end again, under their old ids; the passing
        events before them (``Progress``, ``Partial``, ``ToolRan``) only while they are still known. Closing the
        iterator does not stop the turn. Raises NotFound for an unknown turn, Unavailable when it cannot be followed.
        """

    async def cancel(self, tenant: TenantId, conversation: Conversation) -> bool:
        """Interrupt the running turn of ``conversation``. False when none was running."""


# The events of a turn, in the words the API sends them with.


@dataclass(frozen=True, slots=True)
class Progress:
    """Where the turn stands: ``queued``, ``working``, ``delivering`` …. On the wire: ``status``."""

    status: str


@dataclass(frozen=True, slots=True)
class Partial:
    """More text of the reply, to be appended to what came before. Not final until ``Reply``."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolRan:
    """A tool began (``ok`` is None) or ended. On the wire: ``tool``."""

    name: str
    ok: bool | None = None
    ms: int | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """The whole reply, as it was delivered; it replaces the partial text."""

    text: str


@dataclass(frozen=True, slots=True)
class Commits:
    """What the turn changed: the ids of its commits, oldest first."""

    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Done:
    """The turn is over and its outcome durable."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The turn is over without a reply. On the wire: ``error``."""

    problem: str
    hint: str


Happening = Progress | Partial | ToolRan | Reply | Commits | Done | Failed


@dataclass(frozen=True, slots=True)
class TurnEvent:
    """One happening. ``id`` counts from 1 within the turn and rises; it is the id on the event stream."""

    id: int
    what: Happening


AccountT = TypeVar("AccountT", contravariant=True)


class MediaRefused(Fault):
    """A file of a message that can never be had: too large, expired, gone, or not the channel's to give."""


class ChannelApi(Protocol[AccountT]):
    """How a reply leaves, the same for every channel. ``account`` is the tenant's own account on it."""

    async def send(self, account: AccountT, message: Outbound) -> SendOutcome:
        """One attempt to send one message; never raises for what the network or the channel did."""

    async def typing(self, account: AccountT, *, address: str, message_id: str) -> bool:
        """Show that an answer is coming. ``message_id``: the channel's id of the message being answered.
        False when it could not be shown: nobody needs to act on that."""

    async def fetch(self, account: AccountT, media: Media, into: BinaryIO, *, limit: int) -> Media:
        """Write what ``media`` refers to to ``into``, at most ``limit`` bytes; ``media`` again, with its type and size.

        After an exception ``into`` may hold a part of it. Raises MediaRefused: never; Unavailable: try again later.
        """
