"""The entities of a Telegram message: where a mention, a command or a link lies in its words. Pure.

Protocol: Bot API, object MessageEntity; offsets and lengths count UTF-16 code units. Does not own how our own
words get their entities (formatting).
"""

from collections.abc import Iterator
from itertools import accumulate

from runtime.channels import wire
from runtime.channels.wire import Object

_TRUSTED = ("http://", "https://", "tg://", "mailto:", "tel:")


def marked(message: Object, field: str = "text") -> Iterator[tuple[Object, int, int]]:
    """Each entity of ``field`` (``text`` or ``caption``) with the indices of its words, as Python counts; what lies
    outside the words is passed over."""
    words = wire.text(message, field)
    entities = wire.children(message, "entities" if field == "text" else f"{field}_entities")
    if not words or not entities:
        return
    # The index of the character that begins at each unit: a character above U+FFFF takes two.
    ends = list(accumulate((1 + (character > "\uffff") for character in words), initial=0))
    index = {units: number for number, units in enumerate(ends)}
    for entity in entities:
        offset, length = entity.get("offset"), entity.get("length")
        if not isinstance(offset, int) or not isinstance(length, int):
            continue
        start, end = index.get(offset), index.get(offset + length)
        if start is not None and end is not None and start < end:
            yield entity, start, end


def words_with_links(message: Object, field: str) -> str:
    """The words of ``field``; behind those that hide a link, its address in parentheses."""
    words = wire.text(message, field)
    links = [
        (end, url, words[start:end])
        for entity, start, end in marked(message, field)
        if entity.get("type") == "text_link" and (url := wire.text(entity, "url")).startswith(_TRUSTED)
    ]
    pieces, told = [], 0
    for end, url, label in sorted(links):
        if label.strip().rstrip("/") != url.rstrip("/"):
            pieces += [words[told:end], f" ({url})"]
            told = end
    return "".join([*pieces, words[told:]])


def names(message: Object, bot_id: str, username: str) -> bool:
    """Whether the words of ``message`` name this bot: ``@bot``, a mention by id, or ``/command@bot``."""
    wanted = f"@{username}".casefold()
    for field in ("text", "caption"):
        words = wire.text(message, field)
        for entity, start, end in marked(message, field):
            said = words[start:end].casefold()
            match entity.get("type"):
                case "mention" if username and said == wanted:
                    return True
                case "bot_command" if username and said.endswith(wanted):
                    return True
                case "text_mention" if wire.ident(wire.child(entity, "user"), "id") == bot_id:
                    return True
    return False
