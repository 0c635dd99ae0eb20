"""A loopback double of the Telegram Bot API: what a bot may call here, answered and refused as there.

Protocol: Bot API; errors are ``{"ok": false, "error_code", "description", "parameters"?}``. What a call may say is
``bot_api``'s. Also gives out the updates it was given, to who polls or to a webhook, and the files of messages.
"""

import asyncio
import json
import time
from collections.abc import Callable
from itertools import count
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from runtime.channels.doubles import bot_api
from runtime.channels.doubles.bot_api import FILES, MB
from runtime.channels.doubles.graph import read_form
from runtime.channels.doubles.recording import Body, Recorded, Recording, Trouble, read_object
from runtime.channels.doubles.telegram_updates import text_update

__all__ = ["BOT", "TOKEN", "TelegramDouble", "server_error", "text_update", "too_many_requests"]

TOKEN = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"  # noqa: S105 - the example token of the official docs
BOT = {"id": 110201543, "is_bot": True, "first_name": "Double", "username": "double_bot"}

_LOOK = 0.01
"""Seconds between two looks whether there is an update for who polls."""


def too_many_requests(retry_after: int) -> Trouble:
    said = f"Too Many Requests: retry after {retry_after}"
    return Trouble(status=429, body=_error(429, said, retry_after=retry_after))


def server_error(status: int = 502) -> Trouble:
    return Trouble(status=status, body=_error(status, "Bad Gateway"))


