"""Telegram: webhook in, Bot API out. Read ``parse`` for what an update becomes, ``api`` for what a failure means."""

from runtime.channels.telegram.api import TelegramAccount, TelegramApi
from runtime.channels.telegram.formatting import LIMIT, format_text
from runtime.channels.telegram.parse import ALLOWED_UPDATES, CHANNEL, Bot, parse
from runtime.channels.telegram.parts import split
from runtime.channels.telegram.webhook import routes, verify

__all__ = [
    "ALLOWED_UPDATES",
    "CHANNEL",
    "LIMIT",
    "Bot",
    "TelegramAccount",
    "TelegramApi",
    "format_text",
    "parse",
    "routes",
    "split",
    "verify",
]
