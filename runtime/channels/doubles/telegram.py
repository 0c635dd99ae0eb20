"""A loopback double of the Telegram Bot API: what a bot may call here, answered and refused as there.

Protocol: Bot API; errors are ``{"ok": false, "error_code", "description", "parameters"?}``. Also makes the updates
that Telegram would post to a webhook.
"""

import json
import time
from collections.abc import Callable
from itertools import count
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from runtime.channels.doubles.recording import Body, Recorded, Recording, Trouble, read_object

TOKEN = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"  # noqa: S105 - the example token of the official docs
BOT = {"id": 110201543, "is_bot": True, "first_name": "Double", "username": "double_bot"}

_ACTIONS = ("typing", "upload_photo", "record_video", "upload_video", "record_voice", "upload_voice")
_SEND_FIELDS = frozenset(
    {"chat_id", "text", "entities", "parse_mode", "reply_parameters", "link_preview_options", "message_thread_id"}
)


def too_many_requests(retry_after: int) -> Trouble:
    said = f"Too Many Requests: retry after {retry_after}"
    return Trouble(status=429, body=_error(429, said, retry_after=retry_after))


def server_error(status: int = 502) -> Trouble:
    return Trouble(status=status, body=_error(status, "Bad Gateway"))


class TelegramDouble:
    """``app`` is served under ``/bot<token>/<method>``. Only ``tokens`` are known, and no chat of ``blocked_by``
    takes a message."""

    def __init__(self, *tokens: str, blocked_by: frozenset[int] = frozenset()) -> None:
        self.tokens = frozenset(tokens or (TOKEN,))
        self.blocked_by = blocked_by
        self.recording = Recording()
        self.webhooks: dict[str, Body] = {}
        self._ids = count(1)
        self.app = Starlette(routes=[Route("/bot{token}/{method}", self._call, methods=["GET", "POST"])])

    @property
    def texts(self) -> list[str]:
        """The texts of the messages taken, in order."""
        return [sent.body["text"] for sent in self.recording.sent]

    async def _call(self, request: Request) -> Response:
        token, method = request.path_params["token"], request.path_params["method"]
        body = await read_object(request) if await request.body() else {}
        trouble = self.recording.next_trouble(method)
        answer = self._answer(token, method, body)
        good = answer.status_code == 200
        taken = good and method == "sendMessage" and (trouble is None or trouble.accepts)
        status = answer.status_code if trouble is None or not good else trouble.status
        await self.recording.keep(
            Recorded(method=method, account=token, body=body or {}, status=status),
            taken=taken,
        )
        if trouble is None or not good:
            return answer
        return await trouble.answer(request, answer)

    def _answer(self, token: str, method: str, body: Body | None) -> Response:
        methods: dict[str, Callable[[str, Body], Response]] = {
            "getMe": lambda _token, _body: _ok(BOT),
            "sendMessage": self._send_message,
            "sendChatAction": self._send_chat_action,
            "setWebhook": self._set_webhook,
            "deleteWebhook": self._delete_webhook,
            "getWebhookInfo": self._webhook_info,
        }
        if token not in self.tokens:
            return _refused(401, "Unauthorized")
        if method not in methods:
            return _refused(404, "Not Found")
        if body is None:
            return _refused(400, "Bad Request: can't parse the request body as JSON object")
        return methods[method](token, body)

    def _send_message(self, _token: str, body: Body) -> Response:
        text = body.get("text")
        if unknown := body.keys() - _SEND_FIELDS:
            return _refused(400, f"Bad Request: unknown parameter {sorted(unknown)[0]}")
        if not isinstance(text, str) or not text.strip():
            return _refused(400, "Bad Request: message text is empty")
        if _units(text) > 4096:
            return _refused(400, "Bad Request: message is too long")
        if problem := _entities_problem(text, body.get("entities", [])) or _reply_problem(body.get("reply_parameters")):
            return _refused(400, f"Bad Request: {problem}")
        if refusal := self._chat_problem(body):
            return refusal
        chat = {"id": body["chat_id"], "type": "private", "first_name": "Person"}
        message = {"message_id": next(self._ids), "date": int(time.time()), "chat": chat, "from": BOT, "text": text}
        return _ok(message)

    def _send_chat_action(self, _token: str, body: Body) -> Response:
        if body.get("action") not in _ACTIONS:
            return _refused(400, "Bad Request: wrong parameter action in request")
        return self._chat_problem(body) or _ok(result=True)

    def _chat_problem(self, body: Body) -> Response | None:
        chat = body.get("chat_id")
        if chat is None or chat == "":
            return _refused(400, "Bad Request: chat_id is empty")
        if isinstance(chat, bool) or not isinstance(chat, int) or chat == 0:
            return _refused(400, "Bad Request: chat not found")
        if chat in self.blocked_by:
            return _refused(403, "Forbidden: bot was blocked by the user")
        return None

    def _set_webhook(self, token: str, body: Body) -> Response:
        url = body.get("url")
        if not isinstance(url, str) or (url and not url.startswith("https://")):
            return _refused(400, "Bad Request: bad webhook: An HTTPS URL must be provided for webhook")
        self.webhooks[token] = body
        return _ok(result=True)

    def _delete_webhook(self, token: str, _body: Body) -> Response:
        self.webhooks.pop(token, None)
        return _ok(result=True)

    def _webhook_info(self, token: str, _body: Body) -> Response:
        url = self.webhooks.get(token, {}).get("url", "")
        return _ok({"url": url, "has_custom_certificate": False, "pending_update_count": 0})


def text_update(text: str, *, sender: int, update_id: int, at: int | None = None) -> bytes:
    """An Update with a private text message, as Telegram posts it. ``at``: Unix seconds, now if not given."""
    person = {"id": sender, "is_bot": False, "first_name": "Person", "language_code": "en"}
    message = {
        "message_id": update_id,
        "from": person,
        "chat": {"id": sender, "first_name": "Person", "type": "private"},
        "date": at if at is not None else int(time.time()),
        "text": text,
    }
    return json.dumps({"update_id": update_id, "message": message}).encode()


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", errors="surrogatepass")) // 2


def _entities_problem(text: str, entities: Any) -> str:
    if not isinstance(entities, list) or not all(isinstance(entity, dict) for entity in entities):
        return "can't parse entities: wanted an array of objects"
    for entity in entities:
        offset, length = entity.get("offset"), entity.get("length")
        if not isinstance(entity.get("type"), str) or not isinstance(offset, int) or not isinstance(length, int):
            return "can't parse entities: type, offset and length are required"
        if offset < 0 or length < 1 or offset + length > _units(text):
            return "ENTITY_BOUNDS_INVALID"
    return ""


def _reply_problem(reply: Any) -> str:
    if reply is None:
        return ""
    if not isinstance(reply, dict) or not isinstance(reply.get("message_id"), int):
        return "can't parse reply parameters: message_id is required"
    return ""


def _error(code: int, description: str, **parameters: int) -> dict[str, Any]:
    body: dict[str, Any] = {"ok": False, "error_code": code, "description": description}
    return {**body, "parameters": parameters} if parameters else body


def _refused(code: int, description: str) -> Response:
    return JSONResponse(_error(code, description), code)


def _ok(result: object) -> Response:
    return JSONResponse({"ok": True, "result": result})
