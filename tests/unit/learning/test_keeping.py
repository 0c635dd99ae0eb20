"""What of a run's changes may stay: a few facts more, in files that can be read, and nothing else."""

import pytest

from runtime.learning.keeping import keep
from runtime.learning.prompts import MOST_FACTS
from runtime.tenant.git.changes import FILE, Change, Entry, blob_id
from runtime.tenant.life.files import new

CONTACTS = "life/knowledge/contacts.md"
HEAD = new(CONTACTS).text


def changed(path: str, text: str | None) -> Change:
    before = Entry(FILE, "0" * 40)
    if text is None:
        return Change(path, before, None)
    data = text.encode()
    return Change(path, before, Entry(FILE, blob_id(data)), data)


def facts(*words: str) -> str:
    return HEAD + "".join(f"- {one}\n" for one in words)


def kept(after: str | None, before: str = HEAD, path: str = CONTACTS) -> str:
    """What is wrong with one change; nothing when it may land."""
    found = keep([changed(path, after)], {path: before.encode()})
    assert bool(found.changes) is not bool(found.problem)
    return found.problem


def test_a_few_more_facts_may_land() -> None:
    assert kept(facts("Bill sells in May.", "Ann buys.")) == ""
    assert kept(facts("Bill sells in June."), facts("Bill sells in May.")) == "", "one that took another's place"


@pytest.mark.parametrize(
    ("after", "before", "problem"),
    [
        (facts(*(f"fact {n}" for n in range(MOST_FACTS + 1))), HEAD, "it added 9 facts"),
        (facts("Ann buys."), facts("Ann buys.", "Bill sells."), "it took out 1 facts and added 0"),
        (HEAD, facts("Ann buys.", "Bill sells."), "it took out 2 facts"),
        (None, HEAD, "it removed life/knowledge/contacts.md"),
        ("---json\n{broken\n---\n- Ann buys.\n", HEAD, "it left a file that cannot be read"),
    ],
)
def test_what_did_too_much_changes_nothing(after: str | None, before: str, problem: str) -> None:
    assert kept(after, before).startswith(problem)


def test_what_lies_elsewhere_is_left_behind_and_named() -> None:
    life = changed(CONTACTS, facts("Bill sells in May."))
    others = [
        changed(path, "x") for path in ("directives/README.md", "execution/send.py", "life/run.sh", "tenant.yaml")
    ]
    found = keep([*others, life], {CONTACTS: HEAD.encode()})
    assert found.changes == (life,)
    assert found.left == tuple(one.path for one in others)
    assert keep(others, {}).changes == ()
