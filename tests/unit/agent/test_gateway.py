import asyncio
import json
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
import uvicorn

from runtime.agent.attempts import Patience, error_body
from runtime.agent.gateway import AT_ONCE, LARGEST_BODY, Gateway, Limits, SessionToken
from runtime.agent.ledger import Ledger
from runtime.agent.prices import Prices, Tokens
from runtime.agent.upstream import Call, CutOff, Reply
from runtime.errors import NotFound, Refused
from runtime.metrics import Metrics
from runtime.words import Conversation, TenantId, TurnId

ANDEN, WEB, TURN = TenantId("anden"), Conversation("web:anden"), TurnId("turn:1")
DENVER = ZoneInfo("America/Denver")
EVENTS = {"content-type": "text/event-stream"}


def sse(type_: str, **more: Any) -> bytes:
    return f"event: {type_}\ndata: {json.dumps({'type': type_, **more})}\n\n".encode()


START = sse("message_start", message={"model": "claude-sonnet-5-5", "usage": {"input_tokens": 1000}})
WORDS = sse("content_block_delta", index=0, delta={"type": "text_delta", "text": "hello " * 100})
END = sse("message_delta", usage={"output_tokens": 200}) + sse("message_stop")
GOOD = [START, WORDS[:40], WORDS[40:], END]
COST = (1000 * 2 + 200 * 10) / 1e6


@dataclass
class Answer:
    """One answer of the double: bytes, then perhaps a cut or a silence."""

    chunks: list[bytes] = field(default_factory=lambda: list(GOOD))
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: dict(EVENTS))
    then: str = ""


def refusal(status: int, **headers: str) -> Answer:
    return Answer([error_body("overloaded_error", f"no {status}")], status, headers)


class Scripted:
    """An upstream that gives the listed answers in turn, and the last one for good."""

    name = "anthropic"

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers) or [Answer()]
        self.calls: list[Call] = []
        self.hung_up = asyncio.Event()

    async def send(self, call: Call) -> Reply:
        self.calls.append(call)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer.then == "unreachable":
            raise CutOff("nobody there", hint="wait")
        return Reply(answer.status, answer.headers, self._chunks(answer))

    async def _chunks(self, answer: Answer) -> AsyncGenerator[bytes, None]:
        try:
            for chunk in answer.chunks:
                yield chunk
            if answer.then == "cut":
                raise CutOff("the line broke", hint="ask again")
            if answer.then == "silence":
                await asyncio.sleep(60)
        finally:
            self.hung_up.set()

    async def close(self) -> None:
        pass


@dataclass
class Rig:
    gateway: Gateway
    upstream: Scripted
    ledger: Ledger
    metrics: Metrics
    token: SessionToken
    client: httpx.AsyncClient

    async def ask(self, path: str = "/v1/messages", **changes: Any) -> httpx.Response:
        body = {"model": "claude-sonnet-5-5", "stream": True, "messages": [{"role": "user", "content": "hi"}]}
        return await self.client.post(path, json={**body, **changes}, headers={"x-api-key": self.token})

    def count(self, status: str, tenant: str = ANDEN) -> float:
        return (
            self.metrics.registry.get_sample_value("claude_requests_total", {"tenant": tenant, "status": status}) or 0.0
        )


MakeRig = Callable[..., Rig]


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[MakeRig]:
    made: list[Rig] = []

    def make(*answers: Answer, usd: float | None = None, running: bool = True, **options: Any) -> Rig:
        upstream, ledger, metrics = Scripted(*answers), Ledger(tmp_path / "ledger.db"), Metrics()
        settings = {"patience": Patience(waits=(0.0, 0.0)), "limits": lambda _: Limits(usd, DENVER), **options}
        gateway = Gateway(upstream, ledger, Prices(), metrics=metrics, **settings)
        token = gateway.open(ANDEN, WEB)
        if running:
            gateway.begin_turn(token, TURN)
        client = httpx.AsyncClient(transport=httpx.ASGITransport(gateway.app), base_url="http://gateway")
        made.append(Rig(gateway, upstream, ledger, metrics, token, client))
        return made[-1]

    yield make
    for one in made:
        await one.client.aclose()
        await one.gateway.aclose()


