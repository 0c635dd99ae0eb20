"""What becomes of a message: a turn, a command, a request to be let in, a note, or nothing. Pure."""

import re
from dataclasses import dataclass
from enum import StrEnum

from runtime.words import How, Inbound, Person

COMMANDS = {
    "help": "what I understand",
    "status": "how I am doing",
    "stop": "stop what I am working on (/cancel)",
    "reset": "end this conversation and start afresh (/clear)",
    "memory": "what I know",
    "tasks": "what I do at set times",
    "skills": "what I was taught",
    "changes": "what I changed about myself",
    "undo": "take back my last change, or /undo 2 for the one before",
    "reonboard": "get to know each other again",
    "approve": "let somebody in: /approve CODE, or /approve CODE member",
    "deny": "turn somebody away: /deny CODE",
    "release": "let me answer again where you took over: /release, or /release NUMBER",
}
"""What is done without the agent, at once, also while it works; and what /help says of it."""

WITH_WORDS = frozenset({"undo", "approve", "deny", "release"})
"""Commands that say what about; the others with more words behind them are a sentence."""

SAME = {"cancel": "stop", "clear": "reset"}

SILENT_KINDS = frozenset({"reaction", "revoke", "stop"})
"""Kinds that are written down and answered by nobody."""

THAT = "that"
"""What /undo is about when it is said in plain words, right after the assistant told of a change."""

_UNDO_THAT = re.compile(r"(?:please )?undo (?:that|this|it)(?:,? please)?[.!]*", re.IGNORECASE)
_COMMAND = re.compile(r"/([a-z]+)(?:@\w+)?(?:\s+(.*))?\s*", re.DOTALL | re.IGNORECASE)


class Way(StrEnum):
    """``NOTE``: into the log and no further. ``DROP``: counted, and gone. ``NOTICE``: nobody's message, only something
    to send."""

    TURN = "turn"
    COMMAND = "command"
    PAIRING = "pairing"
    NOTE = "note"
    NOTICE = "notice"
    DROP = "drop"


@dataclass(frozen=True, slots=True)
class Command:
    name: str
    rest: str


@dataclass(frozen=True, slots=True)
class Standing:
    """``taken_over``: the business itself is answering there. ``too_fast``: more messages than are heard. ``told``: the
    last thing that was said there is that the assistant changed something about itself."""

    taken_over: bool = False
    too_fast: bool = False
    told: bool = False


def triage(message: Inbound, person: Person | None, standing: Standing) -> Way:
    """Only people of the tenant reach the agent, and only what they typed can be a command."""
    if message.how is How.ECHO:
        return Way.NOTE
    command = command_of(message) if person is not None else None
    if command is not None and (standing.told or not is_undo_that(message)):
        return Way.COMMAND  # also when somebody writes too fast: what they want may be that it stops
    if standing.too_fast:
        return Way.DROP
    if standing.taken_over:
        return Way.NOTE
    if person is None:
        return Way.DROP if message.group or message.kind in SILENT_KINDS else Way.PAIRING
    return Way.NOTE if message.kind in SILENT_KINDS else Way.TURN


def is_undo_that(message: Inbound) -> bool:
    """Whether "undo that" is all it says. It is a command only where the assistant has just told of a change; anywhere
    else it is about something the assistant did, and for it to understand."""
    return message.kind == "text" and _UNDO_THAT.fullmatch(message.text.strip()) is not None


def command_of(message: Inbound) -> Command | None:
    """The command that ``message`` is; None for any other text, also one that only begins with a slash."""
    if message.kind == "stop":
        return Command("stop", "")
    if message.kind != "text" or message.how is not How.TYPED or message.replaces:
        return None
    if is_undo_that(message):
        return Command("undo", THAT)
    found = _COMMAND.fullmatch(message.text.strip())
    if found is None:
        return None
    name, rest = SAME.get(found[1].lower(), found[1].lower()), (found[2] or "").strip()
    return Command(name, rest) if name in COMMANDS and (not rest or name in WITH_WORDS) else None
