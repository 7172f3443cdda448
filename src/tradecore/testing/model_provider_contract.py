"""What every provider of models must do, as tests. Subclass `ModelProviderContract` and override its fixture.

class TestMine(ModelProviderContract):
    @pytest.fixture
    def opening(self) -> OpenProvider:
        return my_package.open_provider
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import anyio
import pytest

from tradecore.domain.model_call import ModelFailure, Usage
from tradecore.models.canonical import canonical
from tradecore.ports.model_provider import CallFailed, Completion, OpenProvider, ProviderOptions, ProviderRequest
from tradecore.runner.system import SystemClock
from tradecore.testing.model_acts import Act, Fault, Say
from tradecore.testing.model_server import ModelServer

_KEY = "sk-a-key-that-only-tests-have-0123456789"
_TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01"
_TOOL = {"id": "call_1", "type": "function", "function": {"name": "price", "arguments": "{}"}}
_HANGS = ModelFailure.TIMEOUT

FAILURES: list[tuple[Act, ModelFailure, bool]] = [
    (Fault.rate_limited(7), ModelFailure.RATE_LIMITED, False),
    (Fault.rate_limited(), ModelFailure.RATE_LIMITED, False),
    (Fault.server_error(500), ModelFailure.SERVER_ERROR, False),
    (Fault.server_error(503), ModelFailure.SERVER_ERROR, False),
    (Fault.server_error(504), ModelFailure.SERVER_ERROR, True),
    (Fault.unauthorized(), ModelFailure.UNAUTHORIZED, False),
    (Fault(403), ModelFailure.UNAUTHORIZED, False),
    (Fault.bad_request(), ModelFailure.REFUSED, False),
    (Fault(404), ModelFailure.REFUSED, False),
    (Fault.hang(), _HANGS, True),
    (Fault.cut(0), ModelFailure.BROKEN, True),
    (Fault.cut(60), ModelFailure.BROKEN, True),
    (Fault.cut(200), ModelFailure.BROKEN, True),
    (Fault.nonsense(), ModelFailure.BROKEN, True),
]
"""What a provider does, what it is called, and whether it may be billed."""


class ModelProviderContract:
    """The promises of `tradecore.ports.model_provider`."""

    prefix = ""
    """What stands before the name of a model, where the provider wants that."""

    @pytest.fixture
    def opening(self) -> OpenProvider:
        """How the provider is opened. To be overridden."""
        raise NotImplementedError

    @pytest.fixture
    def models(self) -> Iterator[ModelServer]:
        """A server that wants a key."""
        with ModelServer(lambda _: "yes", key=_KEY) as server:
            yield server

    @pytest.mark.parametrize("is_streamed", [False, True])
    def test_an_answer_comes_back_whole(self, opening: OpenProvider, models: ModelServer, is_streamed: bool) -> None:
        text = "ünïcödé and more. " * 40
        models.script("m", Say(text, usage=(120, 45)))
        found = self._ask(opening, models.url, is_streamed=is_streamed)
        assert isinstance(found, Completion)
        assert json.loads(found.message)["content"] == text
        assert found.finish_reason == "stop"
        assert found.response_model == "m"
        assert found.response_id == "chatcmpl-made-here"
        assert found.system_fingerprint == "fp_made_here"
        assert found.usage == Usage(120, 45)

    def test_what_is_sent_is_what_was_asked(self, opening: OpenProvider, models: ModelServer) -> None:
        self._ask(opening, models.url)
        (heard,) = models.requests
        assert heard.body["messages"] == [{"role": "user", "content": "Buy?"}]
        assert (heard.body["model"], heard.body["max_tokens"], heard.body["temperature"]) == ("m", 20, 0)
        assert heard.headers["authorization"] == f"Bearer {_KEY}"
        assert heard.headers["traceparent"] == _TRACEPARENT

    @pytest.mark.parametrize(("act", "failure", "is_billable"), FAILURES, ids=lambda value: str(value)[:40])
    def test_a_failure_is_told_and_nothing_is_repeated(
        self, opening: OpenProvider, models: ModelServer, act: Act, failure: ModelFailure, is_billable: bool
    ) -> None:
        models.script("m", act)
        found = self._ask(opening, models.url, timeout_s=0.5 if failure is _HANGS else 5.0)
        assert isinstance(found, CallFailed)
        assert (found.failure, found.is_billable) == (failure, is_billable)
        assert models.count("m") == 1
        if isinstance(act, Fault) and act.status != 200 and not act.hangs_s:
            assert found.status == act.status

    def test_how_long_a_provider_wants_to_be_left_alone_is_told(
        self, opening: OpenProvider, models: ModelServer
    ) -> None:
        models.script("m", Fault.rate_limited(7))
        found = self._ask(opening, models.url)
        assert isinstance(found, CallFailed)
        assert found.retry_after_s == 7.0

    def test_a_stream_that_is_cut_off_is_no_answer(self, opening: OpenProvider, models: ModelServer) -> None:
        for after_bytes in (0, 100, 250, 400):
            models.script("m", Fault.cut(after_bytes))
            found = self._ask(opening, models.url, is_streamed=True)
            assert isinstance(found, CallFailed)
            assert found.failure is ModelFailure.BROKEN

    @pytest.mark.parametrize("is_streamed", [False, True])
    def test_an_answer_without_a_count_has_no_usage(
        self, opening: OpenProvider, models: ModelServer, is_streamed: bool
    ) -> None:
        models.script("m", Say("yes", usage=None))
        found = self._ask(opening, models.url, is_streamed=is_streamed)
        assert isinstance(found, Completion)
        assert found.usage is None

    @pytest.mark.parametrize("is_streamed", [False, True])
    def test_tool_calls_and_refusals_come_back(
        self, opening: OpenProvider, models: ModelServer, is_streamed: bool
    ) -> None:
        models.script("m", Say(None, "tool_calls", tool_calls=(_TOOL,)), Say(None, refusal="no"))
        called = self._ask(opening, models.url, is_streamed=is_streamed)
        refused = self._ask(opening, models.url, is_streamed=is_streamed)
        assert isinstance(called, Completion)
        assert isinstance(refused, Completion)
        (call,) = json.loads(called.message)["tool_calls"]
        assert (call["id"], call["function"]) == (_TOOL["id"], _TOOL["function"])
        assert called.finish_reason == "tool_calls"
        assert json.loads(refused.message)["refusal"] == "no"

    def test_nobody_there_is_told_apart_from_no_answer(self, opening: OpenProvider, models: ModelServer) -> None:
        url = models.url
        models.stop()
        found = self._ask(opening, url)
        assert isinstance(found, CallFailed)
        assert (found.failure, found.is_billable) == (ModelFailure.UNREACHABLE, False)

    def test_a_wrong_key_is_unauthorized_and_shows_nowhere(self, opening: OpenProvider, models: ModelServer) -> None:
        found = self._ask(opening, models.url, key="sk-another-key-0000000000000")
        assert isinstance(found, CallFailed)
        assert found.failure is ModelFailure.UNAUTHORIZED
        assert "sk-another-key" not in repr(found)

    def test_a_key_that_the_other_side_echoes_is_hidden(self, opening: OpenProvider, models: ModelServer) -> None:
        models.script("m", Say(f"your key is {_KEY}"), Fault(400, body=json.dumps({"error": {"message": _KEY}})))
        answered, failed = self._ask(opening, models.url), self._ask(opening, models.url)
        assert isinstance(answered, Completion)
        assert isinstance(failed, CallFailed)
        assert _KEY.encode() not in answered.message
        assert _KEY not in repr(failed)

    def test_an_answer_that_never_ends_is_cut(self, opening: OpenProvider, models: ModelServer) -> None:
        models.script("m", Say("x" * 1_000_000))
        found = self._ask(opening, models.url)
        assert isinstance(found, CallFailed)
        assert found.failure is ModelFailure.BROKEN

    def test_many_calls_at_once_do_not_mix_up_their_answers(self, opening: OpenProvider, models: ModelServer) -> None:
        for number in range(20):
            models.script(f"m{number}", Say(f"answer {number}"))
        answers: dict[int, str] = {}

        async def story() -> None:
            async with opening(_options(models.url, _KEY)) as provider:

                async def one(number: int) -> None:
                    found = await provider.complete(_request(f"{self.prefix}m{number}"))
                    assert isinstance(found, Completion)
                    answers[number] = json.loads(found.message)["content"]

                async with anyio.create_task_group() as tasks:
                    for number in range(20):
                        tasks.start_soon(one, number)

        anyio.run(story)
        assert answers == {number: f"answer {number}" for number in range(20)}

    def _ask(
        self,
        opening: OpenProvider,
        url: str,
        *,
        timeout_s: float = 5.0,
        is_streamed: bool = False,
        key: str = _KEY,
    ) -> Completion | CallFailed:
        async def story() -> Completion | CallFailed:
            async with opening(_options(url, key)) as provider:
                return await provider.complete(_request(f"{self.prefix}m", timeout_s, is_streamed=is_streamed))

        return anyio.run(story)


def _options(url: str, key: str) -> ProviderOptions:
    return ProviderOptions("local", url, key, 3.0, 200_000, SystemClock())


def _request(model: str, timeout_s: float = 5.0, *, is_streamed: bool = False) -> ProviderRequest:
    messages = [{"role": "user", "content": "Buy?"}]
    body = canonical("body", {"model": model, "messages": messages, "max_tokens": 20, "temperature": 0})
    return ProviderRequest(model, body, timeout_s, is_streamed, _TRACEPARENT)
