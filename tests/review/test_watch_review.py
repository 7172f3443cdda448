"""The watch over data that is silent: over nights and week-ends, and from the very beginning."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from tests.risk.test_triggers import Guarded, guarded, rule
from tradecore.domain.triggers import Trigger
from tradecore.domain.values import Bar, TradingState

D = Decimal
REDUCE_ONLY, ACTIVE = TradingState.REDUCE_ONLY, TradingState.ACTIVE
FRIDAY_CLOSE = dt.datetime(2024, 3, 8, 21, 0, tzinfo=dt.UTC)
MONDAY_OPEN = dt.datetime(2024, 3, 11, 13, 30, tzinfo=dt.UTC)  # the clocks went forward in between


def at(watched: Guarded, when: dt.datetime) -> TradingState:
    watched.desk.clock.at = when
    return watched.look()


def bar(watched: Guarded, symbol: str = "SPY") -> None:
    price = D(100)
    watched.watch.see(Bar(symbol, watched.desk.clock.now(), price, price, price, price, D(1)), None)


def test_a_night_without_bars_is_no_silence() -> None:
    watched = guarded(rule(Trigger.STALE_DATA, "900"))
    watched.desk.clock.at = FRIDAY_CLOSE - dt.timedelta(minutes=1)
    bar(watched)
    assert at(watched, FRIDAY_CLOSE + dt.timedelta(hours=30)) is ACTIVE
    assert at(watched, MONDAY_OPEN) is ACTIVE
    assert at(watched, MONDAY_OPEN + dt.timedelta(seconds=899)) is ACTIVE
    assert at(watched, MONDAY_OPEN + dt.timedelta(seconds=900)) is REDUCE_ONLY


def test_a_stream_that_never_brought_a_bar_is_silent() -> None:
    watched = guarded(rule(Trigger.STALE_DATA, "900"))
    watched.watch.expect(("SPY",))
    watched.desk.clock.at += dt.timedelta(seconds=899)
    assert watched.look() is ACTIVE
    watched.desk.clock.at += dt.timedelta(seconds=1)
    assert watched.look() is REDUCE_ONLY


def test_a_pair_that_is_always_traded_is_missed_at_night() -> None:
    watched = guarded(rule(Trigger.STALE_DATA, "900"))
    watched.desk.clock.at = FRIDAY_CLOSE + dt.timedelta(hours=5)
    bar(watched, "BTC/USD")
    watched.desk.clock.at += dt.timedelta(seconds=900)
    assert watched.look() is REDUCE_ONLY
