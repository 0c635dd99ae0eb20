"""A file under life/ is read strictly and kept as a person wrote it; a broken one is never written over."""

import os
import threading
from dataclasses import replace

import pytest

from runtime.errors import Broken, ConfigFault, NotFound, Refused, Unavailable
from runtime.tenant.folder import Folder
from runtime.tenant.git.history import History
from runtime.tenant.life.files import Life, new, parse
from runtime.tenant.life.kinds import KINDS, VERSION

PEOPLE = "life/relationships/people.md"
HEAD = '---json\n{\n  "title": "People",\n  "kind": "people",\n  "version": 1\n}\n---\n\n'


def broken(life: Life, rel: str) -> str:
    fault = life.read(rel).fault
    assert fault is not None
    return fault.problem


@pytest.mark.parametrize("rel", [*KINDS, "life/events/2026-11.md"])
def test_a_new_file_of_each_kind_is_valid(rel: str) -> None:
    assert replace(parse(rel, new(rel).text), as_read=None) == new(rel)


def test_every_file_of_the_blueprint_is_good(life: Life) -> None:
    assert life.faults() == []
    assert set(life.names()) == set(KINDS)
    assert len(life.all()) == len(KINDS)


FAULTS = [
    ("no head at all\n", "1: wanted ---json in the first line"),
    ('---json\n{"title": "People"\n', "1: no line --- closes the head"),
    ('---json\n{\n  "title": "People",,\n}\n---\n', "3: not JSON"),
    ("---json\n[]\n---\n", "2: wanted one JSON object, got list"),
    ('---json\n{\n"a": 1,\n"a": 2\n}\n---\n', "2: not a usable head: the key 'a' is there twice"),
    (HEAD.replace('"People"', '""'), "3: title: string should have at least 1 character"),
    (HEAD.replace('"People"', "7"), "3: title: input should be a valid string, got 7"),
    (HEAD.replace('"people"', '"persons"'), "4: kind: input should be 'people', got 'persons'"),
    (HEAD.replace("\n}", ',\n\t"phase": "LIVE"\n}'), "6: phase: nobody knows this key"),
    (HEAD.replace("\n}", ',\n\t"updated": "today"\n}'), "6: updated: string should match"),
    (HEAD.replace(": 1", ": 2"), f"5: version 2 is newer than this program knows ({VERSION})"),
    (HEAD.replace(": 1", ": true"), "5: no version: True"),
    (HEAD.replace(": 1", ": 1.0"), "5: no version: 1.0"),
    (HEAD.replace(": 1", ": -1"), "5: no version: -1"),
    (HEAD.replace(": 1", ': "1"'), "5: version: input should be 1, got '1'"),
    (HEAD.replace('  "version": 1\n', '  "color": "red"\n'), "5: color: nobody knows this key"),
    (HEAD.replace("\n", "\r\n").replace(": 1", ": 7"), "5: version 7 is newer"),
    ("\ufeff" + HEAD.replace('"people"', '"x"'), "4: kind"),
]


@pytest.mark.parametrize(("text", "said"), FAULTS)
def test_a_fault_names_its_line(text: str, said: str) -> None:
    with pytest.raises(ConfigFault) as fault:
        parse(PEOPLE, text)
    assert fault.value.faults[0].startswith(f"{PEOPLE}:{said}")
    assert fault.value.hint


def test_all_faults_are_named_at_once_each_with_its_line() -> None:
    head = (
        '---json\n{"title": "Questions", "kind": "questions", "version": 1, "questions": [\n'
        '  {"id": "A B", "question": "?"},\n  {"id": "b",\n   "question": ""}\n]}\n---\n'
    )
    with pytest.raises(ConfigFault) as fault:
        parse("life/questions.md", head)
    lines = [one.removeprefix("life/questions.md:").split(": ")[:2] for one in fault.value.faults]
    assert lines == [["3", "questions.0.id"], ["5", "questions.1.question"]]


