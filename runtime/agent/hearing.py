"""What a scripted model hears in a request: the person's last words, and what tools gave since.

Owns the reading of the CLI's requests, whose habits were measured: reminders and interruptions stand beside a person's
words, what they write while the model works comes as a system message, and so may the last element of all. Pure.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from runtime.tenant.rules.composing import APPLYING, LEARNED


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A request as a scenario sees it. ``results``: for each round since the person spoke, what its tools gave;
    ``rules``: the learned rules that were shown until then, first when the person spoke, then after each round."""

    typed: str
    first: bool
    results: tuple[str, ...]
    rules: tuple[str, ...]
    system: str
    folder: str
    today: str
    announced: bool
    length: int

    @property
    def words(self) -> str:
        """Without the line that the runtime puts above each message."""
        return _HEADER.sub("", self.typed).strip()


ANNOUNCEMENT = "[rehearsal]"

_NOT_TYPED = re.compile(
    r"\s*(<system-reminder>.*</system-reminder>|\[Request interrupted by user[^\]]*\])\s*", re.DOTALL
)
_MENDING = "Stop hook feedback:"
_MEANWHILE = re.compile(r"The user sent a new message while you were working:\n(.*?)(?:\n\nThis is how|\Z)", re.DOTALL)
_APPLYING = re.compile(rf"^{re.escape(APPLYING)}\n((?:- [^\n]*\n?)*)", re.MULTILINE)
_STANDING = re.compile(rf"\A(?:\(onboarding: [^\n]*\)\n*)?(?:{_APPLYING.pattern}\n*)?", re.MULTILINE)
_LEARNED = re.compile(rf"^{LEARNED}[^\n]*:\n((?:- [^\n]*\n?)*)", re.MULTILINE)
_BESIDE_A_RESULT = re.compile(r"\s*(?:<system-reminder>\s*)?PostToolUse:\w+ hook additional context: ")
_HEADER = re.compile(r"^\[[^\]\n]* · [^\]\n]*\]\n?", re.MULTILINE)
_FOLDER = re.compile(r"Primary working directory: (\S+)")
_TODAY = re.compile(r"Today's date is (\d{4}-\d\d-\d\d)")


def hear(body: Mapping[str, Any]) -> Heard:
    messages: Sequence[Mapping[str, Any]] = body.get("messages", ())
    said = [(place, words) for place in range(len(messages) - 1, -1, -1) if (words := _typed(messages[place]))]
    last, typed = said[0] if said else (0, "")
    # What a hook of ours makes the model mend is heard like words, but it is not the person who speaks.
    person = next((place for place, words in said if not words.startswith(_MENDING)), 0)
    before = [message for message in messages[:person] if message.get("role") == "assistant"]
    system = _text(body.get("system", ""))
    standing = [*_LEARNED.findall(system), *_APPLYING.findall(_ours(messages[person]) if said else "")]
    rounds = list(_rounds(messages[last + 1 :]))
    surroundings = (system, *(_text(m.get("content")) for m in messages if m.get("role") == "system"))
    return Heard(
        typed=typed,
        first=not before,
        results=tuple("\n".join(filter(None, map(_result, one))) for one in rounds),
        rules=tuple(
            accumulate(map(_shown, rounds), initial="\n".join([*standing, _shown(messages[person : last + 1])]))
        ),
        system=system,
        folder=_first_found(_FOLDER, surroundings) or "/tenant",
        today=_first_found(_TODAY, reversed(surroundings)),
        announced=any(_text(message.get("content")).startswith(ANNOUNCEMENT) for message in before),
        length=len(messages),
    )


def _first_found(pattern: re.Pattern[str], texts: Iterable[str]) -> str:
    return next((found[1] for text in texts if (found := pattern.search(text))), "")


def _typed(message: Mapping[str, Any]) -> str:
    """A person's words: not what the CLI puts beside them, and not the results of tools. What they write while the
    model works comes as a system message. After an interruption the words that were not answered stand in one message
    with the next ones: the last block is what is said now."""
    if message.get("role") == "system":
        found = _MEANWHILE.match(_text(message.get("content")))
        return found[1].strip() if found else ""
    if message.get("role") != "user":
        return ""
    return _STANDING.sub("", _ours(message))


def _ours(message: Mapping[str, Any]) -> str:
    """The same with what the runtime puts above the first message."""
    texts = [text for text in _texts(message.get("content")) if not _NOT_TYPED.fullmatch(text)]
    return texts[-1].strip() if texts else ""


def _rounds(messages: Sequence[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    """One for each assistant message: what followed it."""
    places = [place for place, message in enumerate(messages) if message.get("role") == "assistant"]
    for place, following in zip(places, [*places[1:], len(messages)], strict=False):
        yield list(messages[place + 1 : following])


def _result(message: Mapping[str, Any]) -> str:
    """What tools gave."""
    blocks = message.get("content")
    results = (one for one in (blocks if isinstance(blocks, list) else ()) if one.get("type") == "tool_result")
    return "\n".join(_text(one.get("content")) for one in results)


def _shown(messages: Iterable[Mapping[str, Any]]) -> str:
    """The rules that stand beside the results of tools."""
    texts = (text for one in messages if one.get("role") != "assistant" for text in _texts(one.get("content")))
    return "".join(f"{text}\n" for text in texts if _BESIDE_A_RESULT.match(text))


def _text(content: object) -> str:
    return "\n".join(_texts(content))


def _texts(content: object) -> list[str]:
    if isinstance(content, str):
        return [content]
    blocks = content if isinstance(content, list) else []
    return [str(block["text"]) for block in blocks if block.get("type") == "text" and "text" in block]
