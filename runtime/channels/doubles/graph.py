"""What the Graph API refuses of a message, for its double: the official specification's rules and Meta's tables.

Written from the outside, not from what ProxyStaff sends: the same limit stands here and there on purpose. Pure.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message

from runtime.channels.doubles.recording import Body

MB = 1024 * 1024
_ENVELOPE = {"messaging_product", "recipient_type", "to", "recipient", "type", "context", "biz_opaque_callback_data"}
_READ_FIELDS = frozenset({"messaging_product", "status", "message_id", "typing_indicator"})
_USER_ID = re.compile(r"[A-Z]{2}\.(?:ENT\.)?\w+")
_PHONE = re.compile(r"\+?[0-9]{5,20}")
_GROUP = re.compile(r"[A-Za-z0-9+/=_-]{8,}")
_SPREAD = re.compile(r"[\n\t]| {5}")

MEDIA = {
    "image": (5 * MB, {"image/jpeg", "image/png"}, {"id", "link", "caption"}),
    "video": (16 * MB, {"video/mp4", "video/3gpp"}, {"id", "link", "caption"}),
    "audio": (16 * MB, {"audio/aac", "audio/mp4", "audio/mpeg", "audio/amr", "audio/ogg"}, {"id", "link"}),
    "sticker": (500_000, {"image/webp"}, {"id", "link"}),
    "document": (
        100 * MB,
        {
            "text/plain",
            "application/pdf",
            "application/msword",
            "application/vnd.ms-excel",
            "application/vnd.ms-powerpoint",
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        },
        {"id", "link", "caption", "filename"},
    ),
}
"""For each kind: the largest file in bytes, its types, and what a message with it may say."""


@dataclass(frozen=True, slots=True)
class Refusal:
    code: int
    message: str
    details: str = ""
    status: int = 400


@dataclass(frozen=True, slots=True)
class Template:
    """An approved template: in which language, and how many variables its body has."""

    language: str = "en"
    variables: int = 1


@dataclass(frozen=True, slots=True)
class File:
    """A file at Meta. ``number``: whose it is."""

    content: bytes
    mime: str
    number: str

    @property
    def described(self) -> dict[str, str]:
        digest = hashlib.sha256(self.content).hexdigest()
        return {"mime_type": self.mime, "sha256": digest, "file_size": str(len(self.content))}


@dataclass(frozen=True, slots=True)
class FormPart:
    filename: str = ""
    mime: str = ""
    content: bytes = b""

    @property
    def text(self) -> str:
        return self.content.decode(errors="replace")


def read_form(content_type: str, body: bytes) -> dict[str, FormPart]:
    """The parts of a multipart form, by name. Empty for anything else."""
    mark = content_type.partition("boundary=")[2].strip('"').encode()
    found = {}
    for part in body.split(b"--" + mark)[1:-1] if mark else []:
        head, _, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        about = Message()
        for line in head.decode(errors="replace").split("\r\n"):
            name, _, value = line.partition(":")
            about[name.strip()] = value.strip()
        name = str(about.get_param("name", "", "content-disposition"))
        found[name] = FormPart(about.get_filename("") or "", about.get_content_type(), content.removesuffix(b"\r\n"))
    return found


def check_read(body: Body) -> Refusal | None:
    if unknown := body.keys() - _READ_FIELDS:
        return Refusal(100, f"(#100) Unexpected key {sorted(unknown)[0]!r}")
    if not str(body.get("message_id", "")).startswith("wamid."):
        return _wrong("message_id is not a WhatsApp message id")
    if body.get("typing_indicator", {"type": "text"}) != {"type": "text"}:
        return _wrong("typing_indicator.type must be text")
    return None


def check_message(body: Body, files: Mapping[str, File], templates: Mapping[str, Template]) -> Refusal | None:
    """Why ``body`` is no message; None for one that is."""
    kind = str(body.get("type", ""))
    known = kind in ("text", "template", *MEDIA)
    for name in ("recipient_type", "type", *([kind] if known else [])):
        if name not in body:
            return Refusal(131008, "(#131008) Required parameter is missing", name)
    if "to" not in body and "recipient" not in body:
        return Refusal(131008, "(#131008) Required parameter is missing", "to")
    if unknown := sorted(body.keys() - _ENVELOPE - {kind if known else "text"}):
        return Refusal(100, f"(#100) Unexpected key {unknown[0]!r}")
    checks = {
        "type": known,
        "to": "to" not in body or _addressed(body["recipient_type"], body["to"]),
        "recipient": "recipient" not in body or _matches(_USER_ID, body["recipient"]),
        "recipient_type": body["recipient_type"] in ("individual", "group"),
        "context": "context" not in body or _names_a_message(body["context"]),
        "biz_opaque_callback_data": _is_text(body.get("biz_opaque_callback_data", "x"), 512),
    }
    for name, right in checks.items():
        if not right:
            return _wrong(name)
    part = body[kind]
    if not isinstance(part, dict):
        return _wrong(kind)
    if kind == "text":
        return _check_text(part)
    return _check_template(part, templates) if kind == "template" else _check_media(part, kind, files)


def check_upload(mime: str, content: bytes) -> Refusal | None:
    kind = next((kind for kind, (_, types, _) in MEDIA.items() if mime in types), None)
    if kind is None:
        return Refusal(
            100, "(#100) Param file must be a file with one of the supported types", f"{mime} is none of them"
        )
    if not content:
        return Refusal(100, "(#100) The parameter file is required.")
    if len(content) > MEDIA[kind][0]:
        return Refusal(131053, "Media upload error", f"{kind} is too large")
    return None


def _check_text(part: Body) -> Refusal | None:
    if unknown := part.keys() - {"body", "preview_url"}:
        return _wrong(f"text.{sorted(unknown)[0]}")
    preview = part.get("preview_url", False)
    fits = _is_text(part.get("body"), 4096) and isinstance(preview, bool)
    return None if fits else _wrong("text.body")


def _check_template(part: Body, templates: Mapping[str, Template]) -> Refusal | None:
    language = part.get("language")
    if part.keys() - {"name", "language", "components"} or not isinstance(language, dict):
        return _wrong("template")
    if not _is_text(part.get("name"), 512) or not _is_text(language.get("code"), 10) or len(language) != 1:
        return _wrong("template.name, template.language.code")
    found = templates.get(part["name"])
    if found is None or found.language != language["code"]:
        said = f"template name ({part['name']}) does not exist in {language['code']}"
        return Refusal(132001, "Template name does not exist in the translation", said, status=404)
    values = _values(part.get("components", []))
    if values is None:
        return _wrong("template.components")
    if len(values) != found.variables:
        said = f"body: number of localizable_params ({len(values)}) does not match ({found.variables})"
        return Refusal(132000, "Number of parameters does not match the expected number of params", said)
    if any(_SPREAD.search(value) or not value.strip() for value in values):
        return Refusal(132018, "Template parameters are wrong", "no line ends, tabs or more than 4 spaces in a row")
    if any(len(value) > 1024 for value in values):
        return Refusal(132005, "Translated text too long")
    return None


def _values(components: object) -> list[str] | None:
    """What is put into a template's body; None when that cannot be read."""
    found: list[object] = []
    for component in components if isinstance(components, list) else [None]:
        match component:
            case {"type": "body", "parameters": [*parameters], **rest} if not rest:
                found += parameters
            case {"type": "body", **rest} if not rest:
                pass
            case _:
                return None
    values = []
    for parameter in found:
        match parameter:
            case {"type": "text", "text": str() as text}:
                values.append(text)
            case _:
                return None
    return values


