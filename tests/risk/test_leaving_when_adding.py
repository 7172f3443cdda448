"""Edges of exits at named prices, of what is added to a trade, and of what is no longer there to be sold."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import attrs
import pytest

from tests.ledger.desk import NOON, Desk
from tests.risk.test_approvals import ASKS
from tests.risk.test_edges_of_exiting import HALF_AT_FIVE, fire
from tests.risk.test_exits import ENTRY, LONG, SHORT, Market, outcome, plan, state_of
from tests.risk.test_triggers import guarded, rule
from tests.risk.test_wired import found
from tradecore.domain import commands as cmd
from tradecore.domain.events import ExitFired, OrderPlanned
from tradecore.domain.exit_plan import ExitPlan, ExitRule, Rung, check_plan, legs_at_broker
from tradecore.domain.exits import Held, stop_level
from tradecore.domain.terms import StopLoss, TakeProfit
from tradecore.domain.triggers import Trigger
from tradecore.domain.values import OrderClass, Purpose, TradingState
from tradecore.errors import InputError
from tradecore.exiting import Exits

D = Decimal
WHOLE = (Rung(D("0.05"), D(1)),)


# --- named prices ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("held", "planned", "at", "before"),
    [
        (LONG, plan(stop_price="97"), ("97", "99"), ("97.000000001", "99")),
        (SHORT, plan(stop_price="103"), ("101", "103"), ("101", "102.999999999")),
    ],
)
def test_a_stop_at_a_named_price_acts_there(
    held: Held, planned: ExitPlan, at: tuple[str, str], before: tuple[str, str]
) -> None:
    assert stop_level(state_of(planned), held) == (planned.stop_price, ExitRule.STOP_LOSS)
    assert outcome(state_of(planned), held, *at) == ("stop_loss", D(10))
    assert outcome(state_of(planned), held, *before) is None


@pytest.mark.parametrize(
    ("held", "planned", "at", "before"),
    [
        (LONG, plan(target_price="110"), ("99", "110"), ("99", "109.999999999")),
        (SHORT, plan(target_price="90"), ("90", "99"), ("90.000000001", "99")),
    ],
)
def test_a_target_at_a_named_price_leaves_all_of_it(
    held: Held, planned: ExitPlan, at: tuple[str, str], before: tuple[str, str]
) -> None:
    assert outcome(state_of(planned), held, *at) == ("take_profit", D(10))
    assert outcome(state_of(planned), held, *before) is None


@pytest.mark.parametrize(
    ("terms", "field", "expected"),
    [
        ({"stop_price": "97", "stop_loss": "0.02"}, "exits.stop_price", "either this or stop_loss"),
        ({"target_price": "110", "ladder": WHOLE}, "exits.target_price", "either this or ladder"),
        ({"stop_price": "-1"}, "exits.stop_price", "a number above zero"),
        ({"target_price": "NaN"}, "exits.target_price", "a number above zero"),
    ],
)
def test_a_price_stands_in_the_place_of_a_share(terms: dict[str, Any], field: str, expected: str) -> None:
    with pytest.raises(InputError) as raised:
        check_plan(plan(**terms))
    assert (raised.value.field, raised.value.expected) == (field, expected)


@pytest.mark.parametrize("terms", [{"stop_price": "97", "ladder": WHOLE}, {"target_price": "110", "stop_loss": "0.02"}])
def test_a_price_and_a_share_of_different_things_go_together(terms: dict[str, Any]) -> None:
    check_plan(plan(**terms))


def test_named_prices_need_no_price_of_the_entry_and_shares_do() -> None:
    unpriced = attrs.evolve(ENTRY, price=None)
    legs = legs_at_broker(unpriced, plan(stop_price="97", target_price="110"))
    assert legs is not None
    assert (legs.take_profit, legs.stop_loss) == (TakeProfit(D(110)), StopLoss(D(97), None))
    assert legs_at_broker(unpriced, plan(stop_price="97", ladder=WHOLE)) is None
    assert legs_at_broker(unpriced, plan(stop_loss="0.02", target_price="110")) is None


# --- what is added --------------------------------------------------------------------------------------------------


def test_an_order_that_adds_to_a_trade_whose_stop_was_never_raised_begins_with_its_own() -> None:
    market = Market.over()
    desk = market.desk
    desk.done("buy", "10", "100", exits=plan(stop_loss="0.1"))
    desk.done("buy", "10", "100", exits=plan(stop_loss="0.05"))
    market.bar("95", "99")
    (fired,) = found(desk, ExitFired)
    assert (fired.quantity, fired.evidence) == (D(20), "95 against a stop at 95.00")


def test_a_raised_stop_is_that_of_the_position_and_not_of_the_next_one() -> None:
    market = Market.over()
    desk = market.desk
    desk.done("buy", "10", "100", exits=plan(trail="0.05"))
    market.bar("100", "110")  # the stop is at 104.50
    waiting = desk.live("buy", "10", limit="60", exits=plan(trail="0.05"))
    desk.done("sell", "10", "105", purpose=Purpose.CLOSE)
    desk.done("buy", "10", "100", exits=plan(trail="0.05"))
    assert desk.trade_of(waiting).position.quantity == 10
    market.bar("100", "101")
    assert found(desk, ExitFired) == []


# --- what is there to be sold ---------------------------------------------------------------------------------------


def sold_elsewhere(desk: Desk, quantity: str) -> None:
    """The broker holds less than the books of the trade: somebody sold by other means."""
    desk.give(cmd.BookAdjustment("main", "elsewhere", "SPY", D(f"-{quantity}"), D(100), D(0), "sold elsewhere"))


@pytest.mark.parametrize(("rung", "closes"), [(1, "3"), (0, None)])
def test_a_part_is_never_more_than_what_is_there(rung: int, closes: str | None) -> None:
    desk = Desk.in_memory()
    desk.pin()
    order = desk.done("buy", "10", "100", exits=HALF_AT_FIVE)
    sold_elsewhere(desk, "7")
    assert fire(desk, order, "5" if rung else "10", rung=rung) != ()
    (fired,) = found(desk, ExitFired)
    assert fired.quantity == D(closes or "10"), "all of it is for the saga, which looks again"
    closing = [event.quantity for event in found(desk, OrderPlanned) if event.purpose is Purpose.CLOSE]
    assert closing == ([D(closes)] if closes else [])


def test_a_part_stays_as_large_as_it_was_wanted_where_all_is_there() -> None:
    desk = Desk.in_memory()
    desk.pin()
    order = desk.done("buy", "10", "100", exits=HALF_AT_FIVE)
    fire(desk, order, "5", rung=1)
    assert [event.quantity for event in found(desk, ExitFired)] == [D(5)]


def test_what_is_not_there_is_not_left() -> None:
    desk = Desk.in_memory()
    desk.pin()
    order = desk.done("buy", "10", "100", exits=HALF_AT_FIVE)
    sold_elsewhere(desk, "10")
    assert fire(desk, order) == ()
    assert fire(desk, order, "5", rung=1) == ()


def test_a_close_that_waits_for_a_person_does_not_hold_back_a_stop() -> None:
    desk = Desk.in_memory()
    desk.pin()
    order = desk.done("buy", "10", "100", exits=HALF_AT_FIVE)
    desk.live("sell", "1", limit="120", strategy="other")
    desk.limits(**ASKS)
    assert desk.order(desk.place("sell", "10", purpose=Purpose.CLOSE)).awaits_approval
    assert fire(desk, order) != ()


# --- what is watched ------------------------------------------------------------------------------------------------


def test_only_open_markets_are_left_for_their_age() -> None:
    desk = Desk.in_memory()
    desk.pin()
    share = desk.done("buy", "1", "100", exits=plan(max_holding_s="60"))
    coin = desk.done("buy", "1", "100", "BTC/USD", exits=plan(max_holding_s="60"))
    Exits(desk.ledger, desk.ids, "main").look(dt.datetime(2024, 1, 6, 17, 0, tzinfo=dt.UTC))
    assert [event.trade_id for event in found(desk, ExitFired)] == [desk.order(coin).trade_id], f"not {share}"


def test_silence_begins_when_bars_are_expected_and_any_open_market_counts() -> None:
    watched = guarded(rule(Trigger.STALE_DATA, "120"))
    watched.watch.expect(("SPY", "BTC/USD"))
    watched.desk.clock.at = dt.datetime(2024, 1, 6, 17, 0, tzinfo=dt.UTC)
    assert watched.look() is TradingState.REDUCE_ONLY, "one of them trades on a Saturday"


def test_without_symbols_nothing_is_silent() -> None:
    watched = guarded(rule(Trigger.STALE_DATA, "120"))
    watched.watch.expect(())
    watched.desk.clock.at = NOON + dt.timedelta(hours=1)
    assert watched.look() is TradingState.ACTIVE


def test_a_bracket_never_has_a_second_stop_in_the_engine() -> None:
    desk = Desk.in_memory()
    with pytest.raises(InputError, match="never two stops"):
        desk.place(
            "buy", "10", order_class=OrderClass.OTO, stop_loss=StopLoss(D(98)),
            exits=plan(stop_loss="0.02", break_even="0.05"),
        )  # fmt: skip
