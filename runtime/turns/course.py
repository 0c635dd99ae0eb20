"""How a turn went, and the line that the turn log has of it.

Owns which facts of a turn are kept for those who learn from it: the instructions that were in play, the tools, the
cost, how it ended. Pure. Does not own the log (tenant/turnlog.py).
"""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from runtime.agent.events import Answer
from runtime.agent.exposing import at_first
from runtime.agent.prices import NO_TOKENS
from runtime.tenant.git.commits import Origin
from runtime.tenant.turnlog import TurnLine
from runtime.words import Conversation, TurnId


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What is known of a turn; of one that was answered before a kill, next to nothing.

    ``problem`` is why the person got an apology (``timeout``, ``died``, ``budget``, ``model``, ``turns``); ``answer``
    then says what had been done by then. ``head`` is the commit that the tenant's folder was at when it began, ``role``
    that of whoever asked. ``stopped``: they interrupted it; ``reached``: something was said in return;
    ``withheld``: a credential had to be kept back from it.
    """

    answer: Answer | None = None
    problem: str = ""
    head: str = ""
    role: str = ""
    stopped: bool = False
    reached: bool = False
    withheld: bool = False


NOT_ASKED = Course()


def line_of(origin: Origin, course: Course, commits: list[str]) -> TurnLine:
    answer = course.answer
    exposed = (answer.exposed if answer else {}) or at_first()
    extra = {
        "exposed": dict(exposed),
        "head": course.head,
        "role": course.role,
        "problem": course.problem,
        "stopped": course.stopped,
        "reached": course.reached,
        "withheld": course.withheld,
    }
    return TurnLine(
        turn=TurnId(origin.turn),
        at=datetime.now(UTC),
        conversation=Conversation(origin.conversation),
        trigger=origin.trigger,
        tools=tuple(asdict(run) for run in answer.tools) if answer else (),
        exposures=tuple(exposed),
        commits=tuple(commits),
        usage=_usage(answer),
        ms=answer.ms if answer else 0,
        extra={key: value for key, value in extra.items() if value},
    )


def _usage(answer: Answer | None) -> dict[str, object]:
    """What the turn asked of models, over all attempts."""
    if answer is None:
        return {}
    tokens = sum((one.tokens for one in answer.usage), start=NO_TOKENS)
    return {
        "requests": sum(one.requests for one in answer.usage),
        "usd": round(sum(one.usd for one in answer.usage), 6),
        "models": sorted({model for one in answer.usage for model in one.models}),
        "tokens": asdict(tokens),
    }
