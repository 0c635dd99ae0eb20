"""What the Bot API refuses of a call, for its double: the official specification's fields and the server's own checks.

Protocol: Bot API 10.1, and the Stop button of drafts from 10.3. Written from the outside, not from what ProxyStaff
sends: the same limit stands here and there on purpose. Pure.
"""

import re
from collections.abc import Callable
from typing import Any

from runtime.channels.doubles.recording import Body

# The parameters of each method: ``name:type``, ``!`` for a required one, ``|`` between types.
_TO = "business_connection_id:str chat_id!:int|str message_thread_id:int direct_messages_topic_id:int"
_CAPTION = "caption:str parse_mode:str caption_entities:entities"
_HOW = (
    "disable_notification:bool protect_content:bool "
    "allow_paid_broadcast:bool message_effect_id:str reply_parameters:reply"
)
METHODS = {
    "sendMessage": f"{_TO} text!:str parse_mode:str entities:entities link_preview_options:object {_HOW}",
    "sendChatAction": "business_connection_id:str chat_id!:int|str message_thread_id:int action!:str",
    "setWebhook": (
        "url!:str ip_address:str max_connections:int allowed_updates:strs drop_pending_updates:bool secret_token:str"
    ),
    "deleteWebhook": "drop_pending_updates:bool",
    "getWebhookInfo": "",
    "getMe": "",
    "sendPhoto": f"{_TO} photo!:file|str {_CAPTION} show_caption_above_media:bool has_spoiler:bool {_HOW}",
    "sendDocument": (
        f"{_TO} document!:file|str thumbnail:file|str {_CAPTION} disable_content_type_detection:bool {_HOW}"
    ),
    "sendVideo": (
        f"{_TO} video!:file|str duration:int width:int height:int thumbnail:file|str cover:file|str "
        f"start_timestamp:int {_CAPTION} show_caption_above_media:bool has_spoiler:bool "
        f"supports_streaming:bool {_HOW}"
    ),
    "sendAudio": f"{_TO} audio!:file|str {_CAPTION} duration:int performer:str title:str thumbnail:file|str {_HOW}",
    "sendVoice": f"{_TO} voice!:file|str {_CAPTION} duration:int {_HOW}",
    "sendAnimation": (
        f"{_TO} animation!:file|str duration:int width:int height:int thumbnail:file|str {_CAPTION} "
        f"show_caption_above_media:bool has_spoiler:bool {_HOW}"
    ),
    "sendMessageDraft": (
        "chat_id!:int message_thread_id:int draft_id!:int text:str parse_mode:str entities:entities "
        "can_stop:bool keep_on_stop:bool"
    ),
    "answerCallbackQuery": "callback_query_id!:str text:str show_alert:bool url:str cache_time:int",
    "getFile": "file_id!:str",
    "getUpdates": "offset:int limit:int timeout:int allowed_updates:strs",
}
"""Every method that the runtime calls."""

FILES = {
    "sendPhoto": "photo",
    "sendDocument": "document",
    "sendVideo": "video",
    "sendAudio": "audio",
    "sendVoice": "voice",
    "sendAnimation": "animation",
}
"""Where each of these has its file."""

MB = 1024 * 1024
UPDATES = frozenset(
    {"message", "edited_message", "callback_query", "my_chat_member", "stopped_message_generation", "channel_post"}
)
ACTIONS = frozenset(
    {"typing", "upload_photo", "record_video", "upload_video", "record_voice", "upload_voice", "upload_document"}
)
ENTITIES = frozenset(
    {"mention", "hashtag", "cashtag", "bot_command", "url", "email", "phone_number", "bold", "italic", "underline"}
    | {"strikethrough", "spoiler", "blockquote", "expandable_blockquote", "code", "pre", "text_link", "text_mention"}
    | {"custom_emoji", "date_time"}
)
_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")
_WEBHOOK = re.compile(r"https://[^/:]+(:(443|80|88|8443))?(/.*)?")


def problem(method: str, body: Body) -> str:
    """Why ``body`` is no call of ``method``, in Telegram's words; "" for one that is."""
    fields = dict(field.split(":") for field in METHODS[method].split())
    known = {name.rstrip("!"): kinds.split("|") for name, kinds in fields.items()}
    if unknown := sorted(body.keys() - known.keys()):
        return f"unknown parameter {unknown[0]}"
    for name, value in body.items():
        if not any(_TYPES[kind](value) for kind in known[name]):
            return _mistyped(name)
    if method.startswith("send") and body.get("chat_id", "") == "":
        return "chat_id is empty"
    found = _CHECKS[method](body) if method in _CHECKS else ""
    missing = [name.rstrip("!") for name in fields if name.endswith("!") and name.rstrip("!") not in body]
    return found or (f"parameter {missing[0]} is required" if missing else "")


