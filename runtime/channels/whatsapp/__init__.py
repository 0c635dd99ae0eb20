"""WhatsApp: webhook in, Graph API out. Read ``parse`` for what a POST becomes, ``errors`` for what a failure means."""

from runtime.channels.whatsapp.api import WhatsAppAccount, WhatsAppApi
from runtime.channels.whatsapp.bodies import fits_template
from runtime.channels.whatsapp.errors import is_template_refused, is_window_closed
from runtime.channels.whatsapp.files import shape_of
from runtime.channels.whatsapp.formatting import LIMIT, format_text
from runtime.channels.whatsapp.parse import CHANNEL, Received, parse
from runtime.channels.whatsapp.parts import split
from runtime.channels.whatsapp.webhook import routes, verify

__all__ = [
    "CHANNEL",
    "LIMIT",
    "Received",
    "WhatsAppAccount",
    "WhatsAppApi",
    "fits_template",
    "format_text",
    "is_template_refused",
    "is_window_closed",
    "parse",
    "routes",
    "shape_of",
    "split",
    "verify",
]
