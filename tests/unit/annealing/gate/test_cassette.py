"""What the tools of a play give, and what lands in its outbox."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.agent.replaying import Recorded, printing
from runtime.annealing.gate.case import ExtraTool, Recording
from runtime.annealing.gate.cassette import STUBS, Tape, normal
from shared_tools.catalog import TOOLS
from shared_tools.offered import Memory, Onboarding


def tape(*recordings: dict[str, Any]) -> Tape:
    return Tape([Recording.model_validate(one) for one in recordings])


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({"q": "When does  Sarah close?"}, {"q": "when does sarah close? "}, True),
        ({"a": 1, "b": [{"c": "X"}]}, {"b": [{"c": "x"}], "a": 1}, True),
        ({"day": "2026-11-28"}, {"day": "2026-11-29"}, False),
        ({"day": date(2026, 11, 28)}, {"day": "2026-11-28"}, True),
        ({"limit": 5}, {"limit": "5"}, False),
        ({"q": "a", "limit": 5}, {"q": "a"}, False),
    ],
)
def test_arguments_are_the_same_but_for_case_space_and_order(one: Any, other: Any, same: bool) -> None:
    assert (normal(one) == normal(other)) is same


def test_what_was_recorded_is_given_for_the_same_arguments() -> None:
    played = tape(
        {"tool": "mcp__staff__recall", "input": {"question": "Sarah"}, "output": "A buyer."},
        {"tool": "recall", "output": "Somebody."},
    )
    assert played.answer("mcp__staff__recall", {"question": " SARAH"}, "read") == Recorded("A buyer.")
    assert played.answer("mcp__staff__recall", {"question": "Tom"}, "read") == Recorded("Somebody.")
    assert played.answer("mcp__staff__search_history", {}, "read") == Recorded(STUBS["read"])


def test_what_was_recorded_twice_comes_in_its_order_and_the_last_one_again() -> None:
    once, twice = ({"tool": "status", "input": {}, "output": one} for one in ("open", "done"))
    played = tape(once, twice)
    assert [played.answer("status", {}, "read") for _ in range(3)] == [
        Recorded("open"),
        Recorded("done"),
        Recorded("done"),
    ]


def test_what_reaches_others_goes_to_the_outbox_recorded_or_not() -> None:
    played = tape({"tool": "send_email", "input": {"to": "a"}, "output": "no such address", "ok": False})
    assert played.answer("mcp__staff__send_email", {"to": "A"}, "external") == Recorded("no such address", ok=False)
    assert played.answer("mcp__staff__send_email", {"to": "b"}, "external") == Recorded(STUBS["external"])
    assert played.answer("Read", {"file_path": "x"}, "external") == Recorded(STUBS["external"])
    assert list(map(str, played.outbox)) == [
        'send_email {"to": "A"}',
        'send_email {"to": "b"}',
        'Read {"file_path": "x"}',
    ]


names = st.sampled_from(["Read", "Bash", "remember", "mcp__staff__remember", "wire", "mcp__staff__wire"])
inputs = st.dictionaries(st.sampled_from("ab"), st.text(max_size=3), max_size=2)


@given(
    names, inputs, st.lists(st.builds(Recording, tool=names, input=st.none() | inputs, output=st.text()), max_size=4)
)
def test_nothing_that_reaches_others_ever_runs(tool: str, given: dict[str, str], recordings: list[Recording]) -> None:
    played = Tape(recordings)
    assert played.answer(tool, given, "external") is not None
    assert len(played.outbox) == 1


def test_files_and_notes_are_the_folders_own_and_commands_run_unless_recorded() -> None:
    played = tape({"tool": "Bash", "input": {"command": "date"}, "output": "Friday"}, {"tool": "Read", "output": "no"})
    assert played.answer("Read", {"file_path": "x"}, "read") is None
    assert played.answer("mcp__staff__remember", {"fact": "x"}, "write") is None
    assert played.answer("Bash", {"command": "ls"}, "write") is None
    assert played.answer("Bash", {"command": "date"}, "write") == Recorded("Friday")
    assert [one.tool for one in played.uses] == ["Read", "remember", "Bash", "Bash"]
    assert played.outbox == []


def test_no_tool_that_works_on_the_tenants_own_folder_is_real() -> None:
    played = tape()
    for tool in TOOLS:
        is_real = played.answer(f"mcp__staff__{tool.name}", {}, tool.effect) is None
        assert is_real is (tool.needs in (Memory, Onboarding)), tool.name


def test_its_tools_are_offered() -> None:
    given = {"name": "wire", "description": "Wire.", "input_schema": {"type": "object"}, "effect": "external"}
    [extra] = Tape(tools=[ExtraTool.model_validate(given)]).tools
    assert (extra.name, extra.effect, extra.schema) == ("wire", "external", {"type": "object"})


@pytest.mark.parametrize("output", ["it's $HOME `id`", "100 %s\n\\n", "-n", ""])
def test_a_recorded_command_prints_what_was_recorded(output: str) -> None:
    import subprocess

    done = subprocess.run(["sh", "-c", printing(Recorded(output))], capture_output=True, text=True, check=True)
    assert done.stdout == output
    failed = subprocess.run(["sh", "-c", printing(Recorded(output, ok=False))], capture_output=True, text=True)
    assert (failed.stdout, failed.stderr, failed.returncode) == ("", output, 1)
