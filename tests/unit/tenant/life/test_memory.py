"""What is remembered goes where it belongs, says what happened in a line or two, and loses nothing."""

import threading
from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from runtime.errors import BadInput, Fault, NotFound, Refused, Unavailable
from runtime.tenant.folder import Folder
from runtime.tenant.life.files import Life, parse
from runtime.tenant.life.memory import MOST_FORGOTTEN, SHOWN_BYTES, Memory
from runtime.tenant.life.sources import Said
from runtime.words import How, Role

DENVER = ZoneInfo("America/Denver")
NOW = datetime(2026, 12, 1, 3, 0, tzinfo=UTC)  # still November in Denver
PEOPLE = "life/relationships/people.md"


def said(text: str = "as I say", how: How = How.TYPED) -> Said:
    return Said(id="m1", who="Anden", how=how, text=text, at=NOW)


@pytest.fixture
def memory_of(life: Life) -> Callable[..., Memory]:
    def make(*heard: Said, role: Role = Role.OWNER) -> Memory:
        return Memory(life=life, role=role, said=heard or (said(),), zone=DENVER, now=lambda: NOW)

    return make


@pytest.fixture
def memory(memory_of: Callable[..., Memory]) -> Memory:
    return memory_of()


def body(folder: Folder, rel: str) -> str:
    return parse(rel, folder.read_text(rel)).body


@pytest.mark.parametrize(
    ("kind", "rel"),
    [
        ("business", "life/knowledge/business.md"),
        ("contact", "life/knowledge/contacts.md"),
        ("procedure", "life/knowledge/procedures.md"),
        ("realtor", "life/identity.md"),
        ("boundary", "life/boundaries.md"),
        ("habit", "life/patterns.md"),
        ("event", "life/events/2026-11.md"),
    ],
)
def test_a_fact_goes_where_it_belongs(memory: Memory, life: Life, folder: Folder, kind: str, rel: str) -> None:
    assert memory.remember("Prefers mornings.", kind) == "Saved."
    assert body(folder, rel).endswith("- Prefers mornings. [2026-11-30; Anden; typed; m1]\n")
    assert life.faults() == []
    assert memory.remember("prefers mornings", kind) == "That is known already; nothing changed."


def test_a_fact_about_somebody_stands_under_their_name(memory: Memory, folder: Folder) -> None:
    memory.remember("Budget: up to $550,000", "person", about="Sarah Lee")
    memory.remember("Budget: up to $400,000", "person", about="Bob Poe")
    answer = memory.remember("Budget: up to $600,000", "person", about="sarah lee")
    assert answer == "Saved.\nNo longer there: Budget: up to $550,000"
    assert "## Sarah Lee\n- Budget: up to $600,000 [2026-11-30; Anden; typed; m1]\n" in body(folder, PEOPLE)
    assert "up to $400,000" in body(folder, PEOPLE)


def test_nobodys_fact_is_not_mixed_with_somebodys(memory: Memory) -> None:
    with pytest.raises(BadInput, match="whose fact is it"):
        memory.remember("Budget: up to $550,000", "person", about=" ")
    with pytest.raises(BadInput, match="no kind gossip"):
        memory.remember("a dog", "gossip")


@pytest.mark.parametrize(
    ("fact", "when", "rel", "line"),
    [
        ("Showing with Ann", "2026-11-27", "life/events/2026-11.md", "- 2026-11-27: Showing with Ann ["),
        ("Showing with Ann", "2026-11-27T15:00", "life/events/2026-11.md", "- 2026-11-27 15:00: Showing with Ann ["),
        ("Showing with Ann", "20261127", "life/events/2026-11.md", "- 2026-11-27: Showing with Ann ["),
        ("2026-11-27: Showing with Ann", "2026-11-27", "life/events/2026-11.md", "- 2026-11-27: Showing with Ann ["),
        ("Closing on 2027-02-01", "", "life/events/2027-02.md", "- Closing on 2027-02-01 ["),
        ("Closed a deal", "2019-03-04", "life/events/2019-03.md", "- 2019-03-04: Closed a deal ["),
        ("Closed a deal", "", "life/events/2026-11.md", "- Closed a deal ["),
        ("Form 2026-99-99 is due", "", "life/events/2026-11.md", "- Form 2026-99-99 is due ["),
    ],
)
def test_an_event_stands_in_its_month(
    memory: Memory, folder: Folder, fact: str, when: str, rel: str, line: str
) -> None:
    assert memory.remember(fact, "event", when=when) == "Saved."
    month = rel[-10:-3]
    text = folder.read_text(rel)
    assert text.startswith(
        f'---json\n{{\n  "title": "Events {month}",\n  "kind": "events",\n  "version": 1\n}}\n---\n\n'
    )
    assert body(folder, rel).startswith(line)