class TelegramDouble:
    """``app`` is served under ``/bot<token>/<method>`` and ``/file/bot<token>/<path>``. Only ``tokens`` are known,
    and no chat of ``blocked_by`` takes a message. A chat in ``moved`` is another one now; without ``drafts`` there are
    none, as on an older server."""

    def __init__(
        self,
        *tokens: str,
        blocked_by: frozenset[int] = frozenset(),
        moved: dict[int, int] | None = None,
        drafts: bool = True,
    ) -> None:
        self.tokens = frozenset(tokens or (TOKEN,))
        self.blocked_by = blocked_by
        self.moved = moved or {}
        self.recording = Recording()
        self.webhooks: dict[str, Body] = {}
        self.pending: dict[str, list[dict[str, Any]]] = {}
        self.files: dict[str, tuple[str, bytes]] = {}
        """By file_id: the path and the content."""
        self._drafts = drafts
        self._ids = count(1)
        self._pollers: dict[str, object] = {}
        self.app = Starlette(
            routes=[
                Route("/bot{token}/{method}", self._call, methods=["GET", "POST"]),
                Route("/file/bot{token}/{path:path}", self._download),
            ]
        )

    @property
    def texts(self) -> list[str]:
        """The words of the messages taken, in order; of a file those under it."""
        return [sent.body.get("text", sent.body.get("caption", "")) for sent in self.recording.sent]

    @property
    def drafts(self) -> list[str]:
        """The forms that drafts had, in order."""
        taken = (request for request in self.recording.requests if request.method == "sendMessageDraft")
        return [request.body.get("text", "") for request in taken if request.ok]

    @property
    def answered_callbacks(self) -> list[str]:
        taken = (request for request in self.recording.requests if request.method == "answerCallbackQuery")
        return [request.body["callback_query_id"] for request in taken if request.ok]

    def give(self, *updates: bytes, token: str = TOKEN) -> None:
        """Updates for who polls, as the makers of ``telegram_updates`` make them."""
        self.pending.setdefault(token, []).extend(json.loads(update) for update in updates)

    async def deliver(self, update: bytes, *, to: str, http: httpx.AsyncClient, token: str = TOKEN) -> httpx.Response:
        """Post ``update`` to the webhook at ``to``, with the secret that setWebhook named; and do what the answer says,
        as Telegram does."""
        secret = self.webhooks.get(token, {}).get("secret_token")
        headers = {"content-type": "application/json"}
        if secret:
            headers["x-telegram-bot-api-secret-token"] = secret
        answer = await http.post(to, content=update, headers=headers)
        if answer.is_success and answer.headers.get("content-type", "").startswith("application/json"):
            body = {name: value for name, value in answer.json().items() if name != "method"}
            await self._do(token, answer.json()["method"], body)
        return answer

    def add_file(self, content: bytes, path: str = "documents/file_1.bin") -> str:
        """A file that somebody sent; its file_id."""
        key = f"double-file-{len(self.files) + 1}"
        self.files[key] = (path, content)
        return key

    async def _call(self, request: Request) -> Response:
        token, method = request.path_params["token"], request.path_params["method"]
        body = await _body(request, method)
        trouble = self.recording.next_trouble(method)
        if method == "getUpdates" and trouble is None:
            return await self._get_updates(token, body or {}, request)
        answer = await self._do(token, method, body, trouble)
        if trouble is None or answer.status_code != 200:
            return answer
        return await trouble.answer(request, answer)

    async def _do(self, token: str, method: str, body: Body | None, trouble: Trouble | None = None) -> Response:
        answer = self._answer(token, method, body)
        good = answer.status_code == 200
        sends = method == "sendMessage" or method in FILES
        status = answer.status_code if trouble is None or not good else trouble.status
        await self.recording.keep(
            Recorded(method=method, account=token, body=body or {}, status=status),
            taken=good and sends and (trouble is None or trouble.accepts),
        )
        return answer

    def _answer(self, token: str, method: str, body: Body | None) -> Response:
        if token not in self.tokens:
            return _refused(401, "Unauthorized")
        if method not in bot_api.METHODS or (method == "sendMessageDraft" and not self._drafts):
            return _refused(404, "Not Found")
        if body is None:
            return _refused(400, "Bad Request: can't parse the request body as JSON object")
        if problem := bot_api.problem(method, body):
            return _refused(400, f"Bad Request: {problem}")
        if "chat_id" in body and (refusal := self._chat_problem(body["chat_id"])):
            return refusal
        if method in FILES:
            return self._took(body, caption=body.get("caption", ""))
        methods: dict[str, Callable[[str, Body], Response]] = {
            "getMe": lambda _token, _body: _ok(BOT),
            "sendMessage": lambda _token, body: self._took(body, text=body["text"]),
            "getFile": self._get_file,
            "setWebhook": self._set_webhook,
            "deleteWebhook": self._delete_webhook,
            "getWebhookInfo": self._webhook_info,
        }
        return methods[method](token, body) if method in methods else _ok(result=True)

    def _took(self, body: Body, **content: str) -> Response:
        chat = {"id": body["chat_id"], "type": "private", "first_name": "Person"}
        return _ok({"message_id": next(self._ids), "date": int(time.time()), "chat": chat, "from": BOT, **content})

    def _chat_problem(self, chat: object) -> Response | None:
        if not isinstance(chat, int) or chat == 0:
            return _refused(400, "Bad Request: chat not found")
        if chat in self.moved:
            said = "Bad Request: group chat was upgraded to a supergroup chat"
            return JSONResponse(_error(400, said, migrate_to_chat_id=self.moved[chat]), 400)
        if chat in self.blocked_by:
            return _refused(403, "Forbidden: bot was blocked by the user")
        return None

    # Updates

    async def _get_updates(self, token: str, body: Body, request: Request) -> Response:
        """Who asks last is heard: an earlier question that still waits is answered 409."""
        answer = self._answer(token, "getUpdates", body)
        if answer.status_code == 200:
            me = self._pollers[token] = object()
            waiting = self.pending.setdefault(token, [])
            if (offset := body.get("offset", 0)) > 0:
                waiting[:] = [update for update in waiting if update["update_id"] >= offset]
            until = asyncio.get_running_loop().time() + body.get("timeout", 0)
            while self._goes_on(token, me, until) and not await request.is_disconnected():  # noqa: ASYNC110
                await asyncio.sleep(_LOOK)
            answer = self._updates_for(token, body, heard=self._pollers[token] is me)
        await self.recording.keep(
            Recorded(method="getUpdates", account=token, body=body, status=answer.status_code), taken=False
        )
        return answer

    def _goes_on(self, token: str, poller: object, until: float) -> bool:
        """Whether a question for updates still waits."""
        free = not self.pending.get(token) and not self.webhooks.get(token, {}).get("url")
        return free and self._pollers[token] is poller and asyncio.get_running_loop().time() < until

    def _updates_for(self, token: str, body: Body, *, heard: bool) -> Response:
        if self.webhooks.get(token, {}).get("url"):
            said = "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete it first"
            return _refused(409, said)
        if not heard:
            return _refused(409, "Conflict: terminated by other getUpdates request")
        wanted = body.get("allowed_updates") or bot_api.UPDATES
        found = [update for update in self.pending[token] if any(kind in update for kind in wanted)]
        return _ok(found[: body.get("limit", 100)])

    def _set_webhook(self, token: str, body: Body) -> Response:
        self.webhooks[token] = body
        return _ok(result=True)

    def _delete_webhook(self, token: str, body: Body) -> Response:
        self.webhooks.pop(token, None)
        if body.get("drop_pending_updates"):
            self.pending.pop(token, None)
        return _ok(result=True)

    def _webhook_info(self, token: str, _body: Body) -> Response:
        hook, waiting = self.webhooks.get(token, {}), len(self.pending.get(token, []))
        return _ok({"url": hook.get("url", ""), "has_custom_certificate": False, "pending_update_count": waiting})

    # Files

    def _get_file(self, _token: str, body: Body) -> Response:
        if body["file_id"] not in self.files:
            return _refused(400, "Bad Request: invalid file_id")
        path, content = self.files[body["file_id"]]
        if len(content) > 20 * MB:
            return _refused(400, "Bad Request: file is too big")
        about = {"file_id": body["file_id"], "file_unique_id": "unique", "file_size": len(content), "file_path": path}
        return _ok(about)

    async def _download(self, request: Request) -> Response:
        token, path = request.path_params["token"], request.path_params["path"]
        found = next((content for where, content in self.files.values() if where == path), None)
        known = token in self.tokens and found is not None
        answer = Response(found, media_type="application/octet-stream") if known else _refused(404, "Not Found")
        trouble = self.recording.next_trouble("file")
        status = trouble.status if trouble else answer.status_code
        await self.recording.keep(
            Recorded(method="file", account=token, body={"path": path}, status=status), taken=False
        )
        return await trouble.answer(request, answer) if trouble and known else answer


async def _body(request: Request, method: str) -> Body | None:
    """The parameters of a call: a JSON object, or a form in which a file goes along and what is no text is JSON."""
    content = await request.body()
    if not content:
        return {}
    if not request.headers.get("content-type", "").startswith("multipart/"):
        return await read_object(request)
    parts, words = read_form(request.headers["content-type"], content), bot_api.words_of(method)
    return {
        name: {"name": part.filename, "mime": part.mime, "bytes": part.content}
        if part.filename
        else part.text
        if name in words
        else _said(part.text)
        for name, part in parts.items()
    }


def _said(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _error(code: int, description: str, **parameters: int) -> dict[str, Any]:
    body: dict[str, Any] = {"ok": False, "error_code": code, "description": description}
    return {**body, "parameters": parameters} if parameters else body


def _refused(code: int, description: str) -> Response:
    return JSONResponse(_error(code, description), code)


def _ok(result: object) -> Response:
    return JSONResponse({"ok": True, "result": result})
