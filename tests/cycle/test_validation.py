"""Validation: what is out of range is to hold, with the reason; nothing is repaired."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import attrs
import msgspec
import pytest
from msgspec.structs import replace

from tradecore.cycle.features import NAMES, features_of
from tradecore.cycle.rules import CycleRules
from tradecore.cycle.validation import Market, validate
from tradecore.domain.commands import ValidateDecision
from tradecore.domain.events import DecisionConcluded
from tradecore.domain.judgement import Stance
from tradecore.ports.agent import Standing
from tradecore_bars import seeded_bars

D = Decimal
BUY = DecisionConcluded(
    "d", "agent", "SPY", Stance.BUY, D("0.8"), D("0.05"), D(95), D(110), 600, "", (), (), "local/m", D(0), ""
)
FLAT = Standing(D(0), D(0), None, D(100_000))
HELD = Standing(D(7), D(0), D(90), D(100_000))


def check(made: DecisionConcluded = BUY, own: Standing = FLAT, tradable: bool | None = True) -> ValidateDecision:
    return validate(made, own, Market(D(100), tradable), CycleRules(), None)


def test_a_sound_decision_gets_its_size_from_equity() -> None:
    kept = check()
    assert (kept.stance, kept.quantity, kept.reason) == (Stance.BUY, D(50), "")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"size_fraction": None}, "size_fraction"),
        ({"size_fraction": D(0)}, "size_fraction"),
        ({"size_fraction": D("0.1000001")}, "size_fraction"),
        ({"size_fraction": D("0.0009")}, "size_fraction"),
        ({"confidence": None}, "confidence"),
        ({"confidence": D("1.1")}, "confidence"),
        ({"stop_price": D(100)}, "stop_price"),
        ({"stop_price": D(49)}, "stop_price"),
        ({"target_price": D(100)}, "target_price"),
        ({"target_price": D(151)}, "target_price"),
    ],
)
def test_what_is_out_of_range_is_to_hold_with_the_reason(change: dict[str, Any], field: str) -> None:
    kept = check(replace(BUY, **change))
    assert (kept.stance, kept.quantity) == (Stance.HOLD, None)
    assert kept.reason.startswith(field)


def test_an_outage_is_not_a_no() -> None:
    assert check(tradable=None).stance is Stance.BUY
    assert check(tradable=False).stance is Stance.HOLD
    sell = replace(BUY, stance=Stance.SELL)
    for tradable in (True, False, None):
        assert check(sell, HELD, tradable).stance is Stance.SELL


def test_selling_is_all_that_is_held_and_never_short() -> None:
    sell = replace(BUY, stance=Stance.SELL, size_fraction=None, confidence=None)
    assert check(sell, HELD).quantity == 7
    assert check(sell, FLAT).stance is Stance.HOLD
    assert check(sell, attrs.evolve(HELD, working=D(-7))).stance is Stance.HOLD


def test_what_is_held_or_on_order_is_not_bought_again() -> None:
    assert check(own=HELD).stance is Stance.HOLD
    assert check(own=attrs.evolve(FLAT, working=D(5))).stance is Stance.HOLD
    assert check(own=attrs.evolve(FLAT, equity=None)).stance is Stance.HOLD


@pytest.mark.parametrize("stance", [Stance.HOLD, Stance.ABSTAIN])
def test_what_does_not_act_stays_what_it_is(stance: Stance) -> None:
    kept = check(replace(BUY, stance=stance))
    assert (kept.stance, kept.quantity) == (stance, None)


@pytest.mark.parametrize("count", [0, 1, 3, 15, 60])
def test_every_feature_is_filled_or_marked_missing(count: int) -> None:
    bars = list(seeded_bars(["AAA"], 1, 7))[:count]
    shown = features_of(bars, 60, {"vendor": {"pe": D(12), "nonsense": D(1), "pb": D("NaN")}})
    assert sorted((*shown.values, *shown.missing)) == sorted(NAMES)
    assert shown.values["pe"] == 12
    assert "pb" in shown.missing
    assert "nonsense" not in shown.values
    assert all(value.is_finite() for value in shown.values.values())
    if count == 60:
        assert set(shown.missing) == {"sentiment", "pb"}


SHORT = msgspec.structs.replace(BUY, stance=Stance.SELL, stop_price=D(105), target_price=D(90))
HAS_SHORT = Standing(D(-7), D(0), D(110), D(100_000))


def free(made: DecisionConcluded, own: Standing = FLAT) -> ValidateDecision:
    return check(made, attrs.evolve(own, may_add=True, may_short=True))


def test_without_leave_nothing_is_sold_short_and_nothing_is_added() -> None:
    assert check(SHORT).reason.startswith("action")
    assert check(SHORT, HAS_SHORT).stance is Stance.HOLD
    assert check(BUY, HELD).stance is Stance.HOLD
    kept = check(BUY, HAS_SHORT)
    assert (kept.stance, kept.quantity) == (Stance.BUY, D(7)), "what is against a position closes it"


def test_with_leave_a_short_position_is_opened_added_to_and_closed() -> None:
    assert (free(SHORT).stance, free(SHORT).quantity) == (Stance.SELL, D(50))
    assert free(SHORT, HAS_SHORT).quantity == 50
    assert free(BUY, HAS_SHORT).quantity == 7
    assert free(BUY, HELD).quantity == 50
    assert free(SHORT, HELD).quantity == 7


@pytest.mark.parametrize(
    ("change", "own", "field"),
    [
        ({"stop_price": D(95)}, FLAT, "stop_price"),
        ({"target_price": D(101)}, FLAT, "target_price"),
        ({"confidence": None}, FLAT, "confidence"),
        ({"symbol": "BTC/USD"}, FLAT, "symbol"),
        ({}, Standing(D(-51), D(0), D(110), D(100_000)), "size_fraction"),
        ({}, Standing(D(-7), D(-1), D(110), D(100_000)), "symbol"),
    ],
)
def test_a_short_position_is_held_against_the_same_rules(change: dict[str, Any], own: Standing, field: str) -> None:
    kept = free(msgspec.structs.replace(SHORT, **change), own)
    assert (kept.stance, kept.quantity) == (Stance.HOLD, None)
    assert kept.reason.startswith(field)
