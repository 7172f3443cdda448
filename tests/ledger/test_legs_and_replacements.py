"""Given / when / then for what an order brings along, what takes its place, and orders of an amount of money."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.ledger.desk import Desk
from tradecore.domain import commands as cmd
from tradecore.domain.identity import leg_order_id
from tradecore.domain.terms import StopLoss, TakeProfit
from tradecore.domain.values import Leg, OrderClass, OrderStatus, OrderType, Purpose, Side, TimeInForce
from tradecore.errors import InputError, OrderRefused, ReplaceRefused

D = Decimal
S = OrderStatus
BRACKET: dict[str, Any] = {
    "order_class": OrderClass.BRACKET,
    "take_profit": TakeProfit(D(110)),
    "stop_loss": StopLoss(D(90)),
}


def legs(desk: Desk, parent: str) -> dict[Leg, Any]:
    found = {leg: desk.ledger.order(leg_order_id(parent, leg.value)) for leg in Leg}
    return {leg: state for leg, state in found.items() if state is not None}


# --- legs -----------------------------------------------------------------------------------------------------------


def test_a_bracket_plans_both_of_its_legs_with_it(desk: Desk) -> None:
    order = desk.place("buy", "10", **BRACKET)
    profit, loss = legs(desk, order)[Leg.TAKE_PROFIT], legs(desk, order)[Leg.STOP_LOSS]
    assert (profit.side, profit.order_type, profit.limit_price) == (Side.SELL, OrderType.LIMIT, D(110))
    assert (loss.side, loss.order_type, loss.stop_price) == (Side.SELL, OrderType.STOP, D(90))
    assert {profit.purpose, loss.purpose} == {Purpose.PROTECT}
    assert {profit.status, loss.status} == {S.PLANNED}
    assert {profit.trade_id, loss.trade_id} == {desk.order(order).trade_id}


def test_a_stop_loss_with_a_limit_is_a_stop_limit_order(desk: Desk) -> None:
    order = desk.place("buy", "10", order_class=OrderClass.OTO, stop_loss=StopLoss(D(90), D(89)))
    loss = legs(desk, order)[Leg.STOP_LOSS]
    assert (loss.order_type, loss.limit_price) == (OrderType.STOP_LIMIT, D(89))


def test_the_stop_of_an_oco_is_on_the_side_of_its_take_profit(desk: Desk) -> None:
    desk.pin()
    desk.done("buy", "10", "100")
    order = desk.place("sell", "10", limit="110", order_class=OrderClass.OCO, stop_loss=StopLoss(D(90)))
    assert {leg: state.side for leg, state in legs(desk, order).items()} == {Leg.STOP_LOSS: Side.SELL}


def test_legs_reserve_nothing(desk: Desk) -> None:
    order = desk.place("buy", "10", **BRACKET)
    assert set(desk.account.reservations) == {order}


def test_the_legs_of_an_order_that_never_went_out_end_with_it(desk: Desk) -> None:
    order = desk.place("buy", "10", **BRACKET)
    desk.give(cmd.CancelOrder(order, "test"))
    assert {state.status for state in legs(desk, order).values()} == {S.CANCELED}
    assert desk.trade_of(order).status == "abandoned"


def test_a_leg_of_what_was_filled_in_part_is_done_when_the_broker_says_so(desk: Desk) -> None:
    desk.pin()
    order = desk.live("buy", "10", **BRACKET)
    desk.fill(order, "3", "100")
    desk.report(order, "canceled", "3", at=1)
    loss = leg_order_id(order, Leg.STOP_LOSS.value)
    desk.report(loss, "new", at=2)
    desk.fill(loss, "3", "90")
    desk.report(loss, "filled", "3", at=3)
    assert desk.order(loss).status is S.FILLED
    assert desk.order(loss).is_settled


def test_the_legs_of_an_order_that_was_refused_end_with_it(desk: Desk) -> None:
    order = desk.place("buy", "10", **BRACKET)
    desk.send(order)
    desk.give(cmd.RecordRejection(order, "403", "no", "{}"))
    assert {state.status for state in legs(desk, order).values()} == {S.CANCELED}


def test_the_legs_of_an_order_that_filled_work_on(desk: Desk) -> None:
    desk.pin()
    order = desk.done("buy", "10", "100", **BRACKET)
    assert {state.status for state in legs(desk, order).values()} == {S.PLANNED}
    assert desk.trade_of(order).status == "closing"  # its exits wait at the broker


def test_a_leg_that_fills_closes_the_trade_of_its_parent(desk: Desk) -> None:
    desk.pin()
    order = desk.done("buy", "10", "100", **BRACKET)
    profit, loss = legs(desk, order)[Leg.TAKE_PROFIT].order_id, legs(desk, order)[Leg.STOP_LOSS].order_id
    desk.report(profit, "new")
    desk.report(loss, "held")
    desk.fill(profit, "10", "110")
    assert desk.trade_of(order).status == "closed"
    assert desk.trade_of(order).realised_pnl == 100
    assert desk.order(loss).status is S.HELD  # until the broker says that it is gone
    desk.report(loss, "canceled", at=1)
    assert desk.order(loss).status is S.CANCELED
    assert desk.account.reservations == {}


# --- replacements ---------------------------------------------------------------------------------------------------


def replace(desk: Desk, order: str, **changes: Any) -> str:
    new = desk.ids.order_id()
    not_after = desk.clock.now()
    desk.give(cmd.ReplaceOrder(order, new, not_after, **changes))
    return new


def test_a_replacement_is_an_order_of_its_own_that_names_what_it_replaces(desk: Desk) -> None:
    old = desk.live("buy", "10", limit="100")
    new = replace(desk, old, limit_price=D(101))
    state = desk.order(new)
    assert (state.replaces, state.limit_price, state.quantity, state.status) == (old, D(101), D(10), S.QUEUED)
    assert state.client_order_id != desk.order(old).client_order_id
    assert (desk.order(old).replaced_by, desk.order(old).status) == (new, S.PENDING_NEW)
    assert state.trade_id == desk.order(old).trade_id


def test_a_replacement_reserves_only_what_it_adds(desk: Desk) -> None:
    old = desk.live("buy", "10", limit="100")
    assert desk.account.working("test", "SPY") == 10
    replace(desk, old, quantity=D(14))
    assert desk.account.working("test", "SPY") == 14


def test_a_smaller_replacement_frees_nothing_until_the_old_order_ends(desk: Desk) -> None:
    old = desk.live("buy", "10", limit="100")
    new = replace(desk, old, quantity=D(4))
    assert desk.account.working("test", "SPY") == 10
    desk.report(old, "replaced", at=1)
    assert desk.account.working("test", "SPY") == 4
    assert set(desk.account.reservations) == {new}


def test_a_replacement_that_the_broker_refused_leaves_the_old_order_working(desk: Desk) -> None:
    old = desk.live("buy", "10", limit="100")
    new = replace(desk, old, quantity=D(14))
    desk.send(new)
    desk.give(cmd.RecordRejection(new, "422", "order is not open", "{}"))
    assert desk.order(new).status is S.REJECTED
    assert (desk.order(old).replaced_by, desk.order(old).status) == (None, S.PENDING_NEW)
    assert desk.account.working("test", "SPY") == 10


def test_an_order_can_be_replaced_again_after_a_replacement_failed(desk: Desk) -> None:
    old = desk.live("buy", "10", limit="100")
    first = replace(desk, old, limit_price=D(101))
    with pytest.raises(ReplaceRefused, match="already"):
        replace(desk, old, limit_price=D(102))
    desk.give(cmd.WithdrawOrder(first, "test"))
    assert desk.order(replace(desk, old, limit_price=D(102))).replaces == old


def test_a_replacement_beyond_a_limit_is_refused_and_the_old_order_works_on(desk: Desk) -> None:
    desk.limit(qty="10")
    old = desk.live("buy", "10", limit="100")
    new = replace(desk, old, quantity=D(11))
    assert desk.ledger.order(new) is None
    assert desk.order(old).replaced_by is None
    assert "risk.limit.breached" in desk.names()


def test_a_replacement_of_the_only_open_order_fits_a_limit_of_one(desk: Desk) -> None:
    desk.limit(orders=1)
    old = desk.live("buy", "10", limit="100")
    assert desk.order(replace(desk, old, limit_price=D(99))).status is S.QUEUED


def test_an_order_that_cannot_be_replaced_says_why(desk: Desk) -> None:
    waiting = desk.place("buy", "10", limit="100")
    with pytest.raises(ReplaceRefused, match="not at the broker yet"):
        replace(desk, waiting, limit_price=D(101))
    done = desk.done("buy", "10", "100", limit="100")
    with pytest.raises(ReplaceRefused, match="already filled"):
        replace(desk, done, limit_price=D(101))
    leaving = desk.live("buy", "10", limit="100")
    with pytest.raises(ReplaceRefused, match="these terms already"):
        replace(desk, leaving, limit_price=D(100))
    with pytest.raises(InputError, match="stop_price"):
        replace(desk, leaving, stop_price=D(100))
    desk.give(cmd.CancelOrder(leaving, "test"))
    with pytest.raises(ReplaceRefused, match="being canceled"):
        replace(desk, leaving, limit_price=D(101))
    with pytest.raises(ReplaceRefused, match="no order"):
        replace(desk, "00000000-0000-0000-0000-00000000ffff", limit_price=D(101))


def test_what_brings_legs_may_change_its_price_and_not_its_quantity(desk: Desk) -> None:
    """The broker would fit the legs to the new quantity, and their fills would be more than was planned for them."""
    entry = desk.live("buy", "10", limit="100", **BRACKET)
    with pytest.raises(ReplaceRefused, match="legs that were planned for its quantity"):
        replace(desk, entry, quantity=D(14))
    moved = replace(desk, entry, quantity=D(10), limit_price=D(101))
    assert (desk.order(moved).limit_price, desk.order(moved).quantity) == (D(101), D(10))


def test_a_replacement_is_for_what_is_left_and_never_for_what_has_filled(desk: Desk) -> None:
    old = desk.live("buy", "10", limit="100")
    desk.fill(old, "4", "100")
    new = replace(desk, old, limit_price=D(101))
    assert desk.order(new).quantity == 6
    assert desk.account.working("test", "SPY") == 6
    desk.report(old, "replaced", "4")
    assert desk.account.working("test", "SPY") == 6


def test_a_replacement_that_a_fill_overtook_is_withdrawn(desk: Desk) -> None:
    old = desk.live("buy", "10", limit="100")
    new = replace(desk, old, limit_price=D(101))
    desk.fill(old, "4", "100")
    desk.send(new)
    assert (desk.order(new).status, desk.order(new).submits) == (S.CANCELED, 0)
    assert desk.order(old).replaced_by is None
    again = replace(desk, old, limit_price=D(101))
    desk.send(again)
    assert (desk.order(again).status, desk.order(again).quantity) == (S.SUBMITTED, D(6))


def test_an_entry_that_is_filled_in_part_keeps_its_legs_and_is_not_replaced(desk: Desk) -> None:
    entry = desk.live("buy", "10", limit="100", **BRACKET)
    desk.fill(entry, "4", "100")
    with pytest.raises(ReplaceRefused, match="its legs may protect only what a replacement fills"):
        replace(desk, entry, limit_price=D(101))


# --- amounts of money -----------------------------------------------------------------------------------------------


def money(desk: Desk, amount: str = "100", reference: str | None = "30") -> str:
    terms: dict[str, Any] = {
        "quantity": None,
        "notional": D(amount),
        "reference_price": None if reference is None else D(reference),
    }
    return desk.place("buy", "1", **terms)


def test_an_amount_of_money_is_reserved_at_the_most_that_it_buys(desk: Desk) -> None:
    order = money(desk)
    assert desk.account.reservations[order].quantity == D("3.333333334")


def test_an_amount_of_money_without_a_price_cannot_be_counted_and_is_refused(desk: Desk) -> None:
    with pytest.raises((InputError, OrderRefused), match="reference_price"):
        money(desk, reference=None)


def test_an_amount_of_money_is_complete_when_the_broker_says_so_and_its_fills_are_there(desk: Desk) -> None:
    desk.pin()
    order = money(desk)
    desk.send(order)
    desk.answer(order)
    desk.fill(order, "2", "32")
    assert desk.order(order).status is S.PARTIALLY_FILLED
    desk.report(order, "filled", filled="3.125", at=1)
    assert (desk.order(order).status, desk.order(order).is_settled) == (S.FILLED, False)
    assert order in desk.account.reservations
    desk.fill(order, "1.125", "32")
    assert desk.order(order).is_settled
    assert desk.account.reservations == {}
    assert desk.account.position("SPY").quantity == D("3.125")


def test_an_amount_of_money_cannot_be_replaced(desk: Desk) -> None:
    order = money(desk)
    desk.send(order)
    desk.answer(order)
    with pytest.raises(ReplaceRefused, match="amount of money"):
        replace(desk, order, quantity=D(4))


def test_terms_keep_their_time_in_force_through_a_replacement(desk: Desk) -> None:
    old = desk.live("buy", "10", limit="100")
    assert desk.order(replace(desk, old, time_in_force=TimeInForce.GTC)).time_in_force is TimeInForce.GTC