def _check_media(part: Body, kind: str, files: Mapping[str, File]) -> Refusal | None:
    _, types, fields = MEDIA[kind]
    if unknown := sorted(part.keys() - fields):
        return Refusal(100, f"(#100) Unexpected key {unknown[0]!r} on param {kind!r}")
    if ("id" in part) == ("link" in part):
        return Refusal(131008, "(#131008) Required parameter is missing", f"{kind}.id or {kind}.link")
    for name, longest in (("caption", 1024), ("filename", 240), ("id", 100), ("link", 2000)):
        if not _is_text(part.get(name, "x"), longest):
            return _wrong(f"{kind}.{name}")
    file = files.get(part.get("id", ""))
    if "id" in part and file is None:
        return Refusal(100, f"(#100) Object with ID {part['id']!r} does not exist", "no such media")
    if file is not None and file.mime not in types:
        return Refusal(131053, "Media upload error", f"{file.mime} is not a type of {kind}")
    return None


def _is_text(value: object, longest: int) -> bool:
    return isinstance(value, str) and bool(value.strip()) and len(value) <= longest


def _matches(pattern: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and bool(pattern.fullmatch(value))


def _addressed(kind: object, to: object) -> bool:
    return _matches(_GROUP if kind == "group" else _PHONE, to)


def _names_a_message(context: object) -> bool:
    return isinstance(context, dict) and len(context) == 1 and str(context.get("message_id")).startswith("wamid.")


def _wrong(details: str) -> Refusal:
    return Refusal(131009, "(#131009) Parameter value is not valid", details)
