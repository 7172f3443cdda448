"""Every kind of failure, at every place of the chain, moves on; the end of the chain is no judgement."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import anyio
import pytest

from tests.models.stage import BUY, HOLD, TRACE, Stage, changed, question, settings_for
from tradecore.domain.events import (
    ModelCallAnswered,
    ModelCallFailed,
    ModelCallRequested,
    ModelChainExhausted,
    ModelSwitched,
)
from tradecore.domain.model_call import Criticality, ModelFailure
from tradecore.errors import InputError
from tradecore.ports.model import Abstained, Answered, Exhausted
from tradecore.settings_models import ModelsSettings
from tradecore.testing.model_acts import Act, Fault, Say
from tradecore.testing.model_server import ModelServer

FAULTS: dict[ModelFailure, Act] = {
    ModelFailure.RATE_LIMITED: Fault.rate_limited(7),
    ModelFailure.TIMEOUT: Fault.hang(),
    ModelFailure.SERVER_ERROR: Fault.server_error(),
    ModelFailure.UNAUTHORIZED: Fault.unauthorized(),
    ModelFailure.REFUSED: Fault.bad_request(),
    ModelFailure.BROKEN: Fault.cut(),
    ModelFailure.INCOMPLETE: Say('{"action": "BUY", "conf', finish_reason="length"),
    ModelFailure.DECLINED: Say(None, refusal="I would rather not"),
    ModelFailure.INVALID: Say('{"action": "BUY", "confidence": 0.7, "leverage": 10}'),
}
NOT_ASKED = (
    ModelFailure.UNREACHABLE,
    ModelFailure.NO_PRICE,
    ModelFailure.NO_KEY,
    ModelFailure.OVER_BUDGET,
    ModelFailure.BREAKER_OPEN,
)


def spoil(settings: ModelsSettings, server: ModelServer, stage: Stage, model: str, failure: ModelFailure) -> Any:
    """Settings in which this model fails in this way."""
    name = model.partition("@")[0]
    if failure in FAULTS:
        server.script(name, FAULTS[failure])
        return changed(settings, model, timeout_s=0.2) if failure is ModelFailure.TIMEOUT else settings
    plain = settings.model_dump()
    provider = plain["providers"][plain["catalogue"][model]["provider"]]
    if failure is ModelFailure.UNREACHABLE:
        provider["base_url"] = "http://127.0.0.1:9/v1"
    elif failure is ModelFailure.NO_PRICE:
        plain["catalogue"][model]["output_per_million"] = None
    elif failure is ModelFailure.NO_KEY:
        provider["key_env"] = "A_VARIABLE_THAT_NOBODY_SET"
    elif failure is ModelFailure.OVER_BUDGET:
        plain["catalogue"][model]["output_per_million"] = 100_000
    return ModelsSettings.model_validate(plain)


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize(
    ("failure", "is_streamed"),
    [*((one, False) for one in (*FAULTS, *NOT_ASKED)), *((one, True) for one in FAULTS)],
    ids=lambda value: value.value if isinstance(value, ModelFailure) else "streamed" if value else "whole",
)
def test_a_failure_at_any_place_of_the_chain_moves_on(
    server: ModelServer, stage: Stage, failure: ModelFailure, place: int, is_streamed: bool
) -> None:
    """The models before it fail, too, and the one after it answers; last of all, the chain is exhausted."""
    models = ("a@p0", "b@p1", "c@p2")
    settings = settings_for(server.url, models)
    for model in models:
        settings = changed(settings, model, stream=is_streamed)
    for before in range(place):
        server.script("abc"[before], Fault.server_error())
    settings = spoil(settings, server, stage, models[place], failure)
    requests = [question()]
    if failure is ModelFailure.BREAKER_OPEN:
        plain = settings.model_dump()
        plain["breaker"] = {"failures": 1}
        settings = ModelsSettings.model_validate(plain)
        server.script("abc"[place], Fault.server_error(), Say(BUY))
        requests = [question("first"), question("again")]
    outcome = stage.ask(settings, *requests)[-1]

    if place == 2:
        assert isinstance(outcome, Exhausted)
        assert outcome.steps[-1].failure is failure
        assert stage.events(ModelChainExhausted)[-1].steps == outcome.steps
    else:
        assert isinstance(outcome, Answered)
        assert outcome.value.action == "BUY"
        assert outcome.call.model == "abc"[place + 1]
        switched = stage.events(ModelSwitched)[-1]
        assert (switched.model, switched.failure, switched.next_model) == ("abc"[place], failure, "abc"[place + 1])
        asked = stage.events(ModelCallRequested)[-1]
        assert (asked.fallback_from, asked.fallback_reason) == (f"p{place}/{'abc'[place]}", failure)
    if failure in FAULTS:
        assert server.count("abc"[place]) == 1, "exactly one request, whatever became of it"
        assert stage.events(ModelCallFailed)[-1].failure is failure
    elif failure is not ModelFailure.BREAKER_OPEN:
        assert server.count("abc"[place]) == 0
    assert not stage.budget().open


@pytest.mark.parametrize("is_streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("act", [Fault.cut(0), Fault.cut(200), Fault.nonsense()], ids=["reset", "cut off", "garbage"])
def test_what_breaks_on_the_wire_at_any_place_moves_on(
    server: ModelServer, stage: Stage, act: Act, place: int, is_streamed: bool
) -> None:
    models = ("a@p0", "b@p1", "c@p2")
    settings = settings_for(server.url, models)
    for model in models:
        settings = changed(settings, model, stream=is_streamed)
    for before in range(place):
        server.script("abc"[before], Fault.server_error())
    server.script("abc"[place], act)
    for after in range(place + 1, 3):
        server.script("abc"[after], Say(BUY))
    outcome = stage.ask_one(settings)
    assert stage.events(ModelCallFailed)[-1].failure is ModelFailure.BROKEN
    assert isinstance(outcome, Exhausted if place == 2 else Answered)
    assert server.count("abc"[place]) == 1
    assert not stage.budget().open


def test_story_13_a_model_that_says_hold_is_told_apart_from_a_chain_that_failed(
    server: ModelServer, stage: Stage
) -> None:
    settings = settings_for(server.url)
    server.script("first", Say(HOLD))
    said = stage.ask_one(settings)
    assert isinstance(said, Abstained)
    assert said.reason == "nothing to do"
    assert stage.events(ModelCallAnswered)[-1].abstained

    server.script("first", Fault.server_error())
    server.script("second", Fault.server_error())
    nobody = stage.ask_one(settings, question("another"))
    assert isinstance(nobody, Exhausted)
    assert nobody.reason == "local/first: server_error; local/second: server_error"


def test_every_call_is_on_record_with_what_it_was_for_and_what_it_cost(server: ModelServer, stage: Stage) -> None:
    server.script("first", Say(BUY, usage=(1000, 50)))
    outcome = stage.ask_one(settings_for(server.url), question(agent="bull", decision_id="d-1"))
    assert isinstance(outcome, Answered)
    (asked,), (answered,) = stage.events(ModelCallRequested), stage.events(ModelCallAnswered)
    assert (asked.role, asked.criticality, asked.purpose) == ("trader", Criticality.MEDIUM, "decide on AAPL")
    assert (asked.agent, asked.decision_id, asked.run, asked.occurrence) == ("bull", "d-1", "run-1", 1)
    assert (answered.input_tokens, answered.output_tokens) == (1000, 50)
    assert answered.cost == outcome.call.cost == Decimal("0.0012")
    assert answered.cost <= asked.reserved
    assert b"Buy AAPL?" in stage.journal.texts.get(asked.prompt_hash)  # type: ignore[operator]
    assert b"BUY" in stage.journal.texts.get(answered.answer_hash)  # type: ignore[operator]
    assert {one.envelope.trace_id for one in stage.journal.load(f"question-{outcome.call.question_id}")} == {TRACE}
    assert server.requests[-1].headers["traceparent"].split("-")[1] == TRACE


def test_the_trace_of_a_question_is_one_chain_of_causes(server: ModelServer, stage: Stage) -> None:
    server.script("first", Fault.server_error())
    outcome = stage.ask_one(settings_for(server.url))
    assert isinstance(outcome, Answered)
    events = [one.envelope for one in stage.journal.read(0) if one.envelope.trace_id == TRACE]
    known = {one.event_id for one in events}
    assert [one.causation_id for one in events].count(None) == 1
    assert all(one.causation_id in known for one in events[1:])
    assert len({one.correlation_id for one in events}) == 1
    assert outcome.call.event_id in known


def test_a_chain_may_depend_on_how_much_hangs_on_it(server: ModelServer, stage: Stage) -> None:
    settings = settings_for(
        server.url,
        ("small", "large"),
        chains={"default": ["small"], "trader": {"high": ["large", "small"]}},
    )
    low, high = stage.ask(settings, question(), question(criticality=Criticality.HIGH))
    assert isinstance(low, Answered)
    assert isinstance(high, Answered)
    assert (low.call.model, high.call.model) == ("small", "large")


def test_a_role_without_a_chain_asks_nobody(server: ModelServer, stage: Stage) -> None:
    settings = settings_for(server.url, chains={"default": []})
    outcome = stage.ask_one(settings)
    assert isinstance(outcome, Exhausted)
    assert [step.failure for step in outcome.steps] == [ModelFailure.NO_MODEL]
    assert server.requests == []


def test_the_deadline_of_the_decision_holds_for_the_whole_chain(server: ModelServer, stage: Stage) -> None:
    server.script("first", Fault.hang())
    soon = stage.clock.monotonic() + 0.3
    outcome = stage.ask_one(settings_for(server.url), question(deadline=soon))
    assert isinstance(outcome, Exhausted)
    assert [step.failure for step in outcome.steps] == [ModelFailure.TIMEOUT, ModelFailure.OUT_OF_TIME]
    assert server.count("second") == 0


@pytest.mark.parametrize("set_by_s", [86_400, -86_400])
def test_a_clock_that_is_set_moves_no_deadline(server: ModelServer, stage: Stage, set_by_s: float) -> None:
    server.script("first", Fault.hang())
    settings = changed(settings_for(server.url), "first", timeout_s=0.2)
    enough, too_little = (stage.clock.monotonic() + seconds for seconds in (60, 0))

    async def story() -> list[Any]:
        said: list[Any] = []
        async with stage.gateway(settings) as gateway, anyio.create_task_group() as group:

            async def set_the_clock() -> None:
                await anyio.sleep(0.05)  # the first model hangs for longer
                stage.clock.set_by_s = set_by_s

            server.script("second", Say(BUY))
            group.start_soon(set_the_clock)
            said += [await gateway.ask(question(deadline=deadline)) for deadline in (enough, too_little)]
        return said

    in_time, late = anyio.run(story)
    assert isinstance(in_time, Answered), "the question was on its way when the clock was set"
    assert isinstance(late, Exhausted)
    assert {step.failure for step in late.steps} == {ModelFailure.OUT_OF_TIME}


@pytest.mark.parametrize("deadline", [float("nan"), float("inf")])
def test_a_deadline_that_is_no_time_is_refused(server: ModelServer, stage: Stage, deadline: float) -> None:
    with pytest.raises(InputError, match="deadline"):
        stage.ask_one(settings_for(server.url), question(deadline=deadline))


def test_a_pause_that_a_provider_asks_for_is_kept(server: ModelServer, stage: Stage) -> None:
    server.script("first", Fault.rate_limited(7), Say(BUY))
    settings = settings_for(server.url)

    async def story() -> list[str]:
        async with stage.gateway(settings) as gateway:
            said = []
            for after_s in (0, 3, 5):
                stage.clock.by_s += after_s
                outcome = await gateway.ask(question())
                assert isinstance(outcome, Answered)
                said.append(outcome.call.model)
            return said

    assert anyio.run(story) == ["second", "second", "first"]
    assert stage.events(ModelSwitched)[-1].failure is ModelFailure.COOLING_DOWN
    assert stage.events(ModelCallFailed)[0].retry_after_s == 7


def test_a_provider_that_fails_three_times_is_left_alone_for_a_minute_then_asked_once(
    server: ModelServer, stage: Stage
) -> None:
    server.script("a", Fault.server_error())
    settings = settings_for(server.url, ("a@p0", "b@p1"))

    async def story() -> list[int]:
        counts = []
        async with stage.gateway(settings) as gateway:
            for after_s in (0, 0, 0, 0, 59, 2, 0):
                stage.clock.by_s += after_s
                await gateway.ask(question())
                counts.append(server.count("a"))
        return counts

    assert anyio.run(story) == [1, 2, 3, 3, 3, 4, 4]


def test_an_answer_in_a_fence_is_read_and_one_with_a_float_that_is_no_number_is_not(
    server: ModelServer, stage: Stage
) -> None:
    server.script("first", Say(f"```json\n{BUY}\n```"), Say('{"action": "BUY", "confidence": NaN}'))
    settings = settings_for(server.url, ("first",))
    fenced, no_number = stage.ask(settings, question(), question())
    assert isinstance(fenced, Answered)
    assert fenced.value.confidence == Decimal("0.7")
    assert isinstance(no_number, Exhausted)
    assert no_number.steps[0].failure is ModelFailure.INVALID


@pytest.mark.parametrize(
    "content",
    [
        "",
        "   ",
        "null",
        "[]",
        "BUY",
        '{"action": "BUY"}',
        '{"action": "BUY", "confidence": 1.2}',
        '{"action": "buy", "confidence": 0.5}',
        '{"action": "BUY", "confidence": 1e400}',
        '{"action": "BUY", "confidence": Infinity}',
        '{"action": "BUY", "confidence": 0.5, "confidence": 0.9}',
        '{"action": "BUY", "confidence": true}',
        '{"action": ["BUY"], "confidence": 0.5}',
        '{"action": "BUY", "confidence": ' + "9" * 5000 + "}",
        "[" * 100_000,
        '{"a":' * 50_000,
        '{"action": "BUY", "confidence": 0.5} and {"action": "SELL", "confidence": 1}',
    ],
    ids=range(17),
)
def test_story_15_what_is_not_json_or_does_not_fit_the_schema_falls_back(
    server: ModelServer, stage: Stage, content: str
) -> None:
    """And story 13: what was not said is not invented, no default becomes a decision."""
    server.script("first", Say(content))
    outcome = stage.ask_one(settings_for(server.url))
    assert isinstance(outcome, Answered)
    assert outcome.call.model == "second"
    assert [one.failure for one in stage.events(ModelCallFailed)] == [ModelFailure.INVALID]


@pytest.mark.parametrize("is_streamed", [False, True])
@pytest.mark.parametrize("after", [0, 40, 200, 340])
def test_an_answer_that_is_cut_off_is_never_used(
    server: ModelServer, stage: Stage, after: int, is_streamed: bool
) -> None:
    server.script("first", Fault.cut(after))
    settings = changed(settings_for(server.url), "first", stream=is_streamed)
    outcome = stage.ask_one(settings)
    assert isinstance(outcome, Answered)
    assert outcome.call.model == "second"
    (failed,) = stage.events(ModelCallFailed)
    assert failed.failure is ModelFailure.BROKEN
    assert failed.cost == stage.events(ModelCallRequested)[0].reserved, "the provider may bill it"
