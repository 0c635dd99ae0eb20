"""What one WhatsApp message says, by its type: words, files, and what else is known of it. Pure.

Owns which types reach a turn. Does not own who wrote the message or when (``parse``). A type Meta invents later has
no content, so that it is ignored and counted instead of guessed at.
"""

import re
from dataclasses import dataclass, replace

from runtime.channels import wire
from runtime.channels.wire import Object
from runtime.errors import BadInput
from runtime.words import How, Media

MEDIA = ("image", "video", "document", "audio", "sticker", "voice")
_SAID_LIMIT = 1000  # characters of what an advertisement or a form adds to a message
_VCARD = re.compile(r"^(FN|TEL|EMAIL)[^:\r\n]*:(.+?)\s*$", re.MULTILINE | re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """``kind`` as in Inbound; ``target`` is the earlier message that a reaction, an edit or a removal is about."""

    kind: str
    text: str = ""
    how: How = How.TYPED
    media: tuple[Media, ...] = ()
    target: str = ""
    extra: tuple[tuple[str, str], ...] = ()


def content_of(message: Object, kind: str) -> Content | None:
    """The content of a message of ``kind``; None for one that says nothing, or that nobody here understands."""
    part = wire.child(message, kind)
    match kind:
        case "text":
            return _words(kind, wire.text(part, "body"))
        case "button":
            return _words(kind, wire.text(part, "text"), choice=wire.text(part, "payload"))
        case "interactive":
            return _interactive(part)
        case "location":
            return _words(kind, _location(part), How.DOCUMENT)
        case "contacts":
            return _words(kind, "\n".join(_card(one) for one in wire.children(message, "contacts")), How.DOCUMENT)
        case "order":
            return _words(kind, _order(part), catalog=wire.ident(part, "catalog_id"))
        case "reaction" | "revoke" | "edit":
            return _about(part, kind)
        case _:
            return _file(part, kind) if kind in MEDIA else None


def _words(kind: str, text: str, how: How = How.TYPED, **extra: str) -> Content | None:
    return Content(kind=kind, text=text, how=how, extra=tuple(extra.items())) if text.strip() else None


def _file(part: Object, kind: str) -> Content | None:
    ref = wire.ident(part, "id")
    if not ref:
        return None
    if kind == "audio" and part.get("voice") is True:
        kind = "voice"
    media = Media(ref=ref, kind=kind, mime=wire.text(part, "mime_type"), name=wire.text(part, "filename"))
    how = How.VOICE if kind == "voice" else How.TYPED
    return Content(kind=kind, text=wire.text(part, "caption"), how=how, media=(media,))


def _about(part: Object, kind: str) -> Content | None:
    """A reaction to an earlier message (without an emoji it was taken back), its removal, or its new form. One can be
    edited into words and files only: so an edit is never of an edit."""
    target = wire.ident(part, "message_id" if kind == "reaction" else "original_message_id")
    if not target:
        return None
    if kind != "edit":
        return Content(kind=kind, text=wire.text(part, "emoji"), target=target)
    inner = wire.child(part, "message")
    named = wire.kind(inner, "type")
    found = content_of(inner, named) if named == "text" or named in MEDIA else None
    return replace(found, target=target) if found else None


def _interactive(part: Object) -> Content | None:
    if reply := wire.child(part, "button_reply") or wire.child(part, "list_reply"):
        described = wire.text(reply, "description")
        return _words("interactive", wire.text(reply, "title"), choice=wire.text(reply, "id"), described=described)
    if form := wire.child(part, "nfm_reply"):
        text, token = _form(form)
        return _words("interactive", text, form=wire.text(form, "name"), flow_token=token)
    return None


def _form(form: Object) -> tuple[str, str]:
    """What was filled in, a line for each field, and the token that says of which form."""
    try:
        answers = wire.load(wire.text(form, "response_json").encode())
    except BadInput:
        return wire.text(form, "body"), ""
    lines = [f"{name}: {said}" for name, said in _flat(answers) if name != "flow_token"]
    return wire.clean("\n".join(lines)) or wire.text(form, "body"), wire.ident(answers, "flow_token")


def _flat(answers: Object, depth: int = 0) -> list[tuple[str, str]]:
    """Names and values of a form's answers, those of parts of it under the part's name."""
    found = []
    for name, value in answers.items():
        if isinstance(value, dict) and depth < 4:
            found += [(f"{name}.{inner}", said) for inner, said in _flat(value, depth + 1)]
        elif isinstance(value, list):
            found.append((name, ", ".join(_said(one) for one in value if _said(one))))
        else:
            found.append((name, _said(value)))
    return [(name, said) for name, said in found if said]


def _said(value: object) -> str:
    """A string or a number as a person would read it, a yes or no as one; "" for anything else."""
    match value:
        case bool():
            return "yes" if value else "no"
        case str():
            return wire.clean(value[:_SAID_LIMIT])
        case int() | float() if abs(value) < 10**20:
            return str(value)
        case _:
            return ""


def _location(part: Object) -> str:
    where = [_said(part.get(name)).strip() for name in ("latitude", "longitude")]
    if not all(where):
        return ""
    named = [one for one in (wire.text(part, "name"), wire.text(part, "address"), ",".join(where)) if one.strip()]
    link = wire.text(part, "url")
    return f"Shared a location: {', '.join(named)}" + (f" ({link})" if link else "")


def _card(card: Object) -> str:
    """A contact in lines. ``vcard`` is all there is of one that a person shared on request."""
    shared = dict.fromkeys((match[1].upper(), match[2]) for match in _VCARD.finditer(wire.text(card, "vcard")))
    name = wire.child(card, "name")
    full = wire.text(name, "formatted_name") or " ".join(
        filter(None, (wire.text(name, part) for part in ("first_name", "last_name")))
    )
    organisation = wire.child(card, "org")
    lines = [
        *(f"phone: {_typed(_either(one, 'phone', 'wa_id'), one)}" for one in wire.children(card, "phones")),
        *(f"email: {_typed(wire.text(one, 'email'), one)}" for one in wire.children(card, "emails")),
        *(f"address: {_typed(_address(one), one)}" for one in wire.children(card, "addresses")),
        *(f"web: {_typed(wire.text(one, 'url'), one)}" for one in wire.children(card, "urls")),
        *(f"{label}: {wire.text(organisation, label)}" for label in ("company", "department", "title")),
        f"birthday: {wire.text(card, 'birthday')}",
    ]
    said = [line for line in lines if line.partition(": ")[2].strip()]
    if not said:
        said = [f"{'phone' if kind == 'TEL' else 'email'}: {value}" for kind, value in shared if kind != "FN"]
    full = full or next((value for kind, value in shared if kind == "FN"), "")
    if not full.strip() and not said:
        return ""
    return "\n".join([f"Shared a contact: {full or 'without a name'}", *(f"- {line}" for line in said)])


def _either(value: Object, *names: str) -> str:
    return next((found for name in names if (found := wire.text(value, name))), "")


def _typed(said: str, value: Object) -> str:
    """With which of several it is: home, work, cell …"""
    kind = wire.text(value, "type").strip().lower()
    return f"{said} ({kind})" if said.strip() and kind else said


def _address(value: Object) -> str:
    return ", ".join(filter(None, (wire.text(value, name) for name in ("street", "city", "state", "zip", "country"))))


def _order(part: Object) -> str:
    lines = []
    for item in wire.children(part, "product_items"):
        amount, price = _said(item.get("quantity")) or "1", _said(item.get("item_price"))
        at = f" at {price} {wire.text(item, 'currency')}".rstrip() if price else ""
        lines.append(f"- {amount} x {wire.text(item, 'product_retailer_id') or 'an unnamed product'}{at}")
    said = wire.text(part, "text")
    return "\n".join(["Ordered:", *lines, *([said] if said.strip() else [])]) if lines else said


def context_of(message: Object) -> tuple[tuple[str, str], ...]:
    """What a message came from: a product it asks about, an advertisement that was clicked."""
    product = wire.child(wire.child(message, "context"), "referred_product")
    advert = wire.child(message, "referral")
    names = {"source_url": "ad_url", "source_id": "ad_id", "source_type": "ad_type", "headline": "ad_headline"}
    names |= {"body": "ad_body", "ctwa_clid": "ad_click"}
    return (
        ("product", wire.ident(product, "product_retailer_id")),
        ("product_catalog", wire.ident(product, "catalog_id")),
        *((ours, wire.text(advert, theirs)[:_SAID_LIMIT]) for theirs, ours in names.items()),
    )
