"""Whether a person asked for what became of a directive, while words of others are in play. Pure.

Owns the rule that a document cannot rewrite the assistant's orders: what came into a directive has to stand in what an
owner or member typed or said themselves; lines that went have to be asked for. Where nobody showed anything, the agent
words a change as it likes.
"""

import re
from collections.abc import Sequence

from runtime.errors import ConfigFault
from runtime.tenant.life.sources import ENOUGH, Said, is_lifted, is_tainted
from runtime.tenant.life.terms import terms

_TAKES_OUT = re.compile(
    r"\b(delete|remove|drop|cut|shorten|rewrite|replace|instead|take out|no longer|stop|scrap|undo|simplif\w+|tidy)\b",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+|https?://\S+|\bwww\.\S+", re.IGNORECASE)

_A_FEW = 5
"""Words that may go with a changed line; more of them are a part of the directive."""


def refuse_unsaid(path: str, before: str, after: str, said: Sequence[Said]) -> None:
    """Raises ConfigFault with the line that nobody asked for. ``said`` is what was said lately, oldest first."""
    tainted = is_tainted(said)
    if not tainted and not any(one.elsewhere for one in said):
        return
    own = [one.text for one in said if one.own]
    heard = {term for text in own for term in _known(text)}
    known = _known(before)
    faults = [
        f"{path}:{number}: this came while something was shown that others wrote, and nobody said it themselves"
        for number, line in enumerate(after.splitlines(), start=1)
        if line not in before and (tainted or is_lifted(line, said)) and not _is_carried(line, known, heard)
    ]
    gone = set(terms(before)) - set(terms(after))
    if tainted and len(gone) > _A_FEW and not any(_TAKES_OUT.search(text) for text in own):
        faults.append(f"{path}:1: parts went while something was shown that others wrote, and nobody asked for that")
    if faults:
        raise ConfigFault(faults, hint="ask the owner to say in their own words what is to apply")


def _known(text: str) -> set[str]:
    return {*terms(text), *map(str.lower, _addresses(text))}


def _is_carried(line: str, known: set[str], heard: set[str]) -> bool:
    """Whether what is new in a line was said: every figure and address, and enough of the words."""
    if any(found.lower() not in known | heard for found in _addresses(line)):
        return False
    fresh = set(terms(line)) - known
    figures = {term for term in fresh if any(c.isdigit() for c in term)}
    words = fresh - figures
    return figures <= heard and (not words or len(words & heard) / len(words) >= ENOUGH)


def _addresses(text: str) -> list[str]:
    return [found.rstrip(".,;)") for found in _ADDRESS.findall(text)]
