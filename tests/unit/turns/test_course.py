"""What the turn log keeps of a turn for those who learn from it."""

import json

from runtime.agent.events import Answer, ToolRun, TurnTimedOut
from runtime.tenant.git.commits import Origin
from runtime.tenant.turnlog import from_line, to_line
from runtime.turns.course import NOT_ASKED, Course, line_of

ORIGIN = Origin(actor="agent", tenant="anden", conversation="telegram:1", turn="t1", trigger="message 7")
RUN = ToolRun(name="Read", input={"file_path": "directives/lead.md"}, output="x", ok=True, ms=3, effect="read")
EXPOSED = {"directives/README.md": "injected", "directives/lead.md": "read", "execution/x.py": "executed"}


def answer(**more: object) -> Answer:
    given = {"text": "ok", "tools": (RUN,), "session": "s", "stopped": False, "ms": 40, "exposed": EXPOSED, **more}
    return Answer(**given)  # type: ignore[arg-type]


def test_what_was_in_play_is_in_the_line() -> None:
    written = to_line(line_of(ORIGIN, Course(answer=answer(), head="abc", role="owner", reached=True), ["c1"]))
    line = from_line(json.loads(json.dumps(written)))
    assert line is not None
    assert line.exposures == tuple(EXPOSED)
    assert line.extra == {"exposed": EXPOSED, "head": "abc", "role": "owner", "reached": True}
    assert (line.commits, line.ms, line.tools[0]["name"]) == (("c1",), 40, "Read")


def test_a_turn_without_an_answer_says_why_and_what_had_been_done() -> None:
    fault = TurnTimedOut("too long", hint="less")
    fault.tools, fault.exposed = (RUN,), EXPOSED  # type: ignore[assignment]
    line = line_of(ORIGIN, Course(answer=fault.done, problem=fault.reason, reached=True), [])
    assert (line.extra["problem"], line.exposures, len(line.tools)) == ("timeout", tuple(EXPOSED), 1)


def test_of_a_turn_that_nobody_was_asked_in_readme_is_all_that_is_known() -> None:
    line = line_of(ORIGIN, NOT_ASKED, [])
    assert (line.exposures, line.extra) == (
        ("directives/README.md",),
        {"exposed": {"directives/README.md": "injected"}},
    )
    stopped = line_of(ORIGIN, Course(answer=answer(exposed={}), stopped=True), [])
    assert stopped.extra["stopped"] is True
    assert stopped.exposures == ("directives/README.md",)
