"""What is done to orders from behind the counter: halts, and states on demand; on the core alone."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.exchange.core_play import (
    DAY_MINUTES,
    bracket,
    done,
    entered,
    exchange_with,
    fills,
    flat,
    legs_of,
    no,
    quote,
    slow,
    told,
    wish,
    working,
)
from tradecore_exchange import ReplaceRequest, Submitted

Ten = Decimal(10)


def test_a_halt_suspends_what_works_and_what_comes_waits() -> None:
    exchange = exchange_with()
    order, other = entered(exchange, wish(limit="10")), entered(exchange, wish(limit="10", symbol="MSFT"))
    assert told(done(exchange.halt("AAPL"))) == [("suspended", "limit")]
    later = entered(exchange, wish(limit="10"))
    assert (order.status, later.status, other.status) == ("suspended", "accepted", "new")
    assert fills(exchange.on_bars([flat(), flat(symbol="MSFT")])) == [("fill", Ten, Ten)]
    assert exchange.on_quote(quote("9", "11", 90)) == []
    assert [(one.event, one.order.id) for one in done(exchange.resume("AAPL"))] == [("new", order.id)]
    updates = exchange.on_bar(flat(2))
    assert [(one.event, one.order.id) for one in updates] == [
        ("new", later.id),
        ("fill", order.id),
        ("fill", later.id),
    ]


def test_a_part_comes_back_from_a_halt_as_a_part() -> None:
    exchange = exchange_with(volume_share=Decimal("0.004"))
    order = entered(exchange, wish())
    exchange.on_bar(flat())
    exchange.halt("AAPL")
    assert [(one.event, one.order.status) for one in done(exchange.resume("AAPL"))] == [
        ("restated", "partially_filled")
    ]
    assert fills(exchange.on_bar(flat(1))) == [("partial_fill", Decimal(4), Ten)]
    assert order.leaves_qty == 2


def test_a_suspended_order_is_canceled_and_expires() -> None:
    exchange = exchange_with()
    order, other = entered(exchange, wish()), entered(exchange, wish())
    exchange.halt("AAPL")
    assert told(done(exchange.cancel(order.id))) == [("canceled", "market")]
    assert [one.event for one in exchange.on_bar(flat(DAY_MINUTES))] == ["expired"]
    assert other.status == "expired"


def test_there_is_no_closing_auction_in_a_halt() -> None:
    exchange = exchange_with()
    entered(exchange, wish(tif="cls"))
    exchange.on_bar(flat())
    exchange.halt("AAPL")
    assert [one.event for one in exchange.on_bar(flat(389, symbol="MSFT"))] == ["canceled"]


def test_a_symbol_that_is_not_listed_cannot_be_halted() -> None:
    assert no(exchange_with().halt("NOPE")) == (422, 42210000, 'asset "NOPE" not found')


@pytest.mark.parametrize("status", ["stopped", "calculated", "pending_new", "suspended"])
def test_an_order_is_kept_off_the_market_until_it_is_released(status: str) -> None:
    exchange = exchange_with()
    order = entered(exchange, wish())
    assert [one.event for one in done(exchange.force(order.id, status))] == [status]
    assert exchange.on_bar(flat()) == []
    assert order.status == status
    assert no(exchange.release("nothing"))[0] == 404
    assert [one.event for one in done(exchange.release(order.id))] == ["new"]
    assert no(exchange.release(order.id)) == (422, 42210000, "order in new status is not kept off the market")
    assert fills(exchange.on_bar(flat(1))) == [("fill", Ten, Ten)]
    assert no(exchange.force(order.id, status))[2] == 'order is already in "filled" state'


def test_an_order_that_is_done_for_the_day_comes_back_on_the_next() -> None:
    exchange = exchange_with()
    order = entered(exchange, wish(limit="10", tif="gtc"))
    assert [one.event for one in done(exchange.force(order.id, "done_for_day"))] == ["done_for_day"]
    assert exchange.on_bar(flat(1)) == []
    assert [one.event for one in exchange.on_bar(flat(DAY_MINUTES))] == ["new", "fill"]


def test_a_rejected_order_takes_its_legs_with_it() -> None:
    exchange = exchange_with()
    root = entered(exchange, bracket())
    updates = done(exchange.force(root.id, "rejected"))
    assert [one.event for one in updates] == ["rejected", "canceled", "canceled"]
    assert root.failed_ns is not None


def test_an_order_on_standby_is_left_alone() -> None:
    exchange = slow()
    outcome = exchange.replace(working(exchange).id, ReplaceRequest(limit_price=Ten))
    assert isinstance(outcome, Submitted)
    for operation in (exchange.release, exchange.deny, lambda order_id: exchange.force(order_id, "rejected")):
        assert no(operation(outcome.order.id))[:2] == (422, 42210000)


def test_a_rejected_leg_ends_the_replacement_of_its_sibling() -> None:
    exchange = exchange_with()
    root = entered(exchange, bracket())
    exchange.on_bar(flat())
    profit, loss = legs_of(exchange, root)
    exchange.switch(slow_replaces=True)
    exchange.replace(loss.id, ReplaceRequest(stop_price=Decimal(9)))
    done(exchange.force(profit.id, "rejected"))
    assert [order for order in exchange.book.all if order.is_open] == []


def test_states_that_cannot_be_forced_are_refused() -> None:
    exchange = exchange_with()
    root = entered(exchange, bracket())
    words = "order in new status cannot become filled"
    assert no(exchange.force(root.id, "filled")) == (422, 42210000, words)
    assert no(exchange.force(legs_of(exchange, root)[0].id, "stopped"))[0] == 422


def test_new_orders_are_held_back_on_demand() -> None:
    exchange = exchange_with()
    exchange.switch(hold_new=True)
    order, other = entered(exchange, wish()), entered(exchange, wish())
    assert exchange.on_bar(flat()) == []
    assert order.status == "pending_new"
    exchange.switch(hold_new=False)
    done(exchange.release(order.id))
    assert fills(exchange.on_bar(flat(1))) == [("fill", Ten, Ten)]
    exchange.on_quote(quote(second=300))
    assert told(done(exchange.release(other.id))) == [("new", "market"), ("fill", "market")]


def test_a_resumed_symbol_meets_its_live_quote() -> None:
    exchange = exchange_with()
    entered(exchange, wish(limit="10.01"))
    exchange.halt("AAPL")
    exchange.on_quote(quote())
    assert told(done(exchange.resume("AAPL"))) == [("new", "limit"), ("fill", "limit")]
