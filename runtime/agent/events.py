"""What is asked of the agent, what it tells while it works, and what comes of it. Records and faults only."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from runtime.agent.exposing import Exposed
from runtime.agent.gateway import Usage
from runtime.agent.replaying import Replay
from runtime.errors import Refused, Unavailable
from runtime.tenant.life.sources import Said
from runtime.words import Conversation, Role, TenantId, TurnId

Effect = Literal["read", "write", "external"]
"""What a tool can do: look, change the tenant's folder, or reach somebody outside. Only the last cannot be undone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolRun:
    """One use of a tool. ``input`` and ``output`` are cut to 4 KB each; a refusal by the policy has ``ok=False``."""

    name: str
    input: dict[str, Any]
    output: str
    ok: bool
    ms: int
    effect: Effect


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One turn for the agent. ``folder`` is the tenant's; ``timezone`` is what its clock shows (IANA name); ``said`` is
    what the prompt is made of, as memory needs to know it; ``rules`` are the files of the rules that stand in it.

    ``streams``: somebody sees the answer grow. It costs some milliseconds a turn, so it is asked for.
    ``apart``: nobody waits for it. It takes no place and no warm session from anybody, and reaches nobody outside.
    ``replay``: a turn that is played again; its tools give what that says.
    ``ran``: the tools that ran so far, of an attempt before and, for a tool, of the running turn: what they printed may
    be anybody's words.
    """

    tenant: TenantId
    folder: Path
    conversation: Conversation
    turn: TurnId
    prompt: str
    role: Role
    said: tuple[Said, ...] = ()
    rules: tuple[str, ...] = ()
    timezone: str = "UTC"
    streams: bool = True
    apart: bool = False
    replay: Replay | None = None
    ran: tuple[ToolRun, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of a turn. ``session`` is the Claude session's id; ``usage`` has one entry for each attempt;
    ``exposed`` says which of its instructions and tools were in play.

    ``stopped``: the turn was interrupted; ``text`` is then what had been said, maybe nothing.
    """

    text: str
    tools: tuple[ToolRun, ...]
    session: str
    stopped: bool
    ms: int
    usage: tuple[Usage, ...] = ()
    exposed: Exposed = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Partial:
    """A few more characters of what the agent is saying."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolStarted:
    name: str
    input: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ToolEnded:
    run: ToolRun


@dataclass(frozen=True, slots=True)
class AskedAgain:
    """The session died and the turn is asked once more: what was said so far counts for nothing."""

    problem: str


AgentEvent = Partial | ToolStarted | ToolEnded | AskedAgain


class AskFailed(Unavailable):
    """A turn without an answer. ``reason`` is one of ``timeout``, ``died``, ``budget``, ``model``.

    ``tools``, ``usage`` and ``exposed`` are as of an answer; ``external`` says that a tool may have reached
    somebody outside, so that the turn must not be repeated unasked.
    """

    reason = "died"

    def __init__(self, problem: str, *, hint: str) -> None:
        super().__init__(problem, hint=hint)
        self.tools: tuple[ToolRun, ...] = ()
        self.usage: tuple[Usage, ...] = ()
        self.exposed: Exposed = {}
        self.external = False

    @property
    def done(self) -> Answer:
        """What had been done by then, as an answer without words."""
        return Answer(
            text="", tools=self.tools, session="", stopped=False, ms=0, usage=self.usage, exposed=self.exposed
        )


class SessionDied(AskFailed):
    """The CLI or its sandbox ended before the turn did."""

    reason = "died"


class TurnTimedOut(AskFailed):
    """The turn took longer than settings allow, and was ended."""

    reason = "timeout"


class ModelRefused(AskFailed):
    """The budget or the model's provider said no; ``detail`` is the gateway's word for why."""

    def __init__(self, problem: str, *, hint: str, detail: str) -> None:
        super().__init__(problem, hint=hint)
        self.detail = detail
        self.reason = "budget" if detail == "budget" else "model"


class IsolationMissing(Refused):
    """This machine cannot keep tenants apart as asked; the hint names the package or setting that is missing."""
