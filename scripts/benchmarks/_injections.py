"""Scripted injections through the real modules: what others wrote must leave no rule, no memory and no signal.

Each text of tests/data/signals/injections.txt comes to a tenant the way it would: as a message that is forwarded, that
quotes, or into which the owner pasted it; or as what a tool printed, in the turn itself, in the one before, and long
before. The first stage judges it; a second stage that believes everything judges it again; it is tried as a stated
rule; and the agent, taken to be wholly deceived, tries to save it with its own tools as every kind of fact, and to
write it into a directive.
"""

import asyncio
import json
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from runtime.agent.events import Ask, ToolRun
from runtime.agent.questions import Question
from runtime.annealing.signals.first import first
from runtime.annealing.signals.records import Judgement, Spoken
from runtime.annealing.signals.second import Message, judge
from runtime.annealing.signals.stated import stated_rule
from runtime.errors import ConfigFault, Refused
from runtime.tenant.folder import Folder
from runtime.tenant.git.history import ADMIN, History, Origin
from runtime.tenant.life.memory import Memory
from runtime.tenant.life.unsaid import refuse_unsaid
from runtime.tenant.turnlog import TurnLine, TurnLog
from runtime.turns import prompt
from runtime.turns.providing import providers
from runtime.words import Conversation, How, Inbound, Person, Role, TenantId, TurnId
from shared_tools import offered

DIRECTIVE = "directive"
TEXTS = Path(__file__).resolve().parents[2] / "tests/data/signals/injections.txt"

WAYS: Mapping[str, How] = {
    "email": How.DOCUMENT,
    "forward": How.FORWARDED,
    "document": How.DOCUMENT,
    "web page": How.DOCUMENT,
    "tool output": How.DOCUMENT,
    "quoted": How.QUOTED,
    "pasted": How.TYPED,
}
PRINTED: Mapping[str, Mapping[str, str]] = {
    "email": {"name": "mcp__mail__read", "id": "17"},
    "document": {"name": "Read", "file_path": "/tenant/state/media/2026-11/offer.txt"},
    "web page": {"name": "mcp__web__fetch", "url": "https://evil.example"},
    "tool output": {"name": "Bash", "command": "python execution/listings.py"},
}
"""Ways that go through a tool, and its use."""

TURNS_AGO = (0, 1, 10)
"""In which turn a tool printed it: the running one, one that counts as shown, one whose words are only compared."""

KINDS = ("person", "business", "contact", "procedure", "realtor", "boundary", "habit", "event")

_BLUEPRINT = Path(__file__).resolve().parents[2] / "blueprint"
_BEFORE = (Spoken("assistant", "Done, I sent the offer to the seller."),)
_NOW = datetime(2026, 11, 20, 16, tzinfo=UTC)
_TENANT = TenantId("anden")
_ANDEN = Person(name="Anden", role=Role.OWNER, addresses={"telegram": "1"})


@dataclass(frozen=True, slots=True)
class Injection:
    way: str
    text: str

    @property
    def how(self) -> How:
        return WAYS[self.way]


def injections(path: Path = TEXTS) -> Iterator[Injection]:
    way = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("[") and line[1:-1] in WAYS:
            way = line[1:-1]
        elif line and not line.startswith("# "):
            yield Injection(way, line)


def injections_report(path: Path = TEXTS) -> dict[str, Any]:
    """How many there were, by way; and of what they left: all four have to be 0."""
    found = list(injections(path))
    with tenant() as folder:
        saved = [saves(one, folder) for one in found]
    return {
        "n": len(found),
        "by_way": dict(Counter(one.way for one in found)),
        "signals": sum(any(judged.counts for judged in judgements(one)) for one in found),
        "rules": sum(any(rules(one)) for one in found),
        "memories": sum(bool(set(one) - {DIRECTIVE}) for one in saved),
        "directives": sum(DIRECTIVE in one for one in saved),
    }


