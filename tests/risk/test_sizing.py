"""Sizes are never exceeded, formulas are those of their sources, and nonsense is refused by name."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradecore.domain import sizing
from tradecore.domain.values import Bar
from tradecore.errors import InputError

D = Decimal
_AMOUNT = st.decimals("0.01", "1e7", places=2)
_PRICE = st.decimals("0.01", "1e4", places=2)
_SHARE = st.decimals("0.001", "1", places=3)


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (lambda: sizing.fixed(D("10.7")), "10"),
        (lambda: sizing.fixed(D("10.7"), step=D("0.5")), "10.5"),
        (lambda: sizing.fixed_amount(D(1000), D("33")), "30"),
        (lambda: sizing.percent_of_equity(D(100_000), D("0.05"), D(200)), "25"),
        (lambda: sizing.percent_of_equity(D(100_000), D("0.05"), D(3000), step=D("0.000000001")), "1.666666666"),
        (lambda: sizing.percent_of_equity(D(100_000), D(1), D(100)), "1000"),
        (lambda: sizing.by_risk(D(100_000), D("0.01"), D(50), D(48)), "500"),
        (lambda: sizing.by_risk(D(100_000), D("0.01"), D(48), D(50)), "500"),
        (lambda: sizing.by_volatility(D(100_000), D("0.01"), D("2.5")), "200"),
        (lambda: sizing.by_volatility(D(100_000), D("0.01"), D("2.5"), D(4)), "100"),
        (lambda: sizing.by_kelly(D(100_000), D("0.6"), D("1.5"), D(100)), "166"),
        (lambda: sizing.by_kelly(D(100_000), D("0.4"), D("1"), D(100)), "0"),
    ],
)
def test_sizes_are_those_of_the_formula_rounded_towards_zero(size: Callable[[], Decimal], expected: str) -> None:
    assert size() == D(expected)


def test_what_does_not_end_is_cut_off_behind_34_digits() -> None:
    bars = [bar("11", "10", "10.5"), bar("11", "10", "10.5"), bar("11", "10", "10.5"), bar("10.5", "10.5", "10.5")]
    assert sizing.average_true_range(bars, 3) == D("0." + "6" * 34)


def test_a_range_of_one_bar_is_the_range_of_the_last() -> None:
    bars = [bar("11", "10", "10.5"), bar("12", "11", "11.5"), bar("11", "9", "9.5")]
    assert sizing.average_true_range(bars, 1) == D("2.5")


def test_kelly_is_p_minus_q_over_b_and_never_below_zero() -> None:
    assert sizing.kelly_share(D("0.6"), D(1), D(1)) == D("0.2")
    assert sizing.kelly_share(D("0.6"), D(1)) == D("0.1")
    assert sizing.kelly_share(D("0.5"), D(1)) == 0
    assert sizing.kelly_share(D(0), D(1)) == 0
    assert sizing.kelly_share(D(1), D(1), D(1)) == 1


def bar(high: str, low: str, close: str) -> Bar:
    return Bar("SPY", dt.datetime(2026, 2, 3, tzinfo=dt.UTC), D(low), D(high), D(low), D(close), D(1))


def test_the_average_true_range_is_wilders() -> None:
    bars = [bar("11", "10", "10.5"), bar("12", "11", "11.5"), bar("11", "9", "9.5"), bar("10", "9", "9.5")]
    assert sizing.average_true_range(bars[:3], 2) == (D("1.5") + D("2.5")) / 2
    assert sizing.average_true_range(bars, 2) == (D(2) * 1 + D(1)) / 2


def test_the_average_true_range_needs_enough_bars() -> None:
    with pytest.raises(InputError, match="at least 15 bars"):
        sizing.average_true_range([bar("11", "10", "10.5")] * 14)


@given(_AMOUNT, _SHARE, _PRICE, st.sampled_from([D(1), D("0.5"), D("0.000000001")]))
def test_a_share_of_the_equity_is_never_exceeded_nor_missed_by_a_step(
    equity: Decimal, share: Decimal, price: Decimal, step: Decimal
) -> None:
    units = sizing.percent_of_equity(equity, share, price, step=step)
    assert units * price <= equity * share < (units + step) * price
    assert units % step == 0


@given(_AMOUNT, _SHARE, _PRICE, _PRICE)
def test_the_loss_at_the_stop_is_at_most_the_risk(
    equity: Decimal, risk: Decimal, entry: Decimal, stop: Decimal
) -> None:
    if entry != stop:
        assert sizing.by_risk(equity, risk, entry, stop) * abs(entry - stop) <= equity * risk


@pytest.mark.parametrize(
    ("call", "field"),
    [
        (lambda: sizing.fixed(D(0)), "units"),
        (lambda: sizing.fixed(D("NaN")), "units"),
        (lambda: sizing.fixed(1.5), "units"),  # type: ignore[arg-type]
        (lambda: sizing.fixed(D(1), step=D(0)), "step"),
        (lambda: sizing.fixed_amount(D(1), D(0)), "price"),
        (lambda: sizing.percent_of_equity(D(-1), D("0.1"), D(1)), "equity"),
        (lambda: sizing.percent_of_equity(D(1), D("1.1"), D(1)), "share"),
        (lambda: sizing.by_risk(D(1), D("0.1"), D(1), D(1)), "stop"),
        (lambda: sizing.by_volatility(D(1), D("0.1"), D(0)), "atr"),
        (lambda: sizing.kelly_share(D("1.1"), D(1)), "win_rate"),
        (lambda: sizing.kelly_share(D("0.5"), D(0)), "payoff"),
        (lambda: sizing.average_true_range([], 0), "periods"),
        (lambda: sizing.average_true_range([], 1), "bars"),
        (lambda: sizing.fixed_amount(D(0), D(1)), "amount"),
        (lambda: sizing.percent_of_equity(D(1), D("0.1"), D(0)), "price"),
        (lambda: sizing.percent_of_equity(D(1), D(0), D(1)), "share"),
        (lambda: sizing.percent_of_equity(D(1), D("NaN"), D(1)), "share"),
        (lambda: sizing.percent_of_equity(D(1), 0.1, D(1)), "share"),  # type: ignore[arg-type]
        (lambda: sizing.by_risk(D(1), D("0.1"), D(0), D(1)), "entry"),
        (lambda: sizing.by_risk(D(1), D("0.1"), D(1), D(0)), "stop"),
        (lambda: sizing.by_risk(D(0), D("0.1"), D(1), D(2)), "equity"),
        (lambda: sizing.by_risk(D(1), D(0), D(1), D(2)), "risk"),
        (lambda: sizing.by_volatility(D(0), D("0.1"), D(1)), "equity"),
        (lambda: sizing.by_volatility(D(1), D(2), D(1)), "risk"),
        (lambda: sizing.by_volatility(D(1), D("0.1"), D(1), D(0)), "multiple"),
        (lambda: sizing.kelly_share(D("0.5"), D(1), D(2)), "fraction"),
        (lambda: sizing.kelly_share(D("-0.1"), D(1)), "win_rate"),
        (lambda: sizing.by_kelly(D(0), D("0.6"), D(1), D(1)), "equity"),
        (lambda: sizing.by_kelly(D(1), D("0.6"), D(1), D(0)), "price"),
    ],
)
def test_nonsense_is_refused_by_name(call: Callable[[], Any], field: str) -> None:
    with pytest.raises(InputError) as refused:
        call()
    assert refused.value.field == field
