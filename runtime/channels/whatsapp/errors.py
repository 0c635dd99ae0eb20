"""Meta's error table: what an answer of the Graph API means for a message or a file. Pure.

docs/channels/whatsapp.md tells the same to the person who runs it. Decides by ``error.code``, as Meta asks, not by the
title or the HTTP status; the status only where no code is known.
"""

from runtime.channels import sending, wire
from runtime.channels.whatsapp.parse import describe
from runtime.channels.wire import Object
from runtime.errors import BadInput
from runtime.words import GiveUp, SendOutcome, Sent, StatusUpdate, TryLater, Uncertain

WINDOW_CLOSED = 131047
_LATER = frozenset({1, 2, 4, 80007, 130429, 131000, 131016, 131056, 131057, 133004})

_PAIR_RATE = 131056
_PAIR_SECONDS = 6.0
"""One message in 6 s to one person is what the pair rate gives back."""

_TOKEN = "set a valid access token: proxystaff secret set TENANT WHATSAPP_ACCESS_TOKEN"  # noqa: S105
_NUMBER = "see that phone_number_id in tenant.yaml is the number's id at Meta and the token may use it"
_REQUEST = "the request itself was refused: this is a fault of the program, report it with the code"
_ACCOUNT = "look at the number's state and notices in WhatsApp Manager"
_PERSON = "this person cannot be reached now; use another channel of theirs"
_TEMPLATE = "see in WhatsApp Manager that the template is approved and active in this language"
_PARAMETERS = "the template does not take just this one text: see its variables in WhatsApp Manager"

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
    131020: "a group without other people cannot be written to",
    131021: "sender and recipient are the same number: mend the person's number in tenant.yaml",
    131030: "the number is a test number: add the recipient to its allowed list at Meta",
    131031: _ACCOUNT,
    131037: _ACCOUNT,
    131041: "the group does not exist, or this number is not in it",
    131042: "settle the payment method of the WhatsApp Business account at Meta",
    131044: "settle the payment method of the WhatsApp Business account at Meta",
    131045: "register the number at Meta again",
    133010: "register the number at Meta: it is not registered for the Cloud API",
    131048: f"stop sending from this number, Meta sees spam; {_ACCOUNT}",
    131064: _ACCOUNT,
    368: _ACCOUNT,
    130497: _ACCOUNT,
    131026: _PERSON,
    WINDOW_CLOSED: "more than 24 hours since the person wrote: only an approved template can be sent",
    131049: _PERSON,
    131050: _PERSON,
    130472: _PERSON,
    131051: "this kind of message cannot be sent",
    131052: "the media file could not be fetched: send it again",
    131053: "the media file could not be used: see its type and size",
    131062: "a person without a phone number cannot be sent this kind of message",
    137000: "the person's identity changed: have them write first",
    132000: _PARAMETERS,
    132001: _TEMPLATE,
    132005: "the template's text becomes too long: shorten what is put in",
    132007: _TEMPLATE,
    132008: _PARAMETERS,
    132012: _PARAMETERS,
    132015: _TEMPLATE,
    132016: _TEMPLATE,
    132018: _PARAMETERS,
}
_TEMPLATES = frozenset(str(code) for code in _HINTS if 132000 <= code < 133000)
_ANY_OTHER = "look the code up in Meta's table of Cloud API error codes"


def is_window_closed(what: SendOutcome | StatusUpdate) -> bool:
    """Whether it failed only because the person last wrote more than 24 hours ago: a template can still be sent.
    Meta says so at once or, more often, in a status that comes after it took the message."""
    return isinstance(what, GiveUp | StatusUpdate) and what.code == str(WINDOW_CLOSED)


def is_template_refused(outcome: SendOutcome) -> bool:
    """Whether a template was not taken for what it is (unknown, paused, with other variables): the same words may
    still go without it."""
    return isinstance(outcome, GiveUp) and outcome.code in _TEMPLATES


def outcome_of(status: int, body: bytes, *, retry_after: str = "") -> SendOutcome:
    """What an answer of ``POST /{number}/messages`` means; ``body`` as received, of any shape.

    ``Sent`` says that Meta took it, not that it arrived: a failure may still come as a status.
    """
    answer = load(body)
    if 200 <= status < 300:
        taken = wire.children(answer, "messages")
        if taken and (key := wire.ident(taken[0], "id")):
            return Sent(key)
        return Uncertain(f"WhatsApp answered {status} without a message id")
    return refusal_of(status, answer, retry_after=retry_after)


def load(body: bytes) -> Object:
    """What was answered; an empty object where it was not one."""
    try:
        return wire.load(body)
    except BadInput:
        return {}


def refusal_of(status: int, answer: Object, *, retry_after: str = "") -> SendOutcome:
    """What an answer that is no success means; never Sent."""
    error = wire.child(answer, "error")
    found = error.get("code")
    code = found if isinstance(found, int) and not isinstance(found, bool) else None
    named = "" if code is None else wire.ident(error, "code")
    problem = f"WhatsApp: {describe(error)}" if error else f"WhatsApp: HTTP {status}"
    if code in _HINTS and error.get("is_transient") is not True:
        return GiveUp(problem, _HINTS[code], named)
    if code in _LATER or error.get("is_transient") is True or status == 429:
        after = _PAIR_SECONDS if code == _PAIR_RATE else sending.retry_after(retry_after)
        return TryLater(problem, after)
    if code is not None and 200 <= code < 300:
        return GiveUp(problem, _TOKEN, named)
    return _by_status(status, problem, named)


def _by_status(status: int, problem: str, code: str) -> SendOutcome:
    if status == 504:  # a proxy on the way gave up waiting: whether the message was taken is not known
        return Uncertain(problem)
    if status >= 500:
        return TryLater(problem)
    if status in (401, 403):
        return GiveUp(problem, _TOKEN, code)
    if 300 <= status < 400 or status == 404:
        return GiveUp(
            problem, "see that whatsapp.api_base in proxystaff.yaml names the Graph API and its version", code
        )
    return GiveUp(problem, _ANY_OTHER, code)
