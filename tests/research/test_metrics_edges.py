"""Where formulas have no answer, the figure says so: no crash, no NaN, no infinity; and what days and flows mean."""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.research.curves import seeded_curve, seeded_trades, sessions
from tradecore.domain.values import Side
from tradecore.errors import InputError
from tradecore.metrics import ClosedTrade, Curve, Dealt, Market, NotDefined, Report, Sample, market_of, measure
from tradecore.metrics.performance import annual_return, total_return
from tradecore.metrics.year import periods_per_year

DAY = dt.timedelta(days=1)
START = dt.datetime(2024, 1, 2, 21, tzinfo=dt.UTC)


def curve_of(*equity: str) -> Curve:
    return Curve.of((START + DAY * place, Decimal(value)) for place, value in enumerate(equity))


def is_sound(report: Report) -> bool:
    return all(not isinstance(figure.value, float) or math.isfinite(figure.value) for figure in report)


@pytest.mark.parametrize(
    "equity",
    [(), ("100",), ("100", "100"), ("100",) * 40, ("100", "0"), ("100", "-5", "90"), ("0", "0"), ("1", "2", "4", "8")],
)
def test_every_figure_is_a_number_or_a_reason(equity: tuple[str, ...]) -> None:
    report = measure(curve_of(*equity), market=Market.EVERY_DAY, benchmark=curve_of("10", "11", "10", "12"))
    assert is_sound(report)


@given(st.lists(st.decimals(-10, 1000, places=2), max_size=40), st.integers(0, 12))
def test_whatever_the_curve_every_figure_is_a_number_or_a_reason(equity: list[Decimal], trades: int) -> None:
    curve = Curve.of((START + DAY * place, value) for place, value in enumerate(equity))
    assert is_sound(measure(curve, seeded_trades(1, trades), market=Market.EVERY_DAY))


def test_without_variance_the_ratios_are_not_defined_but_volatility_is_zero() -> None:
    report = measure(curve_of(*["100"] * 50), market=Market.EVERY_DAY)
    assert report.value("volatility") == 0
    for key in ("sharpe", "sortino", "calmar", "skew", "kurtosis", "max_drawdown"):
        assert isinstance(report.value(key), NotDefined), key
    assert report.value("total_return") == 0


def test_constant_growth_has_no_sharpe_ratio_whatever_the_rounding() -> None:
    equity, points = Decimal(100), []
    for place in range(60):
        points.append((START + DAY * place, equity))
        equity = equity * Decimal("1.001")
    assert str(measure(Curve.of(points), market=Market.EVERY_DAY).value("sharpe")) == (
        "not defined: the returns do not vary"
    )


def test_without_trades_their_figures_say_so() -> None:
    report = measure(seeded_curve(1))
    assert report.value("trades") == 0
    assert report.value("net_profit") == 0
    for key in ("win_rate", "profit_factor", "expectancy", "payoff", "holding_time", "largest_loss"):
        assert isinstance(report.value(key), NotDefined), key


def test_only_wins_have_no_profit_factor() -> None:
    trade = ClosedTrade("t", "SPY", Side.BUY, Decimal(1), START, START + DAY, Decimal(5))
    report = measure(seeded_curve(1), [trade])
    assert str(report.value("profit_factor")) == "not defined: no trade was lost"
    assert report.value("win_rate") == 1


def test_trade_figures_counted_by_hand() -> None:
    pnls = ["10", "-4", "0", "6", "-2", "-2"]
    closes = sessions(10)
    trades = [
        ClosedTrade(f"t{n}", "SPY", Side.BUY, Decimal(1), closes[n], closes[n + 1], Decimal(pnl), Decimal("0.1"))
        for n, pnl in enumerate(pnls)
    ]
    report = measure(seeded_curve(1), trades)
    found = {key: report.value(key) for key in ("win_rate", "profit_factor", "payoff", "most_wins", "most_losses")}
    assert found == pytest.approx(
        {"win_rate": 2 / 6, "profit_factor": 2, "payoff": 3, "most_wins": 1, "most_losses": 2}, rel=1e-8
    )
    assert report.value("expectancy") == Decimal("1.333333333")
    assert (report.value("average_win"), report.value("largest_loss")) == (Decimal(8), Decimal(-4))
    assert report.value("net_profit") == Decimal(8)
    assert report.value("fees") == Decimal("0.6")


