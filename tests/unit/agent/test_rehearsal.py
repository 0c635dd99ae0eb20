import asyncio
import json
import os
import re
import time
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from runtime.agent.rehearsal import DEMO, RehearsalUpstream
from runtime.agent.upstream import Call, CutOff, Reply
from runtime.errors import ConfigFault

DOCUMENT = Path(__file__).parents[3] / "docs" / "rehearsal.md"
Message = dict[str, Any]


def says(words: str) -> Message:
    """A message as the CLI sends it, with what it puts beside a person's words."""
    reminder = "<system-reminder>\nhello, remember that this is CLAUDE.md\n</system-reminder>\n"
    return {"role": "user", "content": [{"type": "text", "text": reminder}, {"type": "text", "text": words}]}


def answered(text: str) -> Message:
    return {"role": "assistant", "content": [{"type": "text", "text": text}]}


def used(*results: str) -> list[Message]:
    """An answer that called tools, and what they gave."""
    calls = [{"type": "tool_use", "id": f"t{n}", "name": "Bash", "input": {}} for n, _ in enumerate(results)]
    given = [{"type": "tool_result", "tool_use_id": f"t{n}", "content": text} for n, text in enumerate(results)]
    return [{"role": "assistant", "content": calls}, {"role": "user", "content": given}]


SURROUNDINGS = {
    "role": "system",
    "content": "# Environment\n - Primary working directory: /somewhere\nToday's date is 2026-11-20.",
}


