"""A loopback double of the WhatsApp Cloud API: messages, templates and files, taken and refused as there.

Protocol: Graph API; errors are ``{"error": {"message", "type", "code", "error_data"?, "fbtrace_id"}}``. What is refused
is in ``graph``. Also makes, signs and posts the webhooks that Meta would send.
"""

import hmac
import json
import time
from base64 import b64encode
from collections import defaultdict
from collections.abc import Callable, Iterable
from itertools import count
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from runtime.channels.doubles.graph import (
    File,
    FormPart,
    Refusal,
    Template,
    check_message,
    check_read,
    check_upload,
    read_form,
)
from runtime.channels.doubles.recording import Body, Recorded, Recording, Trouble, read_object

NUMBER = "106540352242922"
TOKEN = "EAADOUBLE"  # noqa: S105 - no real one begins like this

URL_SECONDS = 300.0
"""How long an address of a file is good for."""


def trouble(code: int, message: str = "injected", *, status: int = 400, details: str = "") -> Trouble:
    """The next request fails with Meta's ``code``, for instance 131047 (outside the 24-hour window)."""
    return Trouble(status=status, body=_error(Refusal(code, message, details)))


def rate_limited(*, pair: bool = False) -> Trouble:
    """The next request is one too many: from this number, or (``pair``) to this person."""
    if pair:
        return trouble(131056, "(Business Account, Consumer Account) pair rate limit hit", status=400)
    return trouble(130429, "Rate limit hit", status=429)


def server_error(status: int = 503) -> Trouble:
    return Trouble(status=status, body="<html>try again</html>")


