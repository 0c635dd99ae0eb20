"""A reply as Telegram shows it: markdown becomes plain text and entities. Pure.

Protocol: Bot API, object MessageEntity. Owns the marks only; how a long reply is cut is ``splitting``'s.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from telegramify_markdown import RenderConfig, convert

from runtime.channels.splitting import units

LIMIT = 4096
"""UTF-16 units of one message, counted after the marks became entities."""

CAPTION_LIMIT = 1024
"""Likewise, of the words under a file."""

ENTITY_LIMIT = 100
"""Telegram passes over the entities after so many."""

Entity = Mapping[str, Any]
"""A MessageEntity of the Bot API: ``type``, ``offset`` and ``length`` in UTF-16 units, and what the type needs."""

# Signs the converter would take for HTML or a formula, and that a reply means as they are ("$450k and $500k",
# "<name>"). Each has the length of its stand-in, so that no offset moves.
_LITERAL = {"<": "\ue000", "$": "\ue001"}
_TO_STANDIN = str.maketrans(_LITERAL)
_FROM_STANDIN = str.maketrans({standin: sign for sign, standin in _LITERAL.items()})
_STANDINS = re.compile("[\ue000\ue001]")
_TOO_DEEP = re.compile(r"^(?:[ \t]*(?:[-*+>]|\d{1,9}[.)])[ \t]+){16}", re.MULTILINE)  # a list in a list in a list …
_ADDRESSES = ("http://", "https://", "tg://", "mailto:", "tel:")
_AUTOLINK = re.compile(r"<((?:https?://|mailto:)[^\s<>]+)>")


@dataclass(frozen=True, slots=True)
class Formatted:
    text: str
    entities: tuple[Entity, ...] = ()


def format_text(text: str) -> Formatted:
    """``text``, which is markdown, without its marks and with the entities that stand for them. The text stays as it
    is where nothing would be left of it, and where its marks (a wide table, a list in a list in a list) would make it
    longer than a message that it fits now."""
    if _STANDINS.search(text) or _TOO_DEEP.search(text):
        return Formatted(text)
    marked = _AUTOLINK.sub(r"\1", text).translate(_TO_STANDIN)
    plain, found = convert(marked, latex_escape=False, config=_config())
    if not plain.strip() or units(plain) > max(LIMIT, units(text)):
        return Formatted(text)
    entities = (
        _entity(entity.to_dict()) for entity in found if entity.type != "underline"
    )  # a heading is bold as well
    return Formatted(plain.translate(_FROM_STANDIN), tuple(entity for entity in entities if _is_shown(entity)))


def _entity(entity: dict[str, Any]) -> Entity:
    """A link's address had its signs replaced as well."""
    return {**entity, "url": str(entity["url"]).translate(_FROM_STANDIN)} if "url" in entity else entity


def _is_shown(entity: Entity) -> bool:
    """Telegram takes links to the outside only; one to a file of ours is its words."""
    return entity["type"] != "text_link" or str(entity["url"]).startswith(_ADDRESSES)


def _config() -> RenderConfig:
    """No pictures of the library's own in front of headings, links and pictures. A config each, for it is mutable."""
    config = RenderConfig.isolated()
    for level in range(1, 7):
        setattr(config.markdown_symbol, f"heading_level_{level}", "")
    config.markdown_symbol.image = config.markdown_symbol.link = ""
    config.markdown_symbol.unordered_list_item = "•"
    config.cite_expandable = False
    return config
