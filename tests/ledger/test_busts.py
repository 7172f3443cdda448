"""Busts and corrections: as if the execution had not been, or had been otherwise."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.ledger.desk import Desk
from tests.ledger.revisions import Told, tell
from tradecore.domain import commands as cmd
from tradecore.errors import InputError
from tradecore.verify import verify

D = Decimal


def bought(desk: Desk, qty: str = "10", price: str = "100", fees: str = "0") -> str:
    desk.pin()
    order_id = desk.live("buy", qty)
    tell(desk, Told(order_id, "x1", qty, price, qty, fees))
    return order_id


def sold(desk: Desk, qty: str, price: str) -> str:
    order_id = desk.live("sell", qty)
    tell(desk, Told(order_id, "s1", qty, price, qty))
    return order_id


def of(*values: object) -> Any:
    """Values to compare with plain numbers and words."""
    return values


def lots(desk: Desk) -> Any:
    return [(lot.quantity, lot.price) for lot in desk.account.position("SPY").lots]


def clean(desk: Desk) -> bool:
    findings = verify(desk.ledger.journal).findings
    assert findings == ()
    return True


def test_a_busted_purchase_leaves_no_position_and_all_the_cash(desk: Desk) -> None:
    order_id = bought(desk, fees="1.5")
    tell(desk, Told(order_id, "b1", "10", "100", "0", revises="x1", busts=True, second=5))
    assert desk.account.cash == 100_000
    assert desk.account.fees == desk.account.realised_pnl == 0
    assert desk.account.positions == {} == desk.account.holdings
    order = desk.order(order_id)
    assert of(order.status, order.filled_qty, order.filled_value) == ("filled", 0, 0)
    assert desk.trade_of(order_id).status == "abandoned"
    assert clean(desk)


def test_a_busted_sale_gives_back_the_lots_and_takes_back_the_profit(desk: Desk) -> None:
    order_id = bought(desk)
    exit_id = sold(desk, "10", "110")
    assert desk.trade_of(order_id).status == "closed"
    assert desk.account.realised_pnl == 100
    tell(desk, Told(exit_id, "b1", "10", "110", "0", revises="s1", busts=True, second=5))
    assert lots(desk) == [(10, 100)]
    assert of(desk.account.cash, desk.account.realised_pnl) == (99_000, 0)
    trade = desk.trade_of(order_id)
    assert of(trade.status, trade.position.quantity, trade.realised_pnl) == ("open", 10, 0)
    assert desk.account.held("test", "SPY") == 10
    assert clean(desk)


def test_a_trade_that_a_bust_reopened_is_closed_by_the_next_exit(desk: Desk) -> None:
    order_id = bought(desk)
    exit_id = sold(desk, "10", "110")
    tell(desk, Told(exit_id, "b1", "10", "110", "0", revises="s1", busts=True, second=5))
    desk.done("sell", "10", "120")
    trade = desk.trade_of(order_id)
    assert of(trade.status, trade.realised_pnl) == ("closed", 200)
    assert desk.account.realised_pnl == 200
    assert clean(desk)


def test_a_busted_purchase_whose_units_were_sold_is_bought_back_at_its_own_price(desk: Desk) -> None:
    order_id = bought(desk)
    sold(desk, "10", "110")
    tell(desk, Told(order_id, "b1", "10", "100", "0", revises="x1", busts=True, second=5))
    assert lots(desk) == [(-10, 100)]  # what was sold at 110 is short; 10 of profit a unit stay realised
    assert of(desk.account.cash, desk.account.realised_pnl) == (101_100, 100)
    assert clean(desk)


def test_a_sale_through_zero_is_undone_in_both_trades(desk: Desk) -> None:
    order_id = bought(desk)
    exit_id = sold(desk, "15", "110")
    assert lots(desk) == [(-5, 110)]
    tell(desk, Told(exit_id, "b1", "15", "110", "0", revises="s1", busts=True, second=5))
    assert lots(desk) == [(10, 100)]
    assert desk.account.realised_pnl == 0
    assert desk.trade_of(order_id).status == "open"
    assert clean(desk)


def test_a_correction_of_a_whole_lot_is_made_where_it_stands(desk: Desk) -> None:
    order_id = bought(desk)
    desk.done("buy", "5", "120")
    tell(desk, Told(order_id, "c1", "9", "101", "9", revises="x1", second=5))
    assert lots(desk) == [(9, 101), (5, 120)]
    assert desk.account.cash == 100_000 - 9 * 101 - 5 * 120
    assert of(desk.order(order_id).filled_qty, desk.order(order_id).filled_value) == (9, 909)
    assert clean(desk)


def test_a_corrected_sale_realises_what_it_should_have(desk: Desk) -> None:
    order_id = bought(desk)
    exit_id = sold(desk, "10", "110")
    tell(desk, Told(exit_id, "c1", "10", "105", "10", revises="s1", second=5))
    assert of(desk.account.realised_pnl, desk.account.cash) == (50, 100_050)
    trade = desk.trade_of(order_id)
    assert of(trade.status, trade.realised_pnl) == ("closed", 50)
    assert clean(desk)


def test_a_bust_that_comes_before_its_fill_waits_for_it(desk: Desk) -> None:
    desk.pin()
    order_id = desk.live("buy", "10")
    tell(desk, Told(order_id, "b1", "4", "100", "0", revises="x1", busts=True, second=5))
    assert desk.account.cash == 100_000
    tell(desk, Told(order_id, "x1", "4", "100", "4"))
    assert desk.account.cash == 100_000
    assert desk.order(order_id).filled_qty == 0
    assert desk.names().count("trade.fill.busted") == 1
    assert desk.account.reservations[order_id].quantity == 10
    assert clean(desk)


def test_a_correction_of_an_early_fill_that_is_recorded_after_later_ones_is_applied(desk: Desk) -> None:
    """Its names cannot be compared: told by the stream, recorded from the history, and more was filled meanwhile."""
    desk.pin()
    order_id = desk.live("buy", "19")
    tell(desk, Told(order_id, "c1", "4", "102.48", "4", revises="x1", second=3))
    tell(desk, Told(order_id, "x2", "15", "100", "19", second=9))
    tell(desk, Told(order_id, "20240102::x1-of-the-history", "4", "102.47", "4", second=1, source="activities"))
    assert desk.account.cash == D("98090.08")
    assert desk.order(order_id).awaited == ()
    assert clean(desk)


def test_a_bust_told_by_two_sources_is_one_bust(desk: Desk) -> None:
    desk.pin()
    order_id = desk.live("buy", "10")
    tell(desk, Told(order_id, "x1", "4", "100", "4"))
    tell(desk, Told(order_id, "x2", "4", "100", "8", second=1))
    tell(desk, Told(order_id, "b1", "4", "100", "4", revises="x2", busts=True, second=5))
    tell(desk, Told(order_id, "a9", "4", "100", "4", revises="a2", busts=True, second=5, source="activities"))
    tell(desk, Told(order_id, "b1", "4", "100", "4", revises="x2", busts=True, second=5))
    assert desk.order(order_id).filled_qty == 4
    assert clean(desk)


def test_an_older_correction_that_comes_late_does_not_undo_a_newer_one(desk: Desk) -> None:
    order_id = bought(desk)
    tell(desk, Told(order_id, "c2", "8", "102", "8", revises="c1", second=9))
    assert lots(desk) == [(10, 100)]  # it corrects a correction that nobody told yet
    tell(desk, Told(order_id, "c1", "9", "101", "9", revises="x1", second=5))
    assert lots(desk) == [(8, 102)]
    tell(desk, Told(order_id, "c1", "9", "101", "9", revises="x1", second=5))
    assert lots(desk) == [(8, 102)]
    assert clean(desk)


def test_a_canceled_order_stays_settled_when_its_fill_is_busted(desk: Desk) -> None:
    desk.pin()
    order_id = desk.live("buy", "10")
    tell(desk, Told(order_id, "x1", "4", "100", "4"))
    desk.report(order_id, "canceled", filled="4", at=2)
    tell(desk, Told(order_id, "b1", "4", "100", "0", revises="x1", busts=True, second=5))
    assert desk.order(order_id).is_settled
    assert desk.account.reservations == {}
    assert clean(desk)


def test_a_correction_beyond_the_order_is_refused_and_changes_nothing(desk: Desk) -> None:
    order_id = bought(desk)
    with pytest.raises(InputError, match="quantity"):
        tell(desk, Told(order_id, "c1", "11", "100", "11", revises="x1", second=5))
    assert lots(desk) == [(10, 100)]
    assert clean(desk)


def test_the_record_busts_what_it_told_itself_by_a_name_that_it_does_not_use(desk: Desk) -> None:
    """Lines of the record have ids of their own, and refer to an execution by the stream's name of it."""
    desk.pin()
    order_id = desk.live("buy", "10")
    tell(desk, Told(order_id, "20240102120000000::a1", "4", "100", "4", source="activities"))
    bust = Told(
        order_id, "20240102120500000::a2", "4", "100", "0", revises="x1", busts=True, second=5, source="activities"
    )
    tell(desk, bust)
    assert desk.order(order_id).filled_qty == 0
    assert desk.account.cash == 100_000
    tell(desk, bust)
    assert desk.names().count("trade.fill.busted") == 1
    assert clean(desk)


