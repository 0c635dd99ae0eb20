"""What is asked of the Graph API, as JSON: a text, a template, a file, "read" and "typing". Pure.

Protocol: the request body of ``POST /{phone_number_id}/messages``. What no message can hold is GiveUp here already.
"""

import re

from runtime.channels import wire
from runtime.channels.splitting import units
from runtime.channels.whatsapp.files import Shape
from runtime.channels.whatsapp.formatting import LIMIT, format_text
from runtime.words import GiveUp, Outbound

TRACKER_LIMIT = 512
"""Characters of ``biz_opaque_callback_data``, which every later status of the message brings back."""
CAPTION_LIMIT = 1024
PARAMETER_LIMIT = 900
"""Characters put into a template: with its own words it has 1024."""
LANGUAGE = "en"
"""Of a template that is named without one."""

Body = dict[str, object]

_USER_ID = re.compile(r"[A-Z]{2}\.\S+")
_PHONE = re.compile(r"\+?[0-9]{5,20}")
_TEMPLATE = re.compile(r"([a-z0-9_]{1,512})(?::([a-z]{2,3}(?:_[A-Za-z]{2,4})?))?")


def text_body(message: Outbound) -> Body | GiveUp:
    text = format_text(wire.clean(message.text))
    if not text.strip() or units(text) > LIMIT:
        return GiveUp(f"a message has 1 to {LIMIT} characters", "split the reply before it is queued")
    return _envelope(message, "text", {"body": text})


def template_body(message: Outbound) -> Body | GiveUp:
    """``Outbound.template`` is ``name`` or ``name:language``. Without a text it is a template without variables."""
    named = _TEMPLATE.fullmatch(message.template)
    if named is None:
        return GiveUp(f"{message.template[:80]!r} names no template", "write it as name or name:language, as at Meta")
    text = _parameter(message.text)
    if units(text) > PARAMETER_LIMIT:
        return GiveUp(f"a template takes at most {PARAMETER_LIMIT} characters", "shorten what is put in")
    template: Body = {"name": named[1], "language": {"code": named[2] or LANGUAGE}}
    if text:
        template["components"] = [{"type": "body", "parameters": [{"type": "text", "text": text}]}]
    return _envelope(message, "template", template)


def fits_template(text: str) -> bool:
    """Whether ``text`` can be said in a template; a longer one is GiveUp when it is sent as one."""
    return units(_parameter(text)) <= PARAMETER_LIMIT


def _parameter(text: str) -> str:
    """In one line: a parameter takes no line ends, no tabs and no runs of spaces."""
    return " ".join(format_text(wire.clean(text)).split())


def file_body(message: Outbound, shape: Shape, media_id: str) -> Body | GiveUp:
    """``message.text`` is the caption, where files of this shape have one."""
    caption = format_text(wire.clean(message.text)).strip()
    if caption and not shape.captioned:
        return GiveUp(f"WhatsApp shows no words with {shape.kind} files", "send the words as a message of their own")
    if units(caption) > CAPTION_LIMIT:
        return GiveUp(f"a caption has at most {CAPTION_LIMIT} characters", "send the words as a message of their own")
    part: Body = {"id": media_id}
    if caption:
        part["caption"] = caption
    if shape.kind == "document":
        part["filename"] = shape.name
    return _envelope(message, shape.kind, part)


def read_body(message_id: str, *, typing: bool) -> Body:
    """Mark the message read, and all before it; with ``typing`` show for 25 s that an answer is coming."""
    body: Body = {"messaging_product": "whatsapp", "status": "read", "message_id": message_id}
    return {**body, "typing_indicator": {"type": "text"}} if typing else body


def _envelope(message: Outbound, kind: str, part: Body) -> Body | GiveUp:
    if len(message.key) > TRACKER_LIMIT:
        return GiveUp(f"a key has at most {TRACKER_LIMIT} characters", "shorten the outbound message's key")
    body: Body = {
        "messaging_product": "whatsapp",
        **_recipient(message.address),
        "type": kind,
        kind: part,
        "biz_opaque_callback_data": message.key,
    }
    return {**body, "context": {"message_id": message.reply_to}} if message.reply_to else body


def _recipient(address: str) -> Body:
    """A person by number; one with a username, who may have none, by Meta's id of them; or a group by its id."""
    if _USER_ID.fullmatch(address):
        return {"recipient_type": "individual", "recipient": address}
    return {"recipient_type": "individual" if _PHONE.fullmatch(address) else "group", "to": address}