def words_of(method: str) -> set[str]:
    """The parameters of ``method`` that are text and nothing else."""
    fields = (field.split(":") for field in METHODS.get(method, "").split())
    return {name.rstrip("!") for name, kinds in fields if kinds == "str"}


def _mistyped(name: str) -> str:
    match name:
        case "entities" | "caption_entities":
            return f"can't parse {name}: type, offset and length are required"
        case "reply_parameters":
            return "can't parse reply parameters: message_id is required"
        case _:
            return f"wrong type of parameter {name}"


def units(text: str) -> int:
    return len(text.encode("utf-16-le", errors="surrogatepass")) // 2


def _is_entity(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and isinstance(value.get("type"), str)
        and _is_int(value.get("offset"))
        and _is_int(value.get("length"))
    )


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


_TYPES: dict[str, Callable[[Any], bool]] = {
    "int": _is_int,
    "str": lambda value: isinstance(value, str),
    "bool": lambda value: isinstance(value, bool),
    "file": lambda value: isinstance(value, dict) and isinstance(value.get("bytes"), bytes),
    "strs": lambda value: isinstance(value, list) and all(isinstance(item, str) for item in value),
    "object": lambda value: isinstance(value, dict),
    "entities": lambda value: isinstance(value, list) and all(map(_is_entity, value)),
    "reply": lambda value: isinstance(value, dict) and _is_int(value.get("message_id")),
}


def _marks(text: str, entities: list[dict[str, Any]]) -> str:
    for entity in entities:
        if entity["type"] not in ENTITIES:
            return f"can't parse entities: unsupported type {entity['type']}"
        if entity["offset"] < 0 or entity["length"] < 1 or entity["offset"] + entity["length"] > units(text):
            return "ENTITY_BOUNDS_INVALID"
        if entity["type"] == "text_link" and not entity.get("url"):
            return "can't parse entities: url is required"
    return ""


def _message(body: Body) -> str:
    text = body.get("text", "")
    if not text.strip():
        return "message text is empty"
    return "message is too long" if units(text) > 4096 else _marks(text, body.get("entities", []))


def _draft(body: Body) -> str:
    if body["chat_id"] <= 0:
        return "drafts can be sent to private chats only"
    if body.get("draft_id", 0) == 0:
        return "draft_id must be non-zero"
    text = body.get("text", "")
    return "message is too long" if units(text) > 4096 else _marks(text, body.get("entities", []))


def _file(field: str, limit: int) -> Callable[[Body], str]:
    def check(body: Body) -> str:
        file = body.get(field)
        if isinstance(file, dict) and not 0 < len(file["bytes"]) <= limit:
            return "file must be non-empty" if not file["bytes"] else f"file is too big for a {field}"
        caption = body.get("caption", "")
        if units(caption) > 1024:
            return "message caption is too long"
        return _marks(caption, body.get("caption_entities", []))

    return check


def _webhook(body: Body) -> str:
    url, secret = body.get("url", ""), body.get("secret_token")
    if url and not _WEBHOOK.fullmatch(url):
        return "bad webhook: An HTTPS URL must be provided for webhook"
    if secret is not None and not _SECRET.fullmatch(secret):
        return "secret token contains unallowed characters"
    return _kinds(body)


def _kinds(body: Body) -> str:
    unknown = sorted(set(body.get("allowed_updates", [])) - UPDATES)
    return f"unknown kind of update {unknown[0]}" if unknown else ""


def _updates(body: Body) -> str:
    return _kinds(body) or ("" if 1 <= body.get("limit", 100) <= 100 else "limit must be between 1 and 100")


_CHECKS: dict[str, Callable[[Body], str]] = {
    "sendMessage": _message,
    "sendMessageDraft": _draft,
    "sendChatAction": lambda body: "" if body.get("action") in ACTIONS else "wrong parameter action in request",
    "answerCallbackQuery": lambda body: "MESSAGE_TOO_LONG" if len(body.get("text", "")) > 200 else "",
    "setWebhook": _webhook,
    "getUpdates": _updates,
    **{method: _file(field, 10 * MB if field == "photo" else 50 * MB) for method, field in FILES.items()},
}
