"""Loopback doubles of the channels' APIs: for tests, demos and development without an account.

They record what they were asked, answer as the real one does, refuse what it would refuse, and fail on request.
"""

from runtime.channels.doubles.desk import DeskDouble
from runtime.channels.doubles.recording import Recorded, Recording, Trouble
from runtime.channels.doubles.telegram import TelegramDouble
from runtime.channels.doubles.whatsapp import WhatsAppDouble

__all__ = ["DeskDouble", "Recorded", "Recording", "TelegramDouble", "Trouble", "WhatsAppDouble"]
