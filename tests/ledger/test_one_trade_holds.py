"""A bust or a correction of a trade that is over, while its strategy holds the symbol by another one."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tests.ledger.desk import Desk
from tests.ledger.revisions import Told, tell
from tradecore.domain import commands as cmd
from tradecore.domain.events import TradeProposed
from tradecore.domain.exit_plan import ExitPlan
from tradecore.domain.trade import TradeState
from tradecore.verify import verify

D = Decimal


def of(*values: object) -> Any:
    """Values to compare with plain numbers and words."""
    return values


def told(desk: Desk, side: str, qty: str, price: str, name: str, **terms: Any) -> str:
    order_id = desk.live(side, qty, **terms)
    tell(desk, Told(order_id, name, qty, price, qty))
    return order_id


def over_and_another(desk: Desk, side: str = "buy", qty: str = "12") -> tuple[str, str, str]:
    """Two bought at 151 and sold at 147, then another trade: the orders that opened, closed, and opened again."""
    desk.pin()
    first, last = told(desk, "buy", "2", "151", "x1"), told(desk, "sell", "2", "147", "s1")
    assert desk.trade_of(first).status == "closed"
    return first, last, told(desk, side, qty, "149", "x2")


def bust(desk: Desk, order_id: str, qty: str, price: str, name: str) -> None:
    tell(desk, Told(order_id, "b1", qty, price, "0", revises=name, busts=True, second=50))


def trades(desk: Desk) -> dict[str, Decimal]:
    """What each trade holds that holds something, as the trades themselves say."""
    proposed = [one.event for one in desk.ledger.journal.read(0, 100_000) if isinstance(one.event, TradeProposed)]
    states = [desk.ledger.trade(event.trade_id) for event in proposed]
    return {state.trade_id: state.position.quantity for state in states if state and state.position.quantity}


def held(desk: Desk) -> TradeState:
    """The one trade that holds; nothing else does, and it holds all of it."""
    holding = desk.account.holdings["test", "SPY"]
    assert holding.others == {}
    state = desk.ledger.trade(holding.trade_id)
    assert state is not None
    assert trades(desk) == {holding.trade_id: holding.quantity}
    assert holding.quantity == desk.account.position("SPY").quantity
    assert verify(desk.ledger.journal).findings == ()
    return state


def test_units_of_a_busted_sale_go_to_the_trade_that_holds_by_now(desk: Desk) -> None:
    first, last, other = over_and_another(desk)
    bust(desk, last, "2", "147", "s1")
    trade = held(desk)
    assert trade.trade_id == desk.order(other).trade_id
    assert [of(lot.quantity, lot.price) for lot in trade.position.lots] == [(12, 149), (2, 147)]
    assert of(desk.trade_of(first).status, desk.trade_of(first).realised_pnl) == ("closed", -8)
    assert desk.account.cash == 100_000 - 2 * 151 - 12 * 149


def test_the_stop_of_the_trade_that_holds_closes_only_what_it_was_for(desk: Desk) -> None:
    """It was booked against the trade that came back, and what was left of it as a short position."""
    _, last, other = over_and_another(desk)
    bust(desk, last, "2", "147", "s1")
    told(desk, "sell", "12", "146", "s2")
    trade = held(desk)
    assert of(trade.trade_id, trade.position.quantity) == (desk.order(other).trade_id, 2)


def test_units_against_what_is_held_are_set_off(desk: Desk) -> None:
    _, last, other = over_and_another(desk, "sell", "5")
    bust(desk, last, "2", "147", "s1")
    trade = held(desk)
    assert of(trade.trade_id, trade.position.quantity) == (desk.order(other).trade_id, -3)
    assert trade.realised_pnl == 2 * (149 - 147)


def test_more_than_what_is_held_against_it_goes_through_zero(desk: Desk) -> None:
    _, last, other = over_and_another(desk, "sell", "1")
    bust(desk, last, "2", "147", "s1")
    trade = held(desk)
    assert desk.trade_of(other).status == "closed"
    assert of(trade.position.quantity, trade.side, trade.position.average_price) == (1, "buy", 147)


def test_what_goes_through_zero_is_left_as_the_trade_that_gave_it_back(desk: Desk) -> None:
    desk.pin()
    told(desk, "buy", "2", "151", "x1", exits=ExitPlan(stop_loss=D("0.01")))
    last = told(desk, "sell", "2", "147", "s1")
    told(desk, "sell", "1", "149", "x2")
    bust(desk, last, "2", "147", "s1")
    state = desk.ledger.exits(held(desk).trade_id)
    assert state is not None
    assert of(state.plan.stop_loss, state.keeper) == (D("0.01"), "engine")


def test_what_a_busted_purchase_sold_is_owed_by_the_trade_that_holds(desk: Desk) -> None:
    first, _, other = over_and_another(desk)
    bust(desk, first, "2", "151", "x1")
    trade = held(desk)
    assert of(trade.trade_id, trade.position.quantity) == (desk.order(other).trade_id, 10)


def test_nothing_is_left_where_both_cancel_out(desk: Desk) -> None:
    _, last, other = over_and_another(desk, "sell", "2")
    bust(desk, last, "2", "147", "s1")
    assert desk.account.holdings == {}
    assert desk.trade_of(other).status == "closed"
    assert verify(desk.ledger.journal).findings == ()


def test_a_corrected_price_is_the_price_of_the_trade_that_is_over(desk: Desk) -> None:
    first, last, other = over_and_another(desk)
    tell(desk, Told(last, "c1", "2", "148", "2", revises="s1", second=50))
    assert held(desk).trade_id == desk.order(other).trade_id
    assert of(desk.trade_of(first).status, desk.trade_of(first).realised_pnl) == ("closed", -6)


def test_units_that_a_correction_gives_back_go_to_the_trade_that_holds(desk: Desk) -> None:
    first, last, other = over_and_another(desk)
    tell(desk, Told(last, "c1", "1", "148", "1", revises="s1", second=50))
    trade = held(desk)
    assert of(trade.trade_id, trade.position.quantity) == (desk.order(other).trade_id, 13)
    assert desk.trade_of(first).status == "closed"


def test_a_fill_that_is_taken_back_twice_moves_its_units_twice(desk: Desk) -> None:
    _, last, other = over_and_another(desk)
    tell(desk, Told(last, "c1", "1", "148", "1", revises="s1", second=50))
    tell(desk, Told(last, "b1", "1", "148", "0", revises="c1", busts=True, second=60))
    trade = held(desk)
    assert of(trade.trade_id, trade.position.quantity) == (desk.order(other).trade_id, 14)


def test_units_go_to_a_trade_whose_entry_works_so_that_its_stop_is_theirs(desk: Desk) -> None:
    desk.pin()
    told(desk, "buy", "2", "151", "x1")
    last = told(desk, "sell", "2", "147", "s1")
    entry = desk.live("buy", "12", exits=ExitPlan(stop_loss=D("0.01")))
    bust(desk, last, "2", "147", "s1")
    assert held(desk).trade_id == desk.order(entry).trade_id
    tell(desk, Told(entry, "x2", "12", "149", "12"))
    assert of(held(desk).trade_id, held(desk).position.quantity) == (desk.order(entry).trade_id, 14)


def test_a_trade_comes_back_when_nothing_else_holds(desk: Desk) -> None:
    desk.pin()
    first, last = told(desk, "buy", "2", "151", "x1"), told(desk, "sell", "2", "147", "s1")
    bust(desk, last, "2", "147", "s1")
    assert held(desk).trade_id == desk.order(first).trade_id


def test_a_stop_follows_an_entry_whose_fill_goes_to_another_trade(desk: Desk) -> None:
    """A short entry works while units of an older trade come back: what it opens beyond them has its stop."""
    desk.pin()
    told(desk, "buy", "2", "151", "x1")
    last = told(desk, "sell", "2", "147", "s1")
    entry = desk.live("sell", "5", exits=ExitPlan(stop_loss=D("0.01")))
    bust(desk, last, "2", "147", "s1")
    tell(desk, Told(entry, "x2", "5", "149", "5"))
    trade = held(desk)
    assert trade.position.quantity == -3
    state = desk.ledger.exits(trade.trade_id)
    assert state is not None
    assert state.plan.stop_loss == D("0.01")


def test_what_adds_to_a_trade_that_a_bust_turned_round_has_its_stop(desk: Desk) -> None:
    """The purchase was busted after it was sold: the trade is short, and selling adds to it."""
    desk.pin()
    first = told(desk, "buy", "7", "151", "x1")
    told(desk, "sell", "7", "147", "s1")
    bust(desk, first, "7", "151", "x1")
    assert held(desk).position.quantity == -7
    entry = desk.live("sell", "5", exits=ExitPlan(stop_price=D(160)))
    state = desk.ledger.exits(held(desk).trade_id)
    assert state is not None
    assert state.plan.stop_price == 160
    assert entry not in held(desk).exit_orders
    assert desk.live("buy", "5") in held(desk).exit_orders


def test_a_person_closes_all_of_it_by_one_order(desk: Desk) -> None:
    _, last, other = over_and_another(desk)
    bust(desk, last, "2", "147", "s1")
    desk.give(cmd.ClosePosition(desk.ids.order_id(), "main", "SPY", desk.clock.now(), None, D("149")))
    working = [desk.order(order_id) for order_id in desk.account.reservations]
    assert [of(order.quantity, order.trade_id) for order in working] == [(14, desk.order(other).trade_id)]
