"""One question to a model, answered in a form that is given: no session, no tools, no folder.

Owns how it is asked (a tool the model must use, whose input is the answer) and what counts as an answer. It goes
through the gateway like everything else, so it is metered, held to the tenant's budget, and played by the rehearsal.
Protocol: platform.claude.com/docs/en/agents-and-tools/tool-use (``tool_choice`` of type ``tool``).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import jsonschema

from runtime.agent.events import ModelRefused
from runtime.agent.options import GatewayDoor
from runtime.agent.prices import model_id
from runtime.words import Conversation, TenantId, TurnId

LONGEST_ANSWER = 2_000
"""Tokens."""

SECONDS = 120.0

ANSWER = "answer"
"""ModelRefused's detail for an answer that does not fit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """``purpose`` is what the ledger files it under; ``name`` of the answer's form, ``schema`` its JSON Schema.
    ``small``: the cheap model will do."""

    purpose: str
    system: str
    prompt: str
    name: str
    schema: Mapping[str, Any]
    small: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Questions:
    """``model`` and ``small`` are names as in proxystaff.yaml."""

    gateway: GatewayDoor
    model: str
    small: str

    async def ask(self, tenant: TenantId, question: Question) -> Mapping[str, Any]:
        """The answer, which fits the schema. Raises ModelRefused: budget, the provider, or an answer of no use."""
        name = f"question:{question.purpose}:{uuid4().hex[:12]}"
        token = self.gateway.open(tenant, Conversation(name))
        self.gateway.begin_turn(token, TurnId(name))
        try:
            async with httpx.AsyncClient(
                transport=httpx.ASGITransport(app=self.gateway.app), base_url="http://gateway", timeout=SECONDS
            ) as http:
                headers = {"x-api-key": token, "anthropic-version": "2023-06-01"}
                reply = await http.post("/v1/messages", json=self._body(question), headers=headers)
        finally:
            usage = self.gateway.end_turn(token)
            self.gateway.close(token)
        if reply.status_code != httpx.codes.OK:
            detail = usage.refused or f"upstream:{reply.status_code}"
            raise _refused(f"it said {reply.status_code}: {reply.text[:300]}", detail)
        return _answer(question, reply.json())

    def _body(self, question: Question) -> dict[str, Any]:
        form = {"name": question.name, "description": "Give the answer.", "input_schema": dict(question.schema)}
        return {
            "model": model_id(self.small if question.small else self.model),
            "max_tokens": LONGEST_ANSWER,
            "system": question.system,
            "messages": [{"role": "user", "content": question.prompt}],
            "tools": [form],
            "tool_choice": {"type": "tool", "name": question.name},
        }


def _answer(question: Question, body: Mapping[str, Any]) -> Mapping[str, Any]:
    for block in body.get("content", ()):
        if block.get("type") == "tool_use" and block.get("name") == question.name:
            given = block.get("input")
            try:
                jsonschema.validate(given, dict(question.schema))
            except jsonschema.ValidationError as fault:
                raise _refused(f"its answer does not fit: {fault.message[:300]}", ANSWER) from None
            return dict(given)
    raise _refused("it gave no answer in the form that was asked for", ANSWER)


def _refused(problem: str, detail: str) -> ModelRefused:
    return ModelRefused(
        f"the model did not answer: {problem}", hint="it is asked again at the next look", detail=detail
    )
