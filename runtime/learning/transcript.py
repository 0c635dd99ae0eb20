"""What was said, as a run is shown it: quoted data, each message under a line that says which, who, when and how.

Pure. Every line that somebody wrote begins with ``>``, so that no words can pass for a header, an order of ours, or
the end of the transcript.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from zoneinfo import ZoneInfo

from runtime.learning.remarks import LONGEST, Remark
from runtime.words import Conversation, How, Media

_HOW = {
    How.TYPED: "typed",
    How.VOICE: "voice",
    How.FORWARDED: "forwarded, not their own words",
    How.QUOTED: "quoted, not their own words",
    How.DOCUMENT: "document, not their own words",
    How.ECHO: "sent by the business itself",
}


def render(found: Sequence[Remark], zone: ZoneInfo) -> str:
    """By conversation, in the order they were said. Times are in the tenant's zone."""
    by_conversation = sorted(found, key=lambda one: (one.message.conversation, one.seq))
    groups = groupby(by_conversation, key=lambda one: one.message.conversation)
    return "\n\n".join(_conversation(where, ones, zone) for where, ones in groups)


def _conversation(where: Conversation, ones: Iterable[Remark], zone: ZoneInfo) -> str:
    blocks = [block for one in ones for block in _message(one, zone)]
    return "\n\n".join([f"== conversation {_plain(where)} ==", *blocks])


def _message(one: Remark, zone: ZoneInfo) -> Iterator[str]:
    message = one.message
    at = message.sent_at.astimezone(zone).strftime("%a %Y-%m-%d %H:%M")
    marks = [
        f"message {message.id}",
        one.person.name,
        one.person.role.value,
        at,
        _HOW.get(message.how, message.how.value),
    ]
    lines = [f"[{' · '.join(_plain(mark) for mark in marks)}]"]
    if message.quoted:
        lines += ["(about this, which they quote, not their own words:)", *_quoted(message.quoted, mark="> > ")]
    lines += [*_quoted(message.text), *(_file(media) for media in message.media)]
    yield "\n".join(lines)
    if one.replies:
        yield "\n".join(["[the assistant's reply]", *_quoted("\n".join(one.replies))])


def _quoted(text: str, *, mark: str = "> ") -> list[str]:
    text = text if len(text) <= LONGEST else text[:LONGEST] + "…"
    return [f"{mark}{line}" for line in text.splitlines()]


def _file(media: Media) -> str:
    return f"(a file, not shown here: {_plain(media.kind)} {_plain(media.name)!r})"


def _plain(word: str) -> str:
    """One line that holds no mark of ours."""
    return " ".join(word.split()).translate(str.maketrans("[]·", "()-"))