async def test_an_answer_passes_byte_for_byte_and_is_metered(rig: MakeRig) -> None:
    at = rig(Answer(headers={**EVENTS, "request-id": "req_1", "anthropic-organization-id": "ours", "server": "x"}))
    response = await at.ask()
    assert response.content == b"".join(GOOD)
    assert response.headers["request-id"] == "req_1"
    assert not {"anthropic-organization-id", "server"} & set(response.headers)
    usage = at.gateway.end_turn(at.token)
    assert usage.tokens == Tokens(input=1000, output=200)
    assert usage.usd == pytest.approx(COST)
    assert (usage.requests, usage.models, usage.refused) == (1, ("claude-sonnet-5-5",), "")
    assert usage.first_request_bytes == len(response.request.content)
    assert usage.context == 1200
    assert at.ledger.by_turn(TURN).usd == pytest.approx(COST)
    assert at.count("200") == 1


async def test_what_names_a_person_or_a_session_does_not_leave(rig: MakeRig) -> None:
    at = rig()
    body = {
        "model": "m",
        "stream": True,
        "messages": [{"role": "user", "content": "hi"}],
        "metadata": {"user_id": "who"},
        "speed": "fast",
    }
    headers = {
        "authorization": f"Bearer {at.token}",
        "anthropic-version": "2023-06-01",
        "anthropic-beta": "a,b",
        "x-claude-code-session-id": "s",
        "user-agent": "claude-cli",
        "cookie": "c",
    }
    await at.client.post("/v1/messages?beta=true", json=body, headers=headers)
    [call] = at.upstream.calls
    assert set(call.headers) <= {"anthropic-version", "anthropic-beta", "content-type", "accept"}
    assert call.headers["anthropic-beta"] == "a,b"
    assert call.query == "beta=true"
    assert set(call.body) == {"model", "stream", "messages"}
    assert at.token not in str(call)


@pytest.mark.parametrize("headers", [{}, {"x-api-key": "guess"}, {"authorization": "Bearer guess"}])
async def test_a_stranger_is_refused(rig: MakeRig, headers: dict[str, str]) -> None:
    at = rig()
    response = await at.client.post("/v1/messages", json={"messages": []}, headers=headers)
    assert response.status_code == 401
    assert response.json()["error"]["type"] == "authentication_error"
    assert at.count("unknown_token", tenant="") == 1
    assert not at.upstream.calls


async def test_a_closed_session_is_a_stranger(rig: MakeRig) -> None:
    at = rig()
    at.gateway.close(at.token)
    at.gateway.close(at.token)
    assert (await at.ask()).status_code == 401
    with pytest.raises(NotFound):
        at.gateway.end_turn(at.token)


async def test_nobody_asked_so_nothing_is_asked(rig: MakeRig) -> None:
    at = rig(running=False)
    assert (await at.ask()).status_code == 403
    at.gateway.begin_turn(at.token, TURN)
    with pytest.raises(Refused):
        at.gateway.begin_turn(at.token, TurnId("turn:2"))
    at.gateway.end_turn(at.token)
    assert (await at.ask()).status_code == 403
    assert at.count("outside_turn") == 2
    assert not at.upstream.calls


async def test_a_spent_budget_is_refused_before_the_call(rig: MakeRig) -> None:
    clock = [datetime(2026, 11, 20, 23, 0, tzinfo=DENVER)]
    at = rig(usd=COST * 1.5, now=lambda: clock[0])
    assert (await at.ask()).status_code == 200
    assert (await at.ask()).status_code == 200, "what is left may be overrun by the last request"
    response = await at.ask()
    assert response.status_code == 402
    assert response.json()["error"]["type"] == "billing_error"
    assert "budget_reached" in response.json()["error"]["message"]
    assert response.headers["x-should-retry"] == "false"
    assert len(at.upstream.calls) == 2
    assert at.gateway.end_turn(at.token).refused == "budget"
    clock[0] += timedelta(hours=1)
    at.gateway.begin_turn(at.token, TurnId("turn:2"))
    assert (await at.ask()).status_code == 200, "a new day where the tenant is"


async def test_limits_that_cannot_be_read_are_a_no(rig: MakeRig) -> None:
    def broken(tenant: TenantId) -> Limits:
        raise NotFound(f"no tenant {tenant}", hint="add it")

    at = rig(limits=broken)
    assert (await at.ask()).status_code == 402
    assert at.gateway.end_turn(at.token).refused == "tenant"


