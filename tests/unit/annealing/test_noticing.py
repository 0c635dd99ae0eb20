"""What a turn says of the one before it, on real folders, git and database."""

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from runtime.annealing import jobs
from runtime.annealing.gate.cases import Cases
from runtime.annealing.records import Kind
from runtime.annealing.signals.records import Hard, Label
from runtime.tenant import blueprint
from runtime.tenant.config import edit_config
from runtime.tenant.turnlog import TurnLine, TurnLog
from runtime.words import How, TenantId, TurnId
from tests.annealing_house import SHOWINGS, TALK, House, inbound, killed_everywhere, rule_of

WRONG = "no, Saturday, not Sunday. I said Saturday"
RULE = "From now on always attach the W-9 with invoices"
FIRST = TurnId("turn:anden:telegram:111222333:00000001")


def booked(house: House, *, exposures: tuple[str, ...] = ("directives/showings.md",)) -> None:
    house.ended(1, inbound("Book a showing at 12 Elm", id="1"), replied="Booked for Sunday.", exposures=exposures)


async def test_a_correction_blames_the_turn_before(house: House) -> None:
    booked(house)
    house.ended(2, inbound(WRONG, id="2"))
    await house.look()
    [one] = house.signals()
    assert (one.kind, one.turn, one.message, one.bad) == (Label.CORRECTION, FIRST, "2", True)
    assert house.loop.database.read_now(jobs.with_unjudged) == []
    await house.look()
    assert len(house.signals()) == 1


async def test_what_an_owner_states_is_a_rule_at_once(house: House) -> None:
    booked(house)
    house.ended(2, inbound(RULE, id="2"))
    await house.look()
    [one] = house.store.all()
    assert (one.kind, one.operations[0].text) == (Kind.STATED, RULE)
    assert len(house.told()) == 1


def with_people(house: House) -> None:
    def change(tree: dict[str, object]) -> None:
        people = tree["people"]
        assert isinstance(people, list)
        people.append({"name": "Mia", "role": "member", "telegram": "444"})
        people.append({"name": "Gus", "role": "guest", "telegram": "555"})

    edit_config(house.tenant.folder, change)
    house.history.commit_admin()


@pytest.mark.parametrize("text", [WRONG, RULE])
@pytest.mark.parametrize(
    "how",
    [
        {"sender": "444"},
        {"sender": "555"},
        {"sender": "999"},
        {"how": How.FORWARDED},
        {"how": How.DOCUMENT},
        {"how": How.ECHO},
        {"text": "> {text}\n> and so on"},
        {"text": "Fwd: from Bob Tanner\n---------- Forwarded message ----------\nFrom: Bob <b@x.org>\n\n{text}"},
        {"text": "“{text}”, says the buyer's agent"},
    ],
    ids=["member", "guest", "stranger", "forwarded", "document", "echo", "quoted", "pasted", "cited"],
)
async def test_only_the_owners_own_words_say_anything(house: House, how: dict[str, object], text: str) -> None:
    with_people(house)
    given = {"conversation": TALK, "text": text} | how
    said = str(given.pop("text")).replace("{text}", text)
    talk = given.pop("conversation")
    booked(house)
    message = inbound(said, id="2", address="111222333", **given)
    assert message.conversation == talk
    house.ended(2, message)
    await house.look()
    assert (house.signals(), house.store.all(), house.told()) == ([], [], [])


@pytest.mark.parametrize(("how", "made"), [(How.TYPED, True), (How.FORWARDED, False)])
async def test_only_the_owners_own_thanks_make_a_case(house: House, how: How, made: bool) -> None:
    booked(house)
    second = house.ended(2, inbound(WRONG, id="2"), replied="Booked for Saturday.")
    house.said(second, WRONG, house.now)
    house.ended(3, inbound("Thanks, perfect", id="3", how=how))
    await house.look()
    assert (Cases(house.tenant.folder).of_source(f"turn:{second}") is not None) is made


async def test_in_a_group_only_what_the_owner_says_counts(house: House) -> None:
    with_people(house)
    ours = {"group": "-100", "address": "-100"}
    house.ended(1, inbound("Book a showing", id="1", **ours), replied="Booked for Sunday.")
    house.ended(2, inbound(WRONG, id="2", sender="555", **ours), inbound(RULE, id="3", sender="555", **ours))
    await house.look()
    assert (house.signals(), house.store.all()) == ([], [])
    house.ended(3, inbound("ok", id="4", **ours), replied="Booked for Sunday.")
    house.ended(4, inbound("Hm.", id="5", sender="555", **ours), inbound(WRONG, id="6", **ours))
    await house.look()
    assert [one.message for one in house.signals()] == ["6"]


