"""A trade from idea to flat: what each word records of it, and what it leaves of the trade."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from tradecore.domain import commands as cmd
from tradecore.domain import events as ev
from tradecore.domain import trade
from tradecore.domain.position import Lot, Position
from tradecore.domain.restating import Restated, position_of
from tradecore.domain.trade import TradeFill, TradeState, evolve
from tradecore.domain.values import OrderStatus, OrderType, Side, TimeInForce, TradeStatus
from tradecore.errors import InvariantViolated

D = Decimal
T = TradeStatus
NOON = dt.datetime(2024, 1, 2, 17, 0, tzinfo=dt.UTC)
SOON = NOON + dt.timedelta(minutes=1)
APPROVED = ev.TradeApproved("t")
ENTRY, EXIT = ev.TradeWorking("t", "entry", False), ev.TradeWorking("t", "exit", True)
ENTRY_DONE, EXIT_DONE = ev.TradeOrderDone("t", "entry"), ev.TradeOrderDone("t", "exit")


def of(*happened: ev.Event, reference: str | None = None) -> TradeState:
    """A long trade after what happened to it."""
    state = evolve(
        None,
        ev.TradeProposed("t", "main", "s", "AAA", Side.BUY, "d", "why", None if reference is None else D(reference)),
    )
    for event in happened:
        state = evolve(state, event)
    return state


def part(quantity: str, price: str, name: str = "f1", order: str = "entry", at: dt.datetime = NOON) -> TradeFill:
    return TradeFill(order, name, D(quantity), D(price), D("0.5"), at)


def filled(
    quantity: str, price: str, after: str, *, name: str = "f1", order: str = "entry", pnl: str = "-0.5",
    at: dt.datetime = NOON, slippage: str | None = None,
) -> ev.TradeFilled:  # fmt: skip
    slip = None if slippage is None else D(slippage)
    return ev.TradeFilled("t", order, name, D(quantity), D(price), D("0.5"), D(pnl), D(after), slip, at)


HOLDS = (APPROVED, ENTRY, filled("10", "5", "10"), ENTRY_DONE)
SOLD = filled("-10", "7", "0", name="f2", order="exit", pnl="19.5", at=SOON)


def closed(pnl: str, fees: str, at: dt.datetime = SOON) -> ev.TradeClosed:
    return ev.TradeClosed("t", D(pnl), D(fees), NOON, at, "exit order")


# --- its life -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("happened", "status"),
    [
        ((), T.PROPOSED),
        ((APPROVED,), T.APPROVED),
        ((ev.TradeRefused("t", "rule", "no"),), T.REFUSED),
        ((APPROVED, ENTRY), T.WORKING),
        ((APPROVED, EXIT), T.WORKING),
        ((APPROVED, ENTRY, filled("4", "5", "4")), T.OPEN),
        (HOLDS, T.OPEN),
        ((*HOLDS, EXIT), T.CLOSING),
        ((*HOLDS, ev.TradeWorking("t", "more", False)), T.OPEN),
        ((*HOLDS, EXIT, filled("-4", "7", "6", name="f2", order="exit")), T.CLOSING),
        ((*HOLDS, EXIT, EXIT_DONE), T.OPEN),
        ((*HOLDS, EXIT, ev.TradeWorking("t", "exit2", True), EXIT_DONE), T.CLOSING),
        ((APPROVED, ENTRY, filled("10", "5", "10"), EXIT, ENTRY_DONE), T.CLOSING),
        ((*HOLDS, EXIT, SOLD, EXIT_DONE, closed("19", "1")), T.CLOSED),
        ((APPROVED, ENTRY, ENTRY_DONE, ev.TradeAbandoned("t", "expired")), T.ABANDONED),
    ],
)
def test_where_a_trade_stands(happened: tuple[ev.Event, ...], status: TradeStatus) -> None:
    assert of(*happened).status is status


def test_a_trade_keeps_what_it_cost_and_earned() -> None:
    state = of(*HOLDS, EXIT, SOLD)
    assert (state.realised_pnl, state.fees, state.position.quantity) == (D("19.0"), D("1.0"), D(0))
    assert (state.opened_at, state.closed_at, state.fills) == (NOON, SOON, ("f1", "f2"))
    assert (state.working_orders, state.exit_orders) == (("exit",), ("exit",))
    again = evolve(state, filled("1", "5", "1", name="f2"))
    assert (again.fills, again.opened_at, again.closed_at) == (("f1", "f2"), NOON, None)


def test_what_holds_less_than_a_unit_is_added_to_on_its_own_side() -> None:
    assert of(APPROVED, ENTRY, filled("0.5", "5", "0.5")).adding is Side.BUY
    assert of(APPROVED, ENTRY, filled("-0.5", "5", "-0.5")).adding is Side.SELL
    assert of(APPROVED).adding is Side.BUY


def test_a_trade_of_others_is_told_as_theirs() -> None:
    theirs = cmd.AdoptOrder(
        "o", "main", "c", "b", "AAA", Side.SELL, D(3), None, OrderType.MARKET, None, None, TimeInForce.DAY, D(5),
        OrderStatus.NEW, NOON, "{}",
    )  # fmt: skip
    proposed, approved = trade.adopt(theirs, "t")
    assert proposed == ev.TradeProposed(
        "t", "main", "external", "AAA", Side.SELL, None, "an order that was placed outside tradecore", None
    )
    assert approved == APPROVED


def test_a_trade_holds_only_words_of_a_trade() -> None:
    with pytest.raises(InvariantViolated, match="a trade cannot hold"):
        evolve(of(), ev.OrderQueued("o", "body", NOON))


def test_an_order_is_an_exit_where_it_is_not_of_the_side_that_adds() -> None:
    assert trade.work(of(APPROVED), "x", Side.BUY) == [ev.TradeWorking("t", "x", False)]
    assert trade.work(of(APPROVED), "x", Side.SELL) == [ev.TradeWorking("t", "x", True)]
    turned = of(APPROVED, ENTRY, filled("-3", "5", "-3"))
    assert trade.work(turned, "x", Side.SELL) == [ev.TradeWorking("t", "x", False)]
    assert trade.work(turned, "x", Side.BUY) == [ev.TradeWorking("t", "x", True)]


# --- fills ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("held", "fill", "ours", "next_ones"),
    [
        ("0", "10", "10", "0"),
        ("10", "5", "15", "0"),
        ("10", "-10", "-10", "0"),
        ("10", "-11", "-10", "-1"),
        ("10", "-4", "-4", "0"),
        ("-10", "11", "10", "1"),
        ("-10", "-11", "-11", "0"),
        ("0.5", "-0.75", "-0.5", "-0.25"),
        ("-0.5", "0.75", "0.5", "0.25"),
        ("0.5", "0.75", "0.75", "0"),
    ],
)
def test_what_goes_through_zero_belongs_to_the_next_trade(held: str, fill: str, ours: str, next_ones: str) -> None:
    state = of(APPROVED, *([filled(held, "5", held)] if held != "0" else []))
    wanted = (D(fill), D(0)) if next_ones == "0" else (D(ours), D(next_ones))
    assert trade.split(state, D(fill)) == wanted


def test_a_fill_is_booked_with_its_profit_and_what_it_cost_against_the_decision() -> None:
    working = of(APPROVED, ENTRY, reference="4.8")
    assert trade.fill(working, part("10", "5")) == [filled("10", "5", "10", slippage="2.0")]
    assert trade.fill(of(APPROVED, ENTRY), part("10", "5")) == [filled("10", "5", "10")]
    leaving = of(*HOLDS, EXIT, reference="4.8")
    assert trade.fill(leaving, part("-4", "7", "f2", "exit", SOON)) == [
        filled("-4", "7", "6", name="f2", order="exit", pnl="7.5", at=SOON)
    ]


def test_units_that_only_moved_cost_nothing_against_the_decision() -> None:
    moved = TradeFill("entry", "f1", D(10), D(5), D(0), NOON, True)
    (booked,) = trade.fill(of(APPROVED, ENTRY, reference="4.8"), moved)
    assert isinstance(booked, ev.TradeFilled)
    assert (booked.slippage, booked.is_transfer) == (None, True)


def test_a_trade_is_closed_when_it_is_flat_and_nothing_can_fill_for_it() -> None:
    sale = part("-10", "7", "f2", "exit", SOON)
    assert trade.fill(of(*HOLDS, EXIT), sale) == [SOLD, closed("19.0", "1.0")]
    still_working = of(APPROVED, ENTRY, filled("10", "5", "10"), EXIT)
    assert trade.fill(still_working, sale) == [SOLD]
    assert trade.finish_order(evolve(still_working, SOLD), "entry", "expired") == [ENTRY_DONE, closed("19.0", "1.0")]


def test_a_trade_without_a_fill_is_abandoned_with_the_last_of_its_orders() -> None:
    assert trade.finish_order(of(APPROVED, ENTRY), "entry", "expired") == [
        ENTRY_DONE, ev.TradeAbandoned("t", "expired"),
    ]  # fmt: skip
    two = of(APPROVED, ENTRY, ev.TradeWorking("t", "more", False))
    assert trade.finish_order(two, "entry", "expired") == [ENTRY_DONE]
    assert trade.finish_order(two, "stranger", "expired") == []
    assert trade.finish_order(of(APPROVED, ENTRY, filled("4", "5", "4")), "entry", "expired") == [ENTRY_DONE]
    over = of(*HOLDS, EXIT, SOLD, closed("19", "1"))
    assert trade.finish_order(over, "exit", "filled") == [EXIT_DONE]


# --- busts and corrections ------------------------------------------------------------------------------------------


def left(*lots: tuple[str, str, str], pnl: str = "0") -> Restated:
    return Restated(position_of([Lot(name, D(quantity), D(price)) for name, quantity, price in lots]), D(pnl))


def revised(
    signed: str, after: Restated, *, name: str = "f1", fees: str = "-0.5", busts: bool = True
) -> ev.TradeRevised:
    lots = tuple(ev.OpenLot(lot.opened_by, lot.quantity, lot.price) for lot in after.after.lots)
    pnl = after.gross_pnl - D(fees)
    return ev.TradeRevised(
        "t", "entry", name, D(signed), D(fees), pnl, after.after.quantity, lots, busts
    )  # fmt: skip


def test_a_trade_none_of_whose_executions_stands_is_abandoned() -> None:
    gone = revised("-10", left())
    nothing = ev.TradeAbandoned("t", "none of its executions stands")
    assert trade.revise(of(*HOLDS), "entry", "f1", left(), D("-0.5"), busts=True) == [gone, nothing]
    assert trade.revise(of(*HOLDS[:-1]), "entry", "f1", left(), D("-0.5"), busts=True) == [gone], "its order works on"
    abandoned = of(*HOLDS, gone, nothing)
    assert abandoned.status is T.ABANDONED
    assert trade.revise(abandoned, "entry", "f1", left(), D("0"), busts=True) == [revised("0", left(), fees="0")]


def test_a_bust_that_leaves_the_trade_flat_closes_it() -> None:
    more = filled("5", "6", "15", name="f3", at=SOON)
    sold = filled("-10", "7", "5", name="f2", order="exit", pnl="19.5", at=SOON)
    state = of(*HOLDS, EXIT, more, sold, EXIT_DONE)
    assert trade.revise(state, "entry", "f3", left(), D("-0.5"), busts=True) == [
        revised("-5", left(), name="f3"), closed("19.0", "1.0", NOON),
    ]  # fmt: skip


def test_a_correction_waits_for_what_comes_in_the_next_breath() -> None:
    assert trade.revise(of(*HOLDS), "entry", "f1", left(), D("-0.5"), busts=False) == [
        revised("-10", left(), busts=False)
    ]


def test_a_closed_trade_whose_amounts_a_bust_changed_is_closed_again() -> None:
    over = of(*HOLDS, EXIT, SOLD, EXIT_DONE, closed("19.0", "1.0"))
    change = left(pnl="-3")
    assert trade.revise(over, "exit", "f2", change, D("-0.5"), busts=True) == [
        ev.TradeRevised("t", "exit", "f2", D(0), D("-0.5"), D("-2.5"), D(0), (), True),
        closed("16.5", "0.5"),
    ]


def test_a_closed_trade_that_holds_again_is_open_again() -> None:
    over = of(*HOLDS, EXIT, SOLD, EXIT_DONE, closed("19.0", "1.0"))
    back = revised("10", left(("f1", "10", "5"), pnl="-20"), name="f2")
    state = evolve(over, back)
    assert (state.status, state.closed_at, state.fills) == (T.OPEN, None, ("f1",))
    assert (state.realised_pnl, state.fees) == (D("-0.5"), D("0.5"))
    leaving = evolve(of(*HOLDS, EXIT, SOLD), back)
    assert leaving.status is T.CLOSING, "an exit still works"
    assert trade.revise(over, "exit", "f2", left(("f1", "10", "5"), pnl="-20"), D("-0.5"), busts=True) == [
        ev.TradeRevised("t", "exit", "f2", D(10), D("-0.5"), D("-19.5"), D(10), (ev.OpenLot("f1", D(10), D(5)),), True)
    ]


def test_a_correction_keeps_the_name_of_what_it_corrected() -> None:
    held = of(*HOLDS)
    corrected = evolve(held, revised("-1", left(("f1", "9", "5")), busts=False))
    assert (corrected.fills, corrected.status, corrected.position.quantity) == (("f1",), T.OPEN, D(9))
    flat = evolve(held, revised("-10", left(), busts=False))
    assert (flat.status, flat.closed_at) == (T.OPEN, NOON), "flat since it was opened, for all that is known"


# --- splits ---------------------------------------------------------------------------------------------------------


def test_a_split_gives_units_at_the_same_cost() -> None:
    (happened,) = trade.split_units(of(*HOLDS), "a", D(10), SOON)
    assert happened == ev.TradeSplit("t", "a", D(10), D(0), D(20), (ev.OpenLot("f1", D(20), D("2.5")),), SOON)
    after = of(*HOLDS, happened)
    assert (after.position, after.closed_at) == (Position((Lot("f1", D(20), D("2.5")),), D(20)), None)


def test_a_split_that_takes_all_closes_the_trade() -> None:
    happened, end = trade.split_units(of(*HOLDS), "a", D(-10), SOON)
    assert isinstance(happened, ev.TradeSplit)
    assert (happened.realised_pnl, happened.open_qty, happened.lots) == (D(-50), D(0), ())
    assert end == closed("-50.5", "0.5")


def test_the_trade_after_zero_is_of_the_same_strategy_and_decision() -> None:
    begun, approved = trade.succeed(of(*HOLDS), "t2", Side.SELL)
    thesis = "what was left of a fill that closed trade t"
    assert begun == ev.TradeProposed("t2", "main", "s", "AAA", Side.SELL, "d", thesis, None)
    assert approved == ev.TradeApproved("t2")
