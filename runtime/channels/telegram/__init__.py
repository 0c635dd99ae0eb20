"""Telegram: webhook or polling in, Bot API out. Read ``parse`` for what comes in, ``api`` for what a bot does."""

from runtime.channels.telegram.api import TelegramApi, Webhook
from runtime.channels.telegram.calls import BLOCKED, Conflict, TelegramAccount
from runtime.channels.telegram.drafts import DraftStream
from runtime.channels.telegram.formatting import LIMIT, format_text
from runtime.channels.telegram.parse import ALLOWED_UPDATES, CHANNEL, Bot, parse
from runtime.channels.telegram.parts import split
from runtime.channels.telegram.polling import poll
from runtime.channels.telegram.webhook import routes, verify

__all__ = [
    "ALLOWED_UPDATES",
    "BLOCKED",
    "CHANNEL",
    "LIMIT",
    "Bot",
    "Conflict",
    "DraftStream",
    "TelegramAccount",
    "TelegramApi",
    "Webhook",
    "format_text",
    "parse",
    "poll",
    "routes",
    "split",
    "verify",
]
