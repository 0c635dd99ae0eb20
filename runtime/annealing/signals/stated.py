"""Whether an owner stated a standing rule for the assistant, and the rule in their own words. Pure.

Only an owner's own typed or spoken words become a rule: never what they quote, forward or show. A fact ("my parking
spot is 14") goes to memory, a reminder ("remember to ping me at 6") is a task; neither is a rule.
"""

import re

from runtime.annealing.signals.forms import found, matter
from runtime.annealing.signals.reading import read
from runtime.annealing.signals.records import OWN, Judgement, Label, Source
from runtime.tenant.life.orders import is_told
from runtime.tenant.life.quoting import holds_others_words
from runtime.words import How, Role

LONGEST = 400
"""Characters of a rule."""

FEWEST = 4
"""Words of a rule: fewer do not say what is to be done when."""

# How a letter begins and ends, and how one is announced: pasted, it reads like the person's own words.
_PASSED_ON = re.compile(
    r"^\W*(?:hi|hello|hey|dear|good (?:morning|afternoon|evening))\b[^,!.\n]{0,40}[,!]"
    r"|\b(?:regards|sincerely|best|thanks|thank you|cheers),?\s+[A-Z]\w+[^.!?]{0,60}$"
    r"|[-\u2013\u2014]\s*[A-Z]\w+(?: \w+)?(?: \([^)]*\))?\s*$"
    r"|\b(?:text|message|e-?mail|note|letter|voicemail|word) from \w+[^.!?]{0,20}:"
    r"|^\W*(?:forwarded|fwd?|fw|copying|pasting|copied|see below|from below|below)\b|\[(?:forwarded|fwd?)\b"
    r"|\b(?:account|details|address|message|mail|text|instructions) (?:is )?below\b",
    re.IGNORECASE,
)
_OWN_SAYING = re.compile(
    r"\b(?:i|we|ive|i've|we've)(?: have| had| already| just| always)* "
    r"(?:said|told|asked|wrote|mentioned|say|tell|ask)\b"
    r"|\b(?:when|whenever|if|once|(?:every|each|any) ?time)(?: \w+){1,3}? (?:asks?|says?|writes?|tells?|wants?)\b",
    re.IGNORECASE,
)
_TAKING_BACK = re.compile(r"(?:please )?(?:undo|forget|drop|remove|delete|cancel|take back|stop using|no longer)\b")
_NO_WORK = re.compile(r"\bbright side\b|\b(?:i|we) (?:live|work|am|are|was|have|moved|got)\b")

_STANDING = frozenset({"from_now_on", "always_do", "never_do", "as_rule"})


def stated_rule(text: str, judgement: Judgement, how: How, role: Role) -> str | None:
    """The rule an owner states, in their own words; None where they state none, or it is longer than a rule may be."""
    if role is not Role.OWNER or how not in OWN:
        return None
    if judgement.label is not Label.REMEMBER or judgement.source is not Source.OWNER or not judgement.counts:
        return None
    own = " ".join(text.split())
    if len(own) > LONGEST or holds_others_words(text.strip()) or _PASSED_ON.search(text) or _is_reported(own):
        return None  # beside the words of others nobody can tell whose order it is
    return own if _is_standing(own) else None


def _is_reported(own: str) -> bool:
    """Whether it tells what somebody said; what the person said themselves before is their own."""
    return is_told(_OWN_SAYING.sub(" ", own))


def _is_standing(own: str) -> bool:
    words = read(own)
    if len(words.words) < FEWEST or _TAKING_BACK.match(words.plain) or _NO_WORK.search(words.plain):
        return False
    kept = set(found(words.plain, matter("remembering")))
    said = set(found(words.plain, matter("stating")))
    if kept & {"recall", "file_save", "means"} or own.endswith("?"):
        return False
    if "task_reminder" in kept and not kept & {"from_now_on", "always_do", "never_do"}:
        return False
    if kept & _STANDING:
        return "fact" not in said or "order" in said
    return "every" in said and "order" in said and not re.match(r"remember (?:that )?(?:my|his|her|the)\b", words.plain)