@pytest.mark.parametrize("first", [refusal(429), refusal(500), refusal(529), Answer(then="unreachable"), Answer([])])
async def test_a_passing_fault_is_asked_again(rig: MakeRig, first: Answer) -> None:
    at = rig(first, Answer())
    response = await at.ask()
    assert response.content == b"".join(GOOD)
    assert len(at.upstream.calls) == 2
    assert at.ledger.by_turn(TURN).requests == 1, "a refusal costs nothing"


async def test_a_stream_that_opens_with_an_error_is_asked_again(rig: MakeRig) -> None:
    at = rig(Answer([sse("error", error={"type": "overloaded_error", "message": "busy"})]), Answer())
    assert (await at.ask()).content == b"".join(GOOD)


async def test_the_next_model_is_asked_when_the_first_stays_down(rig: MakeRig) -> None:
    at = rig(refusal(529), refusal(529), refusal(529), Answer(), fallback=("sonnet", "haiku"))
    assert (await at.ask()).status_code == 200
    assert [call.model for call in at.upstream.calls] == ["claude-sonnet-5-5"] * 3 + ["claude-haiku-5-5"]


async def test_when_all_stay_down_the_providers_own_error_comes_back_once(rig: MakeRig) -> None:
    at = rig(refusal(529), fallback=("haiku",))
    response = await at.ask()
    assert (response.status_code, response.content) == (529, error_body("overloaded_error", "no 529"))
    assert response.headers["x-should-retry"] == "false", "the CLI must not begin all over"
    assert len(at.upstream.calls) == 6
    usage = at.gateway.end_turn(at.token)
    assert (usage.refused, usage.requests, usage.usd, usage.models) == ("upstream:529", 1, 0.0, ())


async def test_a_request_that_is_wrong_is_not_asked_again(rig: MakeRig) -> None:
    at = rig(refusal(400), fallback=("haiku",))
    response = await at.ask()
    assert response.status_code == 400
    assert "x-should-retry" not in response.headers
    assert len(at.upstream.calls) == 1


async def test_retry_after_is_honoured_within_reason(rig: MakeRig) -> None:
    at = rig(refusal(429, **{"retry-after": "0.2"}), Answer())
    begun = asyncio.get_running_loop().time()
    assert (await at.ask()).status_code == 200
    assert asyncio.get_running_loop().time() - begun >= 0.2
    at = rig(refusal(429, **{"retry-after": "3600"}))
    assert (await at.ask()).status_code == 429
    assert len(at.upstream.calls) == 1, "nobody waits an hour"


async def test_a_cut_stream_ends_early_and_costs_what_is_known(rig: MakeRig) -> None:
    at = rig(Answer([START, WORDS], then="cut"))
    response = await at.ask()
    assert response.content == START + WORDS
    assert len(at.upstream.calls) == 1, "after the first byte nothing is asked again"
    spent = at.ledger.by_turn(TURN)
    assert spent.tokens.input == 1000
    assert 100 < spent.tokens.output < 200
    assert at.count("broke_off") == 1


async def test_a_whole_answer_that_breaks_off_is_asked_again(rig: MakeRig) -> None:
    whole = json.dumps({"model": "claude-sonnet-5-5", "usage": {"input_tokens": 1000, "output_tokens": 200}}).encode()
    at = rig(Answer([whole[:10]], then="cut"), Answer([whole]))
    response = await at.ask(stream=False)
    assert response.content == whole
    assert at.gateway.end_turn(at.token).usd == pytest.approx(COST)


async def test_counting_tokens_costs_nothing_and_asks_no_budget(rig: MakeRig) -> None:
    at = rig(Answer([b'{"input_tokens": 7}'], headers={"content-type": "application/json"}), usd=0.0)
    response = await at.ask("/v1/messages/count_tokens", stream=False)
    assert response.json() == {"input_tokens": 7}
    assert at.gateway.end_turn(at.token).requests == 0
    assert at.ledger.by_turn(TURN).requests == 0


