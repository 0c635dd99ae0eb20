"""Two earlier days in the tenant's logs: on each the assistant suggested a day, and the owner corrected it.

A demo has no days to wait for. They are written with the product's own logs, and read by it like any others.
"""

from datetime import UTC, datetime, timedelta

from runtime.annealing.signals.first import first
from runtime.annealing.signals.log import SignalLog
from runtime.annealing.signals.records import Spoken, soft
from runtime.stage import OWNER_WHATSAPP
from runtime.tenant.messages import MessageLine, MessageLog
from runtime.tenant.registry import Tenant
from runtime.tenant.turnlog import TurnLine, TurnLog
from runtime.words import Conversation, Direction, How, TurnId

DAYS = (4, 2)
"""How many days ago they were."""

TALK = Conversation(f"whatsapp:{OWNER_WHATSAPP}")
ASKED, ANSWERED, CORRECTED = (
    "Which day do you suggest for a showing of 12 Elm?",
    "Sunday at 10.",
    "no, Saturday, not Sunday",
)

FROM = 90_000_000
"""Turns are numbered from here, far from those that are to come."""


def lay_down(tenant: Tenant) -> None:
    """Before the product runs: nobody else may be writing."""
    for number, ago in enumerate(DAYS):
        _day(tenant, FROM + 2 * number, datetime.now(UTC) - timedelta(days=ago))


def _day(tenant: Tenant, number: int, at: datetime) -> None:
    turn, later = (TurnId(f"turn:{tenant.id}:{TALK}:{one:08d}") for one in (number, number + 1))
    asked = _line(turn, ASKED, at, tenant.config.name)
    answered = _line(turn, ANSWERED, at + timedelta(seconds=5))
    corrected = _line(later, CORRECTED, at + timedelta(minutes=1), tenant.config.name)
    MessageLog(tenant.folder).append([asked, answered, corrected])
    exposures = ["directives/README.md", "directives/showings.md"]
    TurnLog(tenant.folder).append([TurnLine(turn=turn, at=at, conversation=TALK, exposures=exposures)])
    judged = first([Spoken("assistant", ANSWERED)], CORRECTED)
    signal = soft(judged, turn=turn, conversation=TALK, message=corrected.id, at=corrected.at)
    SignalLog(tenant.folder).append([signal])


def _line(turn: TurnId, text: str, at: datetime, person: str = "") -> MessageLine:
    """``person`` said it; nobody: the assistant."""
    return MessageLine(
        id=f"{turn}:{'in' if person else 'out'}",
        at=at,
        channel="whatsapp",
        conversation=TALK,
        person=person,
        direction=Direction.INBOUND if person else Direction.OUTBOUND,
        kind="text",
        text=text,
        how=How.TYPED if person else How.AGENT,
        turn=turn,
    )
