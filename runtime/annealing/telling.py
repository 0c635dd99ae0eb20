"""What the owner is told of the assistant's changes of itself: one line, when a rule is kept or undone.

Owns the words and that each is told once. A tenant that wants none of it says ``improvements: {tell: false}``.
"""

from runtime.annealing.records import Improvement, Kind, State
from runtime.engine.database import Transaction
from runtime.tenant.git.commits import one_line
from runtime.tenant.registry import Tenant
from runtime.turns import hooks, inbox, outbox
from runtime.turns.letters import notice

WORDS = 300
"""Characters of one line: it is read on a phone."""


def tell(tx: Transaction, tenant: Tenant, one: Improvement, now: float) -> None:
    """Plan the line, once for each improvement and ending. An owner without a channel is told nothing."""
    if not tenant.config.improvements.tell or not (text := line(one)):
        return
    if letters := notice(tenant, tenant.config.owner, text):
        cause = f"{inbox.IMPROVEMENT}:{one.id}:{one.state.value}"
        turn = inbox.open_notice(tx, tenant.id, letters[0].conversation, cause, now)
        outbox.plan(tx, turn, tenant.id, letters, now)
        hooks.tell_sent(tx, tenant, turn, letters, now)


def line(one: Improvement) -> str:
    """What is said of ``one`` as it is now; nothing while it is not over, and of what people did themselves."""
    if one.kind is Kind.EMPTY or one.superseded:
        return ""
    about = _about(one)
    match one.state:
        case State.KEPT if one.kind is Kind.STATED:
            return one_line(f"Written down as a rule: {about}. Say “undo that” if you meant something else.", WORDS)
        case State.KEPT if one.reason == PINNED:
            return ""
        case State.REJECTED if one.kind is Kind.STATED:
            return one_line(f"I did not write that down as a rule: {one.reason}.", WORDS)
        case State.KEPT:
            return one_line(f"I learned something and it works: {about}. Say “undo that” if you do not want it.", WORDS)
        case State.ROLLED_BACK if one.reason.startswith(OWNER):
            return ""
        case State.ROLLED_BACK:
            return one_line(f"I took back something I had tried, because it made things worse: {about}.", WORDS)
        case State.UNPROVEN:
            return one_line(f"I took back something I had tried, because it changed nothing: {about}.", WORDS)
        case _:
            return ""


OWNER = "the owner"
"""How the reason begins of what a person took back."""


PINNED = "a person pinned it"
"""The reason of what was kept because a person made it their own."""


def _about(one: Improvement) -> str:
    words = next((operation.text for operation in one.operations if operation.text), one.intent)
    return words.strip().rstrip(".")
