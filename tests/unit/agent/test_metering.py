import itertools
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from runtime.agent.metering import Meter
from runtime.agent.prices import Tokens


def event(type_: str, **more: Any) -> bytes:
    return f"event: {type_}\ndata: {json.dumps({'type': type_, **more})}\n\n".encode()


START = event(
    "message_start",
    message={
        "model": "claude-sonnet-5-5",
        "usage": {
            "input_tokens": 12,
            "cache_creation_input_tokens": 300,
            "cache_creation": {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 200},
            "cache_read_input_tokens": 7000,
            "output_tokens": 1,
        },
    },
)
WORDS = event("content_block_delta", index=0, delta={"type": "text_delta", "text": '"type": "message_stop" ' * 40})
END = event("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 250}) + event("message_stop")
WHOLE = START + event("ping") + WORDS + END
USED = Tokens(input=12, output=250, cache_write_5m=100, cache_write_1h=200, cache_read=7000)


@given(st.lists(st.integers(min_value=0, max_value=len(WHOLE)), max_size=12))
def test_it_reads_an_answer_however_it_is_cut_into_pieces(cuts: list[int]) -> None:
    meter, places = Meter(streamed=True), [0, *sorted(cuts), len(WHOLE)]
    for start, end in itertools.pairwise(places):
        meter.feed(WHOLE[start:end])
    assert meter.finished
    assert meter.model == "claude-sonnet-5-5"
    assert meter.tokens(asked_bytes=0) == USED


def test_lines_may_end_in_the_other_manner() -> None:
    meter = Meter(streamed=True)
    meter.feed(WHOLE.replace(b"\n", b"\r\n"))
    assert meter.tokens(asked_bytes=0) == USED


def test_of_a_stream_that_broke_off_the_words_that_came_are_estimated() -> None:
    meter = Meter(streamed=True)
    meter.feed(START + WORDS)
    assert not meter.finished
    tokens = meter.tokens(asked_bytes=99_999)
    assert tokens.input == 12, "the provider said so itself"
    assert 200 < tokens.output < 300


def test_of_an_answer_that_never_began_the_question_is_estimated() -> None:
    assert Meter(streamed=True).tokens(asked_bytes=4000) == Tokens(input=1000)


def test_a_whole_answer_is_read_at_its_end() -> None:
    meter = Meter(streamed=False)
    for piece in (b'{"model": "claude-haiku-5-5", "usage": {"inp', b'ut_tokens": 5, "output_tokens": 6}}'):
        meter.feed(piece)
    meter.close()
    assert (meter.finished, meter.model) == (True, "claude-haiku-5-5")
    assert meter.tokens(asked_bytes=0) == Tokens(input=5, output=6)


def test_damaged_lines_are_passed_over() -> None:
    meter = Meter(streamed=True)
    meter.feed(b'data: {"type": "message_st\n\ndata: 7\n\n: comment\n\n' + WHOLE)
    assert meter.tokens(asked_bytes=0) == USED


def test_an_error_event_is_a_failure() -> None:
    meter = Meter(streamed=True)
    meter.feed(event("error", error={"type": "overloaded_error"}))
    assert (meter.failure, meter.started) == ("overloaded_error", False)
