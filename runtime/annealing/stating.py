"""A rule that the owner states: written at once in their own words, pinned, and never taken back without asking.

Owns where it is written and that it is there once. Only its form is looked at; of one that is refused the owner is
told. Does not own what counts as a rule (signals/stated).
"""

import asyncio
import hashlib
import re
from collections.abc import Collection, Iterable
from datetime import datetime

from runtime import logs
from runtime.annealing import landing, telling
from runtime.annealing.gate import mechanical
from runtime.annealing.loop import Loop, improvements
from runtime.annealing.proposing.evidence import family_of
from runtime.annealing.records import Improvement, Kind, Operation, State
from runtime.annealing.verification.ideas import idea, same_words
from runtime.errors import NotFound
from runtime.tenant.git.commits import Conflict, one_line
from runtime.tenant.heads import Rule as Head
from runtime.tenant.registry import Tenant
from runtime.tenant.rules.files import RULES, Rule
from runtime.tenant.rules.shelf import Shelf
from runtime.tenant.turnlog import TurnLine
from runtime.words import TurnId

WORDS = 6
"""Of a rule's text that name it."""

log = logs.get("annealing")


async def write(loop: Loop, tenant: Tenant, turn: TurnId, message: str, text: str) -> None:
    """Write ``text``, which the message with that id states, as a rule of the directive the turn went by. Nothing
    when a rule says so already, or the turn itself has changed a directive for it."""
    place = improvements(tenant)
    name = f"stated-{hashlib.sha256(f'{turn} {message}'.encode()).hexdigest()[:10]}"
    if await asyncio.to_thread(_is_there, place.find, name):
        return
    line = await asyncio.to_thread(loop.records.book(tenant).turns.find, turn)
    known = await asyncio.to_thread(Shelf(tenant.folder).rules)
    rule = next((one for one in known if one.head.improvement == name), None)  # it has landed, before a kill
    now = loop.now()
    if rule is None:
        if any(same_words(one.text, text) for one in known) or await asyncio.to_thread(_changed, loop, tenant, line):
            return
        rule = made(
            family_of(line.exposures if line else ()),
            text,
            now,
            improvement=name,
            taken={*(one.ref for one in known), *await asyncio.to_thread(place.names)},
        )
    one = Improvement(
        id=name,
        tenant=tenant.id,
        kind=Kind.STATED,
        family=rule.directive,
        idea=rule.head.idea,
        intent=one_line(text, 60),
        mechanism="the owner said so",
        operations=(Operation(do="ADD", rule=rule.ref, text=rule.text),),
        state=State.KEPT,
        opened=now,
    )
    if problems := await asyncio.to_thread(_problems, tenant, one, rule, known):
        reason = "; ".join(problem.removeprefix(f"ADD {rule.ref}: ") for problem in problems)[:1000]
        refused = one.model_copy(update={"state": State.REJECTED, "reason": reason})
        await loop.database.write(lambda tx: telling.tell(tx, tenant, refused, loop.clock()))
        log.warning("rule.not_written", tenant=tenant.id, rule=rule.ref, problem=reason)
        return
    async with loop.lanes.folder(tenant.id):
        await asyncio.to_thread(loop.records.settle, tenant, turn)
        try:
            commit = await asyncio.to_thread(landing.land, loop.history(tenant), one, {rule.path: rule.rendered})
        except Conflict as fault:
            log.warning("rule.not_written", tenant=tenant.id, rule=rule.ref, problem=fault.problem)
            return
    if commit is None:
        return
    kept = one.model_copy(update={"commit": commit.id, "landed": commit.at, "ended": commit.at})
    await loop.database.write(lambda tx: telling.tell(tx, tenant, kept, loop.clock()))
    await asyncio.to_thread(place.put, kept)
    log.info("rule.stated", tenant=tenant.id, rule=rule.ref, commit=commit.id)


def made(family: str, text: str, now: datetime, *, improvement: str, taken: Collection[str]) -> Rule:
    """The rule's file: named after its first words, and after no other one's."""
    words = "-".join(re.findall(r"[a-z0-9]+", text.lower())[:WORDS])[:60].strip("-") or "rule"
    ids = (words if number == 1 else f"{words}-{number}" for number in range(1, len(taken) + 2))
    id = next(one for one in ids if f"{family}/{one}" not in taken)
    head = Head(
        id=id,
        idea=idea(family, "", text).key,
        state="pinned",
        since=now.date(),
        improvement=improvement,
    )
    return Rule(family, head, text.strip())


def _problems(tenant: Tenant, one: Improvement, rule: Rule, known: Iterable[Rule]) -> tuple[str, ...]:
    """What forbids it whoever says it: a secret, words to the system, no room for it where rules are shown."""
    before = {other.ref: other for other in known}
    names = [name.removesuffix(".md") for name in tenant.folder.names("directives") if name.endswith(".md")]
    return mechanical.problems(
        one.operations,
        [(rule.path, rule.rendered)],
        family=rule.directive,
        directives={name: tenant.folder.read_text(f"directives/{name}.md") for name in names},
        before=before,
        after={**before, rule.ref: rule},
        approved=True,
    )


def _is_there(find: object, name: str) -> bool:
    assert callable(find)
    try:
        find(name)
    except NotFound:
        return False
    return True


def _changed(loop: Loop, tenant: Tenant, line: TurnLine | None) -> bool:
    """Whether the turn has written it down as a directive by itself."""
    history = loop.history(tenant)
    for id in line.commits if line else ():
        files = history.find(id).files
        if any(path.startswith("directives/") and not path.startswith(f"{RULES}/") for path in files):
            return True
    return False
