"""What a Telegram message holds: its words, its files, and what it shows of somebody else's. Pure.

Protocol: Bot API, object Message. Owns how each kind of content reads. Does not own which updates and chats count
(parse), nor how a file is fetched (files).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from runtime.channels import wire
from runtime.channels.telegram.entities import words_with_links
from runtime.channels.wire import Object
from runtime.words import How, Media

# The part of a message that holds its content, and our word for it. Order matters: an animation repeats itself
# in ``document``, a live photo in ``photo``, a venue in ``location``.
KINDS = {
    "animation": "video",
    "live_photo": "image",
    "photo": "image",
    "voice": "voice",
    "audio": "audio",
    "video_note": "video",
    "video": "video",
    "document": "document",
    "sticker": "sticker",
    "paid_media": "paid_media",
    "venue": "location",
    "location": "location",
    "contact": "contacts",
    "poll": "poll",
    "checklist": "checklist",
    "dice": "dice",
    "game": "game",
    "story": "story",
    "invoice": "invoice",
    "rich_message": "text",
    "giveaway": "giveaway",
    "giveaway_winners": "giveaway",
    "successful_payment": "payment",
}

_MIMES = {"image": "image/jpeg", "voice": "audio/ogg", "video": "video/mp4"}
_TEXT_LIMIT = 32 * 1024
"""Characters of a rich message that are read; Telegram takes no more bytes of one."""


@dataclass(frozen=True, slots=True)
class Content:
    """``kind`` in our words, "" for a message without any content (a notice of the chat). ``text`` is what the person
    wrote, or what a thing without words says in words."""

    kind: str
    text: str
    media: tuple[Media, ...] = ()

    @property
    def says_something(self) -> bool:
        return bool(self.text.strip() or self.media)


def read(message: Object) -> Content:
    part = next((name for name in KINDS if name in message), "")
    kind = KINDS.get(part, "text" if "text" in message else "")
    words = words_with_links(message, "text") or words_with_links(message, "caption")
    described = _DESCRIBE[part](wire.child(message, part)) if part in _DESCRIBE else ""
    return Content(kind, "\n".join(said for said in (described, words) if said.strip()), tuple(_media(message, part)))


def _media(message: Object, part: str) -> Iterator[Media]:
    content = wire.child(message, part)
    match part:
        case "photo":
            yield from _photo(message)
        case "live_photo":
            yield from (*_photo(content), *_photo(message))[:1]
        case "paid_media":
            for paid in wire.children(content, "paid_media"):
                yield from _photo(paid)
                yield from _file(wire.child(paid, "video"), "video")
        case "animation" | "voice" | "audio" | "video_note" | "video" | "document" | "sticker":
            yield from _file(content, KINDS[part])


def _photo(holder: Object) -> Iterator[Media]:
    """A photo comes in several sizes; the one with the most pixels."""
    yield from _file(max(wire.children(holder, "photo"), key=_area, default={}), "image")


def _area(size: Object) -> int:
    width, height = size.get("width"), size.get("height")
    return width * height if isinstance(width, int) and isinstance(height, int) else 0


def _file(file: Object, kind: str) -> Iterator[Media]:
    if ref := wire.ident(file, "file_id"):
        size = file.get("file_size")
        mime = wire.text(file, "mime_type") or (_sticker_mime(file) if kind == "sticker" else _MIMES.get(kind, ""))
        counted = size if isinstance(size, int) and not isinstance(size, bool) and size >= 0 else None
        yield Media(ref=ref, kind=kind, mime=mime, name=wire.text(file, "file_name"), size=counted)


def _sticker_mime(sticker: Object) -> str:
    if sticker.get("is_animated") is True:
        return "application/x-tgsticker"
    return "video/webm" if sticker.get("is_video") is True else "image/webp"


# Things without words, in words


def _location(location: Object) -> str:
    return _place(location)


def _venue(venue: Object) -> str:
    return _place(wire.child(venue, "location"), wire.text(venue, "title"), wire.text(venue, "address"))


def _place(location: Object, *names: str) -> str:
    latitude, longitude = location.get("latitude"), location.get("longitude")
    if not isinstance(latitude, (int, float)) or not isinstance(longitude, (int, float)):
        return ""
    return "Shared a location: " + ", ".join([*(name for name in names if name), f"{latitude},{longitude}"])


def _contact(contact: Object) -> str:
    phone = wire.ident(contact, "phone_number")
    name = name_of(contact) or ("without a name" if phone else "")
    return f"Shared a contact: {name}" + (f"\n- phone: {phone}" if phone else "") if name else ""


def _poll(poll: Object) -> str:
    options = [f"- {wire.text(option, 'text')}" for option in wire.children(poll, "options")]
    question = wire.text(poll, "question")
    return "\n".join([f"Poll: {question}", *options]) if question else ""


def _checklist(checklist: Object) -> str:
    tasks = [
        f"[{'x' if wire.child(task, 'completed_by_user') or task.get('completion_date') else ' '}] "
        + wire.text(task, "text")
        for task in wire.children(checklist, "tasks")
    ]
    title = wire.text(checklist, "title")
    return "\n".join([f"Checklist: {title}", *tasks]) if title or tasks else ""


def _dice(dice: Object) -> str:
    emoji, value = wire.text(dice, "emoji"), dice.get("value")
    return f"{emoji} {value}" if emoji and isinstance(value, int) else emoji


def _titled(kind: str) -> Callable[[Object], str]:
    def describe(thing: Object) -> str:
        told = [wire.text(thing, name) for name in ("title", "description")]
        return f"{kind}: " + ", ".join(one for one in told if one) if any(told) else ""

    return describe


def _rich(rich: Object) -> str:
    """The words of a rich message in reading order, a line a block; its marks are left out."""
    lines = (_rich_text(block) for block in wire.children(rich, "blocks"))
    return "\n".join(line for line in lines if line.strip())[:_TEXT_LIMIT]


def _rich_text(block: object) -> str:
    """Every string under a key that holds words, in order. Without recursion: depth is the sender's choice."""
    said: list[str] = []
    rest: list[object] = [block]
    while rest and len(said) < _TEXT_LIMIT:
        match rest.pop():
            case str() as text:
                said.append(wire.clean(text))
            case list() as items:
                rest.extend(reversed(items))
            case dict() as inner:
                rest.extend(inner[key] for key in _WORDY if key in inner)
    return "".join(said)


