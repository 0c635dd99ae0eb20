"""A rule as a file, the shelf they lie on, and which of them apply."""

import re
import time
from pathlib import Path

import pytest

from runtime.errors import BadInput, ConfigFault
from runtime.tenant.folder import Folder
from runtime.tenant.rules import composing, files, shelf
from runtime.tenant.rules.files import Rule
from runtime.tenant.rules.shelf import Shelf, Shelves

DOCS = Path(__file__).parents[4] / "docs"


def rule(ref: str, text: str = "Call first.", *triggers: str, state: str = "kept") -> Rule:
    directive, _, id = ref.partition("/")
    return Rule(directive, files.Head(id=id, state=state, triggers=triggers), text)  # type: ignore[arg-type]


def put(root: Path, one: Rule) -> Path:
    path = root / one.path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(one.rendered)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    (tmp_path / "directives/rules").mkdir(parents=True)
    (tmp_path / "directives/rules/.gitkeep").touch()
    return Folder(tmp_path)


# The file.


def test_a_rule_is_read_back_as_it_was_written() -> None:
    one = rule("lead/r1", "Ask for the lender, Zoë.", "lender", "pre-approval")
    assert files.parse(one.path, one.rendered) == one
    files.check(one.path, one.rendered)


@pytest.mark.parametrize(
    ("path", "text", "problem"),
    [
        ("directives/rules/r1.md", rule("lead/r1").rendered, "directives/rules/r1.md:1: no rule's file"),
        ("directives/rules/lead/deep/r1.md", rule("lead/r1").rendered, ":1: no rule's file"),
        ("directives/rules/lead/r2.md", rule("lead/r1").rendered, "directives/rules/lead/r2.md:2: its id is r1"),
        ("directives/rules/lead/r1.md", rule("lead/r1", " ").rendered, "directives/rules/lead/r1.md: it says nothing"),
        ("directives/rules/lead/r1.md", rule("lead/r1", "x" * 401).rendered, "it has 401 characters"),
    ],
)
def test_what_is_no_rule_is_refused_by_name(path: str, text: str, problem: str) -> None:
    with pytest.raises(BadInput, match=problem):
        files.check(path, text)


def test_the_documents_example_is_a_rule() -> None:
    [text] = re.findall(r"```\n(---json\n.*?)```", (DOCS / "rules.md").read_text(), re.DOTALL)
    path = "directives/rules/lead-follow-up/text-before-calling.md"
    files.check(path, text)
    one = files.parse(path, text)
    assert composing.brought_up([one], "a new Zillow lead") == [one]
    assert not one.head.model_extra


# The shelf.


def test_the_shelf_has_what_lies_in_the_folder_now(folder: Folder) -> None:
    kept = Shelf(folder)
    assert kept.rules() == ()
    first = put(folder.root, rule("lead/r1"))
    put(folder.root, rule("README/tone"))
    assert [one.ref for one in kept.rules()] == ["README/tone", "lead/r1"]
    first.write_text(rule("lead/r1", "Text first.").rendered)
    assert [one.text for one in kept.rules()] == ["Call first.", "Text first."]
    first.unlink()
    assert [one.ref for one in kept.rules()] == ["README/tone"]
    put(folder.root, rule("lead/r1"))
    assert [one.ref for one in Shelf(folder, "README").rules()] == ["README/tone"]
    assert Shelf(folder, "none").rules() == ()


class Counted(Folder):
    """Counts how often a file is opened."""

    opened = 0

    def open_regular(self, rel: str, flags: int = 0, *, mode: int = 0o644) -> int:
        self.opened += 1
        return super().open_regular(rel, flags, mode=mode)


def test_an_unchanged_folder_is_not_read_again(folder: Folder) -> None:
    counted = Counted(folder.root)
    put(folder.root, rule("lead/r1"))
    time.sleep(0.03)  # longer than a tick of the file system's clock, within which a second save would not show
    kept = Shelf(counted)
    assert [[one.ref for one in kept.rules()] for _ in range(5)] == [["lead/r1"]] * 5
    assert counted.opened == 1


