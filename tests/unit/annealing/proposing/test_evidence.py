"""When signals are enough to ask for a proposal, and which directive they are about."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from runtime.annealing.proposing.evidence import Evidence, episodes, families, family_of, signs
from runtime.annealing.verification.cooldown import too_little

MONDAY = datetime(2026, 11, 16, 15, 0, tzinfo=UTC)
DENVER = ZoneInfo("America/Denver")
LEADS = ("directives/README.md", "directives/lead-follow-up.md")


def evidence(
    number: int, at: datetime, *, conversation: str = "telegram:1", exposures: tuple[str, ...] = LEADS
) -> Evidence:
    return Evidence(
        signal=f"s{number}",
        label="correction",
        turn=f"turn:anden:{conversation}:{number:08d}",
        conversation=conversation,
        at=at,
        text="no, Saturday",
        expected="Saturday",
        exposures=exposures,
    )


@pytest.mark.parametrize(
    ("exposures", "family"),
    [
        ((), "README"),
        (("directives/README.md",), "README"),
        (LEADS, "lead-follow-up"),
        (("directives/README.md", "directives/rules/showings/r1.md"), "showings"),
        ((*LEADS, "directives/showings.md"), "showings"),
        (("execution/send_email.py", "directives/README.md"), "README"),
    ],
)
def test_a_signal_is_about_the_directive_that_was_in_play(exposures: tuple[str, ...], family: str) -> None:
    assert family_of(exposures) == family


def test_signals_are_told_apart_by_directive_and_used_once() -> None:
    found = [evidence(1, MONDAY), evidence(2, MONDAY, exposures=("directives/README.md",)), evidence(3, MONDAY)]
    grouped = families(found, used={"s3"}.__contains__)
    assert {family: [one.signal for one in ones] for family, ones in grouped.items()} == {
        "lead-follow-up": ["s1"],
        "README": ["s2"],
    }


def test_a_long_silence_begins_another_episode_of_the_same_conversation() -> None:
    found = [
        evidence(1, MONDAY),
        evidence(2, MONDAY + timedelta(hours=1)),
        evidence(3, MONDAY + timedelta(hours=6)),
        evidence(4, MONDAY, conversation="whatsapp:1"),
    ]
    named = episodes(found)
    assert named["s1"] == named["s2"]
    assert len({named["s1"], named["s3"], named["s4"]}) == 3


def test_enough_is_three_turns_two_episodes_two_days_of_the_tenant() -> None:
    one_day = [evidence(number, MONDAY + timedelta(hours=6 * number)) for number in range(1, 4)]
    assert too_little(signs(one_day[:2], DENVER)) == "2 of 3 signals"
    assert len({one.day for one in signs(one_day, DENVER)}) == 2, "in Denver the last one is after midnight"
    assert too_little(signs(one_day, DENVER)) is None
    burst = [evidence(number, MONDAY + timedelta(minutes=number)) for number in range(5)]
    assert too_little(signs(burst, DENVER)) == "1 of 2 conversations"


def test_several_signals_about_one_turn_are_one() -> None:
    found = [evidence(1, MONDAY), evidence(1, MONDAY + timedelta(days=1)), evidence(1, MONDAY + timedelta(days=2))]
    assert len(signs(found, DENVER)) == 1
