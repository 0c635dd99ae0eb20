"""A rule's words as a part of its directive. Pure: what becomes of both files is committed elsewhere."""

import re
from typing import Literal

from runtime.tenant.rules.files import Rule

HEADING = "## Learned"

_SECTION = re.compile(rf"^{HEADING}[ \t]*\r?$(.*?)(?=^#{{1,2}} |\Z)", re.MULTILINE | re.DOTALL)


def promoted(sop: str, rule: Rule) -> str:
    """``sop`` with the rule as the last bullet of its section "Learned", which is made where there is none. Nothing
    else of it changes, and nothing at all when the bullet is there."""
    end = "\r\n" if "\r\n" in sop else "\n"
    bullet = f"- {' '.join(rule.text.split())}"
    section = _SECTION.search(sop)
    if section is None:
        return f"{sop.rstrip()}{end}{end}{HEADING}{end}{bullet}{end}"
    if bullet in section[1].splitlines():
        return sop
    before = section[0].rstrip()
    blank = section[0][len(before) :].lstrip(" \t") or end
    return f"{sop[: section.start()]}{before}{end}{bullet}{blank}{sop[section.end() :]}"


def with_state(rule: Rule, state: Literal["kept", "pinned"]) -> Rule:
    return Rule(rule.directive, rule.head.model_copy(update={"state": state}), rule.text)
