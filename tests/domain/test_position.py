"""Positions: lots, first in first out, exact."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from tradecore.domain.position import Lot, Position, apply_fill
from tradecore.domain.values import ZERO, plus, times

D = Decimal
quantities = st.decimals(min_value="-1000", max_value="1000", places=3).filter(lambda q: q != 0)
prices = st.decimals(min_value="0.01", max_value="5000", places=2)


def test_a_first_fill_opens_one_lot() -> None:
    step = apply_fill(Position(), "f1", D(10), D("1.50"))
    assert step.after == Position((Lot("f1", D(10), D("1.50")),), D(10))
    assert step.gross_pnl == 0


def test_a_sale_closes_the_oldest_lot_first() -> None:
    position = Position((Lot("f1", D(10), D(1)), Lot("f2", D(10), D(2))), D(20))
    step = apply_fill(position, "f3", D(-15), D(3))
    assert [(lot.opened_by, lot.quantity) for lot in step.closed] == [("f1", D(10)), ("f2", D(5))]
    assert step.gross_pnl == D(10) * (D(3) - D(1)) + D(5) * (D(3) - D(2))
    assert step.after.lots == (Lot("f2", D(5), D(2)),)


def test_a_fill_through_zero_closes_everything_and_opens_the_other_side() -> None:
    step = apply_fill(Position((Lot("f1", D(10), D(5)),), D(10)), "f2", D(-25), D(4))
    assert step.after == Position((Lot("f2", D(-15), D(4)),), D(-15))
    assert step.gross_pnl == D(-10)


def test_buying_back_a_short_below_its_price_earns() -> None:
    step = apply_fill(Position((Lot("f1", D(-10), D(5)),), D(-10)), "f2", D(10), D(3))
    assert step.gross_pnl == D(20)
    assert step.after.quantity == 0
    assert step.after.average_price is None


@given(st.lists(st.tuples(quantities, prices), min_size=1, max_size=30))
def test_money_is_conserved_over_any_fills(fills: list[tuple[Decimal, Decimal]]) -> None:
    """Realised profit minus what cash paid equals the cost of what is still open: nothing appears or vanishes."""
    position, realised, cash = Position(), ZERO, ZERO
    for number, (quantity, price) in enumerate(fills):
        step = apply_fill(position, f"f{number}", quantity, price)
        position = step.after
        realised = plus(realised, step.gross_pnl)
        cash = plus(cash, -times(quantity, price))
    assert position.quantity == sum(quantity for quantity, _ in fills)
    assert realised == plus(cash, position.cost)
    assert len({lot.quantity > 0 for lot in position.lots}) <= 1
    assert sum(lot.quantity for lot in position.lots) == position.quantity


def test_parts_of_a_unit_close_and_open_as_whole_ones_do() -> None:
    held = Position((Lot("f1", D("0.5"), D(5)),), D("0.5"))
    more = apply_fill(held, "f2", D("0.25"), D(6))
    assert [lot.quantity for lot in more.after.lots] == [D("0.5"), D("0.25")]
    assert more.closed == ()
    short = apply_fill(held, "f2", D("-0.75"), D(6))
    assert short.after == Position((Lot("f2", D("-0.25"), D(6)),), D("-0.25"))
    assert short.gross_pnl == D("0.5")


def test_a_lot_that_is_closed_to_the_last_leaves_no_empty_one() -> None:
    step = apply_fill(Position((Lot("f1", D(10), D(5)), Lot("f2", D(1), D(5))), D(11)), "f3", D(-10), D(6))
    assert step.after.lots == (Lot("f2", D(1), D(5)),)
    assert len(step.closed) == 1
