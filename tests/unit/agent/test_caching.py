"""The provider's cache ends after what all tenants share."""

import json

from runtime.agent import prompt
from runtime.agent.caching import shared_first

EPHEMERAL = {"type": "ephemeral"}


def body(readme: str) -> dict[str, object]:
    line = {"type": "text", "text": "You are an agent.", "cache_control": EPHEMERAL}
    ours = {"type": "text", "text": prompt.compose(readme), "cache_control": EPHEMERAL}
    return {"model": "m", "system": [line, ours], "messages": [{"role": "user", "content": "hi"}]}


def marks(body: object) -> int:
    return json.dumps(body).count("cache_control")


def test_everything_up_to_the_mark_is_the_same_for_two_tenants() -> None:
    one, other = (shared_first(body(readme))["system"] for readme in ("For Anden.", "For Beth."))
    assert one[:2] == other[:2]
    assert one[1]["cache_control"] == EPHEMERAL
    assert (one[2]["text"].strip(), other[2]["text"].strip()) == ("For Anden.", "For Beth.")


def test_no_mark_is_added_and_no_word_lost() -> None:
    given = body("For Anden.")
    made = shared_first(given)
    assert marks(made) == marks(given)
    assert "".join(one["text"] for one in made["system"]) == "".join(one["text"] for one in given["system"])


def test_what_is_not_ours_stays_as_it_is() -> None:
    for system in ("a string", [{"type": "text", "text": "somebody else's"}], [], None):
        assert shared_first({"system": system}) == {"system": system}
    assert shared_first(body("")) == body("") or marks(shared_first(body(""))) == marks(body(""))
