"""Limits that move: at each step, just below and just above it, and at the worst where a figure is not known."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from tests.ledger.desk import NOON, Desk
from tests.risk.asks import ask, limits, standing
from tests.risk.test_wired import found, refusal
from tradecore.domain.events import LimitBreached, ReservationMade
from tradecore.domain.gate.dynamics import scale_of, scaled
from tradecore.domain.limits import Hours, Limits, ScopeLimits, Step, check_limits
from tradecore.domain.sizing import average_true_range
from tradecore.domain.values import Bar
from tradecore.domain.volatility import Swing
from tradecore.errors import InputError
from tradecore.settings_risk import RiskSettings

D = Decimal
STEPS = (Step(D("0.02"), D("0.5")), Step(D("0.05"), D("0.1")))


@pytest.mark.parametrize(
    ("volatility", "factor"),
    [("0.019999999", "1"), ("0.02", "0.5"), ("0.049999999", "0.5"), ("0.05", "0.1"), ("9", "0.1"), (None, "0.1")],
)
def test_a_market_that_swings_makes_limits_smaller(volatility: str | None, factor: str) -> None:
    told = limits(volatility_steps=STEPS)
    assert scale_of(told, ask(volatility=volatility), standing()).factor == D(factor)


@pytest.mark.parametrize(
    ("equity", "loss", "factor"),
    [
        ("98000.01", "1999.99", "1"),
        ("98000", "2000", "0.5"),
        ("95000", "5000", "0.1"),
        ("101000", "-1000", "1"),
        (None, "0", "0.1"),
        ("100000", None, "0.1"),
    ],
)
def test_a_day_that_costs_makes_limits_smaller(equity: str | None, loss: str | None, factor: str) -> None:
    told = limits(loss_steps=STEPS)
    assert scale_of(told, ask(), standing(equity=equity, day_loss=loss)).factor == D(factor)


def test_outside_regular_hours_limits_are_smaller_and_factors_multiply() -> None:
    told = limits(volatility_steps=STEPS, loss_steps=STEPS, extended_hours_factor="0.5")
    swinging = ask(volatility="0.03", session=Hours.EXTENDED)
    scale = scale_of(told, swinging, standing(equity="98000", day_loss="2000"))
    assert (scale.factor, len(scale.reasons)) == (D("0.125"), 3)
    assert scale_of(told, ask(volatility="0", session=None), standing()).factor == D("0.5")
    assert scale_of(told, ask(volatility="0"), standing()).reasons == ()


def test_every_limit_on_an_amount_is_scaled_and_no_other() -> None:
    told = Limits(
        max_order_qty=D(10), max_position_share=D("0.1"), max_open_orders=7, max_daily_loss=D(100), price_collar=D(1),
        per_symbol={"SPY": ScopeLimits(max_order_notional=D(50), max_open_orders=3)},
    )  # fmt: skip
    half = scaled(told, D("0.5"))
    assert (half.max_order_qty, half.max_position_share, half.max_order_notional) == (D(5), D("0.05"), None)
    assert (half.max_open_orders, half.max_daily_loss, half.price_collar) == (7, D(100), D(1))
    assert half.per_symbol["SPY"] == ScopeLimits(max_order_notional=D(25), max_open_orders=3)
    assert scaled(told, D(1)) is told


def test_the_factor_is_on_the_decision_whether_it_is_a_yes_or_a_no() -> None:
    desk = Desk.in_memory()
    desk.limits(max_order_qty=D(10), volatility_steps=STEPS)
    assert refusal(desk, "buy", "6", volatility=D("0.03")) == "max_order_qty"
    breach: LimitBreached = found(desk, LimitBreached)[-1]
    assert breach.reason == "6; allowed is at most 5.0 (limits at 0.5: volatility 0.03: 0.5)"
    desk.place("buy", "5", volatility=D("0.03"))
    made: ReservationMade = found(desk, ReservationMade)[-1]
    assert made.factor == D("0.5")
    assert "limits at 0.5 (volatility 0.03: 0.5)" in made.checks
    assert refusal(desk, "buy", "2") == "max_order_qty", "how it swings is not known"


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"volatility_steps": (Step(D(1), D(1)), Step(D(1), D(0)))}, "volatility_steps"),
        ({"loss_steps": (Step(D(-1), D(1)),)}, "loss_steps"),
        ({"loss_steps": (Step(D("NaN"), D(1)),)}, "loss_steps"),
        ({"loss_steps": (Step(D(1), D("1.000000001")),)}, "loss_steps"),
        ({"loss_steps": (Step(D(1), D("-0.000000001")),)}, "loss_steps"),
        ({"loss_steps": (Step(D(1), D("NaN")),)}, "loss_steps"),
        ({"extended_hours_factor": D("1.01")}, "extended_hours_factor"),
    ],
)
def test_steps_that_cannot_be_meant_are_refused(wrong: dict[str, Any], field: str) -> None:
    with pytest.raises(InputError, match=field):
        check_limits(Limits(**wrong))


def test_steps_from_the_settings() -> None:
    told = RiskSettings.model_validate(
        {"loss_steps": [{"at": "0.02", "factor": "0.5"}], "extended_hours_factor": "0.3"}
    )
    assert told.limits().loss_steps == (Step(D("0.02"), D("0.5")),)
    assert told.limits().extended_hours_factor == D("0.3")
    falling = [{"at": "0.02", "factor": "0.5"}, {"at": "0.01", "factor": "0.5"}]
    with pytest.raises(ValueError, match="larger than the one before"):
        RiskSettings.model_validate({"volatility_steps": falling})


def test_how_a_market_swings_is_the_average_true_range_and_is_not_known_at_first() -> None:
    bars = [
        Bar("SPY", NOON + dt.timedelta(minutes=n), D(100), D(101 + n % 3), D(99 - n % 2), D(100 + n % 5), D(1))
        for n in range(30)
    ]
    swing = Swing()
    for number, bar in enumerate(bars):
        swing = swing.after(bar)
        assert (swing.share is None) == (number < 14)
    assert swing.share is not None
    assert abs(swing.share - average_true_range(bars) / bars[-1].close) < D("0.00000001")
