"""What may leave: the agent's answer, guarded, and what is said when there is no answer. Pure."""

import re

NOTHING_SAID = "I have nothing to add."

# What is said when a turn cannot be answered, by the reason. Each says what became of the message.
APOLOGIES = {
    "budget": "I've reached my spending limit for today, so I can't work on this until tomorrow. I kept your message.",
    "turns": "I've reached my limit of messages for today. I kept yours; please write again tomorrow.",
    "model": "I can't think straight right now, my model isn't answering. Please try again in a few minutes.",
    "timeout": "That took me too long, so I stopped. Could you ask for it in smaller steps?",
    "died": "Something broke on my side while I was working on that. Please send it again.",
    "stopped": "Stopped.",
}

_REASONING = re.compile(r"<(thinking|antml:thinking|system-reminder)>.*?(</\1>|\Z)", re.DOTALL)
_TRACEBACK = re.compile(r"Traceback \(most recent call last\):\n(?:[ \t].*\n)*.*\n?")
_SECRET = re.compile(r"\b(sk-ant-[\w-]{8,}|EAA[A-Za-z0-9]{40,}|\d{8,10}:AA[\w-]{30,})")
_ASSIGNED = re.compile(r"\b([A-Z][A-Z0-9_]*(?:KEY|TOKEN|SECRET|PASSWORD))(\s*[=:]\s*)\S+")
_PATH = re.compile(r"(?<![\w.:/-])/(?:tenant|tmp|opt|usr|home|root|var|etc)/(?:[\w.@-]+/)*([\w.@-]+)/?")


_FILE = re.compile(r"^[ \t]*FILE:[ \t]*(\S.*?)[ \t]*$\n?", re.MULTILINE)


def files(text: str) -> tuple[str, list[str]]:
    """An answer without its lines ``FILE: path``, and the paths: that is how the agent sends a file."""
    if "```" in text:  # it shows how, and does not do it
        return text, []
    return _FILE.sub("", text).strip(), _FILE.findall(text)


def guard(text: str) -> str:
    """``text`` as it may leave; never empty."""
    return _clean(text).strip() or NOTHING_SAID


def holds_secrets(text: str) -> bool:
    """Whether ``guard`` has to keep a credential back: an answer that should never have been written."""
    return any(pattern.search(_REASONING.sub("", text)) for pattern in (_SECRET, _ASSIGNED))


class Growing:
    """An answer as it may be seen while it is written: whole words only, and of those what ``guard`` would let out."""

    def __init__(self) -> None:
        self._written = self._seen = ""

    def add(self, text: str) -> str:
        """What of the answer can be seen now and could not before."""
        self._written += text
        return self._grow(self._written[: max(map(self._written.rfind, " \n")) + 1])

    def end(self) -> str:
        """The rest, when nothing more is written."""
        return self._grow(self._written)

    def _grow(self, whole: str) -> str:
        clean = _clean(whole)
        if not clean.startswith(self._seen):
            return ""  # what was seen turned out to be part of something that is not: the reply itself sets it right
        fresh, self._seen = clean[len(self._seen) :], clean
        return fresh


def _clean(text: str) -> str:
    """``text`` without reasoning, stack traces, credentials and paths of the machine."""
    text = _REASONING.sub("", text)
    text = _TRACEBACK.sub("(an error)\n", text)
    text = _SECRET.sub("[removed]", text)
    text = _ASSIGNED.sub(r"\1\2[removed]", text)
    return _PATH.sub(r"\1", text)
