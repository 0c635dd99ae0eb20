"""A home with one tenant on real folders, git and database, in which changes land, turns go well or badly, and looks
are killed. Only what would start the CLI or ask a model is played."""

import asyncio
import shutil
import subprocess
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from runtime.agent.pool import Sessions
from runtime.agent.questions import Question, Questions
from runtime.annealing import landing
from runtime.annealing.clock import AnnealingClock
from runtime.annealing.gate.case import Case
from runtime.annealing.gate.cases import PLACE
from runtime.annealing.gate.gate import Gate
from runtime.annealing.gate.judging import Better
from runtime.annealing.gate.playing import Played, Stand
from runtime.annealing.graves import Graves
from runtime.annealing.loop import Loop
from runtime.annealing.noticing import Noticing
from runtime.annealing.probation import Watching
from runtime.annealing.recognising import Recognising
from runtime.annealing.records import Improvement, Kind, Operation, State, Trigger, Watch
from runtime.annealing.replaying import Replaying
from runtime.annealing.signals.log import SignalLog
from runtime.annealing.signals.records import Label, Signal, signal_id
from runtime.annealing.store import Improvements
from runtime.annealing.verification.ideas import idea
from runtime.annealing.walk import Walker
from runtime.engine.database import Database
from runtime.engine.durable import Engine
from runtime.errors import NotFound
from runtime.settings import Settings, load_settings
from runtime.tenant import blueprint, monthly
from runtime.tenant.folder import Folder
from runtime.tenant.git.commits import Commit
from runtime.tenant.git.history import History
from runtime.tenant.git.process import Git
from runtime.tenant.messages import MessageLine, MessageLog
from runtime.tenant.registry import Tenant, Tenants
from runtime.tenant.secrets import Keys
from runtime.tenant.turnlog import TurnLine, TurnLog
from runtime.turns import inbox
from runtime.turns.lanes import Lanes
from runtime.turns.outbox import PLAN
from runtime.turns.records import Records
from runtime.words import Conversation, Direction, How, Inbound, TenantId, TurnId

TALK = Conversation("telegram:111222333")
OTHER_TALK = Conversation("telegram:444555666")
SHOWINGS, LEADS = "showings", "lead-follow-up"
TOLD = "SELECT text FROM outbox WHERE channel = 'telegram' AND turn LIKE 'notice:%' ORDER BY planned, key"

READING = frozenset({"cat-file", "diff-tree", "for-each-ref", "log", "ls-tree", "merge-base", "rev-list", "rev-parse"})
"""Commands of git that leave nothing behind."""


class Killed(BaseException):
    """kill -9, as far as one process can be told of it: from here on nothing is written any more."""


@dataclass
class Closed:
    """In place of the sessions: which conversations were told to begin afresh."""

    conversations: list[Conversation] = field(default_factory=list)

    async def close_conversation(self, tenant: TenantId, conversation: Conversation, folder: Path) -> None:
        self.conversations.append(conversation)


@dataclass
class Asked:
    """In place of a model. ``answers`` are given by purpose; a fault among them is raised."""

    answers: dict[str, Mapping[str, Any] | Exception] = field(default_factory=dict)
    questions: list[Question] = field(default_factory=list)
    during: Callable[[], Awaitable[None]] | None = None

    async def ask(self, tenant: TenantId, question: Question) -> Mapping[str, Any]:
        self.questions.append(question)
        if self.during:
            await self.during()
        answer = self.answers.get(question.purpose, {"propose": False, "reason": "no common cause"})
        if isinstance(answer, Exception):
            raise answer
        return answer


@dataclass
class Plays:
    """Player and judge: a play goes well when ``well`` says so of what it is played on."""

    well: Callable[[Stand, Case], bool] = lambda stand, case: case.kind != "trigger" or bool(stand.changes)
    played: list[tuple[str, str]] = field(default_factory=list)
    fault: Exception | None = None

    async def play(self, stand: Stand, case: Case, name: str) -> Played:
        if self.fault:
            raise self.fault
        self.played.append((case.id, name))
        return Played(case=case, answer="x", problems=() if self.well(stand, case) else ("it went wrong",))

    async def unmet(self, tenant: TenantId, played: Played) -> tuple[str, ...]:
        return ()

    async def better(self, tenant: TenantId, parent: Played, candidate: Played) -> Better:
        return "tie"


