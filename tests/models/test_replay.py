"""A recorded run gives the same decisions byte for byte, and a miss is loud."""

from __future__ import annotations

import anyio
import pytest

from tests.models.stage import BUY, HOLD, Outcome, Stage, question, settings_for
from tradecore.domain.events import ModelAnswerReused, ModelCallAnswered, ModelCallRequested
from tradecore.errors import ReplayMiss
from tradecore.models.replay import ReplayGateway
from tradecore.ports.model import Abstained, Answered
from tradecore.testing.model_acts import Fault, Say
from tradecore.testing.model_server import ModelServer


def replayed(stage: Stage, run: str, *texts: str) -> list[Outcome]:
    async def story() -> list[Outcome]:
        gateway = ReplayGateway(stage.journal, run)
        return [await gateway.ask(question(text, run="another")) for text in texts]

    return anyio.run(story)


def test_the_same_prompt_twice_may_have_two_answers(server: ModelServer, stage: Stage) -> None:
    server.script("first", Say(BUY), Say(HOLD))
    live = stage.ask(settings_for(server.url), question("a"), question("b"), question("a"))
    assert [type(one) for one in live] == [Answered, Abstained, Abstained]
    assert replayed(stage, "run-1", "a", "a", "b") == [live[0], live[2], live[1]]


def test_two_runs_do_not_mix(server: ModelServer, stage: Stage) -> None:
    server.script("first", Say(BUY), Say(HOLD))
    first, second = stage.ask(settings_for(server.url), question(run="one"), question(run="two"))
    assert replayed(stage, "one", "Buy AAPL?") == [first]
    assert replayed(stage, "two", "Buy AAPL?") == [second]


def test_a_run_that_goes_on_after_a_restart_counts_on(server: ModelServer, stage: Stage) -> None:
    server.script("first", Say(BUY), Say(HOLD))
    (before,) = stage.ask(settings_for(server.url), question())
    (after,) = stage.ask(settings_for(server.url), question())
    assert [one.occurrence for one in stage.events(ModelCallRequested)] == [1, 2]
    assert replayed(stage, "run-1", "Buy AAPL?", "Buy AAPL?") == [before, after]


@pytest.mark.parametrize(
    ("texts", "why"), [(("other",), "not asked in this run"), (("Buy AAPL?", "Buy AAPL?"), "not asked in this run")]
)
def test_a_miss_is_loud(server: ModelServer, stage: Stage, texts: tuple[str, ...], why: str) -> None:
    stage.ask_one(settings_for(server.url))
    with pytest.raises(ReplayMiss, match=why):
        replayed(stage, "run-1", *texts)


def test_a_replay_of_an_unknown_run_has_nothing(stage: Stage) -> None:
    assert ReplayGateway(stage.journal, "never").questions == 0
    with pytest.raises(ReplayMiss, match="never"):
        replayed(stage, "never", "Buy AAPL?")


def test_a_text_that_was_erased_or_never_kept_is_a_miss(server: ModelServer, stage: Stage) -> None:
    stage.ask_one(settings_for(server.url))
    server.script("first", Say(HOLD))
    stage.ask_one(settings_for(server.url, keep_texts=False), question(run="kept-nothing", text="other"))
    with pytest.raises(ReplayMiss, match="never kept"):
        replayed(stage, "kept-nothing", "other")
    erased = stage.journal.texts.erase(f"models {stage.clock.now():%Y-%m}")
    assert erased == 2
    with pytest.raises(ReplayMiss, match="erased"):
        replayed(stage, "run-1", "Buy AAPL?")


def test_what_is_not_answered_yet_cannot_be_replayed(server: ModelServer, stage: Stage) -> None:
    server.script("first", Fault.hang())

    async def story() -> None:
        async with stage.gateway(settings_for(server.url)) as gateway:
            with anyio.move_on_after(0.2):
                await gateway.ask(question())

    anyio.run(story)
    with pytest.raises(ReplayMiss, match="ended before it was answered"):
        replayed(stage, "run-1", "Buy AAPL?")
    assert not stage.budget().open, "whoever goes away leaves nothing open"
    assert stage.budget().spent > 0, "and what may have been billed counts"


def test_story_10_an_answer_from_the_cache_keeps_trace_decision_and_agent_of_who_got_it(
    server: ModelServer, stage: Stage
) -> None:
    """And story 14: it says how old it is, and ages out."""
    from tradecore.domain.messages import Cause

    settings = settings_for(server.url, cache_s={"trader": 60})
    other = Cause("11111111111111111111111111111111", actor="agent:bear")

    async def story() -> list[Outcome]:
        async with stage.gateway(settings) as gateway:
            first = await gateway.ask(question(decision_id="d-1"))
            stage.clock.by_s += 30
            again = await gateway.ask(question(decision_id="d-2", cause=other, agent="bear"))
            stage.clock.by_s += 31
            return [first, again, await gateway.ask(question(decision_id="d-3"))]

    first, again, later = anyio.run(story)
    assert server.count("first") == 2
    assert isinstance(first, Answered)
    assert isinstance(again, Answered)
    assert isinstance(later, Answered)
    assert (first.call.cached, again.call.cached, later.call.cached) == (False, True, False)
    assert again.value == first.value
    assert again.call.cost == 0
    (hit,) = stage.events(ModelAnswerReused)
    assert (hit.decision_id, hit.agent, hit.source_question_id) == ("d-2", "bear", first.call.question_id)
    assert 30 <= hit.age_s < 31
    (recorded,) = stage.journal.load(f"question-{again.call.question_id}")
    assert recorded.envelope.trace_id == other.trace_id
    assert len(stage.events(ModelCallAnswered)) == 2
    assert replayed(stage, "run-1", *["Buy AAPL?"] * 3) == [first, again, later]


@pytest.mark.parametrize("field", ["text", "model", "temperature", "seed", "max_output_tokens", "provider"])
def test_whatever_changes_the_answer_is_part_of_the_key_of_the_cache(
    server: ModelServer, stage: Stage, field: str
) -> None:
    from decimal import Decimal
    from typing import Any

    from tests.models.stage import changed
    from tradecore.models.canonical import canonical
    from tradecore.models.question import typed_question
    from tradecore.models.steps import make_steps
    from tradecore.ports.model import ModelRequest
    from tradecore.settings_models import ModelsSettings

    plain = settings_for(server.url, ("first", "second@elsewhere"))

    def key(settings: ModelsSettings, request: ModelRequest[Any], name: str = "first") -> str:
        breakers: dict[str, Any] = dict.fromkeys(settings.providers)
        step = make_steps(settings, {}, breakers)[name]
        return step.wire_hash(canonical("body", typed_question(request).chat(step.entry)))

    keys = {
        "text": lambda: key(plain, question("Sell AAPL?")),
        "temperature": lambda: key(plain, question(temperature=Decimal("0.5"))),
        "seed": lambda: key(plain, question(seed=1)),
        "model": lambda: key(changed(plain, "first", model="other"), question()),
        "max_output_tokens": lambda: key(changed(plain, "first", max_output_tokens=7), question()),
        "provider": lambda: key(changed(plain, "second@elsewhere", model="first"), question(), "second@elsewhere"),
    }
    assert keys[field]() != key(plain, question())
    assert key(plain, question(run="r", decision_id="d", purpose="p")) == key(plain, question())