def test_a_correction_that_another_source_tells_again_after_the_bust_waits_for_nothing(desk: Desk) -> None:
    order_id = bought(desk)
    tell(desk, Told(order_id, "c1", "10", "101", "10", revises="x1", second=5))
    tell(desk, Told(order_id, "b1", "10", "101", "0", revises="c1", busts=True, second=9))
    tell(desk, Told(order_id, "t::c", "10", "101", "10", revises="x1", second=5, source="activities"))
    assert desk.order(order_id).awaited == ()
    assert desk.account.cash == 100_000


@pytest.mark.parametrize("status", ["filled", "canceled"])
def test_a_count_from_before_a_bust_keeps_an_order_only_until_a_later_one(desk: Desk, status: str) -> None:
    """A list may lag behind the stream: what it counts was taken back, and would be waited for without end."""
    desk.pin()
    order_id = desk.live("buy", "5")
    tell(desk, Told(order_id, "x1", "2", "100", "2"))
    tell(desk, Told(order_id, "b1", "2", "100", "0", revises="x1", busts=True, second=5))
    tell(desk, Told(order_id, "x2", "3", "101", "3", second=9))
    desk.report(order_id, status, filled="5", at=10)
    assert not desk.order(order_id).is_settled
    desk.report(order_id, status, filled="4", at=11)
    assert not desk.order(order_id).is_settled
    desk.report(order_id, status, filled="3", at=12)
    desk.report(order_id, status, filled="5", at=10)
    order = desk.order(order_id)
    assert of(order.is_settled, order.status, order.filled_qty) == (True, status, 3)
    assert desk.account.reservations == {}
    assert clean(desk)


