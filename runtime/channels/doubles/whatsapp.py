"""A loopback double of the WhatsApp Cloud API: the messages endpoint, answered and refused as there.

Protocol: Graph API; errors are ``{"error": {"message", "type", "code", "error_data"?, "fbtrace_id"}}``. Also makes and
signs the webhook POSTs that Meta would send.
"""

import hmac
import json
import re
import time
from base64 import b64encode
from collections.abc import Iterable
from itertools import count
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from runtime.channels.doubles.recording import Body, Recorded, Recording, Trouble, read_object

NUMBER = "106540352242922"
TOKEN = "EAADOUBLE"  # noqa: S105 - no real one begins like this

_SEND_FIELDS = frozenset(
    {"messaging_product", "recipient_type", "to", "recipient", "type", "text", "context", "biz_opaque_callback_data"}
)
_READ_FIELDS = frozenset({"messaging_product", "status", "message_id", "typing_indicator"})
_USER_ID = re.compile(r"[A-Z]{2}\.\w+")


def trouble(code: int, message: str = "injected", *, status: int = 400, details: str = "") -> Trouble:
    """The next request fails with Meta's ``code``, for instance 131047 (outside the 24-hour window)."""
    return Trouble(status=status, body=_error(code, message, details))


def server_error(status: int = 503) -> Trouble:
    return Trouble(status=status, body="<html>try again</html>")


class WhatsAppDouble:
    """``app`` is served under ``/{version}/{phone_number_id}/messages``. ``numbers`` maps each business number's id
    to the access token that may use it; a person in ``outside_window`` cannot be sent free text."""

    def __init__(self, numbers: dict[str, str] | None = None, *, outside_window: frozenset[str] = frozenset()) -> None:
        self.numbers = numbers or {NUMBER: TOKEN}
        self.outside_window = outside_window
        self.recording = Recording()
        self._ids = count(1)
        self.app = Starlette(routes=[Route("/{version}/{number}/messages", self._messages, methods=["POST"])])

    @property
    def texts(self) -> list[str]:
        """The texts of the messages taken, in order."""
        return [sent.body["text"]["body"] for sent in self.recording.sent]

    async def _messages(self, request: Request) -> Response:
        number = request.path_params["number"]
        body = await read_object(request)
        sending = body is not None and body.get("status") != "read"
        method = "messages" if sending else "read"
        failure = self.recording.next_trouble(method)
        answer = self._answer(number, request.headers.get("authorization", ""), body)
        good = answer.status_code == 200
        taken = good and sending and (failure is None or failure.accepts)
        status = answer.status_code if failure is None or not good else failure.status
        await self.recording.keep(
            Recorded(method=method, account=number, body=body or {}, status=status),
            taken=taken,
        )
        if failure is None or not good:
            return answer
        return await failure.answer(request, answer)

    def _answer(self, number: str, authorization: str, body: Body | None) -> Response:
        if authorization.removeprefix("Bearer ") not in self.numbers.values():
            return _refused(190, "Invalid OAuth access token.", status=401)
        if self.numbers.get(number) != authorization.removeprefix("Bearer "):
            said = f"Unsupported post request. Object with ID '{number}' does not exist"
            return _refused(100, said)
        if body is None or body.get("messaging_product") != "whatsapp":
            return _refused(100, "(#100) The parameter messaging_product is required.")
        if body.get("status") == "read":
            return _read(body)
        problem = _missing(body) or _wrong(body)
        if problem:
            return problem
        to = str(body.get("to") or body.get("recipient"))
        if to in self.outside_window:
            return _refused(131047, "Re-engagement message", "More than 24 hours have passed")
        person = {"input": to, "wa_id": to} if "to" in body else {"input": to, "user_id": to}
        key = b64encode(f"double:{number}:{next(self._ids)}".encode()).decode()
        return JSONResponse({"messaging_product": "whatsapp", "contacts": [person], "messages": [{"id": _wamid(key)}]})


