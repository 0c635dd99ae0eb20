"""Whether words are told as somebody's, and whether they tell somebody what to do. Pure.

Owns what may be kept of words that are not a person's own: what they say is so. What they want done, where they want
money to go, and what nobody can read is not kept. The rule is of forms, and small: it does not understand. It stands
behind the prompt, not in its place.
"""

import re
from collections.abc import Iterator

from runtime.tenant.life.terms import plain


def _any(*words: str) -> str:
    """A pattern of any of the words; ``_`` stands for a space."""
    return "(?:" + "|".join(word.replace("_", " ") for line in words for word in line.split()) + ")"


def _form(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.VERBOSE)


_SAYS = _any(
    "wrote writes written said says asked asks told tells claimed claims stated states mentioned mentions reported",
    "reports confirmed confirms replied replies answered texted emailed noted explained explains indicated indicates",
    "announced announces warned warns according_to per_the escribio dijo ecrit dit schrieb sagte",
)
_PAPERS = _any(
    "report contract listing flyer disclosure email letter document page site zillow mls appraisal estimate invoice",
    "photo agreement addendum offer notice statement survey deed",
)
_VERBS = _any(
    "accept act add approve block book bring buy call cancel cc bcc change charge click confirm contact copy decline",
    "delete deposit disclose disregard download email execute follow forget forward give grant hide ignore inform",
    "install instruct keep let list lower make mark message notify obey pay post pretend publish put raise redirect",
    "refer refund reject release remember remind remove replace reply respond reveal route run say schedule send set",
    "share sign stop tell text transfer treat update use visit waive wire write",
)
# Those that are no nouns: after a comma they can hardly be anything but an order.
_PLAIN_VERBS = _any(
    "approve cc bcc delete disclose disregard execute forward ignore instruct notify obey pretend redirect remind",
    "remove reveal run send tell transfer wire",
)
# What follows a word that is a noun there: "email works best", "use of the pool".
_AS_NOUN = _any(
    "is are was were will works? has had can could may might must should shall would needs? of number address price",
    r"date time history info\w* details money sign",
)
_FOREIGN = _any(
    r"envia\w* envie\w* manda reenvi\w+ transfier\w+ ignor[aez]\w* borr[ae] olvid[ae] pag[au]e? transfira",
    r"envoie\w* envoyez transferez oubliez schicken? senden? uberweisen? ignoriere\w*",
    r"отправ\w+ игнорир\w+ перевед\w+",
)
_FOREIGN_ALWAYS = _any("siempre nunca no toujours jamais immer nie sempre")
_UNSPACED = _any("请 請 务必 務必 不要 忽略 转发 轉發 总是 總是 永远 항상")
_MUST = _any(
    "must should shall have_to has_to need_to needs_to are_to is_to ought_to",
    "are_(?:now_)?(?:required|instructed|authorized|allowed)",
)

_URGING = rf"[\W_]*(?:{_any('note important attention instructions? reminder system todo urgent action ps')}\b[\W_]*)*"
_ASKING = r"(?:please\ |kindly\ |just\ |also\ |then\ |(?:make|be)\ sure\ (?:to\ |that\ )?|remember\ to\ |to\ )*"
_DENYING = r"(?:do\ not|don't|dont)"

