"""The tenant's own webhook: what is said, told to an address of theirs, as durably as a reply.

Owns what is told. Each event is a row of the outbox, planned in the transaction that made it true and sent by a notice.
Does not own the wire (channels/outgoing).
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from pydantic import SecretStr

from runtime.channels.outgoing import CHANNEL, Event, Hook
from runtime.engine.database import Transaction
from runtime.tenant.registry import Tenant
from runtime.turns import inbox, outbox
from runtime.turns.letters import Letter
from runtime.turns.triage import Way
from runtime.words import Conversation, Inbound, Outbound, Person, TurnId

WHERE = Conversation(f"{CHANNEL}:")


def tell_received(
    tx: Transaction, tenant: Tenant, message: Inbound, person: Person | None, turn: TurnId, now: float
) -> TurnId | None:
    """Plan the event of a message that came in; the notice that sends it, None where nobody is told."""
    told = {
        "kind": "message.received",
        "at": message.sent_at.isoformat(),
        "text": message.text,
        "channel": message.channel,
        "conversation": message.conversation,
        "person": person.name if person else message.sender_name,
        "turn": turn,
        "extra": {"id": message.id, "how": message.how.value, "kind": message.kind},
    }
    return _plan(tx, tenant, f"in:{message.channel}:{message.id}", [told], now)


def tell_sent(tx: Transaction, tenant: Tenant, turn: TurnId, letters: Sequence[Letter], now: float) -> TurnId | None:
    """Plan the events of what ``turn`` says."""
    told = [
        {
            "kind": "notification" if _is_notice(turn, letter) else "message.sent",
            "at": datetime.fromtimestamp(now, UTC).isoformat(),
            # Of what only the owner should know the code stays in the chat.
            "text": letter.text.partition("\n")[0] if _is_notice(turn, letter) else letter.text,
            "channel": letter.channel,
            "conversation": letter.conversation,
            "turn": turn,
            "extra": {"file": letter.file.rpartition("/")[2]} if letter.file else {},
        }
        for letter in letters
    ]
    return _plan(tx, tenant, f"out:{turn}", told, now)


def _is_notice(turn: TurnId, letter: Letter) -> bool:
    """Something the owner is told, and not an answer: that a stranger asks to be let in."""
    return inbox.way_of(turn) is Way.PAIRING and "/approve " in letter.text


def hook_of(tenant: Tenant) -> Hook | None:
    """Raises NotFound when its secret is not stored."""
    webhook = tenant.config.webhook
    if webhook is None:
        return None
    return Hook(tenant=tenant.id, url=webhook.url, secret=SecretStr(tenant.secret(webhook.secret)))


def event_of(message: Outbound) -> Event:
    told = json.loads(message.text)
    return Event(id=message.key, **{**told, "at": datetime.fromisoformat(told["at"])})


def _plan(
    tx: Transaction, tenant: Tenant, cause: str, told: Sequence[Mapping[str, object]], now: float
) -> TurnId | None:
    if tenant.config.webhook is None or not told:
        return None
    notice = inbox.open_notice(tx, tenant.id, WHERE, cause, now)
    outbox.plan(tx, notice, tenant.id, [Letter(channel=CHANNEL, address="", text=json.dumps(one)) for one in told], now)
    return notice
