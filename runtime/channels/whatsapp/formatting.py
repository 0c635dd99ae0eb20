"""A reply as WhatsApp shows it, in parts of what one message holds. Pure."""

from runtime.channels import splitting

LIMIT = 4096
"""Characters of a text body. Counted here in UTF-16 units, the stricter reading. Each message is billed."""


def split(text: str) -> list[str]:
    return splitting.split(text, LIMIT)


def format_text(text: str) -> str:
    """``text`` as it is: marks of markdown are not turned into WhatsApp's yet."""
    return text
