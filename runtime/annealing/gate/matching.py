"""Whether a text has what a case asks for: words, or a regular expression between slashes. Pure."""

import re


def has(pattern: str, text: str) -> bool:
    """Words are found whole, in any case, with any space between them."""
    return _compiled(pattern).search(text) is not None


def _compiled(pattern: str) -> re.Pattern[str]:
    if pattern.startswith("/"):
        return re.compile(pattern[1:-1], re.IGNORECASE)
    words = r"\s+".join(re.escape(word) for word in pattern.split())
    return re.compile(rf"(?<!\w){words}(?!\w)", re.IGNORECASE)
