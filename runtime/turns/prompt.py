"""What a turn says to the agent: the messages taken together, each under a line that says who, where and when.

Pure. What stands above the messages (the standing system prompt) is the agent's room.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from zoneinfo import ZoneInfo

from runtime.tenant.life.lines import OWN
from runtime.tenant.life.said import SPOKEN, of_message
from runtime.tenant.life.sources import Said
from runtime.tenant.rules.composing import applying
from runtime.tenant.rules.files import Rule
from runtime.words import How, Inbound, Media, Person

# Only what a person typed or spoke is their own word; the rest is something they show us.
_SHOWN = {
    How.FORWARDED: "forwarded, not their own words",
    How.QUOTED: "quoted, not their own words",
    How.DOCUMENT: "from a document, not their own words",
    How.ECHO: "sent by the business itself",
}

# A line of a text that looks like a header of ours, with what passes for its dots: somebody would be speaking in
# another's name.
_FORGED = re.compile(
    r"\s*(\[.*[·•‧∙⋅・]|\(a file:|\(about this|\(before, they|\(onboarding:|\(rules of yours)", re.IGNORECASE
)
_UNSEEN = frozenset({"Cc", "Cf", "Mn", "Me"})
"""Kinds of characters that take no room: in front of a header they hide nothing from a reader."""


_MIME = re.compile(r"[\w.+-]+/[\w.+-]+(; ?[\w.+-]+=[\w.+-]+)*", re.ASCII)


def compose(
    messages: Sequence[Inbound], person: Person, zone: ZoneInfo, *, standing: str = "", rules: Sequence[Rule] = ()
) -> str:
    """The prompt of one turn. Times are in the tenant's zone; ``standing`` is a line of ours that goes before all, then
    the learned ``rules`` that apply."""
    ours = [part for part in (standing, applying(rules)) if part]
    return "\n\n".join([*ours, *(_one(message, person, zone) for message in messages)])


def own_words(messages: Sequence[Inbound]) -> str:
    """What a person says in their own words, without what they quote or pass on."""
    return "\n".join(message.text for message in messages if message.how in OWN)


def said(messages: Sequence[Inbound], person: Person) -> tuple[Said, ...]:
    """The same as memory needs to know it: whose words are whose. What a person quotes or pastes is not their own."""
    found: list[Said] = []
    for message in messages:
        one = Said(id=message.id, who=person.name, how=message.how, text=message.text, at=message.sent_at)
        kinds = {message.kind, *(media.kind for media in message.media)}
        found += of_message(replace(one, shows=not kinds <= SPOKEN), quoted=message.quoted)
    return tuple(found)


def _one(message: Inbound, person: Person, zone: ZoneInfo) -> str:
    at = message.sent_at.astimezone(zone).strftime("%a %d %b %Y %H:%M %Z")
    marks = [person.name.replace("·", "-"), person.role.value, message.channel, at]
    if message.how in _SHOWN:
        marks.append(_SHOWN[message.how])
    elif message.how is How.VOICE:
        marks.append("spoken")
    if message.replaces:
        marks.append("in place of what they wrote before")
    if message.album:
        marks.append("one of several sent together")
    lines = [f"[{' · '.join(marks)}]"]
    if earlier := message.extra.get("replaced"):
        lines += ["(before, they had written:)", *(f"> {line}" for line in earlier.splitlines())]
    if message.quoted:
        lines += ["(about this, which they quote:)", *(f"> {line}" for line in message.quoted.splitlines())]
    lines += _words(message)
    return "\n".join([*lines, *(_file(media) for media in message.media)])


def _words(message: Inbound) -> list[str]:
    """What was written, line by line however lines are ended; what is not their own, or looks like ours, is quoted."""
    shown = message.how in _SHOWN
    return [f"> {line}" if shown or _is_forged(line) else line for line in message.text.splitlines()]


def _is_forged(line: str) -> bool:
    """Whether ``line`` looks like a header to somebody who reads it: wide brackets, and behind what is not seen."""
    seen = (letter for letter in unicodedata.normalize("NFKC", line) if unicodedata.category(letter) not in _UNSEEN)
    return bool(_FORGED.match("".join(seen).lstrip("\ufffd \t")))


def _file(media: Media) -> str:
    """A file, and where it can be opened; its name and type are the sender's, and so only shown, on one line."""
    size = f", {max(1, media.size // 1024)} KB" if media.size else ""
    named = f" named {media.name!r}" if media.name else ""
    where = media.path or f"not here: {' '.join(media.problem.split()) or 'it could not be fetched'}"
    mime = media.mime if _MIME.fullmatch(media.mime) else repr(media.mime[:100]) if media.mime else "unknown type"
    return f"(a file: {media.kind}{named}, {mime}{size}: {where})"
