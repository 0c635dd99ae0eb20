"""WhatsApp: webhook in, Graph API out. Read ``parse`` for what a POST becomes, ``errors`` for what a failure means."""

from runtime.channels.whatsapp.api import WhatsAppAccount, WhatsAppApi
from runtime.channels.whatsapp.formatting import LIMIT, format_text, split
from runtime.channels.whatsapp.parse import CHANNEL, Received, parse
from runtime.channels.whatsapp.webhook import routes, verify

__all__ = [
    "CHANNEL",
    "LIMIT",
    "Received",
    "WhatsAppAccount",
    "WhatsAppApi",
    "format_text",
    "parse",
    "routes",
    "split",
    "verify",
]
