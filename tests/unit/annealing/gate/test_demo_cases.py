"""The demo's scenario gives a good answer to every case that its self-change is played against."""

import json

import pytest

from runtime.agent.rehearsal import DEMO
from runtime.annealing.gate.assertions import problems
from runtime.annealing.gate.case import GLOBAL, Case
from runtime.annealing.gate.cases import of_blueprint
from runtime.annealing.gate.cassette import Used, short
from tests.unit.agent.test_rehearsal import Model, says, used

FAMILY = "showings"
PLAYED = {one.id: one for one in of_blueprint() if one.kind == "canary" or one.family in (FAMILY, GLOBAL)}


@pytest.mark.parametrize("case", PLAYED.values(), ids=PLAYED)
async def test_the_demo_answers_each_case_well_and_not_by_its_default(case: Case) -> None:
    model = Model(DEMO)
    text, uses = await model(says(case.tested.text))
    if uses:
        text, _ = await model(says(case.tested.text), *used(*("Done." for _ in uses)))
    assert "no model was asked" not in text
    tools = [Used(tool=short(one["tool"]), input=one["input"]) for one in uses]
    sent = [one for one in tools if one.tool.startswith(("send_", "request_"))]
    written = "\n".join(json.dumps(dict(one.input)) for one in tools)
    assert problems(case.expect, answer=text, uses=tools, outbox=sent, file=lambda _: written) == ()
