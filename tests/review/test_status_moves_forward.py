"""A status never moves backwards."""

from __future__ import annotations

from tests.ledger.desk import Desk


def test_a_late_new_does_not_take_back_that_an_order_is_partially_filled() -> None:
    desk = Desk.in_memory()
    desk.pin()
    order_id = desk.live("buy", "10")
    desk.fill(order_id, "4", "100")
    desk.report(order_id, "new", at=1)
    assert desk.order(order_id).status == "partially_filled"