def test_money_paid_in_is_no_return() -> None:
    plain = Curve.of([(START, Decimal(100)), (START + DAY, Decimal(110)), (START + 2 * DAY, Decimal(121))])
    paid = Curve.of(
        [
            Sample(START, Decimal(100)),
            Sample(START + DAY, Decimal(1110), flow=Decimal(1000)),
            Sample(START + 2 * DAY, Decimal(1221)),
        ]
    )
    assert total_return(paid) == total_return(plain) == pytest.approx(0.21)
    assert measure(paid).value("max_drawdown") == NotDefined("there was no drawdown")


def test_a_session_without_a_sample_carries_the_last_one_on() -> None:
    """Friday's close stands on a Monday without samples; what a weekend brings counts in the session after it."""
    friday = dt.datetime(2024, 1, 5, 21, tzinfo=dt.UTC)
    curve = Curve.of(
        [
            (friday - DAY, Decimal(100)),
            (friday, Decimal(101)),
            (friday + DAY, Decimal(102)),
            (friday + 4 * DAY, Decimal(103)),
        ]
    )
    daily = curve.daily(Market.US_EQUITIES)
    assert [sample.equity for sample in daily.samples] == [Decimal(n) for n in (100, 101, 102, 103)]


def test_intraday_samples_become_one_return_per_session() -> None:
    opening = dt.datetime(2013, 10, 4, 13, 31, tzinfo=dt.UTC)
    minutes = [(opening + dt.timedelta(minutes=n), Decimal(100) + n) for n in range(300)]
    next_day = [(at + 3 * DAY, equity + 7) for at, equity in minutes]
    assert len(measure(Curve.of(minutes + next_day)).returns) == 2


def test_the_year_has_as_many_periods_as_the_calendar_has_sessions() -> None:
    assert periods_per_year(Market.US_EQUITIES, dt.date(2013, 1, 2), dt.date(2013, 3, 1)) == 252
    assert periods_per_year(Market.US_EQUITIES, dt.date(2001, 5, 1), dt.date(2001, 6, 1)) == 248
    assert periods_per_year(Market.EVERY_DAY, dt.date(2023, 1, 1), dt.date(2024, 1, 1)) == 365.5
    assert market_of(frozenset({"BTC/USD"})) is Market.EVERY_DAY
    assert market_of(frozenset({"BTC/USD", "SPY"})) is market_of(frozenset()) is Market.US_EQUITIES


def test_a_short_range_is_not_annualised() -> None:
    assert "too few to annualise" in str(annual_return(curve_of("100", "101")))


def test_exposure_and_turnover_by_hand() -> None:
    samples = [
        Sample(START, Decimal(100), Decimal(50)),
        Sample(START + DAY, Decimal(100), Decimal(0)),
        Sample(START + 4 * DAY, Decimal(100), Decimal(0)),
    ]
    bought = Dealt(START, "SPY", Side.BUY, Decimal(1), Decimal(50))
    sold = Dealt(START + DAY, "SPY", Side.SELL, Decimal(1), Decimal(40))
    report = measure(Curve.of(samples), dealt=[bought, sold])
    assert report.value("exposure") == pytest.approx(0.125)
    assert report.value("turnover") == pytest.approx(0.4 * 365.25 / 4)
    assert measure(Curve.of(samples), dealt=[bought]).value("turnover") == 0


@pytest.mark.parametrize(
    "points",
    [
        [(START, Decimal("NaN"))],
        [(START, Decimal("Infinity"))],
        [(START, Decimal(1)), (START, Decimal(1))],
        [(START.replace(tzinfo=None), Decimal(1))],
    ],
)
def test_a_curve_that_is_none_is_refused(points: list[tuple[dt.datetime, Decimal]]) -> None:
    with pytest.raises(InputError):
        Curve.of(points)