async def test_what_needs_no_words_blames_the_turn_it_happened_in(house: House) -> None:
    house.ended(1, inbound("Send it to Ben", id="1"), replied="I could not.")
    tools = ({"name": "send_email", "input": {}, "output": "timed out", "ok": False, "effect": "external"},)
    turn = TurnId("turn:anden:telegram:111222333:00000002")
    TurnLog(house.tenant.folder).append([TurnLine(turn=turn, at=house.now, conversation=TALK, tools=tools)])
    house.ended(2, inbound("Send the brochure to Mia", id="2"))
    await house.look()
    assert [(one.kind, one.turn, one.tool) for one in house.signals()] == [(Hard.TIMEOUT, turn, "send_email")]


async def test_the_same_question_again_says_that_the_answer_was_none(house: House) -> None:
    question = "What is the lockbox code of 12 Elm Street"
    house.ended(1, inbound(question, id="1"), replied="A lockbox holds a key.")
    house.ended(2, inbound(question, id="2"), replied="It does.")
    await house.look()
    assert [(one.kind, one.turn) for one in house.signals()] == [(Hard.ASKED_AGAIN, FIRST)]


async def test_commands_runs_and_notices_are_passed_over(house: House) -> None:
    booked(house)
    insert = (
        "INSERT INTO turn (id, tenant, conversation, state, opened, finished) VALUES (:id, 'anden', 'c', 'done', 1, 1)"
    )
    ids = ["command:anden:telegram:111222333:7", "notice:anden:telegram:111222333:x", "note:anden:telegram:1:8"]
    for id in ids:
        house.loop.database.write_now(lambda tx, id=id: tx.run(insert, id=id))
    await house.look()
    assert house.loop.database.read_now(jobs.with_unjudged) == []
    assert house.signals() == []


async def test_a_model_that_judges_otherwise_after_a_kill_adds_no_second_signal(house: House) -> None:
    """Killed after the signals were written and before the turn was marked."""
    booked(house)
    house.ended(2, inbound(WRONG, id="2"))
    house.asked.answers["signal"] = answer("correction")
    tenant = house.tenant
    await house.noticing._judge(tenant, TurnId("turn:anden:telegram:111222333:00000002"))
    house.asked.answers["signal"] = answer("complaint")
    await house.look()
    assert [one.kind for one in house.signals()] == [Label.CORRECTION]


def answer(label: str) -> dict[str, object]:
    return {"label": label, "p": 0.95, "about": "assistant", "source": "owner", "expected": "Saturday", "span": WRONG}


async def test_a_look_that_is_killed_anywhere_leaves_each_once(house: House, tmp_path: Path) -> None:
    one = house.land()
    house.turns("x", [rule_of(one)])
    house.ended(2, inbound("Book a showing at 12 Elm", id="1"), replied="Booked for Sunday.", exposures=[rule_of(one)])
    house.ended(3, inbound(WRONG, id="2"), inbound(RULE, id="3"), exposures=[f"directives/{SHOWINGS}.md"])

    def end(it: House) -> object:
        return (
            sorted((signal.id, signal.kind) for signal in it.signals()),
            sorted((each.id, each.state, each.reason) for each in it.store.all()),
            sorted(commit.subject for commit in it.commits()),
            sorted(it.told()),
            [grave.strikes for grave in it.graves.tombstones()],
            it.loop.database.read_now(jobs.with_unjudged),
        )

    assert await killed_everywhere(house, tmp_path, lambda it: it.look(), end) > 20


async def test_a_tenant_that_breaks_rests_and_stops_nobody_else(house: House) -> None:
    zoe = blueprint.create(house.settings, "Zoe")
    house.tenant.folder.write_text("state/annealing/frozen.json", "{")
    house.tenant.folder.make("state/annealing/improvements/bad.json")
    house.ended(1, inbound("Hi", id="1"))
    clock = house.clock()
    with capture_logs() as seen:
        await clock.look(every=True)
        await clock.look(every=True)
    assert [line["tenant"] for line in seen if line["event"] == "look.failed"] == ["anden"]
    assert list(clock.resting) == [TenantId("anden")]
    assert house.loop.database.read_now(lambda tx: jobs.head(tx, zoe.id)) != ""


async def test_a_tenant_that_is_gone_is_passed_over(house: House) -> None:
    house.ended(1, inbound("Hi", id="1"))
    house.root.rename(house.settings.home / "away")
    clock = house.clock()
    with capture_logs() as seen:
        await clock.look(every=True)
    assert [line for line in seen if line["log_level"] == "error"] == []


async def test_a_paused_tenant_is_still_watched_and_no_walk_is_opened(house: House) -> None:
    def change(tree: dict[str, object]) -> None:
        tree["improvements"] = {"paused": True}

    edit_config(house.tenant.folder, change)
    house.history.commit_admin()
    one = house.land()
    house.turns("xxx", [rule_of(one)])
    clock = house.clock()
    await clock.look(every=True)
    house.wait(hours=7)
    await clock.look(every=True)
    assert house.loop.database.read_now(jobs.unfinished) == []
    assert house.store.find(one.id).undone