class WhatsAppDouble:
    """``app`` is served under ``/{version}``. ``numbers`` maps each business number's id to the access token that may
    use it; a person in ``outside_window`` (change it at any time) is sent templates only; ``templates`` are the
    approved ones. ``pair_limit`` messages to one person may follow each other within ``pair_seconds``, 0 for any.
    ``clock``: seconds, for the ages of files and rates."""

    def __init__(
        self,
        numbers: dict[str, str] | None = None,
        *,
        outside_window: Iterable[str] = (),
        templates: dict[str, Template] | None = None,
        pair_limit: int = 0,
        pair_seconds: float = 6.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.numbers = numbers or {NUMBER: TOKEN}
        self.outside_window = set(outside_window)
        self.templates = templates or {}
        self.pair_limit = pair_limit
        self.pair_seconds = pair_seconds
        self.recording = Recording()
        self.files: dict[str, File] = {}
        self.ids: list[str] = []
        """The ids of the messages taken, as in ``recording.sent``."""
        self._clock = clock
        self._count = count(1)
        self._urls: dict[str, tuple[str, float]] = {}
        self._recent: dict[str, list[float]] = defaultdict(list)
        self.app = Starlette(
            routes=[
                Route("/{version}/{number}/messages", self._messages, methods=["POST"]),
                Route("/{version}/{number}/media", self._upload, methods=["POST"]),
                Route("/attachments/{name}", self._download, methods=["GET"]),
                Route("/{version}/{media}", self._locate, methods=["GET"]),
            ]
        )

    @property
    def texts(self) -> list[str]:
        """What the messages taken say, in order: their text, caption, or a template's text."""
        return [_said(sent.body) for sent in self.recording.sent]

    def add_file(self, content: bytes, mime: str, *, number: str = NUMBER) -> str:
        """A file somebody sent to ``number``; its id, as a webhook would name it."""
        media_id = str(900_000_000 + next(self._count))
        self.files[media_id] = File(content, mime, number)
        return media_id

    def status(self, place: int = -1, state: str = "delivered", **more: Any) -> dict[str, Any]:
        """One element of ``statuses`` about the message that was taken as the ``place``-th."""
        return {**status(self.recording.sent[place], self.ids[place], state), **more}

    async def _messages(self, request: Request) -> Response:
        number = request.path_params["number"]
        body = await read_object(request) or {}
        reading = body.get("status") == "read"
        if refusal := self._refusal(request, number, body):
            return await self._settle(request, "read" if reading else "messages", number, body, refusal)
        if reading:
            return await self._settle(request, "read", number, body, JSONResponse({"success": True}))
        key = f"wamid.{b64encode(f'double:{number}:{next(self._count)}'.encode()).decode()}"
        return await self._settle(request, "messages", number, body, _taken(body, key), key=key)

    async def _upload(self, request: Request) -> Response:
        number = request.path_params["number"]
        form = read_form(request.headers.get("content-type", ""), await request.body())
        file = form.get("file", FormPart())
        body = {"messaging_product": form.get("messaging_product", FormPart()).text, "type": file.mime}
        outcome: Response | Refusal | None = self._closed(request, number) or _without_product(body)
        outcome = outcome or check_upload(file.mime, file.content)
        if outcome is None:
            outcome = JSONResponse({"id": self.add_file(file.content, file.mime, number=number)})
        return await self._settle(request, "media", number, {**body, "file": file.filename}, outcome)

    async def _locate(self, request: Request) -> Response:
        media_id = request.path_params["media"]
        number = request.query_params.get("phone_number_id", "")
        file = self.files.get(media_id)
        outcome: Response | Refusal | None = self._unauthorized(request)
        if outcome is None and (file is None or number not in ("", file.number)):
            outcome = Refusal(100, f"Unsupported get request. Object with ID '{media_id}' does not exist")
        elif outcome is None and file is not None:
            name = f"{next(self._count)}"
            self._urls[name] = (media_id, self._clock())
            url = f"{request.url.scheme}://{request.url.netloc}/attachments/{name}"
            outcome = JSONResponse({"messaging_product": "whatsapp", "url": url, "id": media_id, **file.described})
        return await self._settle(request, "locate", number, {"id": media_id}, outcome or Response(status_code=500))

    async def _download(self, request: Request) -> Response:
        media_id, since = self._urls.get(request.path_params["name"], ("", 0.0))
        file = self.files.get(media_id)
        outcome: Response | Refusal | None = self._unauthorized(request)
        if outcome is None and (file is None or self._clock() - since > URL_SECONDS):
            outcome = Refusal(0, "gone", status=404)
        elif outcome is None and file is not None:
            outcome = Response(file.content, media_type=file.mime)
        return await self._settle(request, "download", "", {"id": media_id}, outcome or Response(status_code=500))

    async def _settle(
        self, request: Request, method: str, account: str, body: Body, outcome: Response | Refusal, *, key: str = ""
    ) -> Response:
        """Record and answer; ``key``: the id of the message, when it is one that was taken."""
        failure = self.recording.next_trouble(method)
        refused = isinstance(outcome, Refusal)
        answer = JSONResponse(_error(outcome), outcome.status) if isinstance(outcome, Refusal) else outcome
        taken = bool(key) and (failure is None or failure.accepts)
        if taken:
            self.ids.append(key)
            self._recent[_recipient(body)].append(self._clock())
        status = answer.status_code if failure is None or refused else failure.status
        await self.recording.keep(Recorded(method=method, account=account, body=body, status=status), taken=taken)
        return answer if failure is None or refused else await failure.answer(request, answer)

    def _refusal(self, request: Request, number: str, body: Body | None) -> Refusal | None:
        if refusal := self._closed(request, number) or _without_product(body or {}):
            return refusal
        assert body is not None
        if body.get("status") == "read":
            return check_read(body)
        if refusal := check_message(body, self.files, self.templates):
            return refusal
        to = _recipient(body)
        if to in self.outside_window and body["type"] != "template":
            said = "Message failed to send because more than 24 hours have passed since the customer last replied"
            return Refusal(131047, "Re-engagement message", said)
        self._recent[to] = [at for at in self._recent[to] if self._clock() - at < self.pair_seconds]
        if self.pair_limit and len(self._recent[to]) >= self.pair_limit:
            return Refusal(131056, "(Business Account, Consumer Account) pair rate limit hit")
        return None

    def _unauthorized(self, request: Request) -> Refusal | None:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        return None if token in self.numbers.values() else Refusal(190, "Invalid OAuth access token.", status=401)

    def _closed(self, request: Request, number: str) -> Refusal | None:
        """Why the caller may not use ``number``."""
        if refusal := self._unauthorized(request):
            return refusal
        if self.numbers.get(number) == request.headers["authorization"].removeprefix("Bearer "):
            return None
        return Refusal(100, f"Unsupported post request. Object with ID '{number}' does not exist")


async def post(http: httpx.AsyncClient, url: str, body: bytes, app_secret: str) -> httpx.Response:
    """Deliver ``body`` to a webhook, signed as Meta does."""
    headers = {"content-type": "application/json", **sign(body, app_secret)}
    return await http.post(url, content=body, headers=headers)


def text_message(text: str, *, sender: str, id_: str, at: int | None = None) -> dict[str, Any]:
    """One element of ``messages``. ``at``: Unix seconds, now if not given."""
    at = at if at is not None else int(time.time())
    return {"from": sender, "id": id_, "timestamp": str(at), "type": "text", "text": {"body": text}}


def status(sent: Recorded, id_: str, state: str = "delivered") -> dict[str, Any]:
    """One element of ``statuses``, of a message this double took, with the tracker it came with."""
    found = {"id": id_, "status": state, "timestamp": str(int(time.time())), "recipient_id": sent.body.get("to", "")}
    tracker = sent.body.get("biz_opaque_callback_data")
    return {**found, "biz_opaque_callback_data": tracker} if tracker else found


def file_message(kind: str, media_id: str, *, sender: str, id_: str, mime: str, **part: Any) -> dict[str, Any]:
    """One element of ``messages`` with a file. ``part``: ``caption``, ``filename``, ``voice`` …."""
    about = {"from": sender, "id": id_, "timestamp": str(int(time.time())), "type": kind}
    return {**about, kind: {"id": media_id, "mime_type": mime, **part}}


def echo(text: str, *, to: str, id_: str) -> dict[str, Any]:
    """One element of ``message_echoes``: what the business wrote to ``to`` on its own phone."""
    about = {"from": "15550783881", "to": to, "id": id_, "timestamp": str(int(time.time()))}
    return {**about, "type": "text", "text": {"body": text}}


def failed(code: int, title: str = "failed") -> dict[str, Any]:
    """What makes a status one of a failure, for instance ``double.status(0, "failed", **failed(131047))``."""
    return {"errors": [{"code": code, "title": title, "error_data": {"details": title}}]}


def webhook(
    *,
    messages: Iterable[dict[str, Any]] = (),
    statuses: Iterable[dict[str, Any]] = (),
    echoes: Iterable[dict[str, Any]] = (),
    number: str = NUMBER,
) -> bytes:
    """The body of one POST of Meta with all of these: messages and statuses in one change, echoes in one of theirs."""
    found, reports, echoed = list(messages), list(statuses), list(echoes)
    value: dict[str, Any] = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550783881", "phone_number_id": number},
    }
    changes = [{"field": "smb_message_echoes", "value": {**value, "message_echoes": echoed}}] if echoed else []
    if found:
        senders = dict.fromkeys(message["from"] for message in found if "from" in message)
        value["contacts"] = [{"profile": {"name": "Person"}, "wa_id": sender} for sender in senders]
        value["messages"] = found
    if reports:
        value["statuses"] = reports
    if found or reports or not echoed:
        changes.insert(0, {"field": "messages", "value": value})
    entry = {"id": "419561257915477", "changes": changes}
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()


