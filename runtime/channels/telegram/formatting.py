"""A reply as Telegram shows it: plain text and entities, in parts of what one message holds. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from runtime.channels import splitting

LIMIT = 4096
"""UTF-16 units of one message, counted after the marks became entities."""

Entity = Mapping[str, str | int]
"""A MessageEntity of the Bot API: ``type``, ``offset`` and ``length`` in UTF-16 units, and what the type needs."""


@dataclass(frozen=True, slots=True)
class Formatted:
    text: str
    entities: tuple[Entity, ...] = ()


def split(text: str) -> list[str]:
    return splitting.split(text, LIMIT)


def format_text(text: str) -> Formatted:
    """``text`` as it is: marks of markdown are not turned into entities yet."""
    return Formatted(text)
