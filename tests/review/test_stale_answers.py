"""What a decision rests on is live, or the refusal names what is not, how old it is and how old it may be."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from tests.ledger.desk import NOON, Desk
from tests.review.scripted import UNREACHABLE, Office, ScriptedBroker, engine_of
from tests.virtual_time import run_story
from tradecore.cycle.market import MarketMemory
from tradecore.domain.truth import Source, judged, unavailable
from tradecore.domain.values import Bar
from tradecore.errors import StaleError, TradecoreError

LIMIT = dt.timedelta(seconds=60)


def test_a_live_answer_is_what_it_is() -> None:
    assert judged("yes", NOON, NOON + LIMIT, LIMIT).require("answer") == "yes"
    assert judged("yes", NOON, None, None).require("answer") == "yes"


@pytest.mark.parametrize(
    ("known", "words"),
    [
        (judged(1, NOON, NOON + 2 * LIMIT, LIMIT), ("120.0 s ago", "at most 60 s")),
        (judged(1, NOON, None, LIMIT), ("nobody knows how long ago", "at most 60 s")),
        (unavailable(), ("nobody has said",)),
    ],
    ids=["old", "of an unknown age", "never given"],
)
def test_a_refusal_names_the_answer_its_age_and_the_limit(known: Any, words: tuple[str, ...]) -> None:
    with pytest.raises(StaleError) as caught:
        known.require("account")
    error = caught.value
    assert isinstance(error, TradecoreError)
    assert (error.field, error.as_of, error.age, error.limit) == ("account", known.as_of, known.age, known.limit)
    assert str(error).startswith("account is not live")
    assert all(word in str(error) for word in words)


def test_the_account_is_refused_once_its_comparison_is_long_ago() -> None:
    async def story() -> None:
        office = Office.open(Desk.in_memory(), ScriptedBroker(), caught_up=False)
        engine = engine_of(office, clock=office.desk.clock, account_max_age_s=300.0)
        assert engine.known().source is Source.UNAVAILABLE
        await engine.begin("runner-1")
        engine.judge_age()
        assert not engine.gate.is_closed_for("age")
        office.desk.clock.at += 6 * LIMIT
        office.broker.trouble["account"] = UNREACHABLE
        await engine.reconcile()
        engine.judge_age()
        assert any("more than 300 s ago" in reason for reason in engine.gate.reasons)

    run_story(story)


def test_a_list_of_assets_has_a_source_a_time_and_an_age_and_an_old_one_says_nothing() -> None:
    async def story() -> None:
        office = Office.open()
        clock = office.desk.clock
        engine = engine_of(office, clock=clock, assets_max_age_s=60.0)
        assert (engine.assets.known().source, engine.assets.tradable("SPY")) == (Source.UNAVAILABLE, None)
        await engine.refresh_assets()
        clock.at += LIMIT
        known = engine.assets.known()
        assert (known.source, known.as_of, known.age, known.limit) == (Source.LIVE, NOON, LIMIT, LIMIT)
        assert [engine.assets.tradable(symbol) for symbol in ("SPY", "NOSUCH")] == [True, False]
        office.broker.trouble["assets"] = UNREACHABLE
        await engine.refresh_assets()
        assert known.value == frozenset({"SPY"})
        assert engine.assets.known().as_of == NOON, "an outage is no answer"
        clock.at += LIMIT
        assert [engine.assets.tradable(symbol) for symbol in ("SPY", "NOSUCH")] == [None, None], "and never a no"
        office.broker.trouble.clear()
        engine = engine_of(office, clock=clock)
        await engine.refresh_assets()
        clock.at += dt.timedelta(days=365)
        assert engine.assets.tradable("SPY"), "where age is no matter"

    run_story(story)


def test_bars_are_as_of_the_end_of_the_newest() -> None:
    class OneBar:
        async def history(self, *_: object) -> tuple[Bar, ...]:
            price = Decimal(100)
            return (Bar("SPY", NOON, price, price, price, price, Decimal(1)),)

    async def story() -> None:
        memory = MarketMemory(OneBar(), 10)  # type: ignore[arg-type]
        assert memory.known("SPY", NOON, 60).source is Source.UNAVAILABLE
        await memory.read(("SPY",), NOON + LIMIT)
        now = NOON + 2 * LIMIT
        assert len(memory.known("SPY", now, 60).require("bars")) == 1
        with pytest.raises(StaleError):
            memory.known("SPY", now, 59).require("bars")

    run_story(story)
