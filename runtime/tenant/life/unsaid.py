"""Whether a person asked for what became of a directive, while words of others are in play. Pure.

Owns the rule that a document cannot rewrite the assistant's orders: what came into a directive has to stand in what an
owner or member typed or said themselves; lines that went have to be asked for. Where nobody showed anything, the agent
words a change as it likes.
"""

import re
from collections.abc import Sequence

from runtime.errors import ConfigFault
from runtime.tenant.life.merging import turning
from runtime.tenant.life.sources import ENOUGH, Said, is_lifted, is_tainted
from runtime.tenant.life.terms import terms

_TAKES_OUT = re.compile(
    r"\b(delete|remove|drop|cut|shorten|rewrite|replace|instead|take out|no longer|stop|scrap|undo|simplif\w+|tidy)\b",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+|https?://\S+|\bwww\.\S+", re.IGNORECASE)

_FORBIDS = frozenset({"not", "no", "never", "nobody", "none", "without", "unless", "only", "except"})

_A_FEW = 5
"""Words that may go with a changed line; more of them are a part of the directive."""


def refuse_unsaid(path: str, before: str, after: str, said: Sequence[Said]) -> None:
    """Raises ConfigFault with the line that nobody asked for. ``said`` is what was said lately, oldest first."""
    tainted = is_tainted(said)
    if not tainted and not any(one.elsewhere for one in said):
        return
    own = [one.text for one in said if one.own]
    heard = {term for text in own for term in _known(text)}
    known, lines = _known(before), before.splitlines()
    faults = [
        f"{path}:{number}: this came while something was shown that others wrote, and nobody said it themselves"
        for number, line in enumerate(after.splitlines(), start=1)
        if line not in lines and (tainted or is_lifted(line, said)) and not _is_carried(line, lines, known, heard)
    ]
    if tainted and _is_less(before, after, heard) and not any(_TAKES_OUT.search(text) for text in own):
        faults.append(f"{path}:1: parts went while something was shown that others wrote, and nobody asked for that")
    if faults:
        raise ConfigFault(faults, hint="ask the owner to say in their own words what is to apply")


def _is_less(before: str, after: str, heard: set[str]) -> bool:
    """Whether a part of the directive went, or a line that forbids something, of which nobody spoke."""
    kept = after.splitlines()
    barred = [set(terms(line)) for line in before.splitlines() if line not in kept and turning(line) & _FORBIDS]
    unspoken = any(len(words & heard) < ENOUGH * len(words) for words in barred)
    return unspoken or len(set(terms(before)) - set(terms(after))) > _A_FEW


def _known(text: str) -> set[str]:
    return {*terms(text), *map(str.lower, _addresses(text))}


def _is_carried(line: str, lines: Sequence[str], known: set[str], heard: set[str]) -> bool:
    """Whether what is new in a line was said: every figure and address, and enough of the words. A line of words that
    stood there all along has to mean what an old one means, or be said: without its "never" an order is another."""
    if any(found.lower() not in known | heard for found in _addresses(line)):
        return False
    fresh = set(terms(line)) - known
    figures = {term for term in fresh if any(c.isdigit() for c in term)}
    words = fresh - figures
    if not fresh:
        whole = set(terms(line))
        same = any(whole <= set(terms(old)) and turning(line) == turning(old) for old in lines)
        return same or not whole or len(whole & heard) / len(whole) >= ENOUGH
    return figures <= heard and (not words or len(words & heard) / len(words) >= ENOUGH)


def _addresses(text: str) -> list[str]:
    return [found.rstrip(".,;)") for found in _ADDRESS.findall(text)]
