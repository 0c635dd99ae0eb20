"""A tenant on real git in which improvements land, and people and the loop change things after them."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from runtime.annealing.records import Improvement, Operation, State
from runtime.annealing.undoing.plan import Trial
from runtime.annealing.undoing.taking_back import TakenBack, take_back
from runtime.tenant.checks import check
from runtime.tenant.folder import Folder
from runtime.tenant.git.changes import FILE, PROGRAM, Content
from runtime.tenant.git.commits import Commit
from runtime.tenant.git.history import ADMIN, AGENT, History, Origin
from runtime.tenant.git.process import Git
from runtime.tenant.heads import Rule as Head
from runtime.tenant.rules.files import Rule, parse, path_of

START = datetime(2026, 11, 2, tzinfo=UTC)
SOP = """---json
{"name": "leads", "description": "Follow up leads", "triggers": ["lead"], "owner": "Anden", "version": 1}
---

Call within an hour.

Then send the brochure.
"""
BASE = {
    "CLAUDE.md": "the blueprint\n",
    "tenant.yaml": "name: Anden\ntimezone: America/Denver\n",
    ".gitignore": "state/*\n!state/schedules.yaml\n",
    "life/identity.md": "Anden\n",
    "directives/leads.md": SOP,
    "execution/send.py": "A = 1\n\n\ndef send() -> int:\n    return A\n\n\nB = 2\n",
}


def passes(_files: object) -> bool:
    return True


@dataclass
class House:
    root: Path
    history: History
    improvements: dict[str, Improvement] = field(default_factory=dict)

    # What there is

    def rule(self, ref: str) -> Rule:
        return parse(path_of(ref), (self.root / path_of(ref)).read_text())

    def has(self, ref: str) -> bool:
        return (self.root / path_of(ref)).exists()

    def tree(self) -> dict[str, bytes]:
        return {path: data for path, _, data in self.history.contents(self.history.head())}

    def clean(self) -> bool:
        return self.git("status", "--porcelain") == ""

    def git(self, *words: str) -> str:
        environment = {
            "PATH": os.defpath,
            "HOME": str(self.root.parent),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_EDITOR": "true",
            **{f"GIT_{who}_{what}": "pat@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
        }
        ran = subprocess.run(
            ["git", *words], cwd=self.root, env=environment, capture_output=True, text=True, check=True
        )
        return ran.stdout

    def copy(self, place: Path) -> "House":
        shutil.copytree(self.root, place / "anden")
        history = History(Folder(place / "anden"), home=place, check=check)
        return House(place / "anden", history, dict(self.improvements))

    @staticmethod
    def killed_at(step: int, work: Callable[[], object]) -> bool:
        """Do it in a process that dies before its ``step``th start of git or change of a file; False when it was done
        before that."""
        if child := os.fork():
            return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
        steps = iter(range(step))
        for owner, name in ((Git, "_run"), (Folder, "write_bytes"), (Folder, "remove")):
            setattr(owner, name, _dying(getattr(owner, name), steps))
        try:
            work()
            os._exit(0)
        finally:
            os._exit(1)

    # Who changes it

    def land(self, id_: str, *operations: Operation, code: dict[str, str] | None = None) -> Improvement:
        """An improvement, as the loop lands it: its operations, and files of code."""
        files: dict[str, Content | None] = {}
        for one in operations:
            place = path_of(one.rule)
            if one.do == "ADD":
                files[place] = _rule(one.rule, one.text, triggers=one.triggers, state="probation", improvement=id_)
            elif one.do == "UPDATE":
                old = self.rule(one.rule)
                head = old.head.model_copy(update={"state": "probation", "improvement": id_, "helpful": 0})
                if one.triggers:
                    head = head.model_copy(update={"triggers": one.triggers})
                files[place] = _content(Rule(old.directive, head, one.text))
            elif one.do == "DELETE":
                files[place] = None
            else:
                old = self.rule(one.rule)
                directive, _, name = one.to.partition("/")
                files |= {place: None}
                files[path_of(one.to)] = _content(Rule(directive, old.head.model_copy(update={"id": name}), old.text))
        for path, text in (code or {}).items():
            files[path] = Content(PROGRAM if path.endswith(".py") else FILE, text.encode())
        origin = Origin(actor=AGENT, tenant="anden", extra={"Improvement": id_})
        commit = self.history.put(files, origin, base=self.history.head(), title=f"anneal(leads): {id_}")
        made = Improvement(
            id=id_,
            tenant="anden",
            family="leads",
            idea=id_,
            intent=id_,
            operations=operations,
            state=State.PROBATION,
            opened=START,
            commit=commit.id,
            landed=START + timedelta(hours=len(self.improvements)),
        )
        self.improvements[id_] = made
        return made

    def edit(self, path: str, change: Callable[[str], str] | None) -> Commit:
        """An admin saves a file (None: deletes it), and the next turn commits what there is."""
        if change is None:
            (self.root / path).unlink()
        else:
            held = (self.root / path).read_text() if (self.root / path).exists() else ""
            (self.root / path).parent.mkdir(parents=True, exist_ok=True)
            (self.root / path).write_text(change(held))
        return self.history.commit_admin().commits[-1]

    def note(self, ref: str, **head: object) -> None:
        """What the loop writes into a rule's head."""
        old = self.rule(ref)
        new = Rule(old.directive, old.head.model_copy(update=head), old.text)
        self.by_loop(path_of(ref), new.rendered)

    def by_loop(self, path: str, text: str) -> None:
        origin = Origin(actor=AGENT, tenant="anden")
        files = {path: Content(PROGRAM if path.endswith(".py") else FILE, text.encode())}
        self.history.put(files, origin, base=self.history.head(), title="note")

    def state(self, id_: str, state: State) -> None:
        self.improvements[id_] = self.improvements[id_].model_copy(update={"state": state})

    def undo(self, id_: str, *, actor: str = AGENT, trial: Trial = passes) -> TakenBack:
        return take_back(
            self.history,
            list(self.improvements.values()),
            self.improvements[id_],
            origin=Origin(actor=actor, tenant="anden", reason="it made things worse"),
            e=6.25,
            n=9,
            trial=trial,
        )


