"""A tenant whose rules are edited at random: what each edit meant beside what git holds of it.

Owns what improvements, people and the loop do to it, and judging what taking an improvement back left. Does not own
what has to be left (_edits.py), nor how many histories there are (_histories.py).
"""

import os
import random
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from _edits import FIRST, LAST, SINCE, Drop, Edit, Effect, Held, World, replay, without

from runtime.annealing.operations import Stamped, result
from runtime.annealing.records import Improvement, Operation, State
from runtime.annealing.undoing.plan import Way
from runtime.annealing.undoing.taking_back import take_back
from runtime.tenant import checks
from runtime.tenant.folder import Folder
from runtime.tenant.git.commits import message
from runtime.tenant.git.history import AGENT, History, Origin
from runtime.tenant.rules.files import LONGEST, hash_of, path_of

BEGIN = datetime(2026, 11, 2, tzinfo=UTC)
PERSON, PROXY = "Pat <pat@example.org>", "ProxyStaff <agent@proxystaff.invalid>"
SOP = '---json\n{"name": "leads", "description": "d", "triggers": ["lead"], "owner": "Pat", "version": 1}\n---\n\n'
OTHERS = {
    "CLAUDE.md": "the blueprint\n",
    "tenant.yaml": "name: Anden\ntimezone: America/Denver\npeople: [{name: Anden, role: owner}]\nchannels: {}\n",
    ".gitignore": "state/*\n!state/schedules.yaml\n",
    "directives/leads.md": SOP + "Call within an hour.\n",
    "life/notes.txt": "Anden\n",
    "execution/send.py": "print('sent')\n",
}


class Mistake(Exception):
    """What is not as it has to be."""


