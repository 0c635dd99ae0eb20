"""Where a provider's cache may end: after what is the same for every tenant. Pure.

The CLI marks a line of its own, and then the whole system prompt, in which our layer and a tenant's README are one
block; so nothing of the layer would be shared. A request has at most four marks, hence one is moved and none added.
"""

from collections.abc import Mapping
from typing import Any

from runtime.agent import prompt

MARK = "cache_control"


def shared_first(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """``body`` with the system prompt cut where the tenant's own words begin; as it is where there are none."""
    system = body.get("system")
    if not isinstance(system, list):
        return body
    for place, block in enumerate(system):
        own = (
            prompt.own_words(block["text"]) if isinstance(block, dict) and isinstance(block.get("text"), str) else None
        )
        if own and MARK in block:
            before = [_unmarked(one) for one in system[:place]]
            cut = [{**block, "text": prompt.CONSTANT}, {**block, "text": own}]
            return {**body, "system": [*before, *cut, *system[place + 1 :]]}
    return body


def _unmarked(block: Any) -> Any:
    return {key: value for key, value in block.items() if key != MARK} if isinstance(block, dict) else block
