"""Meta's error table: what an answer of the Graph API means for a message. Pure.

Decides by ``error.code``, as Meta asks, not by the title or the HTTP status; the status only where no code is known.
"""

from runtime.channels import sending, wire
from runtime.channels.whatsapp.parse import describe
from runtime.errors import BadInput
from runtime.words import GiveUp, SendOutcome, Sent, TryLater, Uncertain

_LATER = frozenset({1, 2, 4, 80007, 130429, 131000, 131016, 131056, 131057, 133004})

_PAIR_RATE = 131056
_PAIR_SECONDS = 6.0
"""One message in 6 s to one person is what the pair rate gives back."""

_TOKEN = "set a valid access token: proxystaff secret set TENANT WHATSAPP_ACCESS_TOKEN"  # noqa: S105
_NUMBER = "see that phone_number_id in tenant.yaml is the number's id at Meta and the token may use it"
_REQUEST = "the request itself was refused: this is a fault of the program, report it with the code"
_ACCOUNT = "look at the number's state and notices in WhatsApp Manager"
_PERSON = "this person cannot be reached now; use another channel of theirs"

_HINTS = {
    0: _TOKEN,
    3: _TOKEN,
    10: _TOKEN,
    190: _TOKEN,
    33: _NUMBER,
    100: _NUMBER,
    131005: _TOKEN,
    131008: _REQUEST,
    131009: _REQUEST,
    135000: _REQUEST,
    131021: "sender and recipient are the same number: mend the person's number in tenant.yaml",
    131030: "the number is a test number: add the recipient to its allowed list at Meta",
    131031: _ACCOUNT,
    131037: _ACCOUNT,
    131042: "settle the payment method of the WhatsApp Business account at Meta",
    131045: "register the number at Meta again",
    131048: f"stop sending from this number, Meta sees spam; {_ACCOUNT}",
    131064: _ACCOUNT,
    368: _ACCOUNT,
    130497: _ACCOUNT,
    131026: _PERSON,
    131047: "more than 24 hours since the person wrote: only an approved template can be sent",
    131049: _PERSON,
    131050: _PERSON,
    130472: _PERSON,
    131051: "this kind of message cannot be sent",
    131052: "the media file could not be fetched: send it again",
    131053: "the media file could not be used: see its type and size",
    131062: "a person without a phone number cannot be sent this kind of message",
    137000: "the person's identity changed: have them write first",
}
_ANY_OTHER = "look the code up in Meta's table of Cloud API error codes"


def outcome_of(status: int, body: bytes, *, retry_after: str = "") -> SendOutcome:
    """What an answer of ``POST /{number}/messages`` means; ``body`` as received, of any shape.

    ``Sent`` says that Meta took it, not that it arrived: a failure may still come as a status.
    """
    try:
        answer = wire.load(body)
    except BadInput:
        answer = {}
    if 200 <= status < 300:
        taken = wire.children(answer, "messages")
        if taken and (key := wire.ident(taken[0], "id")):
            return Sent(key)
        return Uncertain(f"WhatsApp answered {status} without a message id")
    error = wire.child(answer, "error")
    code = error.get("code")
    code = code if isinstance(code, int) else None
    problem = f"WhatsApp: {describe(error)}" if error else f"WhatsApp: HTTP {status}"
    if code in _HINTS and error.get("is_transient") is not True:
        return GiveUp(problem, _HINTS[code])
    if code in _LATER or error.get("is_transient") is True or status == 429:
        after = _PAIR_SECONDS if code == _PAIR_RATE else sending.retry_after(retry_after)
        return TryLater(problem, after)
    if code is not None and 200 <= code < 300:
        return GiveUp(problem, _TOKEN)
    return _by_status(status, problem)


def _by_status(status: int, problem: str) -> SendOutcome:
    if status == 504:  # a proxy on the way gave up waiting: whether the message was taken is not known
        return Uncertain(problem)
    if status >= 500:
        return TryLater(problem)
    if status in (401, 403):
        return GiveUp(problem, _TOKEN)
    if 300 <= status < 400 or status == 404:
        return GiveUp(problem, "see that whatsapp.api_base in proxystaff.yaml names the Graph API and its version")
    return GiveUp(problem, _ANY_OTHER)
