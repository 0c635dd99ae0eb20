"""Recall on a real folder, with real git and a real index: what was said once is found, what is no longer so is not."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from runtime.tenant.folder import Folder
from runtime.tenant.git.history import AGENT, History, Origin
from runtime.tenant.life import facts as lines
from runtime.tenant.life.facts import Fact, Source
from runtime.tenant.life.files import Life, LifeFile
from runtime.tenant.messages import MessageLine, MessageLog
from runtime.tenant.search.index import Index
from runtime.tenant.search.recall import Recall, Recalled
from runtime.tenant.search.tables import transaction
from runtime.tenant.turnlog import TurnLine, TurnLog
from runtime.words import Conversation, Direction, How, TurnId

ZONE = ZoneInfo("America/Denver")
NOW = datetime(2026, 11, 20, 15, 0, tzinfo=ZONE)
TALK = Conversation("telegram:1")
PEOPLE = "life/relationships/people.md"


class Memory:
    """One tenant, written as the product writes it."""

    def __init__(self, root: Path) -> None:
        (root / "anden").mkdir(parents=True)
        self.folder = Folder(root / "anden")
        self.history = History(self.folder, home=root)
        self.life = Life(self.folder, self.history)
        self.path = root / "index.db"
        self.log, self.turns = MessageLog(self.folder), TurnLog(self.folder)
        self.folder.write_text("tenant.yaml", "name: Anden\n")
        self.history.create(Origin(actor="admin", tenant="anden"))
        self.count = 0
        self.recall = self.fresh()

    def fresh(self) -> Recall:
        return Recall(self.life, Index(self.path), self.history, self.folder, zone=ZONE)

    def say(self, text: str, *, day: int = 0, how: How = How.TYPED, turn: str = "") -> str:
        self.count += 1
        line = MessageLine(
            id=f"m{self.count}",
            at=datetime(2026, 11, 1, 17, tzinfo=UTC) + timedelta(days=day, seconds=self.count),
            channel="telegram",
            conversation=TALK,
            direction=Direction.OUTBOUND if how in (How.AGENT, How.ECHO) else Direction.INBOUND,
            person="" if how is How.AGENT else "Anden",
            text=text,
            how=how,
            turn=TurnId(turn or f"turn:{self.count}"),
        )
        self.log.append([line])
        return line.id

    def learn(self, section: str, text: str, *, message: str = "", day: str = "2026-11-02", old: str = "") -> None:
        file = self.life.read(PEOPLE)
        fact = Fact(text, section, Source(date=day, who="Anden", how="typed", message=message))
        changed = lines.swap(file.body, old, fact, section=section) if old else lines.add(file.body, fact)
        self.keep(file, changed.body)

    def forget(self, section: str, old: str) -> None:
        file = self.life.read(PEOPLE)
        self.keep(file, lines.drop(file.body, old, section=section).body)

    def keep(self, file: LifeFile, body: str) -> None:
        self.life.write(replace(file, body=body))
        assert self.history.commit_agent(Origin(actor=AGENT, tenant="anden", turn=f"turn:{self.count}")).commits

    def ask(self, question: str, *, limit: int = 5) -> Recalled:
        return self.recall.recall(question, limit=limit, now=NOW)


@pytest.fixture
def memory(tmp_path: Path) -> Memory:
    return Memory(tmp_path)


def texts(found: Recalled) -> list[str]:
    return [one.text for one in found.facts]


def test_what_was_said_once_is_found_with_where_it_stands(memory: Memory) -> None:
    said = memory.say("sarah kim can go to 550k")
    memory.learn("Sarah Kim", "Budget: up to $550,000.", message=said)
    found = memory.ask("what can Sarah afford?")
    [fact] = found.facts
    assert (fact.text, fact.rel, fact.section) == ("Budget: up to $550,000.", PEOPLE, "Sarah Kim")
    assert fact.source == Source(date="2026-11-02", who="Anden", how="typed", message=said)
    assert 0 < fact.score <= 1
    assert found.hits == ()  # what it was learned from says nothing more


def test_what_is_not_known_of_somebody_is_told_as_not_known(memory: Memory) -> None:
    memory.learn("Sarah Kim", "Budget: up to $550,000.")
    found = memory.ask("What is Tom's budget?")
    assert (found.facts, found.hits, found.about) == ((), (), ())
    assert found.unknown == ("Tom's",)
    found = memory.ask("What is Sarah Kim's email?")
    assert found.facts == ()
    assert [one.text for one in found.about] == ["Budget: up to $550,000."]


def test_a_message_that_is_no_fact_comes_after_the_facts(memory: Memory) -> None:
    memory.learn("Sarah Kim", "Budget: up to $550,000.")
    said = memory.say("Sarah Kim was impressed by the kitchen on Gaylord")
    memory.say("the kitchen on Gaylord is lovely", how=How.AGENT)
    found = memory.ask("which kitchen impressed Sarah Kim?")
    assert [(one.message, one.person, one.how) for one in found.hits] == [(said, "Anden", "typed")]
    assert found.hits[0].at.tzinfo is ZONE
    assert memory.ask("impressed by Gaylord kitchen", limit=1).hits[0].message == said


def test_the_question_itself_is_no_answer(memory: Memory) -> None:
    said = memory.say("the roof leaks at 12 Oak Street")
    asking = memory.say("what leaks at 12 Oak Street, the roof?")
    found = memory.recall.recall("what leaks at 12 Oak Street, the roof? And who mends it?", now=NOW, asking={asking})
    assert [one.message for one in found.hits] == [said]
    assert "mends" in found.unknown


def test_a_replaced_fact_does_not_come_back_by_any_message(memory: Memory) -> None:
    first = memory.say("sarah kim's budget is 500k")
    memory.learn("Sarah Kim", "Budget: up to $500,000.", message=first)
    memory.say("as I said, budget of sarah kim is 500k", how=How.VOICE)  # said again, nothing to learn
    second = memory.say("sarah kim's budget is 550k now", day=5)
    memory.learn("Sarah Kim", "Budget: up to $550,000.", message=second, day="2026-11-06")
    found = memory.ask("Sarah Kim's budget?")
    assert texts(found) == ["Budget: up to $550,000."]
    assert found.hits == ()


def test_a_forgotten_fact_is_gone_at_once_and_by_every_way(memory: Memory) -> None:
    said = memory.say("sarah kim's cell is 303-555-0147")
    memory.learn("Sarah Kim", "Phone: 303-555-0147.", message=said)
    memory.learn("Sarah Kim", "Area: Baker.")
    memory.say("call sarah kim at 303-555-0147 please")
    assert texts(memory.ask("phone of Sarah Kim")) == ["Phone: 303-555-0147."]
    memory.forget("Sarah Kim", "Phone: 303-555-0147.")
    found = memory.ask("phone of Sarah Kim")
    assert (found.facts, found.hits) == ((), ())
    memory.learn("Sarah Kim", "Phone: 303-555-0147.")  # and again
    assert texts(memory.ask("phone of Sarah Kim")) == ["Phone: 303-555-0147."]


def test_a_fact_that_was_never_committed_counts_and_a_persons_own_line_too(memory: Memory) -> None:
    memory.folder.write_text(PEOPLE, memory.life.read(PEOPLE).text + "\n## Bo Lind\n- Allergic to cats\n")
    [fact] = memory.ask("is Bo Lind allergic").facts
    assert (fact.text, fact.source) == ("Allergic to cats", None)


def test_a_day_in_the_question_is_the_tenants(memory: Memory) -> None:
    memory.folder.write_text(
        "life/events/2026-11.md",
        memory.life.read("life/events/2026-11.md").text + "- Closing with Bo Lind on 2026-11-21 at 10:00.\n",
    )
    late = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)  # still the 20th in Denver
    assert len(memory.recall.recall("what is tomorrow?", now=late).facts) == 1
    assert memory.recall.recall("what is today?", now=late).facts == ()


def test_how_often_a_fact_was_shown_decides_between_equals_and_is_counted_from_the_turn_log(memory: Memory) -> None:
    for text in ("Likes rye bread.", "Likes green tea.", "Likes old maps."):
        memory.learn("Sarah Kim", text)
    shown = str(next(one for one in memory.ask("Sarah Kim").facts if one.text == "Likes old maps."))
    tools = [{"name": "mcp__staff__recall", "input": {}, "output": f"Known:\n{shown}\n", "ok": True}]
    memory.turns.append([TurnLine(turn=TurnId(f"t{n}"), at=NOW, conversation=TALK, tools=tools) for n in range(3)])
    assert texts(memory.ask("Sarah Kim"))[0] == "Likes old maps."
    index = Index(memory.path)
    index.rebuild(memory.folder)
    assert index.used(["Likes old maps.", "Likes rye bread."]) == {"Likes old maps.": 3}


def test_a_turn_that_remembered_hides_its_message_also_when_nothing_was_new(memory: Memory) -> None:
    memory.learn("Sarah Kim", "Pet: a beagle.")
    memory.say("Sarah Kim's pet, the beagle, again", day=20, turn="turn:again")
    tools = [{"name": "mcp__staff__remember", "input": {}, "output": "known already", "ok": True}]
    assert len(memory.ask("Sarah Kim's pet").hits) == 1
    memory.turns.append([TurnLine(turn=TurnId("turn:again"), at=NOW, conversation=TALK, tools=tools)])
    assert memory.ask("Sarah Kim's pet").hits == ()


def test_a_rebuilt_index_and_a_new_process_give_the_same(memory: Memory) -> None:
    first = memory.say("sarah kim's budget is 500k")
    memory.learn("Sarah Kim", "Budget: up to $500,000.", message=first)
    memory.learn("Sarah Kim", "Budget: up to $550,000.", message=memory.say("make that 550k for sarah kim"))
    memory.say("sarah kim's budget talk went well")
    before = memory.ask("Sarah Kim's budget")
    Index(memory.path).rebuild(memory.folder)
    assert memory.ask("Sarah Kim's budget") == before
    memory.path.unlink()
    assert memory.fresh().recall("Sarah Kim's budget", now=NOW) == before


def test_a_history_that_was_rewritten_is_read_anew(memory: Memory) -> None:
    said = memory.say("Bo Lind has a boat")
    memory.learn("Bo Lind", "Has a boat.", message=said)
    index = Index(memory.path)
    memory.ask("Bo Lind")
    assert index.learned_up_to() == memory.history.head()
    with index._opened() as db, transaction(db):
        db.conn.execute("UPDATE marks SET value = ?", ["0" * 40])
        db.conn.execute("INSERT INTO learned VALUES ('of another history')")
    memory.ask("Bo Lind")
    with index._opened() as db:
        assert {row[0] for row in db.conn.execute("SELECT name FROM learned")} == {said, "turn:1"}


def test_only_what_changed_is_read_again(memory: Memory) -> None:
    memory.learn("Sarah Kim", "Pet: a beagle.")
    memory.ask("Sarah Kim")
    kept = memory.recall._memory
    memory.ask("Sarah Kim")
    memory.folder.write_text("life/notes.md", "- The office alarm is set at 9 pm.\n")
    assert texts(memory.ask("office alarm")) == ["The office alarm is set at 9 pm."]
    again = memory.recall._memory
    assert again.files[PEOPLE][0].candidate is kept.files[PEOPLE][0].candidate


def test_facts_are_given_also_when_the_messages_cannot_be_searched(memory: Memory) -> None:
    memory.learn("Sarah Kim", "Pet: a beagle.")
    memory.path.parent.joinpath("index.db").mkdir()  # what no SQLite can open
    found = memory.ask("Sarah Kim's pet")
    assert (texts(found), found.searched) == (["Pet: a beagle."], False)