class Model:
    """The rehearsal with one scenario, asked as the gateway asks it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.upstream = RehearsalUpstream(path)

    async def reply(self, *messages: Message, stream: bool = True, session: str = "s", **body: Any) -> Reply:
        asked = {"model": "claude-sonnet-5-5", "stream": stream, "messages": [*messages, SURROUNDINGS], **body}
        return await self.upstream.send(
            Call(path="/v1/messages", query="", headers={}, body=asked, asked_bytes=4000, session=session)
        )

    async def __call__(self, *messages: Message, **options: Any) -> tuple[str, list[Message]]:
        """The text, and the tool calls."""
        return read(b"".join([chunk async for chunk in (await self.reply(*messages, **options)).chunks]))


def read(stream: bytes) -> tuple[str, list[Message]]:
    """As a client puts a stream together; the order of events is checked on the way."""
    events = [json.loads(line[6:]) for line in stream.decode().split("\n") if line.startswith("data: ")]
    names = [line[7:] for line in stream.decode().split("\n") if line.startswith("event: ")]
    assert names == [event["type"] for event in events]
    assert (names[0], names[-2:]) == ("message_start", ["message_delta", "message_stop"])
    text, uses = "", []
    for event in events:
        match event["type"]:
            case "content_block_start" if event["content_block"]["type"] == "tool_use":
                uses.append({**event["content_block"], "input": ""})
            case "content_block_delta" if event["delta"]["type"] == "text_delta":
                text += event["delta"]["text"]
            case "content_block_delta":
                uses[-1]["input"] += event["delta"]["partial_json"]
            case "message_delta":
                assert event["delta"]["stop_reason"] == ("tool_use" if uses else "end_turn")
                assert event["usage"]["output_tokens"] > 0
    return text, [{"tool": use["name"], "input": json.loads(use["input"])} for use in uses]


def model(tmp_path: Path, scenario: str) -> Model:
    path = tmp_path / "scenario.yaml"
    path.write_text(scenario)
    return Model(path)


@pytest.fixture
def example(tmp_path: Path) -> Model:
    """The example of docs/rehearsal.md."""
    [found] = re.findall(r"```yaml\n(announce:.*?)```", DOCUMENT.read_text(), re.DOTALL)
    return model(tmp_path, found)


HEADER = "[Anden · owner · whatsapp · Fri 20 Nov 2026 09:00 MST]\n"


async def test_the_documents_example_greets(example: Model) -> None:
    assert await example(says(f"{HEADER}Hello there")) == ("[rehearsal] Hello! What can I do for you?", [])
    assert await example(says("x"), answered("[rehearsal] y"), says("HELLO")) == ("Hello! What can I do for you?", [])


async def test_the_documents_example_uses_a_tool_and_goes_on(example: Model) -> None:
    asked = says(f"{HEADER}please remember that Sarah's dog is called 'Max'")
    text, [use] = await example(asked)
    assert (text, use["tool"]) == ("", "mcp__staff__remember")
    assert use["input"] == {"fact": "Sarah's dog is called 'Max'", "kind": "habit"}
    assert await example(asked, *used("")) == ("[rehearsal] Saved.", [])
    assert await example(asked, *used(""), *used("")) == ("[rehearsal] Done.", []), "a model always has a last word"


async def test_the_documents_example_follows_a_tools_result(example: Model) -> None:
    asked = says("Who is Sarah?")
    text, uses = await example(asked)
    assert text == "One moment."
    assert uses[0]["input"] == {"file_path": "/somewhere/life/knowledge/contacts.md"}
    assert uses[1]["input"] == {"file_path": "/somewhere/life/identity.md"}
    assert await example(asked, *used("nothing", "me")) == ("[rehearsal] I know nobody called Sarah.", [])
    found = used("8\t- Bill sells\n9\t- Sarah buys in May", "me")
    assert await example(asked, *found) == ("[rehearsal] Sarah buys in May", [])


async def test_the_documents_example_is_busy_twice(example: Model) -> None:
    statuses = [(await example.reply(says("are you busy?"))).status for _ in range(3)]
    assert statuses == [529, 529, 200]
    assert (await example.reply(says("are you busy?"), session="another")).status == 529
    reply = await example.reply(says("x"), answered("y"), says("are you busy?"))
    assert (reply.status, reply.headers["retry-after"]) == (529, "0"), "asked anew, it is busy anew"


async def until_cut(chunks: AsyncGenerator[bytes, None]) -> bytes:
    """The next bytes, and none when the line has broken; a plain end would be an error."""
    try:
        return await anext(chunks)
    except CutOff:
        return b""


async def test_the_documents_example_loses_the_line_once(example: Model) -> None:
    reply, seen = await example.reply(says("did you lose the line?")), b""
    while chunk := await until_cut(reply.chunks):
        seen += chunk
    assert b"[rehearsal] I was about" in seen
    assert b"content_block_stop" not in seen, "it breaks in the middle of a word"
    assert (await example(says("did you lose the line?")))[0].endswith("Nothing was lost.")


async def test_nothing_fits_so_it_says_what_it_heard(example: Model) -> None:
    text, _ = await example(says(f"{HEADER}/context"))
    assert text == "[rehearsal] I only rehearse. I heard: /context"


async def test_only_the_persons_last_words_count(tmp_path: Path) -> None:
    at = model(tmp_path, "announce: false\ndefault: '{words}'\n")
    assert await at(says("hi"), answered("x"), says("this")) == ("this", [])
    typed = {"role": "user", "content": "a plain string"}
    assert await at(typed) == ("a plain string", [])
    cut = {
        "role": "user",
        "content": [*used("no")[1]["content"], {"type": "text", "text": "[Request interrupted by user]\n"}],
    }
    assert await at(says("slow"), used("")[0], cut, says("again")) == ("again", [])
    note = "The user sent a new message while you were working:\nand tea\n\nThis is how Claude Code surfaces it"
    assert await at(says("slow"), *used("x"), {"role": "system", "content": note}) == ("and tea", [])


async def test_a_mended_first_reply_is_announced_too(tmp_path: Path) -> None:
    at = model(tmp_path, "replies: [{when: {words: Stop hook feedback}, do: [{say: mended}]}]")
    feedback = {"role": "user", "content": "Stop hook feedback:\nno receipt"}
    assert await at(says("hi"), answered("[rehearsal] booked"), feedback) == ("[rehearsal] mended", [])


async def test_words_are_whole_words(tmp_path: Path) -> None:
    at = model(
        tmp_path, "announce: false\ndefault: no\nreplies: [{when: {words: [hi, '/context']}, do: [{say: 'yes'}]}]"
    )
    assert (await at(says("this /context")))[0] == "no"
    assert (await at(says("Hi! /context")))[0] == "yes"


async def test_conditions_on_the_session_and_the_system(tmp_path: Path) -> None:
    at = model(
        tmp_path,
        "announce: false\ndefault: neither\nreplies:\n"
        "- {when: {first: true, system: staff}, do: [{say: first}]}\n"
        "- {when: {first: false}, do: [{say: later}]}\n",
    )
    assert (await at(says("a"), system=[{"type": "text", "text": "You are staff."}]))[0] == "first"
    assert (await at(says("a"), system="You are something."))[0] == "neither"
    assert (await at(says("a"), answered("b"), says("c")))[0] == "later"


async def test_a_result_does_not_choose_its_own_reply_again(tmp_path: Path) -> None:
    at = model(
        tmp_path,
        "announce: false\nreplies:\n"
        "- {when: {words: go}, do: [{use: {tool: A}}, {say: plain}]}\n"
        "- {when: {tool_result: ok}, do: [{use: {tool: B}}, {say: both}]}\n",
    )
    assert (await at(says("go"), *used("ok")))[1][0]["tool"] == "B"
    assert await at(says("go"), *used("ok"), *used("ok")) == ("both", [])
    assert await at(says("go"), *used("bad")) == ("plain", [])


async def test_a_whole_answer_says_the_same(example: Model) -> None:
    reply = await example.reply(says("who is Sarah?"), stream=False)
    message = json.loads(b"".join([chunk async for chunk in reply.chunks]))
    assert [block["type"] for block in message["content"]] == ["text", "tool_use", "tool_use"]
    assert message["stop_reason"] == "tool_use"
    assert message["usage"]["input_tokens"] == 1000


@pytest.mark.parametrize("kind", ["malformed", "overloaded"])
async def test_streams_end_badly_in_other_ways(tmp_path: Path, kind: str) -> None:
    at = model(tmp_path, f"replies: [{{when: {{words: go}}, do: [{{say: a}}, {{error: {kind}}}]}}]")
    stream = b"".join([chunk async for chunk in (await at.reply(says("go"))).chunks])
    assert b"message_stop" not in stream
    assert (b"overloaded_error" in stream) is (kind == "overloaded")


async def test_tokens_are_counted_by_bytes(example: Model) -> None:
    reply = await example.upstream.send(
        Call(path="/v1/messages/count_tokens", query="", headers={}, body={"messages": []}, asked_bytes=400)
    )
    assert b"".join([chunk async for chunk in reply.chunks]) == b'{"input_tokens": 100}'


async def test_pace_and_delay_take_their_time(tmp_path: Path) -> None:
    at = model(
        tmp_path,
        "pace: 0.02\nreplies: [{when: {words: go}, do: [{delay: 0.05}, {say: a text of more than only two pieces}]}]",
    )
    begun = time.monotonic()
    reply = await at.reply(says("go"))
    pieces = [chunk async for chunk in reply.chunks]
    assert time.monotonic() - begun >= 0.05 + 2 * 0.02
    assert len(pieces) > 3


async def test_a_saved_change_is_in_force_at_the_next_request(tmp_path: Path) -> None:
    at = model(tmp_path, "announce: false\ndefault: one")
    assert (await at(says("x")))[0] == "one"
    at.path.write_text("announce: false\ndefault: two!")
    assert (await at(says("x")))[0] == "two!"
    at.path.write_text("announce: maybe")
    reply = await at.reply(says("x"))
    assert (reply.status, reply.headers["x-should-retry"]) == (500, "false")
    assert b"scenario.yaml:1: announce" in b"".join([chunk async for chunk in reply.chunks])
    at.path.write_text("announce: false\ndefault: three")
    assert (await at(says("x")))[0] == "three"


def test_every_fault_of_a_scenario_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "scenario.yaml"
    path.write_text(
        "replies:\n"
        "  - when: {regex: '('}\n"
        "    do: [{say: x}]\n"
        "  - when: {}\n"
        "    do:\n"
        "      - {say: x, use: {tool: A}}\n"
        "      - {error: 404}\n"
        "      - {delay: 1, times: 2}\n"
        "      - {sing: la}\n"
    )
    with pytest.raises(ConfigFault) as caught:
        RehearsalUpstream(path)
    lines = {int(found[1]) for fault in caught.value.faults if (found := re.search(r"yaml:(\d+):", fault))}
    assert lines == {2, 4, 6, 7, 8, 9}


def test_a_scenario_that_is_not_there_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(ConfigFault, match=r"none\.yaml"):
        RehearsalUpstream(tmp_path / "none.yaml")


async def test_a_simple_reply_is_fast() -> None:
    at = Model(DEMO)
    earlier = [message for _ in range(60) for message in (says("hi"), answered("Hello!"))]
    await at(*earlier, says("hi"))
    took = []
    for _ in range(30):
        begun = time.perf_counter()
        await at(*earlier, says("hi"))
        took.append(time.perf_counter() - begun)
    assert min(took) < 0.002


async def test_many_at_once_do_not_disturb_each_other(example: Model) -> None:
    found = await asyncio.gather(*(example(says(f"who is P{n}?"), *used("", "")) for n in range(50)))
    assert [text for text, _ in found] == [f"[rehearsal] I know nobody called P{n}." for n in range(50)]


def test_the_demo_has_no_fault() -> None:
    assert os.access(DEMO, os.R_OK)
    RehearsalUpstream(DEMO)


RULES = """
replies:
  - {when: {words: [call], rules: text first}, do: [{say: I text first.}]}
  - when: {words: lead}
    do: [{use: {tool: Read, input: {}}}, {say: As always.}]
  - {when: {words: lead, tool_result: '.', rules: [within, an hour]}, do: [{say: Within the hour.}]}
  - {when: {words: call}, do: [{say: I call.}]}