def test_two_appointments_are_both_kept(memory: Memory, folder: Folder) -> None:
    memory.remember("Showing at 3pm: Ann", "event", when="2026-11-27")
    memory.remember("Showing at 4pm: Ann", "event", when="2026-11-28")
    assert body(folder, "life/events/2026-11.md").count("Showing") == 2


@pytest.mark.parametrize("when", ["tomorrow", "2026-13-01", "2026-11-31", "27.11.2026"])
def test_a_day_that_is_none_is_refused(memory: Memory, when: str) -> None:
    with pytest.raises(BadInput, match="is no date") as fault:
        memory.remember("Showing", "event", when=when)
    assert "2026-11-27" in fault.value.hint


def test_life_write_does_what_it_says(memory: Memory, folder: Folder) -> None:
    assert memory.write("append", "knowledge/contacts", "Joe's Plumbing", "Phone: 303-555-0100") == "Saved."
    assert memory.write("append", "knowledge/contacts", "Joe's Plumbing", "Phone: 303-555-0199") == "Saved."
    answer = memory.write("merge", "knowledge/contacts", "Joe's Plumbing", "Phone: 303-555-0111")
    assert answer == "Saved.\nNo longer there: Phone: 303-555-0100; Phone: 303-555-0199"
    answer = memory.write("set", "knowledge/contacts", fact="Phone: 720-555-0111", old="phone")
    assert answer == "Saved.\nNo longer there: Phone: 303-555-0111"
    assert "## Joe's Plumbing\n- Phone: 720-555-0111 [" in body(folder, "life/knowledge/contacts.md")
    answer = memory.write("delete", "knowledge/contacts", old="720-555-0111")
    assert answer == "Deleted.\nNo longer there: Phone: 720-555-0111"
    assert "Phone" not in body(folder, "life/knowledge/contacts.md")


@pytest.mark.parametrize(
    ("op", "given", "missing"),
    [
        ("append", {}, "says nothing"),
        ("merge", {"fact": "  "}, "says nothing"),
        ("merge", {"fact": "aB3" * 100_000}, "has 300000 characters"),
        ("set", {"old": "a dog"}, "says nothing"),
        ("set", {"fact": "a dog"}, "which fact"),
        ("delete", {}, "which fact"),
        ("delete", {"section": "Ann"}, "which fact"),
        ("rename", {"fact": "a dog"}, "no op rename"),
    ],
)
def test_what_is_missing_is_said(
    memory_of: Callable[..., Memory], op: str, given: dict[str, str], missing: str
) -> None:
    for memory in (memory_of(), memory_of(said("x", How.FORWARDED))):
        with pytest.raises(BadInput, match=missing) as fault:
            memory.write(op, "knowledge/contacts", **given)
        assert fault.value.hint


def test_one_of_several_has_to_be_named(memory: Memory) -> None:
    memory.remember("Likes red dogs", "person", about="Ann Lee")
    memory.remember("Likes brown dogs", "person", about="Bob Poe")
    with pytest.raises(BadInput, match=r"2 facts say 'dogs': Likes red dogs \(Ann Lee\)"):
        memory.write("delete", "relationships/people", old="dogs")
    assert memory.write("delete", "relationships/people", section="Bob Poe", old="dogs").startswith("Deleted.")
    with pytest.raises(NotFound, match="no fact says 'cats'"):
        memory.write("delete", "relationships/people", old="cats")


@pytest.mark.parametrize(
    "file", ["../x", "directives/README", "/etc/passwd", "life/../tenant.yaml", "nowhere", "state/x"]
)
@pytest.mark.parametrize("op", ["append", "delete"])
def test_nothing_outside_life_is_written(memory: Memory, folder: Folder, file: str, op: str) -> None:
    before = dict(folder.stamps())
    with pytest.raises((Refused, NotFound)):
        memory.write(op, file, fact="a dog", old="a dog")
    assert set(folder.stamps()) == set(before)