def test_without_a_bust_fills_that_are_missing_are_waited_for(desk: Desk) -> None:
    desk.pin()
    order_id = desk.live("buy", "5")
    tell(desk, Told(order_id, "x1", "2", "100", "2"))
    desk.report(order_id, "canceled", filled="3", at=10)
    desk.report(order_id, "canceled", filled="2", at=11)
    assert not desk.order(order_id).is_settled


def two_alike(desk: Desk) -> str:
    """Two executions of one size, named by the record, and a correction that names one of them as the stream does."""
    desk.pin()
    order_id = desk.live("sell", "2")
    tell(desk, Told(order_id, "t::a", "1", "196", "1", second=1, source="activities"))
    tell(desk, Told(order_id, "t::b", "1", "197.66", "2", second=3, source="activities"))
    corrected = Told(order_id, "t::c", "1", "196.01", "2", revises="stream-a", second=10, source="activities")
    tell(desk, corrected)
    assert len(desk.order(order_id).awaited) == 1
    assert desk.account.cash == 100_000 + D("393.66")
    return order_id


def test_a_correction_means_the_execution_that_was_not_taken_back_since(desk: Desk) -> None:
    order_id = two_alike(desk)
    bust = Told(order_id, "t::d", "1", "197.66", "1", revises="stream-b", busts=True, second=20, source="activities")
    tell(desk, bust)
    assert desk.order(order_id).awaited == ()
    assert desk.account.cash == 100_000 + D("196.01")
    assert clean(desk)


def test_a_correction_that_a_bust_at_another_price_may_have_followed_goes_on_waiting(desk: Desk) -> None:
    """What was taken back counted at another price than is recorded: it may be the one that was corrected."""
    order_id = two_alike(desk)
    bust = Told(order_id, "t::d", "1", "196.01", "1", revises="t::b", busts=True, second=20, source="activities")
    tell(desk, bust)
    assert len(desk.order(order_id).awaited) == 1


@pytest.mark.parametrize(
    ("average", "filled", "total"),
    [
        ("196.835", "2", "393.67"),  # the first one was corrected
        ("196.005", "2", "392.01"),  # the second one was
        ("196.83", "2", None),  # the broker counts neither
        ("196.835", "1", None),  # nor is it the same amount
        ("196.84", "2", None),  # something else happened as well
    ],
)
def test_the_average_price_at_the_broker_tells_which_execution_was_corrected(
    desk: Desk, average: str, filled: str, total: str | None
) -> None:
    order_id = two_alike(desk)
    (waiting,) = desk.order(order_id).awaited
    desk.give(cmd.ReviseFill(order_id, waiting, cmd.FilledSoFar(D(filled), D(average))))
    assert len(desk.order(order_id).awaited) == (0 if total else 1)
    assert desk.account.cash == 100_000 + D(total or "393.66")
    assert clean(desk)