_WORDY = ("caption", "credit", "rows", "cells", "items", "blocks", "summary", "text")

_DESCRIBE: dict[str, Callable[[Object], str]] = {
    "location": _location,
    "venue": _venue,
    "contact": _contact,
    "poll": _poll,
    "checklist": _checklist,
    "dice": _dice,
    "sticker": lambda sticker: wire.text(sticker, "emoji"),
    "game": _titled("Game"),
    "invoice": _titled("Invoice"),
    "story": lambda story: "[a story, which bots are not shown]" if story else "",
    "giveaway": lambda _: "[a giveaway]",
    "giveaway_winners": lambda _: "[the winners of a giveaway]",
    "rich_message": _rich,
}


# Whose words they are


def how_of(message: Object, content: Content) -> How:
    if any(mark in message for mark in _FORWARDED):
        return How.FORWARDED
    if "via_bot" in message:
        return How.QUOTED
    if content.kind in _SHOWN:
        return How.DOCUMENT
    return How.VOICE if content.kind == "voice" else How.TYPED


_SHOWN = ("location", "contacts", "poll", "checklist", "game", "story", "invoice", "giveaway")
"""Kinds whose words the person did not write but picked."""

_FORWARDED = ("forward_origin", "forward_from", "forward_from_chat", "forward_sender_name", "forward_date")


def forwarded_from(message: Object) -> str:
    """Who wrote what was forwarded, as far as Telegram tells; "" when it does not."""
    origin = wire.child(message, "forward_origin") or wire.child(wire.child(message, "external_reply"), "origin")
    people = (wire.child(origin, "sender_user"), wire.child(message, "forward_from"))
    chats = (wire.child(origin, "sender_chat"), wire.child(origin, "chat"), wire.child(message, "forward_from_chat"))
    hidden = (wire.text(origin, "sender_user_name"), wire.text(message, "forward_sender_name"))
    found = (*map(name_of, people), *hidden, *map(name_of, chats))
    return next((name for name in found if name), "")


@dataclass(frozen=True, slots=True)
class Quoted:
    """The message that another one answers: its id in the chat (``""``: it is not of this chat), words and author."""

    id: str = ""
    words: str = ""
    who: str = ""


def quoted(message: Object) -> Quoted:
    """What ``message`` answers. The words are those that were picked out of it, where some were."""
    picked = wire.text(wire.child(message, "quote"), "text")
    answered, elsewhere = wire.child(message, "reply_to_message"), wire.child(message, "external_reply")
    if answered and "forum_topic_created" not in answered:
        author = name_of(wire.child(answered, "from")) or name_of(wire.child(answered, "sender_chat"))
        return Quoted(wire.ident(answered, "message_id"), picked or _shown(answered), author)
    if elsewhere:
        return Quoted("", picked or _shown(elsewhere), forwarded_from({"forward_origin": elsewhere.get("origin")}))
    return Quoted("", picked or ("[a story]" if "reply_to_story" in message else ""))


def _shown(message: Object) -> str:
    """What is quoted of a message: its words, or what kind of thing it is."""
    content = read(message)
    return content.text or (f"[{content.kind}]" if content.kind and content.kind != "text" else "")


def name_of(someone: Object) -> str:
    """The name of a user, contact or chat; of one without, its username."""
    names = (wire.text(someone, "first_name"), wire.text(someone, "last_name"))
    return " ".join(name for name in names if name) or wire.text(someone, "title") or wire.text(someone, "username")