@pytest.mark.parametrize(
    "path", ["/", "/v1/models", "/v1/files", "/api/event_logging/v2/batch", "/v1/messages/batches"]
)
async def test_everything_else_is_not_served(rig: MakeRig, path: str) -> None:
    at = rig()
    assert (await at.client.post(path)).status_code == 401
    response = await at.client.post(path, headers={"x-api-key": at.token})
    assert (response.status_code, response.json()["error"]["type"]) == (404, "not_found_error")
    assert not at.upstream.calls


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"messages": 7}', b"[" * 100_000, b"\xff"])
async def test_a_body_that_is_no_question_is_refused(rig: MakeRig, body: bytes) -> None:
    at = rig()
    response = await at.client.post("/v1/messages", content=body, headers={"x-api-key": at.token})
    assert response.status_code == 400
    assert response.json()["error"]["type"] == "invalid_request_error"


async def test_a_body_beyond_the_providers_limit_is_refused(rig: MakeRig) -> None:
    at = rig()
    response = await at.client.post("/v1/messages", content=b" " * (LARGEST_BODY + 1), headers={"x-api-key": at.token})
    assert response.status_code == 413


@asynccontextmanager
async def served(at: Rig) -> AsyncIterator[httpx.AsyncClient]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # asyncio sets it only on sockets of proto 6
        server = uvicorn.Server(uvicorn.Config(at.gateway.app, log_level="error", lifespan="off"))
        serving = asyncio.create_task(server.serve([listening]))
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        async with httpx.AsyncClient(base_url=url, headers={"x-api-key": at.token}, trust_env=False) as client:
            yield client
        server.should_exit = True
        await serving


ASKED = {"model": "claude-sonnet-5-5", "stream": True, "messages": [{"role": "user", "content": "hi " * 2000}]}


async def until(fact: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not fact():
            await asyncio.sleep(0.01)


async def test_who_hangs_up_ends_the_call_and_pays_for_what_came(rig: MakeRig) -> None:
    at = rig(Answer([START, WORDS], then="silence"))
    async with served(at) as client:
        async with client.stream("POST", "/v1/messages", json=ASKED) as response:
            await anext(response.aiter_raw())
        await asyncio.wait_for(at.upstream.hung_up.wait(), 5)
        await until(lambda: at.ledger.by_turn(TURN).requests == 1)
    assert at.ledger.by_turn(TURN).tokens.input == 1000


async def test_who_hangs_up_before_the_first_byte_pays_for_the_question(rig: MakeRig) -> None:
    at = rig(Answer([], then="silence"))
    async with served(at) as client:
        with pytest.raises(httpx.ReadTimeout):
            await client.post("/v1/messages", json=ASKED, timeout=0.2)
        await until(lambda: at.ledger.by_turn(TURN).requests == 1)
    assert at.ledger.by_turn(TURN).tokens.input >= 1500


async def test_one_session_asks_only_so_much_at_once(rig: MakeRig) -> None:
    at = rig(Answer([START], then="silence"))
    async with served(at) as client:
        asking = [asyncio.create_task(client.post("/v1/messages", json=ASKED)) for _ in range(AT_ONCE)]
        await until(lambda: len(at.upstream.calls) == AT_ONCE)
        assert (await client.post("/v1/messages", json=ASKED)).status_code == 429
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)
        await until(lambda: at.ledger.by_turn(TURN).requests == AT_ONCE)
        at.upstream.answers = [Answer()]
        assert (await client.post("/v1/messages", json=ASKED)).status_code == 200


async def test_it_is_in_the_ledger_before_the_answer_ends(rig: MakeRig) -> None:
    at = rig()
    async with served(at) as client, client.stream("POST", "/v1/messages", json=ASKED) as response:
        seen = b""
        async for chunk in response.aiter_raw():
            seen += chunk
            if b"message_stop" in seen:
                assert at.ledger.by_turn(TURN).requests == 1


async def test_tenants_do_not_pay_for_each_other(rig: MakeRig) -> None:
    at = rig(usd=COST)
    other = at.gateway.open(TenantId("other"), WEB)
    at.gateway.begin_turn(other, TurnId("turn:other"))
    await at.ask()
    assert (await at.ask()).status_code == 402
    response = await at.client.post("/v1/messages", json=ASKED, headers={"x-api-key": other})
    assert response.status_code == 200
    assert at.ledger.spent_today(TenantId("other"), DENVER, datetime.now(UTC)) == pytest.approx(COST)