@pytest.mark.parametrize(
    "text",
    [
        HEAD + "- a\n",
        HEAD.replace("\n", "\r\n") + "- a\r\n",
        "\ufeff" + HEAD + "- a",
        HEAD.replace("  ", "\t") + "\n\n\n- a\n\n",
        '---json\n{"version":1,"kind":"people",   "title":"People", "updated": null}\n---\n- a\n',
        '---json \n{"title": "\\ud83d\\ude00 \\u00e9\\t", "kind": "people", "version": 1}\n--- \t\n- a\n',
    ],
)
def test_a_good_file_is_written_back_byte_for_byte(life: Life, folder: Folder, text: str) -> None:
    folder.write_text(PEOPLE, text)
    found = life.read(PEOPLE)
    assert [one.text for one in found.facts] == ["a"]
    assert found.text == text
    life.write(replace(found, body=found.body + "\n- b"))
    assert folder.read_text(PEOPLE) == text + "\n- b"


def test_a_head_that_changes_is_written_anew_and_the_body_stays(life: Life, folder: Folder) -> None:
    folder.write_text(PEOPLE, '---json\n{"title":"People","kind":"people","version":1}\n---\r\n\r\n- a\r\n')
    found = life.read(PEOPLE)
    life.write(replace(found, meta={**found.meta, "updated": "2026-11-20"}))
    assert folder.read_text(PEOPLE) == HEAD.replace(": 1\n", ': 1,\n  "updated": "2026-11-20"\n') + "- a\r\n"


def test_a_file_without_a_version_is_brought_to_the_newest_when_it_is_written(life: Life, folder: Folder) -> None:
    folder.write_text(PEOPLE, "---json\n{}\n---\n- a\n")
    found = life.read(PEOPLE)
    assert found.fault is None
    life.write(found)
    assert folder.read_text(PEOPLE) == HEAD + "- a\n"


@pytest.mark.parametrize("text", ["- a\n", "\ufeff- a", "# My note\n\n- a\n"])
def test_a_note_without_a_head_stays_without(life: Life, folder: Folder, text: str) -> None:
    folder.write_text("life/my-note.md", text)
    found = life.read("my-note")
    assert (found.kind.name, found.meta["title"], [one.text for one in found.facts]) == ("note", "My note", ["a"])
    life.write(replace(found, body=found.body + "\n- b\n"))
    assert folder.read_text("life/my-note.md") == text + "\n- b\n"


def test_a_note_may_have_a_head_of_its_own() -> None:
    found = parse("life/x.md", '---json\n{"title": "X", "kind": "recipe", "version": 1, "mine": [1]}\n---\n- a\n')
    assert found.meta["mine"] == [1]
    with pytest.raises(ConfigFault, match=r"life/x.md:2: title"):
        parse("life/x.md", '---json\n{"title": 7, "kind": "x", "version": 1}\n---\n')


def test_a_broken_file_is_read_from_its_last_good_version(life: Life, folder: Folder, history: History) -> None:
    folder.write_text(PEOPLE, HEAD + "- good\n")
    history.commit_admin()
    for number in range(3):
        folder.write_text(PEOPLE, f"broken {number}")
        history.commit_admin()
    folder.write_text(PEOPLE, "broken, not committed")
    found = life.read(PEOPLE)
    assert [one.text for one in found.facts] == ["good"]
    assert "people.md:1: wanted ---json" in broken(life, PEOPLE)
    assert [fault.problem for fault in life.faults()] == [broken(life, PEOPLE)]
    with pytest.raises(Refused, match="broken and waits to be mended"):
        life.write(found)
    assert folder.read_text(PEOPLE) == "broken, not committed"


def test_a_version_before_the_file_was_deleted_counts(life: Life, folder: Folder, history: History) -> None:
    folder.write_text(PEOPLE, HEAD + "- good\n")
    history.commit_admin()
    folder.remove(PEOPLE)
    history.commit_admin()
    assert life.read(PEOPLE) == new(PEOPLE)
    folder.write_text(PEOPLE, "broken")
    assert [one.text for one in life.read(PEOPLE).facts] == ["good"]


