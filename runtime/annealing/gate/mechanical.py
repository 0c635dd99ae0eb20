"""What can be said of a change without playing anything: part C of the gate. Pure, and the same each time.

Owns the rules of form: where a change may write, how much it may grow or shrink a directive, and which words need an
owner's approval or are refused. The rules of words are of forms, and small: they do not understand. They err on the
side of refusing, because what is refused can be stated by the owner in a sentence.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

from runtime.annealing.operations import Changed
from runtime.annealing.records import Operation
from runtime.errors import Fault
from runtime.tenant.life import orders
from runtime.tenant.life.terms import plain
from runtime.tenant.rules.composing import MOST_SHOWN, README, ROOM_SHOWN
from runtime.tenant.rules.files import LONGEST, RULES, Rule, hash_of, parse, ref_of

GROWS, SHRINKS = 0.10, 0.05
"""Of a directive with its rules, in characters, that one change may add or take away."""

FLOOR = LONGEST
"""Characters that it may add or take away however short the directive is: one rule."""

STANDING = 1_500
"""Bytes of the rules of README: they are in every request of every conversation."""

_SECRETS = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY|\b(?:sk|pk|rk)[-_](?:ant|live|test|proj)[-_]\w{6}|\bgh[opsu]_\w{20}|\bxox[abpr]-\w"
    r"|\bAKIA[0-9A-Z]{12}|\bAIza[\w-]{20}|\bEAA\w{20}|\b\d{8,10}:[\w-]{30}|\beyJ[\w-]{10,}\.[\w-]{5}"
    r"|\b\d{3}-\d{2}-\d{4}\b|\b(?:\d[ -]?){13,19}\b",
)
_INJECTED = re.compile(
    r"\b(?:ignore|disregard|forget|override)\b.{0,40}\b(?:instructions?|rules?|directives?|above|before|limits?)\b"
    r"|\b(?:system prompt|developer mode|jailbreak|claude\.md|tenant\.yaml|you are now|new instructions)\b"
    r"|<\s*/?\s*(?:system|assistant|user|tool)\b|\A\s*\[[^\]]*·|^---",
    re.MULTILINE,
)
_MONEY = re.compile(
    r"\b(?:wir(?:e|es|ed|ing)|pay(?:s|ing|ment|ments)?|paid|refunds?|deposits?|escrow|earnest money|invoices?"
    r"|bank(?:s|ing)?|account numbers?|routing|iban|zelle|venmo|cash ?app|commissions?|credit cards?)\b"
    r"|\btransfer(?:s|red)?\b.{0,30}\b(?:money|funds?|\$)|[$€£]\s?\d"
)
_SENDS = r"\b(?:send|forward|copy|e-?mail|text|message|share|post|pass|route)\b"
_RECIPIENTS = re.compile(
    r"\b(?:b?cc|cc'd|recipients?)\b"
    rf"|{_SENDS}.{{0,40}}\b(?:everyone|everybody|all (?:\w+ )?(?:clients|contacts|leads|buyers|sellers))\b"
    rf"|{_SENDS}.{{0,60}}?\b(?:to|with)\b (?!the (?:owner|realtor)\b|them\b|you\b)"
)
_CREDENTIALS = re.compile(
    r"\b(?:passwords?|passcodes?|pins?|tokens?|api keys?|credentials?|log-?ins?|lock ?box|social security|ssn"
    r"|(?:gate|alarm|door|access) codes?)\b"
)
_LINKS = re.compile(
    r"https?:|www\.|\S@\S|\b[a-z0-9-]+\.(?:com|net|org|io|co|info|biz|us|app|link|me)\b|\b\+?\d[\d ().-]{8,}\d\b"
)
_DIRECTED = re.compile(
    r"\b(?:wir(?:e|es|ed|ing)|accounts?|routing|iban|zelle|venmo|cash ?app|payoffs?)\b"
    r"|\b(?:pay|payments?|funds?|deposits?|earnest money|money)\b.{0,40}\b(?:to|into|via|through)\b"
)
"""Where money goes, which is narrower than all that is about money."""

_FAIR_HOUSING = re.compile(
    r"\b(?:famil(?:y|ies)|kids?|child(?:ren)?|race|racial|black|white|asian|hispanic|latino|jewish|muslim|christian"
    r"|religio\w*|church|nationalit\w*|immigrants?|foreign\w*|disab\w*|wheelchair|section 8|vouchers?|gay"
    r"|single (?:mothers?|women|men))\b"
)
_STEERING = re.compile(
    r"\b(?:steer|keep|avoid|away|only|never|refuse|exclude|(?:not|don'?t) (?:show|rent|sell|send))\b"
)
_BY_HAND = {"where money goes": _DIRECTED, "recipients": _RECIPIENTS, "credentials": _CREDENTIALS, "links": _LINKS}
"""Not written from a chat either: what is pasted, or typed on a phone that somebody else holds, looks the same."""

_NEEDING_APPROVAL = {"money": _MONEY, "recipients": _RECIPIENTS, "credentials": _CREDENTIALS, "links": _LINKS}

_ASKS = r"(?:ask|confirm|check|verify)"
_LENGTHENING = re.compile(
    r"\b(?:be (?:more |very |extra )?(?:careful|cautious|thorough|attentive|mindful)|take (?:more |extra )?care"
    r"|pay attention|(?:double|triple)[- ]?check|when in doubt|think (?:twice|carefully)"
    rf"|make sure to {_ASKS}|(?:always |first ){_ASKS}\b(?! (?:which|what|when|where|who|how|whether|for) )"
    rf"|{_ASKS}(?: with \w+(?: \w+)?)? (?:first|again|before (?:you )?(?:act|do|answer|reply)(?:ing)?)"
    r"|ask (?:the (?:owner|realtor|person) )?(?:for )?(?:permission|confirmation|approval|clarification))\b"
)
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")


def problems(
    operations: Sequence[Operation],
    changes: Sequence[Changed],
    *,
    family: str,
    directives: Mapping[str, str],
    before: Mapping[str, Rule],
    after: Mapping[str, Rule],
    approved: bool,
) -> tuple[str, ...]:
    """A sentence for each thing that forbids the change. ``directives``: their texts by name. ``before`` and ``after``:
    all rules. ``approved``: the owner said these very words."""
    return (
        *_places(changes, family, directives),
        *_heads(changes),
        *(one for name in sorted(_touched(operations)) for one in _size(name, directives, before, after)),
        *(one for operation in operations for one in _words(operation, before, approved=approved)),
    )


def _places(changes: Sequence[Changed], family: str, directives: Mapping[str, str]) -> Iterator[str]:
    for path, _ in changes:
        ref = ref_of(path)
        if ref is None:
            yield f"{path}: a change writes rules, under {RULES}/, and nothing else"
        elif ref.partition("/")[0] not in directives:
            yield f"{path}: there is no directive {ref.partition('/')[0]}"
        elif ref.partition("/")[0] != family:
            yield f"{path}: the change is about {family}"


def _heads(changes: Sequence[Changed]) -> Iterator[str]:
    for path, text in changes:
        try:
            if text is not None:
                parse(path, text)
        except Fault as fault:
            yield fault.problem


def _touched(operations: Sequence[Operation]) -> frozenset[str]:
    return frozenset(ref.partition("/")[0] for one in operations for ref in (one.rule, one.to) if ref)


def _size(
    name: str, directives: Mapping[str, str], before: Mapping[str, Rule], after: Mapping[str, Rule]
) -> Iterator[str]:
    was, will_be = (len(directives.get(name, "")) + _characters(name, rules) for rules in (before, after))
    most, least = max(FLOOR, int(was * GROWS)), max(FLOOR, int(was * SHRINKS))
    if will_be - was > most:
        yield f"{name} would grow by {will_be - was} characters, {most} are allowed at once"
    if was - will_be > least:
        yield f"{name} would lose {was - will_be} characters, {least} are allowed at once"
    yield from _room(name, after)


def _room(name: str, rules: Mapping[str, Rule]) -> Iterator[str]:
    """What is beyond the room that rules have would not be shown to anybody."""
    texts = [rule.text for rule in rules.values() if rule.directive == name]
    size, room = sum(len(text.encode()) for text in texts), STANDING if name == README else ROOM_SHOWN
    if size > room:
        yield f"the rules of {name} would have {size} bytes, {room} are shown"
    if len(texts) > MOST_SHOWN:
        yield f"{name} would have {len(texts)} rules, {MOST_SHOWN} are shown"


def _characters(name: str, rules: Mapping[str, Rule]) -> int:
    return sum(len(rule.text) for rule in rules.values() if rule.directive == name)


def _words(operation: Operation, before: Mapping[str, Rule], *, approved: bool) -> Iterator[str]:
    if operation.do not in ("ADD", "UPDATE"):
        return
    old = before.get(operation.rule)
    known = {hash_of(one) for one in _sentences(old.text)} if old else set()
    new = [one for one in _sentences(operation.text) if hash_of(one) not in known]
    said = f"{operation.do} {operation.rule}"
    for text in (*new, *operation.triggers):
        if _SECRETS.search(text) or orders.is_coded(text):
            yield f"{said}: it holds what looks like a secret or a code"
        if _INJECTED.search(plain(text)):
            yield f"{said}: it speaks to the system, not of the work"
        if _FAIR_HOUSING.search(plain(text)) and _STEERING.search(plain(text)):
            yield f"{said}: it treats people by who they are, which fair housing forbids: {text[:120]}"
    who = "is written by hand only" if approved else "only the owner decides"
    for text in new:
        if not _SECRETS.search(text) and (about := _about(text, approved=approved)):  # which is repeated to nobody
            yield f"{said}: it is about {' and '.join(about)}, which {who}: {text[:120]}"
    lengthening = [one for one in new if _LENGTHENING.search(plain(one))]
    if lengthening and not approved:
        yield f"{said}: more care and more questions make dialogues longer, not better: {lengthening[0][:120]}"


def _about(text: str, *, approved: bool) -> list[str]:
    """What of it needs more than was given."""
    forms = _BY_HAND if approved else _NEEDING_APPROVAL
    about = [name for name, form in forms.items() if form.search(plain(text))]
    return [*about, "money"] if orders.is_payment(text) and not about else about


def _sentences(text: str) -> list[str]:
    return [one.strip() for one in _SENTENCE.split(text) if one.strip()]
