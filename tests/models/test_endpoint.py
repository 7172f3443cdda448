"""Foreign frameworks run through the endpoint by configuration alone: recorded, paid for, and replayed."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import httpx
import pytest

from tests.models.stage import TRACE, Stage, settings_for
from tradecore.domain.events import ModelCallAnswered, ModelCallRequested, ModelChainExhausted
from tradecore.domain.model_call import Criticality
from tradecore.errors import InputError
from tradecore.models.replay import ReplayGateway
from tradecore.settings_models import ModelsSettings
from tradecore.testing.model_acts import Fault, Say
from tradecore.testing.model_server import ModelServer
from tradecore_openai_endpoint.app import Endpoint
from tradecore_openai_endpoint.serving import serve

TOKEN = "a-token-for-the-bull-0001"
TOOL = {"id": "call_1", "type": "function", "function": {"name": "price", "arguments": '{"symbol": "AAPL"}'}}
Story = Callable[[httpx.AsyncClient], Awaitable[Any]]


def prompt(**more: Any) -> dict[str, Any]:
    return {"model": "trader/high", "messages": [{"role": "user", "content": "Buy?"}], **more}


def through(stage: Stage, settings: ModelsSettings, story: Story) -> Any:
    """Run a story of a client of the endpoint, and let it go."""

    async def run() -> Any:
        async with stage.gateway(settings) as gateway:
            endpoint = Endpoint(gateway, stage.clock, stage.ids, "run-9", {"bull": TOKEN})
            async with serve(endpoint) as url, client_of(url) as client:
                return await story(client)

    return anyio.run(run)


def client_of(url: str, token: str = TOKEN) -> httpx.AsyncClient:
    headers = {"authorization": f"Bearer {token}", "traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
    return httpx.AsyncClient(base_url=url, headers=headers, trust_env=False, timeout=10)


def posting(body: dict[str, Any]) -> Story:
    async def story(client: httpx.AsyncClient) -> httpx.Response:
        return await client.post("/chat/completions", json=body)

    return story


def test_a_call_of_a_foreign_client_is_answered_recorded_and_paid_for(server: ModelServer, stage: Stage) -> None:
    server.script("first", Say("I would buy.", usage=(500, 20)))
    response = through(stage, settings_for(server.url), posting(prompt(temperature=0.2, max_tokens=50, user="me")))
    answer = response.json()
    assert answer["choices"][0] == {
        "index": 0,
        "message": {"role": "assistant", "content": "I would buy."},
        "finish_reason": "stop",
    }
    assert answer["usage"] == {"prompt_tokens": 500, "completion_tokens": 20, "total_tokens": 520}
    assert answer["model"] == "trader/high"
    (asked,) = stage.events(ModelCallRequested)
    assert (asked.agent, asked.role, asked.criticality, asked.run) == ("bull", "trader", Criticality.HIGH, "run-9")
    assert stage.budget().spent == stage.events(ModelCallAnswered)[0].cost > 0
    assert response.headers["x-tradecore-question"] == asked.question_id
    (envelope,) = {one.envelope.trace_id for one in stage.journal.load(f"question-{asked.question_id}")}
    assert envelope == TRACE
    sent = server.requests[-1].body
    assert (sent["model"], sent["temperature"], sent["max_tokens"]) == ("first", 0.2, 50)
    assert "user" not in sent


def test_tools_go_through_in_both_directions(server: ModelServer, stage: Stage) -> None:
    server.script("first", Say(None, "tool_calls", tool_calls=(TOOL,)))
    tools = [{"type": "function", "function": {"name": "price", "parameters": {"type": "object"}}}]
    response = through(stage, settings_for(server.url), posting(prompt(tools=tools, tool_choice="auto")))
    choice = response.json()["choices"][0]
    assert (choice["finish_reason"], choice["message"]["tool_calls"]) == ("tool_calls", [TOOL])
    assert server.requests[-1].body["tools"] == tools


@pytest.mark.parametrize("upstream_streams", [False, True])
def test_a_streamed_answer_is_the_same_in_pieces(server: ModelServer, stage: Stage, upstream_streams: bool) -> None:
    text = "word " * 100
    server.script("first", Say(text, tool_calls=(TOOL,)))
    settings = settings_for(server.url, catalogue={})
    plain = settings.model_dump()
    plain["catalogue"]["first"]["stream"] = upstream_streams
    response = through(
        stage,
        ModelsSettings.model_validate(plain),
        posting(prompt(stream=True, stream_options={"include_usage": True})),
    )
    *events, end = [line.removeprefix("data: ") for line in response.text.split("\n\n") if line]
    chunks = [json.loads(event) for event in events]
    assert end == "[DONE]"
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks if chunk["choices"]]
    assert "".join(delta.get("content", "") for delta in deltas) == text
    assert [call for delta in deltas for call in delta.get("tool_calls", ())] == [{**TOOL, "index": 0}]
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks if chunk["choices"]][-1] == "stop"
    assert chunks[-1]["usage"]["completion_tokens"] > 0
    assert len(stage.events(ModelCallAnswered)) == 1


def test_a_recorded_run_of_a_foreign_client_is_replayed_without_a_model(server: ModelServer, stage: Stage) -> None:
    server.script("first", Say("one"), Say("two"), Fault.server_error())
    server.script("second", Fault.server_error())

    async def conversation(client: httpx.AsyncClient) -> list[tuple[int, str]]:
        said = []
        for text in ("a", "a", "a"):
            response = await client.post("/chat/completions", json=prompt(messages=[{"role": "user", "content": text}]))
            said.append((response.status_code, response.text))
        return said

    live = through(stage, settings_for(server.url), conversation)
    asked, head = len(server.requests), stage.journal.head()

    async def again() -> list[tuple[int, str]]:
        replay = ReplayGateway(stage.journal, "run-9")
        endpoint = Endpoint(replay, stage.clock, stage.ids, "run-10", {"bull": TOKEN})
        async with serve(endpoint) as url, client_of(url) as client:
            said = await conversation(client)
            missing = await client.post("/chat/completions", json=prompt())
            assert (missing.status_code, missing.json()["error"]["type"]) == (404, "replay_miss")
            return said

    replayed = anyio.run(again)
    without_time = [(status, {**json.loads(text), "created": 0}) for status, text in live]
    assert [(status, {**json.loads(text), "created": 0}) for status, text in replayed] == without_time
    assert [status for status, _ in live] == [200, 200, 503]
    assert (len(server.requests), stage.journal.head()) == (asked, head)


def test_an_exhausted_chain_is_an_error_that_clients_do_not_repeat(server: ModelServer, stage: Stage) -> None:
    server.script("first", Fault.server_error())
    server.script("second", Fault.server_error())
    response = through(stage, settings_for(server.url), posting(prompt()))
    assert response.status_code == 503
    assert response.headers["x-should-retry"] == "false"
    assert response.json()["error"]["code"] == "chain_exhausted"
    assert len(stage.events(ModelChainExhausted)) == 1


@pytest.mark.parametrize(
    "more",
    [
        {"n": 2},
        {"web_search_options": {}},
        {"messages": []},
        {"messages": "Buy?"},
        {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "http://x/y"}}]}]},
        {"model": ""},
        {"model": "trader/extreme"},
        {"max_tokens": 0},
        {"max_tokens": True},
    ],
    ids=str,
)
def test_what_cannot_be_priced_or_is_not_understood_is_refused_by_name(
    server: ModelServer, stage: Stage, more: dict[str, Any]
) -> None:
    response = through(stage, settings_for(server.url), posting(prompt(**more)))
    assert response.status_code == 400
    assert next(iter(more)) in response.json()["error"]["message"]
    assert server.requests == []


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": ""},
        {"authorization": "Bearer another-token-0000000"},
        {"host": "evil.example"},
        {"host": "evil.example:80"},
    ],
    ids=str,
)
def test_nobody_else_gets_in(server: ModelServer, stage: Stage, headers: dict[str, str]) -> None:
    async def story(client: httpx.AsyncClient) -> list[int]:
        posted = await client.post("/chat/completions", json=prompt(), headers=headers)
        listed = await client.get("/models", headers=headers)
        return [posted.status_code, listed.status_code]

    assert through(stage, settings_for(server.url), story) == [401, 401]
    assert server.requests == []
    assert stage.events(ModelCallRequested) == []


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b'{"model": NaN}', b"[" * 100_000, b"x" * 5_000_000])
def test_a_body_that_is_none_is_refused(server: ModelServer, stage: Stage, content: bytes) -> None:
    async def story(client: httpx.AsyncClient) -> int:
        return (await client.post("/chat/completions", content=content)).status_code

    assert through(stage, settings_for(server.url), story) == 400


@pytest.mark.parametrize("tokens", [{}, {"bull": "short"}, {"bull": TOKEN, "bear": TOKEN}], ids=str)
def test_tokens_that_keep_nobody_apart_are_refused(stage: Stage, tokens: dict[str, str]) -> None:
    with pytest.raises(InputError, match="tokens"):
        Endpoint(ReplayGateway(stage.journal, "run"), stage.clock, stage.ids, "run", tokens)