class Tenant:
    """One history: what is meant (``edits``, ``undone``) beside what git holds."""

    def __init__(self, root: Path, template: Path, rng: random.Random, *, reuse: bool = False) -> None:
        self.reuse = reuse
        self.root, self.rng = root, rng
        shutil.copytree(template, root / ".git")
        self.history = History(Folder(root), home=root, check=checks.check)
        self.edits: list[Edit] = []
        self.undone: set[Drop] = set()
        self.others = dict(OTHERS)
        self.improvements: dict[str, Improvement] = {}
        self._held: dict[str, bytes] = {}  # as of the last commit that was written down
        self._waiting: list[bytes] = []
        self._marks: list[str] = []  # improvements that land in what waits, by their mark
        self._numbers = iter(range(1, 1_000_000))
        effects = [self._new_rule(f"leads/base{n}") for n in range(rng.randint(3, 5))]
        self.commit(Edit("person", tuple(effects)), "Begin")

    # Meaning

    @property
    def world(self) -> dict[int, Held]:
        return replay(self.edits, self.undone).world

    def files(self, world: dict[int, Held] | None = None) -> dict[str, bytes]:
        rules = {
            path_of(held.ref): held.rule().rendered.encode()
            for held in (self.world if world is None else world).values()
        }
        return {path: text.encode() for path, text in self.others.items()} | rules

    def number(self) -> int:
        return next(self._numbers)

    def sentence(self) -> str:
        return f"{self.rng.choice(('Ask', 'Say', 'Send', 'Never promise', 'Offer'))} number {self.number()}."

    def standing(self) -> list[str]:
        """The improvements in force, oldest first."""
        states = (State.PROBATION, State.KEPT)
        return [id_ for id_, one in self.improvements.items() if one.state in states]

    def _new_rule(self, ref: str) -> Effect:
        lines = tuple((self.number(), self.sentence()) for _ in range(self.rng.randint(1, 4)))
        return Effect(uid=self.number(), do="create", ref=ref, lines=lines)

    # Git

    def commit(self, edit: Edit, title: str) -> None:
        """One commit, written down and not yet given to git."""
        self.edits.append(edit)
        by, files = edit.by, self.files()
        changed = {
            path: files.get(path) for path in files.keys() | self._held if files.get(path) != self._held.get(path)
        }
        if by == "improvement":
            self._marks.append(edit.id)
        text = message(title, Origin(actor=AGENT, tenant="anden")) if by != "person" else f"{title}\n"
        who = f"{PERSON if by == 'person' else PROXY} {1_800_000_000 + self.number()} +0000".encode()
        mark = b"mark :%d\n" % len(self._marks) if by == "improvement" else b""
        parts = [b"commit refs/heads/main\n", mark, b"author %b\ncommitter %b\n" % (who, who)]
        parts.append(b"data %d\n%b" % (len(text.encode()), text.encode()))
        if not self._waiting and self._held:
            parts.append(b"from refs/heads/main^0\n")
        for path, data in sorted(changed.items(), key=lambda one: one[1] is not None):
            name = path.encode()
            parts.append(
                b"D %b\n" % name if data is None else b"M 644 inline %b\ndata %d\n%b\n" % (name, len(data), data)
            )
        self._waiting.append(b"".join(parts))
        self._held = files

    def flush(self) -> None:
        """Give git what waits, and the folder what HEAD holds."""
        if not self._waiting:
            return
        marks = b"".join(b"get-mark :%d\n" % number for number in range(1, len(self._marks) + 1))
        stream = b"feature done\n" + b"".join(self._waiting) + marks + b"done\n"
        out = self.git("fast-import", "--quiet", "--done", stdin=stream)
        for id_, commit in zip(self._marks, out.split(), strict=True):
            self.improvements[id_] = self.improvements[id_].model_copy(update={"commit": commit})
        self._waiting, self._marks = [], []
        self.git("reset", "--quiet", "--hard")

    def git(self, *words: str, stdin: bytes = b"") -> str:
        who = {f"GIT_{one}_{what}": "pat@example.org" for one in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        plain = {"PATH": os.defpath, "HOME": str(self.root), "GIT_CONFIG_NOSYSTEM": "1", "GIT_EDITOR": "true"}
        ran = subprocess.run(
            ["git", *words], cwd=self.root, env=plain | who, input=stdin, capture_output=True, check=True
        )
        return ran.stdout.decode()

    # What happens

    def land(self) -> None:
        """An improvement: one to three operations on rules that are not in probation and nobody's own."""
        rng, id_ = self.rng, f"i{self.number()}"
        world = self.world
        free = [uid for uid, held in world.items() if held.state == "kept"]
        rng.shuffle(free)
        effects: list[Effect] = []
        kinds: list[tuple[Any, int]] = []
        for _ in range(rng.choice((1, 1, 2, 3))):
            do = rng.choice(("ADD", "ADD", "UPDATE", "UPDATE", "UPDATE", "DELETE", "MOVE")) if free else "ADD"
            uid = free.pop() if do != "ADD" else 0
            match do:
                case "ADD":
                    effects.append(self._new_rule(f"leads/rule{self.number()}"))
                    uid = effects[-1].uid
                case "DELETE":
                    effects.append(Effect(uid=uid, do="delete"))
                case "MOVE":
                    new = f"{rng.choice(('leads', 'closing'))}/moved{self.number()}"
                    effects.append(Effect(uid=uid, do="rename", ref=new))
                case _:
                    effects += [*self._new_words(uid, world[uid]), Effect(uid=uid, do="anew")]
            kinds.append((do, uid))
        names = {
            held.ref for uid, held in world.items() if ("ADD", uid) not in kinds and uid in {uid for _, uid in kinds}
        }
        names |= {one.ref for one in effects if one.ref}
        edit = Edit("improvement", tuple(effects), id_, frozenset(names))
        after = replay([*self.edits, edit], self.undone).world
        operations = tuple(_operation(do, world.get(uid), after.get(uid)) for do, uid in kinds)
        _agree(operations, world, after, id_)
        self.improvements[id_] = Improvement(
            id=id_,
            tenant="anden",
            family="leads",
            idea=id_,
            intent=id_,
            operations=operations,
            state=State.PROBATION,
            opened=BEGIN,
            landed=BEGIN + timedelta(hours=len(self.improvements)),
        )
        self.commit(edit, f"anneal(leads): {id_}")

    def _free_name(self) -> str:
        """A new one, or that of a rule that is there no more: a person's to give again, the loop gives none twice."""
        taken = {held.ref for held in self.world.values()}
        gone = sorted({one.ref for edit in self.edits for one in edit.effects if one.ref} - taken)
        again = self.reuse and bool(gone) and self.rng.random() < 0.3
        return self.rng.choice(gone) if again else f"leads/rule{self.number()}"

    def _new_words(self, uid: int, held: Held) -> list[Effect]:
        if self.rng.random() < 0.25 or len(held.text) > LONGEST - 60:
            lines = tuple((self.number(), self.sentence()) for _ in range(self.rng.randint(1, 4)))
            made = [Effect(uid=uid, do="rewrite", lines=lines)]
        else:
            made = [self._new_line(uid, held)]
        if self.rng.random() < 0.3:
            made.append(Effect(uid=uid, do="trigger", new=f"word {self.number()}"))
        return made

    def _new_line(self, uid: int, held: Held) -> Effect:
        if self.rng.random() < 0.5:
            line = self.rng.choice(held.lines)
            return Effect(uid=uid, do="replace", line=line, old=held.words[line], new=self.sentence())
        places = [FIRST, *held.lines, LAST]
        at = self.rng.randrange(len(places) - 1)
        sides = {"left": places[at], "right": places[at + 1]}
        return Effect(uid=uid, do="insert", line=self.number(), new=self.sentence(), **sides)

    def keep(self) -> None:
        waiting = [id_ for id_ in self.standing() if self.improvements[id_].state is State.PROBATION]
        if not waiting:
            return
        id_ = self.rng.choice(waiting)
        self.improvements[id_] = self.improvements[id_].model_copy(update={"state": State.KEPT})
        ours = [uid for uid, held in self.world.items() if held.improvement == id_ and held.state == "probation"]
        if ours:
            self.commit(Edit("loop", tuple(Effect(uid=uid, do="state", state="kept") for uid in ours), id_), "note")

    def count(self) -> None:
        if world := self.world:
            uids = self.rng.sample(sorted(world), min(2, len(world)))
            self.commit(Edit("loop", tuple(Effect(uid=uid, do="count") for uid in uids)), "note")

    def edit_rule(self) -> None:
        world = self.world
        if not world:
            return
        uid = self.rng.choice(sorted(world))
        held, chance = world[uid], self.rng.random()
        effects = [self._new_line(uid, held)]
        if chance < 0.15 and len(held.lines) > 1:
            line = self.rng.choice(held.lines)
            effects = [Effect(uid=uid, do="cut", line=line, old=held.words[line], pure=self._came_alone(line))]
        elif chance < 0.3:
            effects = [Effect(uid=uid, do="trigger", new=f"word {self.number()}")]
        elif chance < 0.35:
            effects = [Effect(uid=uid, do="state", state="pinned")]
        elif chance < 0.45:
            effects = [Effect(uid=uid, do="delete")]
        self.commit(Edit("person", tuple(effects)), "Change directive")

    def _came_alone(self, line: int) -> bool:
        return any(one.do == "insert" and one.line == line for edit in self.edits for one in edit.effects)

    def write_rule(self) -> None:
        """A person's own rule says no state, and is pinned: the loop never touches it."""
        made = self._new_rule(self._free_name())
        self.commit(Edit("person", (made, Effect(uid=made.uid, do="state", state="pinned"))), "Write directive")

    def promote(self) -> None:
        kept = [uid for uid, held in self.world.items() if held.state == "kept"]
        if kept:
            uid = self.rng.choice(kept)
            self.others["directives/leads.md"] += f"\n{self.world[uid].text}\n"
            self.commit(Edit("person", (Effect(uid=uid, do="delete"),)), "Promote")

    def edit_other(self) -> None:
        path = self.rng.choice(("directives/leads.md", "life/notes.txt", "execution/send.py"))
        self.others[path] += f"# {self.number()}\n"
        self.commit(Edit(self.rng.choice(("person", "loop")), ()), f"Change {path}")

    def git_revert(self) -> None:
        """A person's, where git can do it and it says what was meant."""
        if not (standing := self.standing()):
            return
        id_ = self.rng.choice(standing)
        self.flush()
        drops = {(id_, one.uid) for edit in self.edits if edit.id == id_ for one in edit.effects}
        try:
            self.git("revert", "--no-edit", self.improvements[id_].commit)
        except subprocess.CalledProcessError:
            self.git("reset", "--quiet", "--hard")
            return
        meant = self.files(replay(self.edits, self.undone | drops).world)
        if self.tree() != meant:
            self.git("reset", "--quiet", "--hard", "HEAD~1")
            return
        self.undone |= drops
        self._held = meant
        self._end(id_)

    def tree(self) -> dict[str, bytes]:
        return {path: data for path, _, data in self.history.contents(self.history.head())}

    def take_back(self) -> Way | None:
        """Raises Mistake or a Fault."""
        if not (standing := self.standing()):
            return None
        culprit = self.rng.choice(standing)
        self.flush()
        head = self.history.head()
        expected = without(self.edits, self.undone, culprit, standing)
        wanted = self.files(expected.world)
        origin = Origin(actor=AGENT, tenant="anden", reason="worse")
        everything = list(self.improvements.values())
        made = take_back(self.history, everything, self.improvements[culprit], origin=origin, e=6.0, n=8)
        self._judge(made.commit, head, wanted)
        gone = expected.going[::-1][:-1]
        if made.superseded != gone:
            raise Mistake(f"{made.superseded} went too, not {gone}")
        self.undone |= expected.drops
        self._held = wanted
        for id_ in expected.going:
            self._end(id_)
        return made.way

    def _judge(self, commit: str, head: str, wanted: dict[str, bytes]) -> None:
        tree = self.tree()
        for path in sorted(tree.keys() | wanted.keys()):
            if tree.get(path) != wanted.get(path):
                raise Mistake(f"{path}: wanted {wanted.get(path)!r}, got {tree.get(path)!r}")
        for path, data in tree.items():
            checks.check(path, data)
        now = self.history.head()
        if now != (commit or head) or (commit and self.history.log(limit=1)[0].parents != (head,)):
            raise Mistake("not exactly one commit on HEAD")
        if self.history.uncommitted().changes:
            raise Mistake("the folder is not what HEAD says")

    def _end(self, id_: str) -> None:
        self.improvements[id_] = self.improvements[id_].model_copy(update={"state": State.ROLLED_BACK})


def _operation(do: Any, before: Held | None, after: Held | None) -> Operation:
    """In the words of the product."""
    seen = hash_of(before.text) if before else ""
    if after is None or before is None or do == "MOVE":
        name, to = (before or after), (after.ref if after and do == "MOVE" else "")
        assert name
        added = after if before is None else None
        text, triggers = (added.text, tuple(added.triggers)) if added else ("", ())
        return Operation(do=do, rule=name.ref, to=to, old_hash=seen, text=text, triggers=triggers)
    return Operation(do=do, rule=before.ref, old_hash=seen, text=after.text, triggers=tuple(after.triggers))


def _agree(operations: tuple[Operation, ...], before: World, after: World, id_: str) -> None:
    """That the product makes of the operations what was meant."""
    stamped = Stamped(improvement=id_, idea=f"idea of {id_}", since=SINCE)
    made = result(operations, {held.ref: held.rule() for held in before.values()}, stamped)
    assert made == {held.ref: held.rule() for held in after.values()}
