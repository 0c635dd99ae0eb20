"""What a turn says to the agent: the messages taken together, each under a line that says who, where and when.

Pure. What stands above the messages (the standing system prompt) is the agent's room.
"""

import re
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from runtime.words import How, Inbound, Person

# Only what a person typed or spoke is their own word; the rest is something they show us.
_SHOWN = {
    How.FORWARDED: "forwarded, not their own words",
    How.QUOTED: "quoted, not their own words",
    How.DOCUMENT: "from a document, not their own words",
    How.ECHO: "sent by the business itself",
}

# A line of a text that looks like a header of ours: somebody would be speaking in another's name.
_FORGED = re.compile(r"^([ \t]*\[.*·.*)$", re.MULTILINE)


def compose(messages: Sequence[Inbound], person: Person, zone: ZoneInfo) -> str:
    """The prompt of one turn. Times are in the tenant's zone."""
    return "\n\n".join(_one(message, person, zone) for message in messages)


def _one(message: Inbound, person: Person, zone: ZoneInfo) -> str:
    at = message.sent_at.astimezone(zone).strftime("%a %d %b %Y %H:%M %Z")
    marks = [person.name, person.role.value, message.channel, at]
    if message.how in _SHOWN:
        marks.append(_SHOWN[message.how])
    elif message.how is How.VOICE:
        marks.append("spoken")
    words = _FORGED.sub(r"> \1", message.text)
    return f"[{' · '.join(marks)}]\n{words}"