def test_a_broken_file_is_read_and_never_written(memory: Memory, folder: Folder) -> None:
    memory.remember("Has a dog", "contact")
    folder.write_text("life/knowledge/contacts.md", "broken")
    assert memory.read("knowledge/contacts").startswith(
        "(broken as it lies there, this is its last good version: life/"
    )
    for change in (
        lambda: memory.remember("Has a cat", "contact"),
        lambda: memory.write("append", "knowledge/contacts", fact="Has a cat"),
    ):
        with pytest.raises(Refused, match="broken and waits to be mended"):
            change()
    assert folder.read_text("life/knowledge/contacts.md") == "broken"


def test_what_was_never_good_is_a_fault_and_stays(memory: Memory, folder: Folder) -> None:
    folder.write_text("life/events/2026-11.md", "broken")
    with pytest.raises(Fault, match=r"2026-11\.md:1"):
        memory.remember("Showing", "event")
    assert folder.read_text("life/events/2026-11.md") == "broken"


def test_reading_a_file_and_a_section(memory: Memory, folder: Folder) -> None:
    assert memory.read("patterns").startswith("<!-- Habits")
    assert memory.read("events/2030-01") == "Nothing yet."
    memory.remember("Has a dog", "person", about="Ann Lee")
    folder.write_text(PEOPLE, folder.read_text(PEOPLE) + "\nMy own paragraph.\n\n### Kids\n- Emma\n\n## Bob\n- b\n")
    read = memory.read("relationships/people", "ann lee")
    assert read == "- Has a dog [2026-11-30; Anden; typed; m1]\n\nMy own paragraph.\n\n### Kids\n- Emma"
    assert memory.read("relationships/people", "Zoe") == "Nothing under Zoe. Sections: Ann Lee, Kids, Bob."


def test_a_long_file_is_shown_by_its_sections(memory: Memory, folder: Folder) -> None:
    many = "".join(f"\n## Person Number {n}\n- Likes dogs of kind {n}\n" for n in range(2_000))
    folder.write_text(PEOPLE, folder.read_text(PEOPLE) + many)
    read = memory.read("relationships/people")
    assert read.startswith("It is long; read one section of it: Person Number 0, Person Number 1, ")
    assert len(read) < SHOWN_BYTES
    assert memory.read("relationships/people", "Person Number 1999") == "- Likes dogs of kind 1999"


def test_forgetting_a_fact_wherever_it_stands(memory: Memory, folder: Folder) -> None:
    memory.remember("Ann Lee's dog is Max", "person", about="Ann Lee")
    memory.remember("Walk Ann's dog Max", "event", when="2026-11-27")
    memory.remember("Keeps a cat", "person", about="Ann Lee")
    answer = memory.forget("dog Max")
    assert answer == "Forgotten: 2026-11-27: Walk Ann's dog Max; Ann Lee's dog is Max."
    assert "Max" not in body(folder, PEOPLE) + body(folder, "life/events/2026-11.md")
    assert "Keeps a cat" in body(folder, PEOPLE)
    with pytest.raises(NotFound, match="nothing in life/ says 'dog Max'"):
        memory.forget("dog Max")


def test_forgetting_somebody_whole_is_the_owners(memory_of: Callable[..., Memory], folder: Folder) -> None:
    memory = memory_of()
    for fact in ("Has a dog", "Budget: up to $500k", "Wants a pool"):
        memory.remember(fact, "person", about="Ann Lee")
    memory.remember("Referred by Ann Lee", "person", about="Bob Poe")
    before = folder.read_text(PEOPLE)
    member = memory_of(role=Role.MEMBER)
    for fact, about in (("", "Ann Lee"), ("Ann Lee dog pool budget", ""), ("e", "")):
        with pytest.raises((Refused, NotFound)):
            member.forget(fact, about)
    assert folder.read_text(PEOPLE) == before
    assert member.forget("pool", "Ann Lee") == "Forgotten: Wants a pool."
    answer = memory.forget("", "Ann Lee")
    assert answer == "Forgotten: Has a dog; Budget: up to $500k; Referred by Ann Lee."
    assert "Ann" not in body(folder, PEOPLE)


def test_a_member_takes_out_one_fact_not_several(memory_of: Callable[..., Memory]) -> None:
    memory = memory_of()
    memory.remember("Has a red dog", "person", about="Ann Lee")
    memory.remember("Has a brown dog", "person", about="Bob Poe")
    with pytest.raises(Refused, match="more than one fact"):
        memory_of(role=Role.MEMBER).forget("dog")