def _read(body: Body) -> Response:
    if unknown := body.keys() - _READ_FIELDS:
        return _refused(100, f"(#100) Unexpected key {sorted(unknown)[0]!r}")
    if not str(body.get("message_id", "")).startswith("wamid."):
        return _refused(131009, "(#131009) Parameter value is not valid", "message_id is not a WhatsApp message id")
    if body.get("typing_indicator", {"type": "text"}) != {"type": "text"}:
        return _refused(131009, "(#131009) Parameter value is not valid", "typing_indicator.type must be text")
    return JSONResponse({"success": True})


def _missing(body: Body) -> Response | None:
    for name in ("recipient_type", "type", "text"):
        if name not in body:
            return _refused(131008, "(#131008) Required parameter is missing", name)
    if "to" not in body and "recipient" not in body:
        return _refused(131008, "(#131008) Required parameter is missing", "to")
    return None


def _wrong(body: Body) -> Response | None:
    text = body["text"]
    checks = {
        "recipient_type": body["recipient_type"] == "individual",
        "type": body["type"] == "text",
        "text": isinstance(text, dict) and text.keys() <= {"body", "preview_url"},
        "text.body": isinstance(text, dict) and _text_fits(text.get("body")),
        "to": "to" not in body or bool(re.fullmatch(r"\+?[0-9]{5,20}", str(body["to"]))),
        "recipient": "recipient" not in body or bool(_USER_ID.fullmatch(str(body["recipient"]))),
        "context": "context" not in body or _names_a_message(body["context"]),
        "biz_opaque_callback_data": len(str(body.get("biz_opaque_callback_data", ""))) <= 512,
    }
    wrong = [name for name, right in checks.items() if not right]
    unknown = sorted(body.keys() - _SEND_FIELDS)
    if unknown:
        return _refused(100, f"(#100) Unexpected key {unknown[0]!r}")
    return _refused(131009, "(#131009) Parameter value is not valid", wrong[0]) if wrong else None


def _text_fits(text: object) -> bool:
    return isinstance(text, str) and bool(text.strip()) and len(text) <= 4096


def _names_a_message(context: object) -> bool:
    return isinstance(context, dict) and str(context.get("message_id", "")).startswith("wamid.")


def text_message(text: str, *, sender: str, id_: str, at: int | None = None) -> dict[str, Any]:
    """One element of ``messages``. ``at``: Unix seconds, now if not given."""
    at = at if at is not None else int(time.time())
    return {"from": sender, "id": id_, "timestamp": str(at), "type": "text", "text": {"body": text}}


def status(sent: Recorded, id_: str, state: str = "delivered") -> dict[str, Any]:
    """One element of ``statuses``, of a message this double took, with the tracker it came with."""
    found = {"id": id_, "status": state, "timestamp": str(int(time.time())), "recipient_id": sent.body.get("to", "")}
    tracker = sent.body.get("biz_opaque_callback_data")
    return {**found, "biz_opaque_callback_data": tracker} if tracker else found


def webhook(
    *,
    messages: Iterable[dict[str, Any]] = (),
    statuses: Iterable[dict[str, Any]] = (),
    number: str = NUMBER,
) -> bytes:
    """The body of one POST of Meta with all of these in one change."""
    found, reports = list(messages), list(statuses)
    value: dict[str, Any] = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550783881", "phone_number_id": number},
    }
    if found:
        senders = dict.fromkeys(message["from"] for message in found if "from" in message)
        value["contacts"] = [{"profile": {"name": "Person"}, "wa_id": sender} for sender in senders]
        value["messages"] = found
    if reports:
        value["statuses"] = reports
    entry = {"id": "419561257915477", "changes": [{"field": "messages", "value": value}]}
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()


def sign(body: bytes, app_secret: str) -> dict[str, str]:
    """The header that Meta sends with ``body``."""
    return {"X-Hub-Signature-256": "sha256=" + hmac.new(app_secret.encode(), body, "sha256").hexdigest()}


def _wamid(key: str) -> str:
    return f"wamid.{key}"


def _error(code: int, message: str, details: str = "") -> dict[str, Any]:
    error: dict[str, Any] = {"message": message, "type": "OAuthException", "code": code, "fbtrace_id": "Adouble"}
    if details:
        error["error_data"] = {"messaging_product": "whatsapp", "details": details}
    return {"error": error}


def _refused(code: int, message: str, details: str = "", *, status: int = 400) -> Response:
    return JSONResponse(_error(code, message, details), status)
