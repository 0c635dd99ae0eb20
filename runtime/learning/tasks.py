"""What each kind of run does in its folder: what the agent is asked, with whose words, and what of it may stay.

Owns the difference between learning from what was said and consolidating a file. Does not own the steps of a run
(runner.py), the words of a prompt (prompts.py) nor the rules of what may stay (keeping.py, consolidating.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from runtime.learning import consolidating, keeping, prompts, transcript
from runtime.learning.keeping import Kept
from runtime.learning.moments import Kind
from runtime.learning.remarks import Remark
from runtime.tenant.git.changes import Change
from runtime.tenant.git.worktrees import Worktree
from runtime.tenant.life import merging
from runtime.tenant.life.budgets import Budgets, budget_of, size_of
from runtime.tenant.life.facts import Fact
from runtime.tenant.life.files import parse
from runtime.tenant.life.kinds import kind_of
from runtime.tenant.life.merging import outline
from runtime.tenant.life.sources import Said
from runtime.turns import prompt
from runtime.words import How, Role

TARGET = 0.9
"""Of its budget that a file is to have after a consolidation, so that the next fact does not open another one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """What the agent is asked. ``said`` is where facts may come from."""

    prompt: str
    said: tuple[Said, ...]
    role: Role


class Task(Protocol):
    """``upto``: how far of what was said it covers; None when it is not about that."""

    @property
    def upto(self) -> int | None: ...

    def begin(self, tree: Worktree, /) -> Brief | None:
        """Do in the folder what needs no model; None when nothing is left to ask. Blocks."""

    def keep(self, changes: Sequence[Change], before: Mapping[str, bytes]) -> Kept:
        """What may land. ``before``: what was in the files that changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Learning:
    """A reflection or a review of ``found``. ``covers``: how far it goes when nothing was found, because it was erased,
    or said by somebody who is not among the tenant's people any more."""

    kind: Kind
    found: tuple[Remark, ...]
    zone: ZoneInfo
    covers: int

    @property
    def upto(self) -> int:
        return self.found[-1].seq if self.found else self.covers

    def begin(self, _tree: Worktree) -> Brief | None:
        """On behalf of whoever spoke: a member's words cause no more in a run than in a turn."""
        if not self.found:
            return None
        by_owner = any(one.person.role is Role.OWNER for one in self.found)
        return Brief(
            prompt=prompts.compose(self.kind, transcript.render(self.found, self.zone)),
            said=tuple(said for one in self.found for said in prompt.said([one.message], one.person)),
            role=Role.OWNER if by_owner else Role.MEMBER,
        )

    def keep(self, changes: Sequence[Change], before: Mapping[str, bytes]) -> Kept:
        return keeping.keep(changes, before)


@dataclass(frozen=True, slots=True, kw_only=True)
class Consolidating:
    """The file ``rel``, which was over its budget when the run was opened. ``now`` is in the tenant's zone."""

    rel: str
    budgets: Budgets
    now: datetime
    upto: None = None

    def begin(self, tree: Worktree) -> Brief | None:
        """Facts that another one covers are taken out here; the model is asked when that is not enough. It speaks with
        a member's role, which has nobody forgotten."""
        found = parse(self.rel, tree.before(self.rel).decode("utf-8", "replace"))
        if size_of(found.body) <= self.budget:
            return None
        body = merging.merged(found.body).body
        if body != found.body:
            tree.folder.write_text(self.rel, replace(found, body=body).text)
        facts = outline(body).facts
        if size_of(body) <= self.budget or not facts:
            return None
        return Brief(
            prompt=prompts.consolidate(
                self.rel,
                found.kind,
                facts,
                size=size_of(body),
                budget=self.budget,
                target=int(self.budget * TARGET),
                today=self.now.date(),
            ),
            said=tuple(sorted((_said(one.fact, self.now) for one in facts), key=lambda one: one.at)),
            role=Role.MEMBER,
        )

    def keep(self, changes: Sequence[Change], before: Mapping[str, bytes]) -> Kept:
        return consolidating.keep(
            changes, before.get(self.rel, b""), rel=self.rel, budget=self.budget, today=self.now.date()
        )

    @property
    def budget(self) -> int:
        return budget_of(kind_of(self.rel), self.budgets)


def _said(fact: Fact, now: datetime) -> Said:
    """A fact as something that was said, by whom its source names; one without a source a person wrote there."""
    source = fact.source
    if source is None:
        return Said(id="", who="", how=How.TYPED, text=fact.text, at=datetime.fromtimestamp(0, UTC))
    how = next((one for one in How if one.value == source.how), How.DOCUMENT)
    at = datetime.fromisoformat(source.date).replace(hour=12, tzinfo=now.tzinfo)
    return Said(id=source.message, who=source.who, how=how, text=fact.text, at=at)
