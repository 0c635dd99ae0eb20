"""What a role allows is what the sandbox shows: the agent is not asked to refuse, it cannot."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from runtime.stage import OWNER_TELEGRAM, Stage
from tests.journeys.rehearsing import rehearsing
from tests.journeys.waiting import until

pytestmark = [pytest.mark.journey, pytest.mark.sandbox]

MEMBER, GUEST = 333, 444
SCENARIO = """\
announce: false
replies:
  - when: {words: change the sop}
    do:
      - use: {tool: Bash, input: {command: "echo x >> directives/showings.md; echo tool >> execution/t.py; echo ended"}}
      - say: "{tool_result}"
  - when: {words: note this}
    do:
      - use: {tool: mcp__staff__remember, input: {fact: "I like tea in the morning.", kind: habit}}
      - say: "{tool_result}"
  - when: {words: look around}
    do:
      - use: {tool: Glob, input: {pattern: "**/*", path: /tenant}}
      - say: "{tool_result}"
  - when: {words: read the log}
    do:
      - use: {tool: Grep, input: {pattern: secret plan, path: /tenant, output_mode: content}}
      - say: "{tool_result}"
  - when: {regex: '.'}
    do: [{say: Hello.}]
"""


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Stage]:
    """An owner, a member and a guest on Telegram."""
    async with rehearsing(tmp_path, SCENARIO) as stage:
        yaml = stage.tenant.folder.read_text("tenant.yaml")
        for who in (
            f"{{name: May, role: member, telegram: {MEMBER}}}",
            f"{{name: Guy, role: guest, telegram: {GUEST}}}",
        ):
            yaml = yaml.replace("people:", f"people:\n  - {who}")
        stage.tenant.folder.write_text("tenant.yaml", yaml)
        await stage.start()
        yield stage


async def ask(stage: Stage, text: str, number: int, who: int) -> str:
    sent = len(stage.telegram.recording.sent)
    (await stage.post_telegram(text, number, sender=who)).raise_for_status()
    await until(lambda: len(stage.telegram.recording.sent) > sent)
    return str(stage.telegram.recording.sent[sent].body["text"])


async def test_a_member_is_remembered_and_changes_no_directive_and_no_tool(office: Stage) -> None:
    said = await ask(office, "change the sop", 1, MEMBER)
    assert said.count("Read-only file system") == 2
    assert "ended" in said
    assert await ask(office, "note this: I like tea in the morning", 2, MEMBER) == "Saved."
    await until(lambda: [c.files for c in office.history.log(limit=5, by_agent=True)] == [("life/patterns.md",)])


async def test_an_owner_may(office: Stage) -> None:
    assert "Read-only" not in await ask(office, "change the sop", 1, OWNER_TELEGRAM)
    await until(lambda: len(office.history.log(limit=5, by_agent=True)) == 2)


async def test_a_guest_sees_no_other_conversation_and_changes_nothing(office: Stage) -> None:
    await ask(office, "the secret plan is to sell", 1, OWNER_TELEGRAM)
    around = await ask(office, "look around", 2, GUEST)
    assert "/directives/showings.md" in around or "directives/showings.md" in around
    for hidden in ("messages", "turns", "recent_messages", "tenant.yaml", ".git/", "execution"):
        assert hidden not in around, around
    assert "secret plan is to sell" not in await ask(office, "read the log", 3, GUEST)
    before = office.history.head()
    await ask(office, "note this", 4, GUEST)
    await ask(office, "change the sop", 5, GUEST)
    assert office.history.head() == before
