"""What was said, as far as something may be learned from it: an owner's and a member's words, and what was replied.

Owns which rows of inbox and outbox those are, and how many at most. A guest's and a stranger's words are never shown to
a run, so they cannot become memory; nor are commands, which were meant for the runtime.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from runtime.engine.database import Row, Transaction
from runtime.turns import inbox
from runtime.words import Conversation, Inbound, Person, Role, TenantId

MOST_MESSAGES = 300
MOST_CHARACTERS = 60_000
"""Messages and characters of them that one run is shown, about 15,000 tokens."""

LONGEST = 2_000
"""Characters of one message or reply that are shown."""

_PAGE = 1000
_END = 1 << 62

SINCE = """
SELECT seq, turn, body FROM inbox
WHERE tenant = :tenant AND seq > :after AND seq <= :upto AND turn LIKE 'turn:%' ORDER BY seq LIMIT :limit"""

NEWEST = """
SELECT seq, turn, body FROM inbox
WHERE tenant = :tenant AND conversation = :conversation AND seq > :after AND seq <= :upto AND turn LIKE 'turn:%'
ORDER BY seq DESC LIMIT :limit"""

REPLIES = "SELECT text FROM outbox WHERE turn = :turn AND channel = :channel AND text <> '' ORDER BY part"

Known = Callable[[str, str], Person | None]
"""Who has this address on this channel: (channel, sender)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """One message of somebody who may be learned from. ``replies`` stand with the last one of a turn."""

    seq: int
    turn: str
    message: Inbound
    person: Person
    replies: tuple[str, ...] = ()


def in_conversation(
    tx: Transaction, tenant: TenantId, conversation: Conversation, known: Known, *, after: int, upto: int = _END
) -> list[Remark]:
    """The newest messages of one conversation, oldest first: what is long past was seen by a review."""
    where = {"tenant": tenant, "conversation": conversation, "after": after, "upto": upto, "limit": MOST_MESSAGES}
    newest = _fitting(_counted(tx.run(NEWEST, **where), known))
    return _with_replies(tx, newest[::-1])


def with_tenant(tx: Transaction, tenant: TenantId, known: Known, *, after: int, upto: int = _END) -> list[Remark]:
    """The oldest messages of all conversations, in their order: what is beyond them is for the next review."""
    found: list[Remark] = []
    while len(found) < MOST_MESSAGES:
        rows = tx.run(SINCE, tenant=tenant, after=after, upto=upto, limit=_PAGE)
        found += _counted(rows, known)
        if len(rows) < _PAGE:
            break
        after = rows[-1]["seq"]
    return _with_replies(tx, _fitting(found[:MOST_MESSAGES]))


def _counted(rows: Sequence[Row], known: Known) -> Iterator[Remark]:
    for row in rows:
        message = inbox.load(row["body"])
        person = known(message.channel, message.sender)
        if person is not None and person.role is not Role.GUEST:
            yield Remark(seq=row["seq"], turn=row["turn"], message=message, person=person)


def _fitting(found: Iterable[Remark]) -> list[Remark]:
    """As many from the first on as a run is shown, and at least one: otherwise the cursor would never move."""
    kept: list[Remark] = []
    room = MOST_CHARACTERS
    for one in found:
        room -= min(len(one.message.text) + len(one.message.quoted), LONGEST)
        if kept and room < 0:
            break
        kept.append(one)
    return kept


def _with_replies(tx: Transaction, found: Sequence[Remark]) -> list[Remark]:
    last = {one.turn: one.seq for one in found}
    return [replace(one, replies=_replies(tx, one)) if last[one.turn] == one.seq else one for one in found]


def _replies(tx: Transaction, one: Remark) -> tuple[str, ...]:
    return tuple(row["text"] for row in tx.run(REPLIES, turn=one.turn, channel=one.message.channel))
