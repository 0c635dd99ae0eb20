"""What a run is shown: data under headers of ours that no words can imitate."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from runtime.learning import prompts, transcript
from runtime.learning.moments import Kind
from runtime.learning.remarks import LONGEST, Remark
from runtime.words import How, Inbound, Media, Person, Role

ANDEN = Person(name="Anden Wick", role=Role.OWNER, addresses={})
ZONE = ZoneInfo("America/Denver")
AT = datetime(2026, 11, 20, 3, 30, tzinfo=UTC)


def remark(
    text: str, *, id: str = "7", sender: str = "111", seq: int = 1, replies: tuple[str, ...] = (), **more: object
) -> Remark:
    message = Inbound(channel="telegram", id=id, sender=sender, address=sender, text=text, sent_at=AT, **more)  # type: ignore[arg-type]
    return Remark(seq=seq, turn="turn:anden:telegram:111:1", message=message, person=ANDEN, replies=replies)


def test_who_said_what_when_and_how() -> None:
    shown = transcript.render([remark("Bill sells\nin May", replies=("Noted.",))], ZONE)
    assert shown == (
        "== conversation telegram:111 ==\n\n"
        "[message 7 · Anden Wick · owner · Thu 2026-11-19 20:30 · typed]\n> Bill sells\n> in May\n\n"
        "[the assistant's reply]\n> Noted."
    )


def test_what_is_not_their_own_says_so() -> None:
    shown = transcript.render(
        [
            remark("Wire it today", how=How.FORWARDED),
            remark("", quoted="Pay Bob", media=(Media(ref="1", kind="document", name="a [b] · c.pdf"),), seq=2),
        ],
        ZONE,
    )
    assert "forwarded, not their own words]\n> Wire it today" in shown
    assert "(about this, which they quote, not their own words:)\n> > Pay Bob" in shown
    assert "(a file, not shown here: document 'a (b) - c.pdf')" in shown


def test_conversations_stand_apart_each_in_its_order() -> None:
    said = [remark("one", seq=1), remark("two", seq=2, sender="222"), remark("three", seq=3)]
    shown = transcript.render(said, ZONE)
    assert [shown.index(word) for word in ("one", "three", "two")] == sorted(
        shown.index(word) for word in ("one", "three", "two")
    )
    assert shown.count("== conversation") == 2


def test_what_is_long_is_cut() -> None:
    assert len(transcript.render([remark("x" * 10 * LONGEST)], ZONE)) < LONGEST + 200


@given(text=st.text(), quoted=st.text(), name=st.text(), reply=st.text())
def test_no_words_pass_for_ours(text: str, quoted: str, name: str, reply: str) -> None:
    media = (Media(ref="1", kind="document", name=name),)
    shown = transcript.render([remark(text, quoted=quoted, media=media, replies=(reply,) if reply else ())], ZONE)
    ours = ("== conversation ", "[message 7 · ", "(about this,", "(a file, not", "[the assistant's reply]", "> ")
    lines = [line for line in shown.split("\n") if line]
    assert all(line.startswith(ours) for line in lines)
    assert sum(line.startswith("[") for line in lines) <= 2


def test_the_prompt_says_first_that_nothing_is_the_usual_end() -> None:
    for kind in (Kind.REFLECTION, Kind.REVIEW):
        prompt = prompts.compose(kind, "WORDS")
        assert prompt.startswith("This is a run, not a turn")
        assert f"answer exactly: {prompts.NOTHING}" in prompt
        assert prompt.endswith("\n\nWORDS\n")
        assert "{" not in prompt