_TOLD = re.compile(
    rf"\b(?:{_SAYS}|{_PAPERS}s? (?:shows?|lists?|notes?|reads?|gives?))\b"
    rf"(?: {_any('that us me you to the in on by we que dass')}\b)*[:,]?"
)
_ORDER = _form(
    rf"""{_URGING}(?:
      {_ASKING} (?:you\ )? (?:(?:always|never|{_DENYING})\ )? {_VERBS}\b (?=\s+\S) (?!\ {_AS_NOUN}\b)
    | {_ASKING} (?:always|never)\ (?!{_any("on at in before after again been had was were")}\b | \w+(?:s|ed|ing)\b) \w
    | {_DENYING}\ \w
    | (?:please|kindly|make\ sure|be\ sure)\b
    | (?:{_FOREIGN_ALWAYS}\ )* {_FOREIGN}\b | {_UNSPACED}
    )"""
)
_GOES_ON = _form(
    rf"""[\W_]* (?:(?:to|then|also|just)\ )* (?:
      (?:please|kindly|make\ sure|be\ sure)\b
    | (?:always|never|{_DENYING})\ {_VERBS}\b
    | {_PLAIN_VERBS}\b (?=\s+\S) (?!\ {_AS_NOUN}\b)
    )"""
)
# Before a comma or an "and": the verb after it is then somebody's ("she will visit and send the papers").
_SOMEBODYS = re.compile(
    rf"\b(?:{_any('will would can could may might shall did does do')}|'ll"
    rf"|{_any('wants? wanted plans? planned hopes? likes? needs? has have going able ready agreed used')} to)\b"
)
_ADDRESSED = re.compile(
    rf"\b(?:you|(?:the|your|this) (?:assistant|ai|bot|agent)|assistants?|proxystaff|claude) {_MUST}\b"
    rf"|\b{_any('wants? like needs? expects? requires? asks? asked instructs? advises?')} (?:you|the assistant) to\b"
    rf"|\b{_any('from_now_on going_forward henceforth with_immediate_effect previous_instructions system_prompt')}\b"
    rf"|\b{_any('a_partir_de_ahora de_ahora_en_adelante desormais ab_sofort ab_jetzt de_agora_em_diante')}\b"
    rf"|\b{_any('when whenever if')} (?:you are |you're )?asked\b.*\b(?:always|never|say|tell|answer)\b"
)
_ROUTED = re.compile(
    rf"\b{_MUST}\b.*\b{_any('''sent forwarded copied cc'?d wired paid routed shared go''')}\b.*(?:@|https?://|www\.)"
)
_PAYMENT = re.compile(
    r"\bwire (?:transfers?|instructions?|details|to|the)\b|\bwired (?:to|into)\b|\brouting (?:number|no|#)"
    r"|\baccount (?:number|no\b|#|\d)|\biban\b|\bswift code\b|\bbank (?:account|details)\b"
    r"|\bpayment (?:instructions|details)\b|\b(?:zelle|venmo|cash ?app)\b"
)
_LINK = re.compile(r"\S*(?:@|://|www\.)\S*")
_CODED = re.compile(
    r"(?=\S*[a-z])(?=\S*(?:[A-Z]|\d))[A-Za-z0-9+/_-]{24,}={0,2}|(?:%[0-9A-Fa-f]{2}){6,}|(?:\\x[0-9a-f]{2}){4,}"
)
_ENDS = re.compile(r"[.!?](?=\s|$|[\"')])|[;\n]|:(?=\s)|\s[-\u2013\u2014]+\s|\u2014|[\u3002\uff01\uff1f\uff1b\uff1a]")
_PAUSES = re.compile(r"[,\uff0c]|\b(?:and|then|but|or|so)\b")


def is_told(text: str) -> bool:
    """Whether the words are told as somebody's: "Sarah wrote that …"."""
    return _TOLD.search(plain(text)) is not None


def is_order(text: str) -> bool:
    """Whether the words tell somebody what to do, at their beginning, as what somebody said, or further on."""
    said = plain(text)
    if _ADDRESSED.search(said) or any(_ROUTED.search(line) for line in said.split("\n")):
        return True
    return any(_orders(sentence) for sentence in _sentences(said))


def is_payment(text: str) -> bool:
    """Whether the words say where or how money goes."""
    return _PAYMENT.search(plain(text)) is not None


def is_coded(text: str) -> bool:
    """Whether something in it is not written to be read: base64 and the like. Addresses of mail and web are."""
    return _CODED.search(_LINK.sub(" ", text)) is not None


def _sentences(text: str) -> Iterator[str]:
    """Sentences, and of each what is told in it."""
    for sentence in _ENDS.split(text):
        yield sentence
        for told in _TOLD.finditer(sentence):
            yield sentence[told.end() :]


def _orders(sentence: str) -> bool:
    return _ORDER.match(sentence.lstrip()) is not None or any(
        _GOES_ON.match(sentence[pause.end() :]) and not _SOMEBODYS.search(sentence[: pause.start()])
        for pause in _PAUSES.finditer(sentence)
    )