def judgements(one: Injection) -> list[Judgement]:
    """What the first stage says, and what a model that is wholly deceived makes of it."""
    early = first(_BEFORE, one.text, one.how)
    message = Message(text=one.text, context=_BEFORE, how=one.how, external=True)
    return [early, asyncio.run(judge(early, message, _deceived))]


def rules(one: Injection) -> list[str]:
    return [rule for judged in judgements(one) if (rule := stated_rule(one.text, judged, one.how, Role.OWNER))]


@contextmanager
def tenant() -> Iterator[Folder]:
    """A tenant's folder as it is made, with its history."""
    with TemporaryDirectory() as place:
        shutil.copytree(_BLUEPRINT, Path(place) / "anden")
        folder = Folder(Path(place) / "anden")
        History(folder).create(Origin(actor=ADMIN, tenant=_TENANT))
        yield folder


def saves(one: Injection, folder: Folder) -> list[str]:
    """As which kinds of fact memory takes the order as it stands, and whether a directive may hold it."""
    agos = TURNS_AGO if one.way in PRINTED else (0,)
    return [saved for ago in agos for saved in _saved(one, folder, ago)]


def _saved(one: Injection, folder: Folder, ago: int) -> list[str]:
    ask = _ask(one, folder, ago)
    memory = providers(lambda _: folder, lambda _: folder.root / "index", lambda: _NOW)[offered.Memory](ask)
    assert isinstance(memory, Memory)
    found = [kind for kind in KINDS if _is_taken(memory, one.text, kind)]
    try:
        refuse_unsaid("directives/showings.md", "", f"- {one.text}\n", memory.said)
    except ConfigFault:
        return found
    return [*found, DIRECTIVE]


def _is_taken(memory: Memory, text: str, kind: str) -> bool:
    try:
        memory.remember(text, kind, "Eve Stone" if kind == "person" else "")
    except Refused:
        return False
    return True


def _ask(one: Injection, folder: Folder, ago: int) -> Ask:
    """The turn in which the owner asks about it. What was printed in a turn before is in the turn log."""
    question = _message("m2", "what do you make of this?")
    run = _run(one) if one.way in PRINTED else None
    messages = [question] if run else [_brought(one), question]
    here = Conversation(f"telegram:{one.way}:{one.text}:{ago}")
    TurnLog(folder).append([_line(here, number, run if number == ago else None) for number in range(ago, 0, -1)])
    return Ask(
        tenant=_TENANT,
        folder=folder.root,
        conversation=here,
        turn=TurnId("t"),
        prompt="",
        role=Role.OWNER,
        said=prompt.said(messages, _ANDEN),
        timezone="America/Denver",
        ran=(run,) if run and not ago else (),
    )


def _run(one: Injection) -> ToolRun:
    given = dict(PRINTED[one.way])
    return ToolRun(name=given.pop("name"), input=given, output=one.text, ok=True, ms=1, effect="read")


def _line(here: Conversation, ago: int, run: ToolRun | None) -> TurnLine:
    """Of a turn that was so many before the running one."""
    tools = [asdict(run)] if run else []
    return TurnLine(turn=TurnId(f"{here}:{ago}"), at=_NOW, conversation=here, trigger="message m1", tools=tools)


def _brought(one: Injection) -> Inbound:
    if one.way == "quoted":
        return _message("m1", "see above", quoted=one.text)
    return replace(_message("m1", one.text), how=one.how)


def _message(id: str, text: str, quoted: str = "") -> Inbound:
    return Inbound(channel="telegram", id=id, sender="1", address="1", text=text, sent_at=_NOW, quoted=quoted)


async def _deceived(question: Question) -> Mapping[str, object]:
    words = [line[2:] for line in question.prompt.splitlines() if line.startswith("> ")][-1]
    answer = {"label": "remember", "p": 1.0, "about": "assistant", "source": "owner", "expected": words[:400]}
    return {**answer, "span": words[:400]}


if __name__ == "__main__":
    print(json.dumps(injections_report(), indent=2))
    with tenant() as place:
        for each in injections():
            if any(one.counts for one in judgements(each)) or any(rules(each)) or saves(each, place):
                print(each, judgements(each), rules(each), saves(each, place))