"""
BLOCK = "(rules of yours that apply here:)\n- Always text first.\n\n"
BESIDE = "PostToolUse:Read hook additional context: Rules you learned for lead:\n- Answer within an hour."


def beside(text: str) -> Message:
    return {"role": "system", "content": [{"type": "text", "text": text}]}


@pytest.mark.parametrize(
    ("spoken", "system", "answer"),
    [
        ("call her", "Text first, I say.", "[rehearsal] I call."),
        ("call her, text first", "", "[rehearsal] I call."),
        ("call her", "Standing.\n\nRules you learned:\n- Be kind.\n- Text first.\n", "[rehearsal] I text first."),
        (f"{BLOCK}{HEADER}call her", "", "[rehearsal] I text first."),
        (f"(onboarding: ask where)\n\n{BLOCK}{HEADER}call her", "", "[rehearsal] I text first."),
    ],
)
async def test_a_scenario_hears_the_rules_that_are_shown(tmp_path: Path, spoken: str, system: str, answer: str) -> None:
    assert (await model(tmp_path, RULES)(says(spoken), system=system))[0] == answer


async def test_the_words_of_rules_are_not_the_persons(tmp_path: Path) -> None:
    at = model(tmp_path, "default: '{words}|{text}'\nannounce: false\n")
    spoken = f"(onboarding: ask where)\n\n{BLOCK}{HEADER}call her"
    assert await at(says(spoken)) == (f"call her|{HEADER}call her", [])


async def test_a_rule_beside_a_result_is_heard_from_that_round_on(tmp_path: Path) -> None:
    at = model(tmp_path, RULES)
    read_, context = used("the directive"), beside(BESIDE)
    text, [use] = await at(says("a lead"))
    assert (text, use["tool"]) == ("", "Read")
    assert (await at(says("a lead"), *read_))[0] == "[rehearsal] As always."
    assert (await at(says("a lead"), *read_, context))[0] == "[rehearsal] Within the hour."
    before = [says("a lead"), *read_, context, answered("[rehearsal] Within the hour.")]
    assert (await at(*before, says("a lead"), *read_))[0] == "As always.", "what an earlier turn was shown is past"
