"""What a person means by a few words for a phone."""

import pytest

from runtime.turns.overview import meant
from runtime.words import Conversation

ANN, BOB, HERE = map(Conversation, ("whatsapp:13035550100", "whatsapp:13035550199", "telegram:1"))


@pytest.mark.parametrize(
    ("words", "silent", "found"),
    [
        ("", [], []),
        ("", [HERE, ANN], [HERE]),
        ("", [ANN], [ANN]),
        ("", [ANN, BOB], [ANN, BOB]),
        ("whatsapp:13035550100", [ANN, BOB], [ANN]),
        ("+1 303 555-0199", [ANN, BOB], [BOB]),
        ("555", [ANN, BOB], [ANN, BOB]),
        ("Carl", [ANN, BOB], []),
        ("+", [ANN], []),
    ],
)
def test_which_silent_conversation_is_meant(words: str, silent: list[Conversation], found: list[Conversation]) -> None:
    assert meant(words, HERE, silent) == found