def test_what_cannot_be_read_is_passed_over_and_told_of(folder: Folder) -> None:
    put(folder.root, rule("lead/good"))
    (folder.root / "directives/rules/lead/broken.md").write_text("Call.\n")
    (folder.root / "directives/rules/lead/other.md").write_text(rule("lead/r1").rendered)
    (folder.root / "directives/rules/lead/link.md").symlink_to("good.md")
    (folder.root / "directives/rules/lead/README.md").write_text("About these rules.\n")
    (folder.root / "directives/rules/lead/empty.md").write_text(rule("lead/empty", "").rendered)
    assert [one.ref for one in Shelf(folder).rules()] == ["lead/good"]
    told = [fault.problem for fault in shelf.faults(folder)]
    assert [problem.partition(": ")[2] or problem for problem in told] == [
        "wanted ---json in the first line",
        "it says nothing",
        "'directives/rules/lead/link.md' leads through a link or something that is not a folder",
        "its id is r1",
    ]


def test_rules_of_a_directive_that_is_not_there_are_named(folder: Folder) -> None:
    (folder.root / "directives/README.md").touch()
    (folder.root / "directives/lead.md").touch()
    for ref in ("lead/a", "README/b", "gone/c"):
        put(folder.root, rule(ref))
    assert shelf.orphans(folder) == ["gone"]


def test_only_the_last_folders_are_kept_in_mind(tmp_path: Path) -> None:
    shelves = Shelves("README")
    first = shelves.of(Folder(tmp_path / "0"))
    assert shelves.of(Folder(tmp_path / "0")) is first
    for number in range(1, 100):
        shelves.of(Folder(tmp_path / str(number)))
    assert shelves.of(Folder(tmp_path / "0")) is not first


def test_a_head_with_a_fault_names_its_line() -> None:
    with pytest.raises(ConfigFault, match=r"r1\.md:2: helpful"):
        files.parse("directives/rules/lead/r1.md", '---json\n{"id": "r1", "helpful": -1}\n---\n\nCall.\n')


# Which apply.


@pytest.mark.parametrize(
    ("trigger", "text", "applies"),
    [
        ("lead", "A new LEAD came in", True),
        ("lead", "She leads the team", False),
        ("lead", "mislead", False),
        ("open house", "the open\n house on Sunday", True),
        ("open house", "open the house", False),
        ("zoë", "call ZOE today", True),
        ("Jose", "José rang", True),
        ("e-mail", "send an email", True),
        ("don\u2019t call", "I said don't call her", True),
        ("don't call", "I said don\u2019t call her", True),
        ("$500k", "up to $500k, no more", True),
        ("c++", "c++", True),
        ("\u770b\u623f", "\u660e\u5929\u770b\u623f\u5427", True),
        ("\u0301", "an accent alone is no word", False),
    ],
)
def test_a_trigger_is_whole_words_however_they_are_written(trigger: str, text: str, applies: bool) -> None:
    one = rule("lead/r1", "Call first.", "never said", trigger)
    assert composing.brought_up([one], text) == ([one] if applies else [])


def test_a_rule_without_triggers_and_one_of_readme_are_not_brought_up() -> None:
    assert composing.brought_up([rule("lead/r1"), rule("README/r2", "Be brief.", "lead")], "a lead") == []


def test_the_pinned_ones_come_first_and_there_is_a_limit() -> None:
    many = [rule(f"lead/r{number:02}", "Call.", "lead") for number in range(12)]
    pinned = rule("lead/z", "Never text.", "lead", state="pinned")
    new = rule("lead/a", "Try this.", "lead", state="probation")
    found = composing.brought_up([*many, new, pinned], "a lead")
    assert found == [pinned, *many[:7]]
    long = [rule(f"lead/r{number}", "x" * 400, "lead") for number in range(8)]
    room = composing.brought_up([*long, rule("lead/s", "y" * 99, "lead")], "a lead")
    assert [len(one.text) for one in room] == [400] * 6 + [99]


def test_rules_are_said_in_lines_under_their_directive() -> None:
    rules = [rule("lead/a", "Call\n  first."), rule("showings/b", "Send a map.")]
    said = composing.rendered(rules)
    assert said == "Rules you learned for lead:\n- Call first.\nRules you learned for showings:\n- Send a map."
    assert composing.rendered([rule("README/a", "Be brief.")]) == "Rules you learned:\n- Be brief."
    assert composing.applying(rules) == "(rules of yours that apply here:)\n- Call first.\n- Send a map."
    assert (composing.rendered([]), composing.applying([])) == ("", "")


def test_the_rules_of_one_directive_are_its_own() -> None:
    rules = [rule("lead/a"), rule("lead-up/b"), rule("lead/c", state="pinned")]
    assert [one.ref for one in composing.of_directive(rules, "lead")] == ["lead/c", "lead/a"]