def test_a_file_that_was_never_good_is_a_fault(life: Life, folder: Folder, history: History) -> None:
    folder.write_bytes("life/events/2026-11.md", b"\xff\xfe")
    with pytest.raises(Broken, match="not UTF-8"):
        life.read("events/2026-11")
    folder.write_text("life/events/2026-11.md", "no head")
    history.commit_admin()
    with pytest.raises(ConfigFault, match=r"2026-11.md:1"):
        life.read("events/2026-11")
    assert len(life.all()) == len(KINDS)


def test_what_is_not_utf8_is_not_written_over(life: Life, folder: Folder) -> None:
    before = life.read(PEOPLE)
    folder.write_bytes(PEOPLE, b"\xff")
    for found in (before, life.read(PEOPLE)):
        with pytest.raises(Refused):
            life.write(found)
    assert folder.read_bytes(PEOPLE) == b"\xff"


def test_what_somebody_saved_meanwhile_is_not_written_over(life: Life, folder: Folder) -> None:
    found, missing = life.read(PEOPLE), life.read("events/2026-12")
    folder.write_text(PEOPLE, HEAD + "- by hand\n")
    folder.write_text("life/events/2026-12.md", "by hand")
    for one in (found, missing):
        with pytest.raises(Unavailable, match="changed by somebody else"):
            life.write(replace(one, body="- mine\n"))
    assert "by hand" in folder.read_text(PEOPLE)


@pytest.mark.parametrize(
    "name",
    ["relationships/people", "relationships/people.md", "life/relationships/people", PEOPLE, f"/tenant/{PEOPLE}"],
)
def test_the_names_of_a_file(life: Life, name: str) -> None:
    assert life.read(name).rel == PEOPLE
    assert life.read(f" ./{name.removeprefix('/tenant/')} ").rel == PEOPLE


@pytest.mark.parametrize(
    "name",
    [
        "../x",
        "../directives/README",
        "life/../directives/README.md",
        "/tenant/life/../directives/README",
        "/etc/passwd",
        "/tenant/../etc/passwd",
        "/life/people",
        "directives/README.md",
        "/tenant/directives/README.md",
        "state/schedules.yaml",
        "tenant.yaml",
        ".secrets/KEY",
        ".git/config",
        "a\0b",
        "x" * 300,
        "\ud800",
    ],
)
def test_nothing_but_life_can_be_named(life: Life, name: str) -> None:
    with pytest.raises(Refused):
        life.read(name)


@pytest.mark.parametrize("name", ["people", "events/2026-13", "events/26-11", "Relationships/people", "", "life"])
def test_a_name_nobody_knows_is_answered_with_those_there_are(life: Life, name: str) -> None:
    with pytest.raises(NotFound) as fault:
        life.read(name)
    assert "relationships/people" in fault.value.hint


def test_links_and_litter_are_no_files(life: Life, folder: Folder, tmp_path: object) -> None:
    base = folder.root / "life"
    (base / "secret.md").symlink_to("/etc/hostname")
    (base / "away").symlink_to("/etc")
    (base / "plain").write_text("no ending")
    (base / ".#people.md").symlink_to("nowhere")
    (base / "deep" / "er").mkdir(parents=True)
    (base / "deep" / "er" / "note.md").write_text("- a")
    os.mkfifo(base / "pipe.md")
    assert set(life.names()) - set(KINDS) == {"life/secret.md", "life/deep/er/note.md", "life/pipe.md"}
    assert len(life.all()) == len(KINDS) + 1
    assert len(life.faults()) == 2
    for name in ("secret", "away/hostname", "pipe"):
        with pytest.raises(Refused):
            life.read(name)


def test_one_change_at_a_time_whoever_makes_it(folder: Folder, history: History) -> None:
    inside, most = 0, 0
    begun = threading.Barrier(8)

    def change() -> None:
        nonlocal inside, most
        life = Life(folder, History(folder))
        begun.wait()
        for _ in range(20):
            with life.changing():
                inside += 1
                most = max(most, inside)
                found = life.read(PEOPLE)
                life.write(replace(found, body=found.body + "- one more\n"))
                inside -= 1

    threads = [threading.Thread(target=change) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (most, folder.read_text(PEOPLE).count("one more")) == (1, 160)
