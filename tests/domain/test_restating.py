"""Positions whose past is told anew: fills taken back, lots put back, splits."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tradecore.domain.position import Lot, Position, apply_fill
from tradecore.domain.restating import correct_in_place, holds_whole, position_of, split_position, undo_fill

D = Decimal


def position(*fills: tuple[str, str, str]) -> Position:
    """What these fills (name, signed quantity, price) leave."""
    held = Position()
    for name, quantity, price in fills:
        held = apply_fill(held, name, D(quantity), D(price)).after
    return held


def lots(held: Position) -> list[tuple[str, Decimal, Decimal]]:
    assert held.quantity == sum(lot.quantity for lot in held.lots)
    return [(lot.opened_by, lot.quantity, lot.price) for lot in held.lots]


def undone(before: Position, name: str, quantity: str, price: str) -> tuple[Position, Decimal]:
    """Apply a fill and take it back: the position, and the profit of both together."""
    step = apply_fill(before, name, D(quantity), D(price))
    back = undo_fill(step.after, name, D(quantity), D(price), step.closed)
    return back.after, step.gross_pnl + back.gross_pnl


@pytest.mark.parametrize("sign", ["", "-"])
@pytest.mark.parametrize("quantity", ["5", "-3", "-10", "-12", "-15", "-17"])
def test_a_fill_that_is_taken_back_was_never_there(sign: str, quantity: str) -> None:
    before = position(("a", f"{sign}10", "100"), ("b", f"{sign}5", "104"))
    signed = str(D(quantity) * (-1 if sign else 1))
    assert undone(before, "x", signed, "110") == (before, D(0))


def test_a_part_of_a_lot_that_was_closed_comes_back_to_its_own_lot() -> None:
    held = position(("a", "10", "100"), ("b", "5", "104"))
    step = apply_fill(held, "x", D(-4), D(110))
    assert lots(step.after) == [("a", D(6), D(100)), ("b", D(5), D(104))]
    assert lots(undo_fill(step.after, "x", D(-4), D(110), step.closed).after) == [
        ("a", D(10), D(100)),
        ("b", D(5), D(104)),
    ]


def test_what_was_opened_and_sold_again_is_closed_at_its_own_price_when_it_is_taken_back() -> None:
    held = position(("a", "10", "100"), ("x", "-4", "110"))
    back = undo_fill(held, "a", D(10), D(100), ())
    assert (lots(back.after), back.gross_pnl) == ([("a", D(-4), D(100))], D(0))


def test_a_lot_that_comes_back_meets_what_was_sold_short_since() -> None:
    step = apply_fill(position(("a", "10", "100")), "x", D(-10), D(110))
    short = apply_fill(step.after, "y", D(-3), D(120)).after
    back = undo_fill(short, "x", D(-10), D(110), step.closed)
    assert lots(back.after) == [("a", D(7), D(100))]
    assert back.gross_pnl == D(-100) + 3 * D(20)


def test_only_a_whole_lot_is_corrected_in_place() -> None:
    held = position(("a", "10", "100"), ("b", "5", "104"))
    assert holds_whole(held, "a", D(10))
    assert not holds_whole(held, "a", D(9))
    assert not holds_whole(held, "c", D(10))
    assert lots(correct_in_place(held, "a", D(10), D(8), D(99))) == [("a", D(8), D(99)), ("b", D(5), D(104))]


def test_a_split_keeps_the_cost_of_every_lot() -> None:
    held = position(("a", "10", "100"), ("b", "5", "104"))
    doubled = split_position(held, "s", D(15))
    assert (lots(doubled.after), doubled.gross_pnl) == ([("a", D(20), D(50)), ("b", D(10), D(52))], D(0))


def test_a_split_that_does_not_divide_keeps_the_cost_to_the_last_billionth() -> None:
    held = position(("a", "10", "100"), ("b", "5", "104"))
    after = split_position(held, "s", D(-8)).after
    assert (after.quantity, after.cost) == (D(7), held.cost)
    assert all(lot.quantity > 0 for lot in after.lots)


@pytest.mark.parametrize(
    ("change", "left", "gross"),
    [("-10", [], "-1000"), ("-12", [("s", D(-2), D(0))], "-1000")],
)
def test_units_that_a_split_takes_from_nobody_go_at_no_cost(
    change: str, left: list[tuple[str, Decimal, Decimal]], gross: str
) -> None:
    split = split_position(position(("a", "10", "100")), "s", D(change))
    assert (lots(split.after), split.gross_pnl) == (left, D(gross))


def test_units_of_a_split_for_what_is_not_held_come_at_no_cost() -> None:
    split = split_position(Position(), "s", D(3))
    assert (lots(split.after), split.gross_pnl) == ([("s", D(3), D(0))], D(0))


# --- lots that look alike -------------------------------------------------------------------------------------------


def held_of(*parts: tuple[str, str, str]) -> Position:
    """These lots (name, signed quantity, price), as they are."""
    return position_of([Lot(name, D(quantity), D(price)) for name, quantity, price in parts])


def test_only_the_lot_of_that_fill_at_that_price_is_taken() -> None:
    held = held_of(("b", "10", "100"), ("a", "10", "101"), ("a", "10", "100"), ("a", "4", "100"))
    back = undo_fill(held, "a", D(10), D(100), ())
    assert lots(back.after) == [("b", D(10), D(100)), ("a", D(10), D(101)), ("a", D(4), D(100))]
    assert back.gross_pnl == 0


def test_a_fill_in_two_lots_is_taken_from_both() -> None:
    """A split that did not divide left two prices; of the same one there may be two lots as well."""
    held = held_of(("a", "3", "100"), ("b", "5", "100"), ("a", "9", "100"))
    assert lots(undo_fill(held, "a", D(10), D(100), ()).after) == [("b", D(5), D(100)), ("a", D(2), D(100))]


def test_a_lot_of_the_other_sign_is_not_taken() -> None:
    back = undo_fill(held_of(("a", "-0.5", "100")), "a", D("0.5"), D(100), ())
    assert lots(back.after) == [("a", D("-0.5"), D(100)), ("a", D("-0.5"), D(100))]


@pytest.mark.parametrize("sign", [1, -1])
def test_parts_of_one_unit_are_taken_back_as_whole_ones_are(sign: int) -> None:
    held = held_of(("a", str(sign * D("0.75")), "100"))
    some = undo_fill(held, "a", sign * D("0.25"), D(100), ())
    assert lots(some.after) == [("a", sign * D("0.50"), D(100))]
    sold = apply_fill(held, "x", sign * D("-0.5"), D(110))
    assert sold.gross_pnl == D(5) * sign
    back = undo_fill(sold.after, "x", sign * D("-0.5"), D(110), sold.closed)
    assert (lots(back.after), back.gross_pnl) == ([("a", sign * D("0.75"), D(100))], D(-5) * sign)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_split_of_less_than_a_unit_keeps_its_cost(sign: int) -> None:
    held = held_of(("a", str(sign * D("0.5")), "100"))
    after = split_position(held, "s", sign * D("0.25"))
    assert (after.after.quantity, after.after.cost, after.gross_pnl) == (sign * D("0.75"), D(50) * sign, D(0))
    less = split_position(held, "s", sign * D("-0.25"))
    assert (lots(less.after), less.gross_pnl) == ([("a", sign * D("0.25"), D(200))], D(0))


def test_a_lot_that_a_split_leaves_nothing_of_is_gone() -> None:
    held = held_of(("a", "0.000000001", "100"), ("b", "10", "100"))
    after = split_position(held, "s", D("-9")).after
    assert [lot.opened_by for lot in after.lots] == ["b"] * len(after.lots)
    assert after.quantity == D("1.000000001")
    assert all(lot.quantity for lot in after.lots)


def test_a_lot_comes_back_in_front_or_to_its_own() -> None:
    sold = apply_fill(held_of(("a", "10", "100"), ("b", "5", "104")), "x", D(-10), D(110))
    assert lots(undo_fill(sold.after, "x", D(-10), D(110), sold.closed).after)[0] == ("a", D(10), D(100))
