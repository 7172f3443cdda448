"""Cancels and replacements that are decided only after the market has moved, and may come too late."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.exchange.core_play import (
    DAY_MINUTES,
    bar,
    bracket,
    done,
    entered,
    exchange_with,
    fills,
    flat,
    holding,
    legs_of,
    no,
    refused,
    row,
    slow,
    told,
    wish,
    working,
)
from tradecore_exchange import ReplaceRequest, Submitted

AT_TEN = ReplaceRequest(limit_price=Decimal(10))


def test_a_slow_replacement_stands_by_until_the_market_has_moved() -> None:
    exchange = slow()
    old = working(exchange)
    outcome = exchange.replace(old.id, AT_TEN)
    assert isinstance(outcome, Submitted)
    new = exchange.book.by_id[outcome.order.id]
    assert [(update.event, update.order.id) for update in outcome.updates] == [
        ("pending_replace", old.id),
        ("pending_new", new.id),
    ]
    assert (old.status, old.replaced_by, new.status, new.replaces) == ("pending_replace", new.id, "pending_new", old.id)
    updates = exchange.on_bar(flat())
    assert [(update.event, update.order.id) for update in updates] == [("replaced", old.id), ("new", new.id)]
    assert fills(exchange.on_bar(flat(1))) == [("fill", Decimal(10), Decimal(10))]


@pytest.mark.parametrize("volume", ["1000", "4"])
def test_a_replacement_that_comes_too_late_is_rejected(volume: str) -> None:
    exchange = slow(volume_share=Decimal(1))
    old = working(exchange)
    outcome = exchange.replace(old.id, AT_TEN)
    assert isinstance(outcome, Submitted)
    new = exchange.book.by_id[outcome.order.id]
    updates = exchange.on_bar(bar(0, "8", volume=volume))
    whole = volume == "1000"
    assert [(update.event, update.order.status, update.reason) for update in updates] == [
        ("fill", "filled", None) if whole else ("partial_fill", "pending_replace", None),
        ("order_replace_rejected", "filled" if whole else "partially_filled", "TOO_LATE_TO_CANCEL"),
        ("rejected", "rejected", None),
    ]
    assert row(old.replaced_by, new.status, new.failed_ns is not None) == (None, "rejected", True)
    assert exchange.on_bar(bar(1, "12", "12", "12", "12")) == []


def test_the_larger_of_an_order_and_its_replacement_holds_buying_power() -> None:
    exchange = slow()
    small = working(exchange, qty="1000")
    exchange.replace(small.id, ReplaceRequest(qty=Decimal(40_000)))
    assert refused(exchange, wish(qty="10001", limit="8")).extras["buying_power"] == "80000"
    exchange.on_bar(flat())
    large = next(order for order in exchange.book.open() if order.status == "new")
    exchange.replace(large.id, ReplaceRequest(qty=Decimal(1)))
    assert refused(exchange, wish(qty="10001", limit="8")).extras["buying_power"] == "80000"
    exchange.on_bar(flat(1))
    entered(exchange, wish(qty="10001", limit="8"))


def test_the_larger_of_an_order_and_its_replacement_holds_shares() -> None:
    exchange = slow()
    holding(exchange, "buy")
    order = entered(exchange, wish("sell", "4", limit="20"))
    exchange.replace(order.id, ReplaceRequest(qty=Decimal(9)))
    assert refused(exchange, wish("sell", "2", limit="20")).extras["held_for_orders"] == "9"


def test_a_slow_cancel_is_granted_after_the_next_moment_of_the_market() -> None:
    exchange = slow()
    order = working(exchange)
    assert told(done(exchange.cancel(order.id))) == [("pending_cancel", "limit")]
    assert order.is_open
    assert exchange.on_bar(flat(symbol="MSFT")) == []
    assert told(exchange.on_bar(flat())) == [("canceled", "limit")]
    assert exchange.on_bar(flat(1)) == []


def test_a_cancel_that_comes_too_late_is_rejected() -> None:
    exchange = slow()
    order = working(exchange, limit="10")
    exchange.cancel(order.id)
    updates = exchange.on_bar(flat())
    assert [(update.event, update.order.status, update.reason) for update in updates] == [
        ("fill", "filled", None),
        ("order_cancel_rejected", "filled", "TOO_LATE_TO_CANCEL"),
    ]


def test_a_partial_fill_does_not_stop_a_cancel() -> None:
    exchange = slow(volume_share=Decimal("0.004"))
    order = working(exchange, limit="10")
    exchange.cancel(order.id)
    assert [update.event for update in exchange.on_bar(flat())] == ["partial_fill", "canceled"]
    assert (order.status, order.filled_qty) == ("canceled", Decimal(4))


def test_a_cancel_at_night_waits_for_the_open() -> None:
    exchange = slow()
    exchange.on_bar(flat(389))
    order = entered(exchange, wish())
    exchange.cancel(order.id)
    assert exchange.on_bar(flat(400)) == []
    assert order.status == "pending_cancel"
    assert [update.event for update in exchange.on_bar(flat(DAY_MINUTES))] == ["canceled"]
    assert order.filled_qty == 0


@pytest.mark.parametrize(
    ("status", "event"), [("pending_cancel", "order_cancel_rejected"), ("pending_replace", "order_replace_rejected")]
)
def test_a_request_can_be_denied(status: str, event: str) -> None:
    exchange = slow()
    order = working(exchange)
    assert no(exchange.deny(order.id))[0] == 422
    _ = exchange.cancel(order.id) if status == "pending_cancel" else exchange.replace(order.id, AT_TEN)
    assert order.status == status
    assert done(exchange.deny(order.id))[0].event == event
    assert (order.status, order.replaced_by) == ("new", None)
    assert [one.id for one in exchange.book.open()] == [order.id]
    exchange.on_bar(flat())
    assert fills(exchange.on_bar(flat(1, "8"))) == [("fill", Decimal(10), Decimal(8))]


def test_a_day_order_expires_while_its_replacement_waits() -> None:
    exchange = slow()
    order = working(exchange)
    exchange.replace(order.id, AT_TEN)
    updates = exchange.on_bar(flat(DAY_MINUTES))
    assert [update.event for update in updates] == ["expired", "rejected"]
    assert list(exchange.book.open()) == []


def test_a_held_leg_is_replaced_slowly_and_stays_held() -> None:
    exchange = exchange_with()
    root = entered(exchange, bracket())
    _, loss = legs_of(exchange, root)
    exchange.on_bar(flat())
    exchange.switch(slow_replaces=True)
    outcome = exchange.replace(loss.id, ReplaceRequest(stop_price=Decimal(9)))
    assert isinstance(outcome, Submitted)
    exchange.on_bar(flat(1))
    new = exchange.book.by_id[outcome.order.id]
    assert row(new.status, loss.status, root.leg_ids[1]) == ("held", "replaced", new.id)
    assert fills(exchange.on_bar(bar(2, low="9"))) == [("fill", Decimal(10), Decimal(9))]


def test_a_leg_that_is_asked_about_still_comes_to_the_market_with_its_entry() -> None:
    exchange = slow()
    root = entered(exchange, bracket())
    profit, loss = legs_of(exchange, root)
    exchange.replace(profit.id, ReplaceRequest(limit_price=Decimal("12.50")))
    assert refused(exchange, wish("sell")).message == "cannot open a short sell while a long buy order is open"
    exchange.on_bar(flat())
    nearer = exchange.book.by_id[root.leg_ids[0]]
    assert row(profit.status, nearer.status, nearer.limit_price) == ("replaced", "new", Decimal("12.50"))
    exchange.cancel(loss.id)
    assert fills(exchange.on_bar(bar(1, low="8"))) == [("fill", Decimal(10), Decimal(8))]
    assert (loss.status, nearer.status) == ("filled", "canceled")
