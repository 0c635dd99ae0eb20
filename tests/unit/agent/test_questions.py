"""One question through the real gateway, played by the rehearsal: metered, held to the budget, and its form checked."""

from collections.abc import Callable
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from runtime.agent.events import ModelRefused
from runtime.agent.gateway import Gateway, Limits
from runtime.agent.ledger import Ledger
from runtime.agent.prices import Prices
from runtime.agent.questions import Question, Questions
from runtime.agent.rehearsal import RehearsalUpstream
from runtime.metrics import Metrics
from runtime.words import TenantId

ANDEN = TenantId("anden")
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["label"],
    "properties": {"label": {"enum": ["correction", "neutral"]}},
}
QUESTION = Question(purpose="signal", system="Judge.", prompt="> no, Saturday", name="judge", schema=SCHEMA, small=True)
JUDGES = """\
announce: false
replies:
  - when: {words: Saturday}
    do:
      - use: {tool: judge, input: {label: LABEL}}
"""


@pytest.fixture
def asked(tmp_path: Path) -> Callable[..., tuple[Questions, Gateway]]:
    def make(scenario: str, *, usd: float | None = None) -> tuple[Questions, Gateway]:
        (tmp_path / "scenario.yaml").write_text(scenario)
        gateway = Gateway(
            RehearsalUpstream(tmp_path / "scenario.yaml"),
            Ledger(tmp_path / "ledger.db"),
            Prices(),
            limits=lambda _tenant: Limits(usd_per_day=usd, zone=ZoneInfo("UTC")),
            metrics=Metrics(),
        )
        return Questions(gateway=gateway, model="sonnet", small="haiku"), gateway

    return make


async def test_the_answer_comes_in_the_form_that_was_asked_for_and_is_paid_for(
    asked: Callable[..., tuple[Questions, Gateway]],
) -> None:
    questions, gateway = asked(JUDGES.replace("LABEL", "correction"))
    assert await questions.ask(ANDEN, QUESTION) == {"label": "correction"}
    assert gateway.spent_today(ANDEN) > 0
    await gateway.aclose()


@pytest.mark.parametrize(
    ("scenario", "why"),
    [
        (JUDGES.replace("LABEL", "hooray"), "does not fit"),
        ("announce: false\ndefault: I would rather talk.\n", "no answer in the form"),
        ("replies:\n  - when: {regex: '.'}\n    do: [{error: 500}]\n", "it said 500"),
    ],
)
async def test_what_is_no_answer_is_a_fault_and_never_a_guess(
    asked: Callable[..., tuple[Questions, Gateway]], scenario: str, why: str
) -> None:
    questions, gateway = asked(scenario)
    with pytest.raises(ModelRefused, match=why):
        await questions.ask(ANDEN, QUESTION)
    await gateway.aclose()


async def test_a_spent_budget_is_said(asked: Callable[..., tuple[Questions, Gateway]]) -> None:
    questions, gateway = asked(JUDGES.replace("LABEL", "neutral"), usd=0.0)
    with pytest.raises(ModelRefused) as raised:
        await questions.ask(ANDEN, QUESTION)
    assert raised.value.detail == "budget"
    await gateway.aclose()
