"""A message and what the assistant had said before it, made ready for the forms. Pure.

Owns what "plain words" are: small letters, no accents or apostrophes, a few short spellings written out.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from runtime.annealing.signals.records import Spoken
from runtime.tenant.life.terms import STOP, plain

_LONGEST = 600
"""Characters of a message that are looked at: what is said is said early, and a pattern must not be kept busy."""

_SHORT = {
    "u": "you", "ur": "your", "r": "are", "thx": "thanks", "tks": "thanks", "pls": "please", "plz": "please",
    "tmrw": "tomorrow", "tmr": "tomorrow", "alway": "always", "allways": "always", "rember": "remember",
    "rmb": "remember", "remeber": "remember", "wrng": "wrong", "worng": "wrong", "dnt": "dont", "ya": "you",
    "yall": "you", "gonna": "going to", "wanna": "want to", "bc": "because", "cuz": "because", "coz": "because",
    "w": "with", "abt": "about", "msg": "message", "msgs": "messages", "addr": "address", "q": "question",
    "everytime": "every time", "nevermind": "never mind", "eveytime": "every time", "im": "im", "cannot": "cant",
    "tldr": "tl dr", "agian": "again", "tought": "thought", "recieved": "received", "nt": "not",
}  # fmt: skip
_APOSTROPHE = re.compile(r"(?<=\w)['\u2019\u02bc`\u00b4](?=\w)")
_MARK = re.compile(
    r"[\"\u201c\u201d\u00ab\u00bb\u201e'\u2018\u2019`*_()\[\]\u2014\u2013]+|(?<=\w)[-/](?=[a-z])|(?<=\w);(?=\w)"
)
_SPACES = re.compile(r"\s+")
_WORD = re.compile(r"[^\W_]+(?:[.,:/][^\W_]+)*")
_STRETCHED = re.compile(r"([a-z])\1{2,}")
_SENTENCE = re.compile(r"[.!?…]+\s+|\n+")


@dataclass(frozen=True, slots=True)
class Text:
    """A text as it was written, in plain words, and word by word."""

    raw: str
    plain: str
    words: tuple[str, ...]

    @property
    def contents(self) -> frozenset[str]:
        return frozenset(word for word in self.words if word not in STOP and len(word) > 1)


@lru_cache(maxsize=2_048)
def read(text: str) -> Text:
    """``text`` as it is to be looked at."""
    raw = _SPACES.sub(" ", text[:_LONGEST]).strip()
    words = plain_words(raw)
    return Text(raw, words, tuple(_WORD.findall(words)))


def plain_words(text: str) -> str:
    """Small letters, no accents, apostrophes and quotation marks; one space between words."""
    bare = _MARK.sub(" ", _APOSTROPHE.sub("", plain(text)))
    words = (_SHORT.get(word, word) for word in _STRETCHED.sub(r"\1\1", bare).split())
    return " ".join(words)


def last_said(context: Sequence[Spoken]) -> Text:
    """What the assistant said last; empty when it said nothing."""
    return read(next((one.text for one in reversed(context) if one.role == "assistant"), ""))


def asks(text: Text) -> bool:
    """Whether it ends with a question, or with hardly more than a word after one."""
    if "?" not in text.raw:
        return False
    sentences = [part for part in _SENTENCE.split(text.raw + " ") if part]
    tail = text.raw[text.raw.rfind("?") + 1 :].split()
    return len(tail) <= 3 or len(sentences) == 1


def wants_yes_or_no(text: Text) -> bool:
    """A question that does not begin with who, what, when …"""
    start = text.plain.rfind(". ", 0, text.plain.rfind("?")) + 1
    return asks(text) and not re.match(_OPEN, text.plain[start:].strip())


_OPEN = (
    r"(?:\w+,? )?(?:what|which|who|whos|whats|when|where|how|why|que|quien|cuando|donde|was|wann|wer|quand|qui|ou)\b"
)
