"""What was said lately in a conversation, as memory needs to know it: whose words, in which message, when.

Reads the message log from its end. Does not own the log (messages.py) nor what follows from it (sources.py).
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

from runtime.tenant.life import quoting
from runtime.tenant.life.lines import OWN
from runtime.tenant.life.sources import Said
from runtime.tenant.messages import QUOTED, MessageLine, MessageLog
from runtime.words import Conversation, Direction, How

LATELY = 200
"""Messages of a conversation within which words still count as said, and shown ones as in play."""

TYPED = 4_096
"""Characters that somebody types in one message, at most; chats do not let them send more."""

SPOKEN = frozenset({"text", "audio", "voice", "location", "contacts", "button", "interactive", "reaction"})
"""Kinds of messages that carry a person's own words and nothing written by others."""


def lately(log: MessageLog, conversation: Conversation, own: Iterable[Said] = ()) -> list[Said]:
    """What people said lately, oldest first; last the running turn's ``own``, which the log may not hold yet."""
    last = list(own)
    known = {one.id for one in last}
    lines = (line for line in log.recent(LATELY, conversation) if line.id not in known)
    return [*(said for line in lines if line.direction is Direction.INBOUND for said in of_line(line)), *last]


def elsewhere(log: MessageLog, conversation: Conversation, here: Collection[Said]) -> list[Said]:
    """What was lately shown, or said by others than those who speak ``here``, in the tenant's other conversations,
    oldest first: the agent can look it up, and it is no word of who speaks. Nothing where nobody of the tenant does."""
    ids, speakers = {one.id for one in here}, {one.who for one in here if one.id}
    lines = (
        line
        for line in (log.recent(LATELY) if speakers else ())
        if line.direction is Direction.INBOUND and line.conversation != conversation and line.id not in ids
    )
    found = (replace(said, elsewhere=True) for line in lines for said in of_line(line))
    return [one for one in found if one.how not in OWN or one.who not in speakers]


def of_line(line: MessageLine) -> Iterator[Said]:
    """What the message quotes or holds of others, which is not its sender's own, and then its words."""
    words = Said(
        id=line.id,
        who=line.person,
        how=line.how or How.DOCUMENT,  # whose words they are is not known, so they are nobody's
        text=line.text,
        at=line.at,
        shows=line.kind not in SPOKEN,
    )
    return of_message(words, quoted=str(line.extra.get(QUOTED, "")))


def of_message(words: Said, *, quoted: str = "") -> Iterator[Said]:
    """Whose words are whose in a message: ``quoted``, which it answers, what others say within it (a letter that was
    pasted, a quotation), and last its sender's own."""
    if quoted:
        yield replace(words, how=How.QUOTED, text=quoted, shows=False)
    own, others = _apart(words) if words.own else (words.text, "")
    if others:
        yield replace(words, how=How.QUOTED, text=others, shows=False)
    yield replace(words, text=own)


def _apart(words: Said) -> tuple[str, str]:
    """Nobody types more than TYPED characters: beyond them it is pasted. One may well speak for longer."""
    parts, rest = quoting.apart(words.text[:TYPED]), words.text[TYPED:]
    if not (parts.others or rest):
        return words.text, ""
    if words.how is How.VOICE:
        return parts.own + rest, parts.others
    return parts.own, "\n".join(part for part in (parts.others, rest) if part)
