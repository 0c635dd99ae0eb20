"""Runs as rows, on real SQLite: opened once for what they cover, only of whom may be learned from."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from runtime.engine.database import Database
from runtime.learning import runs
from runtime.learning.moments import HOUR, Ending
from runtime.learning.remarks import LONGEST, MOST_CHARACTERS
from runtime.learning.runs import ALL, Run
from runtime.settings import Settings, load_settings
from runtime.tenant import blueprint
from runtime.tenant.registry import Tenant, Tenants
from runtime.tenant.secrets import Keys
from runtime.turns import inbox
from runtime.turns.letters import Letter
from runtime.turns.outbox import plan
from runtime.words import Conversation, How, Inbound, TurnId

OWNER, MEMBER, GUEST = "111", "222", "333"
WITH_OWNER = Conversation(f"telegram:{OWNER}")
NOW = 1_000_000.0


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database("sqlite", tmp_path / "var")
    yield opened
    opened.close()


@pytest.fixture
def tenant(tmp_path: Path) -> Tenant:
    settings: Settings = load_settings(tmp_path, {})
    Keys.of(settings).create()
    made = blueprint.create(settings, "Anden Wick", owner_telegram=OWNER)
    yaml = made.folder.read_text("tenant.yaml")
    more = f"people:\n  - {{name: May, role: member, telegram: {MEMBER}}}\n"
    more += f"  - {{name: Gus, role: guest, telegram: {GUEST}}}"
    made.folder.write_text("tenant.yaml", yaml.replace("people:", more))
    return Tenants(settings.tenants, Keys.of(settings)).get(made.id)


class Chat:
    """People who write to one tenant."""

    def __init__(self, database: Database, tenant: Tenant) -> None:
        self.database, self.tenant, self.number = database, tenant, 0

    def say(self, text: str, sender: str = OWNER, *, at: float = NOW, how: How = How.TYPED) -> int:
        """One message, answered; its place in the inbox."""
        self.number += 1
        id = str(self.number)
        message = Inbound(
            channel="telegram", id=id, sender=sender, address=sender, text=text, sent_at=datetime.now(UTC), how=how
        )
        person = self.tenant.config.person("telegram", sender)
        accepted = self.database.write_now(
            lambda tx: inbox.accept(tx, self.tenant.id, message, person, at, pace=10_000)
        )
        reply = Letter(channel="telegram", address=sender, text=f"Heard {text}")

        def answer(tx: runs.Transaction) -> None:
            inbox.close(tx, accepted.turn)
            plan(tx, accepted.turn, self.tenant.id, [reply], at)

        self.database.write_now(answer)
        return int(self.database.read_now(lambda tx: tx.run("SELECT max(seq) AS seq FROM inbox"))[0]["seq"])

    def ended(self, conversation: Conversation = WITH_OWNER, at: float = NOW) -> Run | None:
        id = self.database.write_now(lambda tx: runs.conversation_ended(tx, self.tenant, conversation, at))
        return self.find(id) if id else None

    def review(self, at: float) -> Run | None:
        id = self.database.write_now(lambda tx: runs.review_due(tx, self.tenant, at))
        return self.find(id) if id else None

    def find(self, id: str) -> Run:
        found = self.database.read_now(lambda tx: runs.find(tx, id))
        assert found
        return found

    def begin(self, run: Run) -> Run:
        begun = self.database.write_now(lambda tx: runs.begin(tx, run.id, NOW))
        assert begun
        return begun

    def end(self, run: Run, ending: Ending = Ending.MERGED, *, upto: int | None = None) -> None:
        self.database.write_now(lambda tx: runs.end(tx, run, ending, "", landed="", upto=upto, now=NOW))

    def seen(self, run: Run) -> list[str]:
        found = self.database.read_now(lambda tx: runs.covered(tx, run, self.tenant))
        return [one.message.text for one in found]

    def expired(self, before: float) -> list[Conversation]:
        return [where for _, where in self.database.read_now(lambda tx: runs.expired(tx, before))]


@pytest.fixture
def chat(database: Database, tenant: Tenant) -> Chat:
    return Chat(database, tenant)


def test_the_end_of_a_conversation_opens_one_run_for_what_was_said(chat: Chat) -> None:
    chat.say("one")
    last = chat.say("two")
    run = chat.ended()
    assert run
    assert (run.id, run.upto, run.state) == (f"run:{chat.tenant.id}:reflection:{WITH_OWNER}:000001", last, "due")
    assert chat.ended() == run, "the command is done again after a kill"
    assert chat.seen(run) == ["one", "two"]
    chat.begin(run)
    assert chat.ended() == chat.find(run.id), "it runs already, and covers all that was said"
    chat.end(run, upto=last)
    assert chat.ended() is None, "nothing was said since"
    chat.say("three")
    second = chat.ended()
    assert second
    assert second.id.endswith(":000002")
    assert chat.seen(second) == ["three"]


def test_one_that_waits_takes_what_is_said_since_along_and_one_that_runs_does_not(chat: Chat) -> None:
    chat.say("one")
    first = chat.ended()
    chat.say("two")
    again = chat.ended()
    assert first
    assert again
    assert again.id == first.id
    assert chat.seen(again) == ["one", "two"]
    chat.begin(again)
    chat.say("three")
    second = chat.ended()
    assert second
    assert second.id != first.id


def test_what_a_failed_run_covered_is_the_next_ones(chat: Chat) -> None:
    chat.say("one")
    run = chat.ended()
    assert run
    chat.end(chat.begin(run), Ending.FAILED)
    assert chat.expired(NOW + 1) == [], "it is not begun again by itself"
    chat.say("two", at=NOW + 10)
    assert chat.expired(NOW + 11) == [WITH_OWNER]
    following = chat.ended()
    assert following
    assert chat.seen(following) == ["one", "two"]


def test_a_cursor_never_goes_back(chat: Chat, database: Database) -> None:
    chat.say("one")
    run = chat.ended()
    assert run
    chat.end(run, upto=5)
    chat.end(run, upto=3)
    assert database.read_now(lambda tx: runs.learned(tx, chat.tenant.id, WITH_OWNER)) == 5


def test_nothing_said_is_no_run_nor_is_a_command(chat: Chat) -> None:
    assert chat.ended() is None
    message = Inbound(channel="telegram", id="c", sender=OWNER, address=OWNER, text="/reset", sent_at=datetime.now(UTC))
    owner = chat.tenant.config.owner
    chat.database.write_now(lambda tx: inbox.accept(tx, chat.tenant.id, message, owner, NOW, pace=30))
    assert chat.ended() is None


def test_a_guests_and_a_strangers_words_open_nothing_and_are_never_shown(chat: Chat) -> None:
    chat.say("from a guest", GUEST)
    chat.say("from a stranger", "999")
    assert chat.ended(Conversation(f"telegram:{GUEST}")) is None
    assert chat.ended(Conversation("telegram:999")) is None
    assert chat.expired(NOW + 1) == [], "what nobody learns from is not looked at again"
    chat.say("from a member", MEMBER)
    chat.review(NOW)
    run = chat.review(NOW + 8 * HOUR)
    assert run
    assert chat.seen(run) == ["from a member"]


def test_whoever_is_removed_is_not_learned_from(chat: Chat, tenant: Tenant) -> None:
    chat.say("from a member", MEMBER)
    run = chat.ended(Conversation(f"telegram:{MEMBER}"))
    assert run
    yaml = tenant.folder.read_text("tenant.yaml")
    tenant.folder.write_text("tenant.yaml", "\n".join(line for line in yaml.split("\n") if "May" not in line))
    home = tenant.folder.root.parent.parent
    chat.tenant = Tenants(home / "tenants", Keys.of(load_settings(home, {}))).get(tenant.id)
    assert chat.seen(run) == []


def test_a_conversation_expires_when_nobody_wrote_for_long(chat: Chat) -> None:
    chat.say("one", at=NOW)
    chat.say("two", at=NOW + 100)
    assert chat.expired(NOW + 100) == []
    assert chat.expired(NOW + 101) == [WITH_OWNER]
    run = chat.ended()
    assert run
    assert chat.expired(NOW + 101) == [], "a run covers it"
    chat.end(run, upto=run.upto)
    assert chat.expired(NOW + 101) == []


def test_reviews_come_in_their_time_over_all_conversations(chat: Chat) -> None:
    chat.say("one")
    chat.say("two", MEMBER)
    assert chat.review(NOW) is None, "the timer is set"
    first = chat.review(NOW + 8 * HOUR)
    assert first
    assert (first.conversation, chat.seen(first)) == (ALL, ["one", "two"])
    chat.end(first, upto=first.upto)
    chat.say("three")
    assert chat.review(NOW + 16 * HOUR) is None, "twelve hours have not passed"
    second = chat.review(NOW + 24 * HOUR)
    assert second
    assert chat.seen(second) == ["three"]
    chat.end(second, upto=second.upto)
    assert chat.review(NOW + 48 * HOUR) is None, "nothing was said"


def test_of_a_long_talk_a_review_sees_the_first_and_a_reflection_the_last(chat: Chat) -> None:
    said = [f"{number:02d}{'.' * (LONGEST - 2)}" for number in range(35)]
    for text in said:
        chat.say(text)
    shown = MOST_CHARACTERS // LONGEST
    reflection = chat.ended()
    assert reflection
    assert chat.seen(reflection) == said[-shown:]
    chat.review(NOW)
    first = chat.review(NOW + 8 * HOUR)
    assert first
    assert chat.seen(first) == said[:shown]
    chat.end(first, upto=first.upto)
    following = chat.review(NOW + 24 * HOUR)
    assert following
    assert chat.seen(following) == said[shown:]


def test_replies_stand_with_the_last_message_of_their_turn(chat: Chat, database: Database) -> None:
    chat.say("one")
    run = chat.ended()
    assert run
    [one] = database.read_now(lambda tx: runs.covered(tx, run, chat.tenant))
    assert one.replies == ("Heard one",)


def test_open_turns_are_those_without_a_reply(chat: Chat, database: Database) -> None:
    chat.say("one")
    assert database.read_now(lambda tx: runs.open_turns(tx, chat.tenant.id)) == 0
    message = Inbound(channel="telegram", id="x", sender=OWNER, address=OWNER, text="hi", sent_at=datetime.now(UTC))
    accepted = database.write_now(
        lambda tx: inbox.accept(tx, chat.tenant.id, message, chat.tenant.config.owner, NOW, pace=30)
    )
    assert database.read_now(lambda tx: runs.open_turns(tx, chat.tenant.id)) == 1
    database.write_now(lambda tx: inbox.close(tx, TurnId(accepted.turn)))
    assert database.read_now(lambda tx: runs.open_turns(tx, chat.tenant.id)) == 1


def test_attempts_count_and_are_given_back(chat: Chat, database: Database) -> None:
    chat.say("one")
    run = chat.ended()
    assert run
    begun = chat.begin(run)
    assert (begun.state, begun.attempts) == ("running", 1)
    database.write_now(lambda tx: runs.give_back(tx, begun, "cut short", NOW + 60))
    assert (chat.find(run.id).attempts, chat.find(run.id).due) == (0, NOW + 60)
    begun = chat.begin(run)
    database.write_now(lambda tx: runs.again(tx, begun, Ending.CONFLICT, "in the way", NOW + 5))
    again = chat.find(run.id)
    assert (again.state, again.attempts, again.outcome, again.problem) == ("due", 1, "conflict", "in the way")
    chat.end(run, upto=run.upto)
    assert database.write_now(lambda tx: runs.begin(tx, run.id, NOW)) is None
    assert database.read_now(runs.unfinished) == []
    assert [one.id for one in database.read_now(runs.last)] == [run.id]


PEOPLE = "life/relationships/people.md"


def test_one_consolidation_of_a_file_is_open_and_one_a_day(chat: Chat, database: Database) -> None:
    def over(blob: str, now: float, file: str = PEOPLE) -> str | None:
        return database.write_now(lambda tx: runs.over_budget(tx, chat.tenant.id, file, blob, now))

    first = over("a", NOW)
    assert first == f"run:{chat.tenant.id}:consolidation:relationships.people:000001"
    assert over("b", NOW + 60) == first, "one is open, whatever the file holds by now"
    assert over("a", NOW, "life/mine.md") != first
    run = chat.begin(chat.find(first))
    assert (run.kind.value, run.file, run.conversation, run.seen) == ("consolidation", PEOPLE, "", "a")
    database.write_now(lambda tx: runs.saw(tx, run, "b"))
    chat.end(run, Ending.FAILED)
    assert over("c", NOW + 24 * HOUR - 1) is None, "it failed today"
    second = over("b", NOW + 24 * HOUR)
    assert second
    assert second.endswith(":000002")
    chat.end(chat.begin(chat.find(second)), Ending.MERGED)
    assert over("b", NOW + 99 * HOUR) is None, "what it shortened was brought back"
    assert over("c", NOW + 99 * HOUR) is not None
    assert chat.review(NOW) is None
    assert chat.review(NOW + 8 * HOUR) is None, "a consolidation is nothing that was said"
    assert database.read_now(lambda tx: runs.learned(tx, chat.tenant.id, ALL)) == 0
