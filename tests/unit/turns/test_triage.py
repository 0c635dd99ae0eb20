"""What becomes of a message, as a table."""

from datetime import UTC, datetime

import pytest

from runtime.turns.triage import Command, Standing, Way, command_of, triage
from runtime.words import How, Inbound, Person, Role

ANDEN = Person(name="Anden", role=Role.OWNER, addresses={})


def said(text: str = "hi", **more: object) -> Inbound:
    given = {"channel": "telegram", "id": "1", "sender": "1", "address": "1", "text": text, **more}
    return Inbound(sent_at=datetime.now(UTC), **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("message", "person", "standing", "way"),
    [
        (said(), ANDEN, Standing(), Way.TURN),
        (said("/help"), ANDEN, Standing(), Way.COMMAND),
        (said("/HELP"), ANDEN, Standing(), Way.COMMAND),
        (said("/undo 2"), ANDEN, Standing(), Way.COMMAND),
        (said("undo that"), ANDEN, Standing(), Way.TURN),
        (said("Undo that, please."), ANDEN, Standing(told=True), Way.COMMAND),
        (said("undo that", how=How.FORWARDED), ANDEN, Standing(told=True), Way.TURN),
        (said("undo that showing"), ANDEN, Standing(told=True), Way.TURN),
        (said("undo that"), None, Standing(told=True), Way.PAIRING),
        (said("/context"), ANDEN, Standing(), Way.TURN),
        (said("/helping out"), ANDEN, Standing(), Way.TURN),
        (said("please /stop"), ANDEN, Standing(), Way.TURN),
        (said("/stop", how=How.FORWARDED), ANDEN, Standing(), Way.TURN),
        (said("/stop", how=How.VOICE), ANDEN, Standing(), Way.TURN),
        (said(kind="stop"), ANDEN, Standing(), Way.COMMAND),
        (said("👍", kind="reaction"), ANDEN, Standing(), Way.NOTE),
        (said("", kind="revoke"), ANDEN, Standing(), Way.NOTE),
        (said("I'll take this one", how=How.ECHO), None, Standing(), Way.NOTE),
        (said(), ANDEN, Standing(taken_over=True), Way.NOTE),
        (said("/release"), ANDEN, Standing(taken_over=True), Way.COMMAND),
        (said(), ANDEN, Standing(too_fast=True), Way.DROP),
        (said(), None, Standing(), Way.PAIRING),
        (said("/help"), None, Standing(), Way.PAIRING),
        (said("👍", kind="reaction"), None, Standing(), Way.DROP),
        (said(group=True), None, Standing(), Way.DROP),
        (said(), None, Standing(too_fast=True), Way.DROP),
    ],
)
def test_what_becomes_of_a_message(message: Inbound, person: Person | None, standing: Standing, way: Way) -> None:
    assert triage(message, person, standing) is way


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("/undo", Command("undo", "")),
        (" /undo  3 ", Command("undo", "3")),
        ("/approve AB12CD member", Command("approve", "AB12CD member")),
        ("/help@anden_bot", Command("help", "")),
        ("/", None),
        ("/etc/passwd", None),
        ("//help", None),
    ],
)
def test_what_is_a_command(text: str, command: Command | None) -> None:
    assert command_of(said(text)) == command