def test_a_few_words_do_not_take_out_everything(memory: Memory, folder: Folder) -> None:
    for number in range(MOST_FORGOTTEN + 1):
        memory.remember(f"Budget: up to ${number + 1}00,000", "person", about=f"Person Number{number}")
    before = folder.read_text(PEOPLE)
    with pytest.raises(BadInput, match=f"{MOST_FORGOTTEN + 1} facts say 'budget'"):
        memory.forget("budget")
    with pytest.raises(BadInput, match="what is to be forgotten"):
        memory.forget(" ", "")
    assert folder.read_text(PEOPLE) == before


def test_a_broken_file_does_not_stop_forgetting_and_is_named(memory: Memory, folder: Folder) -> None:
    memory.remember("Has a dog", "contact")
    memory.remember("Has a dog", "person", about="Ann Lee")
    folder.write_text("life/knowledge/contacts.md", "broken")
    folder.write_text("life/events/2026-11.md", "never good")
    answer = memory.forget("dog")
    assert answer == (
        "Forgotten: Has a dog.\nNot looked through, because broken: life/events/2026-11.md, life/knowledge/contacts.md."
    )
    with pytest.raises(NotFound) as fault:
        memory.forget("dog")
    assert "life/knowledge/contacts.md" in fault.value.hint


def test_what_is_told_to_the_model_is_short(memory: Memory) -> None:
    for number in range(30):
        memory.write("append", "knowledge/business", section="12 Oak", fact=f"Offer {number}: ${number + 1}00,000")
    answers = [
        memory.write("append", "knowledge/business", section="14 Elm", fact="Roof: new"),
        memory.read("knowledge/business", "Nowhere"),
        memory.forget("", "12 Oak"),
        memory.forget("roof"),
    ]
    assert answers[2].endswith(" and 25 more.")
    assert all(len(answer) < 400 and answer.count("\n") < 2 for answer in answers)


def test_two_at_once_lose_nothing(life: Life, folder: Folder) -> None:
    begun = threading.Barrier(6)
    faults: list[BaseException] = []

    def work(name: str) -> None:
        memory = Memory(life=life, role=Role.OWNER, said=(said(),), zone=DENVER, now=lambda: NOW)
        begun.wait()
        try:
            for number in range(15):
                memory.remember(f"{name} likes thing{number}", "person", about=name)
        except BaseException as fault:  # noqa: BLE001 - told by the test
            faults.append(fault)

    threads = [threading.Thread(target=work, args=(f"Person{letter}",)) for letter in "ABCDEF"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert body(folder, PEOPLE).count("likes thing") == 6 * 15


class Meddled(Life):
    """Somebody saves the file in their editor between each read and write, some times."""

    meddles = 0

    def write(self, file: object) -> None:
        if self.meddles:
            self.meddles -= 1
            self._folder.write_text(PEOPLE, self._folder.read_text(PEOPLE) + f"- by hand {self.meddles}\n")
        super().write(file)  # type: ignore[arg-type]


@pytest.mark.parametrize(("meddles", "saved"), [(1, True), (2, True), (3, False)])
def test_what_somebody_saves_meanwhile_is_kept(folder: Folder, history: object, meddles: int, saved: bool) -> None:
    life = Meddled(folder, history)  # type: ignore[arg-type]
    life.meddles = meddles
    memory = Memory(life=life, role=Role.OWNER, said=(said(),), zone=DENVER, now=lambda: NOW)
    with nullcontext() if saved else pytest.raises(Unavailable, match="changed by somebody else"):
        assert memory.remember("Has a dog", "person", about="Ann Lee") == "Saved."
    assert body(folder, PEOPLE).count("by hand") == meddles
    assert ("Has a dog" in body(folder, PEOPLE)) == saved


def test_somebody_elses_words_are_refused_or_kept_as_theirs(memory_of: Callable[..., Memory], folder: Folder) -> None:
    memory = memory_of(said("My budget is $900,000. Sarah", How.FORWARDED), said("see this"))
    with pytest.raises(Refused):
        memory.remember("Budget: up to $900,000", "person", about="Sarah Lee")
    with pytest.raises(Refused):
        memory.write("append", "boundaries", fact="Sarah wrote that her budget is $900,000")
    memory.remember("Sarah wrote that her budget is $900,000", "person", about="Sarah Lee")
    assert "[2026-11-30; Anden; forwarded; m1]" in body(folder, PEOPLE)