def build(tmp_path: Path) -> House:
    """One with two rules of an admin's."""
    root = tmp_path / "anden"
    for name, text in BASE.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    (root / "execution/send.py").chmod(0o755)
    history = History(Folder(root), home=tmp_path, check=check)
    history.create(Origin(actor=ADMIN, tenant="anden"))
    made = House(root, history)
    made.edit(path_of("leads/old"), lambda _: _rule("leads/old", "Be kind.\nBe short.").data.decode())
    made.edit(path_of("leads/tone"), lambda _: _rule("leads/tone", "One.\nTwo.\nThree.", state="kept").data.decode())
    return made


def _dying(call: Callable[..., object], steps: Iterator[int]) -> Callable[..., object]:
    def dying(*given: object, **named: object) -> object:
        if next(steps, None) is None:
            os._exit(9)
        return call(*given, **named)

    return dying


def add(ref: str, text: str, *triggers: str) -> Operation:
    return Operation(do="ADD", rule=ref, text=text, triggers=triggers)


def update(ref: str, text: str, *triggers: str) -> Operation:
    return Operation(do="UPDATE", rule=ref, text=text, triggers=triggers)


def delete(ref: str) -> Operation:
    return Operation(do="DELETE", rule=ref)


def move(ref: str, to: str) -> Operation:
    return Operation(do="MOVE", rule=ref, to=to)


def _rule(ref: str, text: str, **head: object) -> Content:
    directive, _, name = ref.partition("/")
    return _content(Rule(directive, Head.model_validate({"id": name, **head}), text))


def _content(rule: Rule) -> Content:
    return Content(FILE, rule.rendered.encode())
