"""Edges of exits: fractions, both directions, plans of one rule, and what begins or goes on with a second entry."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import attrs
import pytest

from tests.ledger.desk import NOON, Desk
from tests.risk.asks import placed
from tests.risk.test_exits import BOTH, ENTRY, LONG, SHORT, U, outcome, plan, state_of
from tests.risk.test_wired import refusal
from tradecore.domain import commands as cmd
from tradecore.domain import events as ev
from tradecore.domain import exits
from tradecore.domain.exit_plan import ExitRule, Keeper, Rung, check_plan, legs_at_broker
from tradecore.domain.exits import Held, stop_level
from tradecore.domain.limits import Limits, ScopeLimits
from tradecore.domain.tempo import Tempo
from tradecore.domain.terms import StopLoss, TakeProfit
from tradecore.domain.values import OrderClass
from tradecore.domain.volatility import Swing
from tradecore.errors import InputError

D = Decimal
HALF = Held(D("0.5"), D(100), NOON)


# --- where the stop is ----------------------------------------------------------------------------------------------


def test_half_a_unit_that_was_bought_gains_as_the_price_rises() -> None:
    assert HALF.sign == 1
    assert HALF.reaches(D(105), D(105))
    assert not HALF.reaches(D("104.99"), D(105))
    assert outcome(state_of(plan(stop_loss="0.02")), HALF, "98", "99") == ("stop_loss", D("0.5"))


@pytest.mark.parametrize(("held", "far", "near"), [(LONG, "97", "99"), (SHORT, "103", "101")])
def test_of_two_stops_the_nearer_one_counts(held: Held, far: str, near: str) -> None:
    state = state_of(plan(stop_loss="0.02"), raised_by=ExitRule.TRAIL)
    raised, first = (stop_level(attrs.evolve(state, level=D(level)), held) for level in (near, far))
    assert raised == (D(near), ExitRule.TRAIL)
    assert first == (held.at_gain(D("-0.02")), ExitRule.STOP_LOSS)


def test_the_nearer_of_break_even_and_trail_is_where_a_short_stop_goes() -> None:
    state = state_of(plan(break_even="0.03", trail="0.05"))
    assert outcome(state, SHORT, "94", "99") == ("trail", D("98.70"))
    assert outcome(state_of(plan(break_even="0.03", trail="0.07")), SHORT, "94", "99") == ("break_even", D(100))


def test_a_first_level_is_recorded_where_there_was_no_stop() -> None:
    raised = cmd.RaiseExit("t", ExitRule.TRAIL, D(95), D(100))
    assert exits.decide(state_of(plan(trail="0.05")), raised, LONG) == [
        ev.ExitRaised("t", ExitRule.TRAIL, D(95), D(100))
    ]


@pytest.mark.parametrize(("quantity", "closes"), [("3", "2"), ("4", "2"), ("3.5", "1.75")])
def test_a_rung_closes_whole_units_where_whole_units_were_entered(quantity: str, closes: str) -> None:
    state = state_of(plan(ladder=(Rung(D("0.05"), D("0.5")),)))
    assert outcome(state, Held(D(quantity), D(100), NOON), "100", "105") == ("take_profit", D(closes))


def test_what_says_nothing_new_is_an_empty_answer() -> None:
    late = cmd.FireExit("t", ExitRule.STOP_LOSS, D(10), "before", 0)
    lower = cmd.RaiseExit("t", ExitRule.TRAIL, D(90), D(100))
    state = state_of(plan(stop_loss="0.02"), fired=1)
    for command in (late, lower, cmd.TakeOverExits("t", "no legs")):
        assert exits.decide(state, command, LONG) == []


# --- how it goes on -------------------------------------------------------------------------------------------------


LADDER = (Rung(D("0.05"), D("0.5")), Rung(D("0.1"), D("0.5")))


def armed(order: str, ladder: tuple[Rung, ...] = ()) -> ev.ExitsArmed:
    return ev.ExitsArmed("t", "main", "SPY", order, plan(stop_loss="0.02", ladder=ladder), Keeper.ENGINE)


def test_nothing_was_fired_when_a_plan_is_first_told() -> None:
    assert exits.evolve(None, armed("o")).fired == 0


def test_who_takes_over_goes_on_where_the_other_was_and_another_ladder_begins_anew() -> None:
    begun = {"level": D(99), "rungs": 1, "last_rung": 1, "entered": D(10), "fired": 2}
    state = state_of(plan(stop_loss="0.02", ladder=LADDER), keeper=Keeper.BROKER, **begun)
    over = exits.evolve(state, armed("o", LADDER))
    assert (over.keeper, over.level, over.rungs, over.fired) == (Keeper.ENGINE, D(99), 1, 2)
    more = exits.evolve(state, armed("another", LADDER))
    assert (more.level, more.rungs, more.last_rung, more.entered, more.fired) == (None, 1, 1, D(10), 2)
    other = exits.evolve(state, armed("another"))
    assert (other.keeper, other.level, other.rungs, other.entered, other.fired) == (Keeper.ENGINE, None, 0, None, 2)


def test_a_stop_leaves_the_ladder_where_it_is() -> None:
    state = state_of(plan(stop_loss="0.02"), rungs=1)
    stopped = exits.evolve(state, ev.ExitFired("t", ExitRule.STOP_LOSS, D(5), "seen", D(10), 0))
    assert (stopped.rungs, stopped.last_rung, stopped.fired) == (1, 0, 1)
    target = exits.evolve(state, ev.ExitFired("t", ExitRule.TAKE_PROFIT, D(5), "seen", D(10), 2))
    assert (target.rungs, target.last_rung) == (2, 2)


# --- plans ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "terms",
    [
        {"stop_loss": "0.02"},
        {"trail": "0.05", "trail_arm": "0"},
        {"ladder": (Rung(D(2), D(1)),)},
        {"max_holding_s": "60"},
        {"break_even": "1.5"},
    ],
)
def test_one_way_out_is_a_plan(terms: dict[str, Any]) -> None:
    check_plan(plan(**terms))


@pytest.mark.parametrize(
    ("terms", "field", "expected"),
    [
        ({}, "exits", "at least one way out, none of them at zero"),
        ({"stop_loss": "1"}, "exits.stop_loss", "a number above zero and below 1"),
        ({"max_holding_s": "Infinity"}, "exits.max_holding_s", "a number above zero"),
        ({"trail": "0.1", "trail_arm": "Infinity"}, "exits.trail_arm", "zero or above"),
        ({"trail": "0.1", "trail_arm": "-1"}, "exits.trail_arm", "zero or above"),
        ({"ladder": (Rung(D("NaN"), D(1)),)}, "exits.ladder.gain", "a number above zero"),
        ({"ladder": (Rung(D(1), D("-1")),)}, "exits.ladder.share", "a number above zero"),
        ({"ladder": (Rung(D(1), D("1.1")),)}, "exits.ladder", "gains that rise, and shares of 1 in all at the most"),
    ],
)
def test_what_is_wrong_with_a_plan_is_named(terms: dict[str, Any], field: str, expected: str) -> None:
    with pytest.raises(InputError) as raised:
        check_plan(plan(**terms))
    assert (raised.value.field, raised.value.expected) == (field, expected)


@pytest.mark.parametrize("quantity", ["1", "3"])
def test_any_whole_number_can_have_legs(quantity: str) -> None:
    assert legs_at_broker(attrs.evolve(ENTRY, quantity=D(quantity)), BOTH) is not None


def test_a_target_alone_is_one_leg() -> None:
    legs = legs_at_broker(ENTRY, plan(ladder=(Rung(D("0.05"), D(1)),)))
    assert legs is not None
    assert (legs.order_class, legs.take_profit, legs.stop_loss) == (OrderClass.OTO, TakeProfit(D(105)), None)


def test_prices_of_legs_are_in_the_steps_of_an_exchange() -> None:
    legs = legs_at_broker(attrs.evolve(ENTRY, price=D("1.26")), plan(stop_loss="0.02"))
    assert legs is not None
    assert legs.stop_loss == StopLoss(D("1.23"), None)
    nothing = plan(stop_loss="0.95", ladder=(Rung(D("0.05"), D(1)),))
    assert legs_at_broker(attrs.evolve(ENTRY, price=D("0.0005")), nothing) is None, "a stop at zero is none"


# --- what is counted on the way -------------------------------------------------------------------------------------


def test_a_market_without_a_price_does_not_swing() -> None:
    assert Swing(D(0), D(1), 14).share is None
    assert Swing(D(2), D(1), 14).share == D("0.5")
    assert Swing(D(2), D(1), 13).share is None


def test_a_day_counts_orders_by_symbol_strategy_and_agent() -> None:
    desk = Desk.in_memory()
    desk.limits(per_symbol={"SPY": ScopeLimits(max_orders_per_day=2)})
    assert [refusal(desk, "buy", "1") for _ in range(3)] == [None, None, "SPY max_orders_per_day"]
    assert refusal(desk, "buy", "1", "QQQ") is None
    desk.clock.at += dt.timedelta(days=1)
    assert refusal(desk, "buy", "1") is None


def test_a_minute_does_not_end_at_midnight() -> None:
    late = placed(0)
    limits = Limits(max_orders_per_minute=1)
    tempo = Tempo().on(late.at.date(), None).placed(late, None, limits)
    assert tempo.on(late.at.date() + dt.timedelta(days=1), D(1)).recent == (late,)
    after = attrs.evolve(late, at=late.at + dt.timedelta(seconds=59, microseconds=999_999))
    assert tempo.placed(after, None, limits).recent == (late, after)
    assert tempo.placed(attrs.evolve(late, at=late.at + dt.timedelta(seconds=60)), None, limits).recent[0] != late


def test_a_stop_acts_at_its_price_for_the_smallest_position() -> None:
    smallest = Held(D(U), D(100), NOON)
    assert outcome(state_of(plan(stop_loss="0.02")), smallest, "98", "99") == ("stop_loss", D(U))
