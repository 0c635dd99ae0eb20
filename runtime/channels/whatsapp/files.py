"""Files on WhatsApp: which can be sent and as what, and which addresses of files a token may be shown to.

Protocol: Meta's table of supported media types and sizes, POST /{phone_number_id}/media. Owns nothing of a message.
"""

import binascii
from base64 import b64decode
from dataclasses import dataclass
from pathlib import PurePath

import httpx

from runtime.channels.sending import MB

SIZES = {"image": 5 * MB, "audio": 16 * MB, "video": 16 * MB, "sticker": 100_000, "document": 100 * MB}
"""The largest file of a kind, in bytes. A moving sticker may have 500 KB, which is not looked into."""

_OFFICE = "application/vnd.openxmlformats-officedocument"
TYPES = {
    ".jpg": ("image", "image/jpeg"),
    ".jpeg": ("image", "image/jpeg"),
    ".png": ("image", "image/png"),
    ".webp": ("sticker", "image/webp"),
    ".mp4": ("video", "video/mp4"),
    ".3gp": ("video", "video/3gpp"),
    ".aac": ("audio", "audio/aac"),
    ".amr": ("audio", "audio/amr"),
    ".m4a": ("audio", "audio/mp4"),
    ".mp3": ("audio", "audio/mpeg"),
    ".ogg": ("audio", "audio/ogg"),
    ".opus": ("audio", "audio/ogg"),
    ".pdf": ("document", "application/pdf"),
    ".doc": ("document", "application/msword"),
    ".docx": ("document", f"{_OFFICE}.wordprocessingml.document"),
    ".xls": ("document", "application/vnd.ms-excel"),
    ".xlsx": ("document", f"{_OFFICE}.spreadsheetml.sheet"),
    ".ppt": ("document", "application/vnd.ms-powerpoint"),
    ".pptx": ("document", f"{_OFFICE}.presentationml.presentation"),
    **dict.fromkeys((".txt", ".md", ".csv", ".tsv", ".ics", ".vcf", ".json", ".yaml"), ("document", "text/plain")),
}
"""What a file is sent as, by the end of its name. Meta takes no other types; words of any kind go as plain text."""

_HOSTS = ("facebook.com", "fbsbx.com", "fbcdn.net", "whatsapp.net")
_NAME_LIMIT = 240


@dataclass(frozen=True, slots=True)
class Shape:
    """How a file is sent: ``kind`` is the message's type, ``name`` what the person sees of a document."""

    kind: str
    mime: str
    name: str

    @property
    def captioned(self) -> bool:
        return self.kind not in ("audio", "sticker")


def shape_of(path: str) -> Shape | None:
    """By its name; None for a type that WhatsApp does not take."""
    file = PurePath(path)
    found = TYPES.get(file.suffix.lower())
    return Shape(found[0], found[1], file.name[-_NAME_LIMIT:]) if found else None


def may_see_token(url: httpx.URL, base: httpx.URL) -> bool:
    """Whether a file's address is Meta's, or that of the API itself: the token goes nowhere else."""
    if url.userinfo:
        return False
    if (url.scheme, url.host, url.port) == (base.scheme, base.host, base.port):
        return True
    return url.scheme == "https" and any(url.host == host or url.host.endswith("." + host) for host in _HOSTS)


def same_digest(wanted: str, digest: bytes) -> bool:
    """Whether ``wanted``, as Meta wrote it (hexadecimal or base64; "" when it did not), is ``digest``."""
    if not wanted:
        return True
    try:
        return digest in (b64decode(wanted, validate=True), _hexadecimal(wanted))
    except (binascii.Error, ValueError):
        return digest == _hexadecimal(wanted)


def _hexadecimal(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""
