"""Seeded bars: the same for ever, extendable, and plausible."""

from __future__ import annotations

import datetime as dt
import hashlib
from zoneinfo import ZoneInfo

import pytest

from tradecore.domain.values import Bar
from tradecore.errors import InputError
from tradecore_bars import seeded_bars


def test_the_same_seed_gives_the_same_bars() -> None:
    assert list(seeded_bars(["AAPL"], 1, 7)) == list(seeded_bars(["AAPL"], 1, 7))
    assert list(seeded_bars(["AAPL"], 1, 7)) != list(seeded_bars(["AAPL"], 1, 8))


def test_the_bars_of_a_seed_never_change_between_versions() -> None:
    text = "\n".join(
        f"{bar.symbol} {bar.start:%H:%M} {bar.open} {bar.high} {bar.low} {bar.close} {bar.volume}"
        for bar in seeded_bars(["AAPL"], 1, 7)
    )
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == "fa9ca0c8f6807098"


def test_more_days_only_add_to_the_first_ones() -> None:
    assert list(seeded_bars(["AAPL"], 3, 7))[:390] == list(seeded_bars(["AAPL"], 1, 7))


def test_other_symbols_change_nothing() -> None:
    both = [bar for bar in seeded_bars(["MSFT", "AAPL"], 1, 7) if bar.symbol == "AAPL"]
    assert both == list(seeded_bars(["AAPL"], 1, 7))


def test_bars_come_by_start_and_symbol() -> None:
    bars = list(seeded_bars(["MSFT", "AAPL"], 1, 7))
    assert bars == sorted(bars, key=lambda bar: (bar.start, bar.symbol))


def test_a_day_is_the_390_minutes_of_new_york_on_weekdays_only() -> None:
    bars = list(seeded_bars(["AAPL"], 5, 7, dt.date(2024, 3, 7)))
    local = [bar.start.astimezone(ZoneInfo("America/New_York")) for bar in bars]
    assert len(bars) == 5 * 390
    assert {time.weekday() for time in local} <= {0, 1, 2, 3, 4}
    assert (local[0].time(), local[389].time()) == (dt.time(9, 30), dt.time(15, 59))
    # The clocks go forward in between: the same local time is another hour of UTC.
    assert {bars[day * 390].start.hour for day in range(5)} == {13, 14}


def test_prices_are_whole_cents_within_the_range_of_their_bar() -> None:
    for bar in seeded_bars(["AAPL", "MSFT"], 2, 7):
        assert 0 < bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high
        assert all(price.as_tuple().exponent == -2 for price in (bar.open, bar.high, bar.low, bar.close))
        assert bar.volume > 0


def test_averages_cross_every_day() -> None:
    def above(bars: list[Bar], at: int) -> bool:
        closes = [bar.close for bar in bars[at - 30 : at]]
        return sum(closes[-10:]) * 3 > sum(closes)

    bars = list(seeded_bars(["AAPL"], 10, 7))
    for day in range(10):
        states = [above(bars, at) for at in range(max(30, day * 390), (day + 1) * 390)]
        assert len(set(states)) == 2


@pytest.mark.parametrize(("symbols", "days"), [([], 1), (["AAPL", "AAPL"], 1), (["aapl"], 1), (["AAPL"], 0)])
def test_a_market_of_nothing_is_refused(symbols: list[str], days: int) -> None:
    with pytest.raises(InputError):
        seeded_bars(symbols, days, 7)
