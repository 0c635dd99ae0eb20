"""What a person means by a few words for a phone."""

from datetime import UTC, datetime

import pytest

from runtime.tenant.git.commits import AGENT_EMAIL, Commit
from runtime.turns.overview import meant, undoable
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


def commit(id: str, *, by: str = AGENT_EMAIL, reverts: str | None = None, **trailers: str) -> Commit:
    named = {key.replace("_", "-"): value for key, value in trailers.items()}
    return Commit(
        id=id,
        at=datetime(2026, 11, 20, tzinfo=UTC),
        author="",
        email=by,
        subject=id,
        body="",
        trailers=named,
        files=(),
        parents=(),
        reverts=reverts,
    )


def test_what_can_be_undone() -> None:
    commits = [
        commit("fact"),
        commit("back-b", reverts="land-b", Reverts_Improvement="b"),
        commit("keep-b", Improvement="b"),
        commit("keep-a", Improvement="a"),
        commit("undo", reverts="old"),
        commit("admins", by="admin@example.com"),
        commit("land-b", Improvement="b"),
        commit("land-a", Improvement="a"),
        commit("old"),
    ]
    assert [one.id for one in undoable(commits)] == ["fact", "keep-a"]
