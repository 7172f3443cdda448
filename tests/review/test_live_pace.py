"""A live market is paced through outages, and only on news that is new."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Callable, Sequence
from decimal import Decimal
from typing import Any

import anyio
import attrs

from tests.ledger.desk import NOON
from tests.review.scripted import UNREACHABLE, Office, engine_of
from tests.virtual_time import run_story
from tradecore.domain.events import DecisionGenerated, ExitFired
from tradecore.domain.exit_plan import ExitPlan, ExitRule
from tradecore.domain.values import Bar, Side
from tradecore.engine import Engine
from tradecore.feed import BarFeed
from tradecore.ports.market_data import DataConnected
from tradecore.ports.strategy import Idea, Portfolio
from tradecore.ports.venue import Venue
from tradecore.runner.contract import Session
from tradecore.sagas.conductor import Conductor
from tradecore.settings import load_settings
from tradecore_daemon.live import pace_live

MINUTE = dt.timedelta(minutes=1)


def bar(start: dt.datetime) -> Bar:
    price = Decimal(100)
    return Bar("SPY", start, price, price, price, price, Decimal(1))


class Eager:
    """Buys at every bar."""

    name = "eager"
    warmup_bars = 1

    def observe(self, bar: Bar) -> None: ...

    def on_bar(self, bar: Bar, portfolio: Portfolio) -> tuple[Idea, ...]:
        return (Idea(bar.symbol, Side.BUY, Decimal(1), "always"),)


@attrs.define
class Tape:
    """Bars as told; the first questions for history fail."""

    items: list[Any]
    failures: int = 0

    async def bars(self, symbols: Sequence[str]) -> AsyncIterator[Bar | DataConnected]:
        for item in self.items:
            yield item
        await anyio.sleep_forever()

    async def history(self, symbols: Sequence[str], start: dt.datetime, end: dt.datetime) -> tuple[Bar, ...]:
        if self.failures:
            self.failures -= 1
            raise UNREACHABLE
        return (bar(NOON - 60 * MINUTE),)


class Silent:
    def update(self, done: int, total: int | None, message: str) -> None: ...


async def pace(tape: Tape, seconds: float = 1.0, before: Callable[[Office, Engine], None] = lambda *_: None) -> Office:
    office = Office.open()
    engine = engine_of(office, Eager())
    before(office, engine)
    settings = load_settings(None, {"strategy": {"name": "sma"}})
    feed = BarFeed(tape, ("SPY",), engine._clock)
    venue = Venue(office.broker, tape)
    conductor = Conductor(engine.ledger, engine._clock, engine._ids, "main")
    session = Session("r", settings, office.desk.ledger.journal, engine, venue, feed, engine._clock, conductor)
    with anyio.move_on_after(seconds):
        async with anyio.create_task_group() as group:
            group.start_soon(feed.run)
            await pace_live(session, Silent())
    return office


def test_a_short_outage_while_the_history_is_read_does_not_end_the_runner() -> None:
    office = run_story(pace, Tape([bar(NOON - MINUTE)], failures=1))
    assert office.desk.names().count("trade.order.planned") == 1


def test_a_bar_that_the_stream_brings_half_an_hour_late_is_not_decided_on() -> None:
    office = run_story(pace, Tape([bar(NOON - 30 * MINUTE), bar(NOON - MINUTE)]))
    events = [recorded.event for recorded in office.desk.ledger.journal.read(0, 1000)]
    assert [event.data_as_of for event in events if isinstance(event, DecisionGenerated)] == [NOON - MINUTE]


def test_a_stop_is_kept_also_while_fills_of_another_order_are_missing() -> None:
    office = run_story(_pace_behind)
    events = [recorded.event for recorded in office.desk.ledger.journal.read(0, 1000)]
    assert [event.rule for event in events if isinstance(event, ExitFired)] == [ExitRule.STOP_LOSS]
    assert not any(isinstance(event, DecisionGenerated) for event in events)


async def _pace_behind() -> Office:
    def behind(office: Office, engine: Engine) -> None:
        plan = ExitPlan(stop_loss=Decimal("0.02"))
        office.desk.clock.at -= 5 * MINUTE
        office.desk.done("buy", "10", "150", exits=plan)
        office.desk.clock.at += 5 * MINUTE
        engine.inbox.behind = True

    return await pace(Tape([bar(NOON - MINUTE)]), before=behind)