def sign(body: bytes, app_secret: str) -> dict[str, str]:
    """The header that Meta sends with ``body``."""
    return {"X-Hub-Signature-256": "sha256=" + hmac.new(app_secret.encode(), body, "sha256").hexdigest()}


def _recipient(body: Body) -> str:
    return str(body.get("to") or body.get("recipient"))


def _said(body: Body) -> str:
    part = body[body["type"]]
    if body["type"] == "template":
        values = (value["text"] for one in part.get("components", []) for value in one["parameters"])
        return f"[{part['name']}] {' '.join(values)}".rstrip()
    return str(part.get("body") or part.get("caption") or "")


def _taken(body: Body, key: str) -> Response:
    to = _recipient(body)
    person = {"input": to, "wa_id": to} if "to" in body else {"input": to, "user_id": to}
    return JSONResponse({"messaging_product": "whatsapp", "contacts": [person], "messages": [{"id": key}]})


def _without_product(body: Body) -> Refusal | None:
    if body.get("messaging_product") == "whatsapp":
        return None
    return Refusal(100, "(#100) The parameter messaging_product is required.")


def _error(refusal: Refusal) -> dict[str, Any]:
    error: dict[str, Any] = {"message": refusal.message, "type": "OAuthException", "code": refusal.code}
    error["fbtrace_id"] = "Adouble"
    if refusal.details:
        error["error_data"] = {"messaging_product": "whatsapp", "details": refusal.details}
    return {"error": error}