@dataclass
class Steps:
    """In place of the engine: a step is done at once, a workflow that is started is remembered."""

    started: list[str] = field(default_factory=list)

    async def step(self, name: str, work: Callable[[], Awaitable[None]], *, retry: object = None) -> None:
        await work()

    async def start(self, name: str, id: str) -> None:
        self.started.append(id)


@dataclass
class House:
    settings: Settings
    tenants: Tenants
    loop: Loop
    plays: Plays
    asked: Asked
    closed: Closed
    later: list[float]
    """Seconds by which the clock was put forward."""

    # What there is

    @property
    def tenant(self) -> Tenant:
        return self.tenants.get(TenantId("anden"))

    @property
    def root(self) -> Path:
        return self.tenant.folder.root

    @property
    def history(self) -> History:
        return self.loop.history(self.tenant)

    @property
    def store(self) -> Improvements:
        return Improvements(self.tenant.folder)

    @property
    def graves(self) -> Graves:
        return Graves(self.tenant.folder)

    @property
    def now(self) -> datetime:
        return self.loop.now()

    def told(self) -> list[str]:
        return [row["text"] for row in self.loop.database.read_now(lambda tx: tx.run(TOLD))]

    def signals(self) -> list[Signal]:
        return list(SignalLog(self.tenant.folder).read())

    def commits(self) -> list[Commit]:
        """The runtime's own, newest first."""
        return [one for one in self.history.log(limit=100, by_agent=True) if one.trailers.get("Turn")]

    def says(self, ref: str) -> str:
        """A rule's file; nothing where there is none."""
        path = self.root / f"directives/rules/{ref}.md"
        return path.read_text() if path.exists() else ""

    # What is looked at with it

    @property
    def watching(self) -> Watching:
        return Watching(loop=self.loop, replaying=Replaying(loop=self.loop, player=self.plays, judge=self.plays))

    @property
    def recognising(self) -> Recognising:
        return Recognising(loop=self.loop, watching=self.watching)

    @property
    def noticing(self) -> Noticing:
        return Noticing(loop=self.loop, watching=self.watching, recognising=self.recognising)

    @property
    def gate(self) -> Gate:
        return Gate(
            player=self.plays,
            judge=self.plays,
            history=self.loop.history,
            save=lambda one: self.store.put(one),
            busy=lambda: False,
            now=self.loop.now,
        )

    def walker(self, **more: Any) -> Walker:
        given: dict[str, Any] = {
            "loop": self.loop,
            "engine": cast(Engine, Steps()),
            "gate": self.gate,
            "watching": self.watching,
        }
        return Walker(**(given | more))

    def clock(self) -> AnnealingClock:
        engine = cast(Engine, Steps())
        return AnnealingClock(loop=self.loop, engine=engine, noticing=self.noticing, walker=self.walker())

    async def look(self) -> None:
        await self.noticing.look(self.tenant.id)

    # What happens in it

    def wait(self, **time: float) -> None:
        self.later[0] += timedelta(**time).total_seconds()

    def improvement(self, id: str = "showings-1", *operations: Operation, **more: Any) -> Improvement:
        family = more.get("family", SHOWINGS)
        operations = operations or (add(f"{family}/{id}", f"Say {id} in each reply.", id),)
        intent = more.get("intent", f"say {id}")
        given: dict[str, Any] = {
            "id": id,
            "tenant": "anden",
            "family": family,
            "idea": idea(family, "", intent).key,
            "intent": intent,
            "mechanism": f"Nobody said {id}.",
            "operations": operations,
            "opened": self.now - timedelta(days=11),
        }
        return Improvement(**(given | more))

    def land(self, id: str = "showings-1", *operations: Operation, days: float = 10, **more: Any) -> Improvement:
        """As a walk leaves it, so many days ago. One turn in ten went wrong before."""
        one = self.improvement(id, *operations, **more)
        at = self.now - timedelta(days=days)
        landed: dict[str, Any] = {"state": State.PROBATION, "landed": at, "watch": Watch(s0=1.0, n0=10.0)}
        if one.kind is not Kind.EMPTY:
            commit = landing.land(self.history, one, landing.files(self.history, self.tenant, one, self.now))
            assert commit
            landed["commit"] = commit.id
        one = one.model_copy(update=landed)
        self.store.put(one)
        return one

    def turn(
        self,
        number: int,
        exposures: Sequence[str] = (),
        *,
        bad: bool = False,
        ago: timedelta | None = None,
        talk: Conversation = TALK,
        **extra: Any,
    ) -> TurnId:
        """One that ended some hours ago: the higher the number, the later."""
        id = inbox.turn_id(TenantId("anden"), talk, number)
        at = self.now - (ago if ago is not None else timedelta(hours=220 - number))
        line = TurnLine(turn=id, at=at, conversation=talk, exposures=tuple(exposures), extra=extra)
        TurnLog(self.tenant.folder).append([line])
        if bad:
            self.signal(id, at, talk=talk)
        return id

    def turns(
        self, ys: str, exposures: Sequence[str] = (), *, first: int = 1, talk: Conversation = TALK
    ) -> list[TurnId]:
        """``..x.``: how turns went, one after the other."""
        return [self.turn(number, exposures, bad=y == "x", talk=talk) for number, y in enumerate(ys, start=first)]

    def signal(
        self, turn: TurnId, at: datetime, *, talk: Conversation = TALK, text: str = "no, Saturday, not Sunday"
    ) -> Signal:
        message = f"m-{turn}"
        one = Signal(
            id=signal_id(turn, message, Label.CORRECTION),
            turn=turn,
            conversation=talk,
            at=at,
            message=message,
            kind=Label.CORRECTION,
            p=0.95,
            span=text,
            expected=text,
            stage=1,
        )
        SignalLog(self.tenant.folder).append([one])
        return one

    def said(self, turn: TurnId, text: str, at: datetime, *, talk: Conversation = TALK, out: bool = False) -> None:
        """Into the log of messages."""
        line = MessageLine(
            id=f"{turn}-{text}",
            at=at,
            channel="telegram",
            conversation=talk,
            person="" if out else "Anden",
            direction=Direction.OUTBOUND if out else Direction.INBOUND,
            kind="text",
            text=text,
            how=How.AGENT if out else How.TYPED,
            turn=turn,
        )
        MessageLog(self.tenant.folder).append([line])

    def ended(self, number: int, *messages: Inbound, replied: str = "", exposures: Sequence[str] = ()) -> TurnId:
        """A turn that has ended and was not judged, with its messages and its reply, as the turns' rooms leave it."""
        talk = messages[0].conversation if messages else TALK
        id, before = (inbox.turn_id(TenantId("anden"), talk, one) for one in (number, number - 1))
        now = self.loop.clock()

        def write(tx: Any) -> None:
            tx.run(
                "INSERT INTO turn (id, tenant, conversation, state, previous, opened, finished)"
                " VALUES (:id, 'anden', :talk, 'done', :before, :now, :now)",
                id=id,
                talk=talk,
                before=before,
                now=now + number,
            )
            for one in messages:
                body, key = inbox._dump(one), {"tenant": "anden", "channel": one.channel, "id": one.id}
                tx.run(inbox.INSERT, conversation=talk, turn=id, body=body, received=now, **key)
            if replied:
                letter = {"conversation": talk, "channel": "telegram", "address": "1", "file": "", "template": ""}
                tx.run(PLAN, key=f"{id}:0", turn=id, part=0, tenant="anden", text=replied, now=now, **letter)

        self.loop.database.write_now(write)
        line = TurnLine(turn=id, at=self.now, conversation=talk, exposures=tuple(exposures))
        TurnLog(self.tenant.folder).append([line])
        return id

    def git(self, *words: str) -> str:
        """A person's own."""
        who = {f"GIT_{who}_{what}": "pat@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        environment = {"PATH": "/usr/bin:/bin", "HOME": str(self.settings.home), "GIT_CONFIG_NOSYSTEM": "1", **who}
        ran = subprocess.run(
            ["git", *words], cwd=self.root, env=environment, capture_output=True, text=True, check=True
        )
        return ran.stdout

    # Kills

    def copy(self, place: Path) -> "House":
        """The same home elsewhere, seen by a process that knows nothing of this one."""
        shutil.copytree(self.settings.home, place)
        return opened(place, like=self)

    def close(self) -> None:
        self.loop.database.close()


def opened(home: Path, *, like: House | None = None) -> House:
    settings = load_settings(home, {})
    tenants = Tenants(settings.tenants, Keys.of(settings))
    later = list(like.later) if like else [0.0]
    asked, closed, plays = Asked(), Closed(), Plays()
    if like:
        asked, plays = replace(like.asked, questions=[]), replace(like.plays, played=[])
    loop = Loop(
        database=Database("sqlite", settings.var),
        tenants=tenants,
        records=Records(tenants),
        lanes=Lanes(),
        sessions=cast(Sessions, closed),
        questions=cast(Questions, asked),
        clock=lambda: time.time() + later[0],
    )
    return House(settings, tenants, loop, plays, asked, closed, later)


def build(home: Path) -> None:
    """The home that each test has a copy of."""
    settings = load_settings(home, {})
    Keys.of(settings).create()
    tenant = blueprint.create(settings, "Anden", owner_telegram="111222333", timezone="America/Denver")
    for name in tenant.folder.names(PLACE):  # the blueprint's are many, and none of these tests is about them
        tenant.folder.remove(f"{PLACE}/{name}")
    with_case(tenant.folder, "hello", "kind: protected\nfamily: showings")
    with_case(tenant.folder, "canary-wire", "kind: canary\nfamily: global")
    Database("sqlite", settings.var).close()


def with_case(folder: Folder, id: str, head: str) -> None:
    said = f"conversation: [{{role: user, text: {id}}}]\nexpect: {{says: [x]}}\n"
    folder.write_text(f"{PLACE}/{id}.yaml", f"id: {id}\nabout: {id}\nsource: blueprint\n{head}\n{said}")


def add(ref: str, text: str, *triggers: str) -> Operation:
    return Operation(do="ADD", rule=ref, text=text, triggers=triggers)


def rule_of(one: Improvement) -> str:
    return f"directives/rules/{one.operations[0].rule}.md"


def trigger(turn: str, at: datetime) -> Trigger:
    return Trigger(signal=turn, turn=turn, conversation=TALK, at=at, text="no, Saturday", expected="Saturday")


def inbound(text: str, *, id: str = "1", sender: str = "111222333", **more: Any) -> Inbound:
    given: dict[str, Any] = {"channel": "telegram", "id": id, "sender": sender, "address": sender, "text": text}
    return Inbound(**(given | {"sent_at": datetime.now(UTC), "how": How.TYPED} | more))


@contextmanager
def dying(at: int) -> Iterator[list[str]]:
    """What is written before the ``at``th durable effect is there, and nothing after it. Gives the effects."""
    done: list[str] = []

    def before(owner: Any, name: str, label: Callable[..., str]) -> None:
        real = getattr(owner, name)

        def effect(*given: Any, **named: Any) -> Any:
            if what := label(*given):
                if len(done) >= at:
                    raise Killed(what)
                done.append(what)
            return real(*given, **named)

        patch.setattr(owner, name, effect)

    with pytest.MonkeyPatch.context() as patch:
        before(Folder, "write_bytes", lambda _self, rel, *_: f"write {rel}")
        before(Folder, "remove", lambda _self, rel, *_: f"remove {rel}")
        before(monthly, "_write_whole", lambda *given: f"append {given[3]}")
        before(Database, "write_now", lambda _self, _work: "database")
        before(Git, "_run", lambda _self, words, *_: _git(words))
        yield done


def _git(words: Sequence[str]) -> str:
    command = next(word for at, word in enumerate(words) if word[0] != "-" and words[at - 1 : at] != ["-c"])
    return "" if command in READING else f"git {command}"


async def killed_everywhere(
    house: House, place: Path, work: Callable[[House], Awaitable[object]], end: Callable[[House], object]
) -> int:
    """Do ``work`` in copies of the house, killed before each of its durable effects and then done again by a new
    process: ``end`` is always as it is without a kill. How many kills there were."""
    whole = house.copy(place / "whole")
    with dying(1_000_000) as effects:
        await work(whole)
    wanted = end(whole)
    whole.close()
    for at, effect in enumerate(effects):
        if effects[at - 2 : at + 2] == [effect] * 4:
            continue  # in the midst of the same write over and over
        one = house.copy(place / f"{at}")
        with dying(at), pytest.raises(Killed):
            await work(one)
        await asyncio.to_thread(one.close)
        again = opened(one.settings.home, like=house)
        try:
            await work(again)
            found = end(again)
        finally:
            await asyncio.to_thread(again.close)
        assert found == wanted, f"killed before {at} ({effect}) of {effects}:\n{found}\n{wanted}"
        shutil.rmtree(one.settings.home)
    return len(effects)


def is_gone(house: House, id: str) -> bool:
    try:
        house.store.find(id)
    except NotFound:
        return True
    return False
