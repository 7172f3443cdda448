"""A closed trade stays closed."""

from __future__ import annotations

from tests.ledger.desk import Desk


def test_an_order_placed_while_an_exit_of_a_closed_trade_still_works_begins_a_trade_of_its_own() -> None:
    desk = Desk.in_memory()
    desk.pin()
    entry = desk.done("buy", "10", "100")
    desk.live("sell", "10", limit="200")
    desk.done("sell", "10", "110")
    closed = desk.trade_of(entry)
    assert closed.status == "closed"
    again = desk.place("buy", "5")
    assert desk.order(again).trade_id != closed.trade_id
    assert desk.trade_of(entry).status == "closed"
    desk.send(again)
    desk.answer(again)
    desk.fill(again, "5", "120")
    assert desk.trade_of(again).position.quantity == 5
    assert desk.names().count("trade.trade.closed") == 1
