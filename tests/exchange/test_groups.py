"""Brackets, ocos and otos, on the core alone."""

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
    quote,
    refused,
    replaced,
    row,
    told,
    wish,
)
from tradecore_exchange import Exchange, OrderRequest, ReplaceRequest, Submitted
from tradecore_exchange.orders import Order

Ten = Decimal(10)


def entry(exchange: Exchange, request: OrderRequest) -> tuple[Order, ...]:
    root = entered(exchange, request)
    return (root, *legs_of(exchange, root))


def filled_bracket(exchange: Exchange, **terms: str | None) -> tuple[Order, ...]:
    orders = entry(exchange, bracket(**terms))  # type: ignore[arg-type]
    exchange.on_bar(flat())
    return orders


def oco(exchange: Exchange, profit: str = "12", loss: str = "8", **terms: str | None) -> tuple[Order, ...]:
    request = wish("sell", limit=profit, order_class="oco", profit=profit, loss=loss, **terms)  # type: ignore[arg-type]
    return entry(exchange, request)


def test_the_legs_of_a_bracket_are_orders_of_their_own_and_held() -> None:
    exchange = exchange_with()
    outcome = exchange.submit(bracket(tif="gtc", loss_limit="7.50"))
    assert isinstance(outcome, Submitted)
    root, profit, loss = outcome.order, *outcome.legs
    assert [one.status for one in (root, profit, loss)] == ["pending_new", "held", "held"]
    assert [one.role for one in (root, profit, loss)] == ["entry", "take_profit", "stop_loss"]
    assert {one.order_class for one in (root, profit, loss)} == {"bracket"}
    assert row(profit.type, profit.limit_price, profit.side, profit.time_in_force) == ("limit", 12, "sell", "gtc")
    assert row(loss.type, loss.stop_price, loss.limit_price) == ("stop_limit", 8, Decimal("7.50"))
    assert {profit.position_intent, loss.position_intent} == {"sell_to_close"}
    assert len({one.client_order_id for one in (root, profit, loss)}) == 3
    assert told(outcome.updates) == [
        ("pending_new", "entry"),
        ("held", "take_profit"),
        ("held", "stop_loss"),
        ("new", "entry"),
    ]


def test_held_legs_wait_until_the_entry_is_completely_filled() -> None:
    exchange = exchange_with(volume_share=Decimal("0.005"))
    root, profit, loss = entry(exchange, bracket())
    exchange.on_bar(bar(high="13", low="7"))
    assert [one.status for one in (root, profit, loss)] == ["partially_filled", "held", "held"]
    updates = exchange.on_bar(bar(1, high="13", low="7"))
    assert told(updates) == [("fill", "entry"), ("new", "take_profit")]
    assert [one.status for one in (root, profit, loss)] == ["filled", "new", "held"]


def test_the_profit_is_taken_and_the_stop_is_canceled() -> None:
    exchange = exchange_with()
    filled_bracket(exchange)
    assert told(exchange.on_bar(bar(1, high="12"))) == [("fill", "take_profit"), ("canceled", "stop_loss")]
    assert exchange.account.positions == {}


def test_the_stop_is_reached_and_the_profit_is_canceled() -> None:
    exchange = exchange_with()
    filled_bracket(exchange)
    updates = exchange.on_bar(bar(1, low="7.50"))
    assert told(updates) == [("canceled", "take_profit"), ("new", "stop_loss"), ("fill", "stop_loss")]
    assert fills(updates) == [("fill", Ten, Decimal(8))]


@pytest.mark.parametrize(
    ("open_", "event", "price"), [("10", "stop_loss", "8"), ("12.50", "take_profit", "12.50"), ("7", "stop_loss", "7")]
)
def test_a_bar_that_spans_both_legs_takes_the_loss_unless_it_opens_in_profit(
    open_: str, event: str, price: str
) -> None:
    exchange = exchange_with()
    filled_bracket(exchange)
    updates = exchange.on_bar(bar(1, open_, high="13", low="7"))
    (fill,) = [update for update in updates if update.qty]
    assert (fill.order.role, fill.price) == (event, Decimal(price))
    assert list(exchange.book.open()) == []


def test_a_quote_chooses_its_leg() -> None:
    exchange = exchange_with()
    filled_bracket(exchange)
    assert exchange.on_quote(quote("9", "11", 100)) == []
    updates = exchange.on_quote(quote("8", "9", 101))
    assert told(updates) == [("canceled", "take_profit"), ("new", "stop_loss"), ("fill", "stop_loss")]


def test_an_entry_that_trades_with_a_quote_brings_its_profit_to_the_same_quote() -> None:
    exchange = exchange_with()
    exchange.on_quote(quote("9.99", "10.01"))
    root, profit, loss = entry(exchange, bracket(limit="10.50"))
    assert [one.status for one in (root, profit, loss)] == ["filled", "new", "held"]


def test_a_partly_taken_profit_makes_the_stop_smaller() -> None:
    exchange = exchange_with(volume_share=Decimal("0.01"))
    _, profit, loss = filled_bracket(exchange)
    exchange.on_bar(bar(1, high="12", volume="400"))
    assert row(profit.filled_qty, loss.qty, loss.status) == (4, 6, "held")
    updates = exchange.on_bar(bar(2, low="8"))
    assert fills(updates) == [("fill", Decimal(6), Decimal(8))]
    assert exchange.account.positions == {}


def test_a_short_entry_has_its_legs_the_other_way_round() -> None:
    exchange = exchange_with()
    root, profit, loss = entry(exchange, bracket("sell", profit="8", loss="12"))
    exchange.on_bar(flat())
    assert (root.status, profit.side, loss.collar) == ("filled", "buy", Decimal("12.48"))
    assert told(exchange.on_bar(bar(1, low="8"))) == [("fill", "take_profit"), ("canceled", "stop_loss")]


@pytest.mark.parametrize("canceled", [0, 1, 2])
def test_canceling_one_cancels_the_rest(canceled: int) -> None:
    exchange = exchange_with()
    orders = entry(exchange, bracket())
    updates = done(exchange.cancel(orders[canceled].id))
    assert sorted(update.event for update in updates) == ["canceled"] * 3
    assert done(exchange.cancel(orders[0].id)) == []


def test_a_day_bracket_expires_as_one() -> None:
    exchange = exchange_with()
    filled_bracket(exchange)
    updates = exchange.on_bar(flat(389))
    assert sorted(told(updates)) == [("expired", "stop_loss"), ("expired", "take_profit")]


def test_a_gtc_bracket_protects_on_the_next_day() -> None:
    exchange = exchange_with()
    filled_bracket(exchange, tif="gtc")
    exchange.on_bar(flat(389))
    updates = exchange.on_bar(flat(DAY_MINUTES, "7"))
    assert fills(updates) == [("fill", Ten, Decimal(7))]


def test_a_working_profit_holds_the_shares_and_the_held_stop_does_not() -> None:
    exchange = exchange_with()
    filled_bracket(exchange)
    refusal = refused(exchange, wish("sell", "1"))
    assert refusal.extras["held_for_orders"] == "10"


def test_orders_that_belong_together_are_no_wash_trades() -> None:
    exchange = exchange_with()
    filled_bracket(exchange)
    entered(exchange, wish("buy"))
    entered(exchange, bracket())


def test_the_parent_of_an_oco_is_its_profit_and_its_stop_is_held() -> None:
    exchange = exchange_with()
    holding(exchange, "buy")
    profit, loss = oco(exchange)
    assert (profit.role, profit.status, loss.role, loss.status) == ("take_profit", "new", "stop_loss", "held")
    assert (profit.order_class, loss.order_class, loss.parent_id) == ("oco", "oco", profit.id)
    updates = exchange.on_bar(bar(1, low="8"))
    assert told(updates) == [("canceled", "take_profit"), ("new", "stop_loss"), ("fill", "stop_loss")]


def test_an_oco_takes_its_profit() -> None:
    exchange = exchange_with()
    holding(exchange, "buy")
    oco(exchange)
    assert told(exchange.on_bar(bar(1, high="12"))) == [("fill", "take_profit"), ("canceled", "stop_loss")]


def test_the_stop_of_an_oco_is_not_watched_before_the_market_opens() -> None:
    exchange = exchange_with()
    holding(exchange, "buy")
    exchange.on_bar(flat(389))
    profit, loss = oco(exchange)
    assert (profit.status, loss.status) == ("accepted", "held")
    assert exchange.on_bar(flat(400, "5")) == []
    updates = exchange.on_bar(flat(DAY_MINUTES, "5"))
    assert told(updates)[-1] == ("fill", "stop_loss")


@pytest.mark.parametrize(
    ("terms", "at", "role"), [({"profit": "12"}, "12", "take_profit"), ({"loss": "8"}, "8", "stop_loss")]
)
def test_an_oto_brings_its_one_leg_after_the_entry(terms: dict[str, str], at: str, role: str) -> None:
    exchange = exchange_with()
    root, leg = entry(exchange, wish(order_class="oto", **terms))  # type: ignore[arg-type]
    assert leg.status == "held"
    assert told(exchange.on_bar(flat())) == [("fill", "entry"), ("new", role)]
    assert fills(exchange.on_bar(flat(1, at))) == [("fill", Ten, Decimal(at))]
    assert root.status == "filled"


def test_a_replaced_leg_has_a_new_id_and_takes_its_place() -> None:
    exchange = exchange_with()
    root, profit, loss = filled_bracket(exchange)
    nearer = replaced(exchange, profit, ReplaceRequest(limit_price=Decimal(11)))
    tighter = replaced(exchange, loss, ReplaceRequest(stop_price=Decimal(9)))
    assert root.leg_ids == (nearer.id, tighter.id)
    assert row(tighter.status, tighter.role, tighter.parent_id, tighter.qty) == ("held", "stop_loss", root.id, 10)
    assert told(exchange.on_bar(bar(1, high="10.50", low="9")))[-1] == ("fill", "stop_loss")
    assert nearer.status == "canceled"


def test_the_legs_follow_a_replaced_entry() -> None:
    exchange = exchange_with()
    root, profit, loss = entry(exchange, bracket(limit="9"))
    new = replaced(exchange, root, ReplaceRequest(qty=Decimal(4), limit_price=Decimal(10)))
    assert row({profit.parent_id, loss.parent_id}, profit.qty, loss.qty) == ({new.id}, 4, 4)
    exchange.on_bar(flat())
    assert row(new.status, profit.status, profit.leaves_qty) == ("filled", "new", 4)


def test_what_may_not_be_replaced_among_orders_that_belong_together() -> None:
    exchange = exchange_with()
    _, profit, _ = filled_bracket(exchange)
    assert no(exchange.replace(profit.id, ReplaceRequest(qty=Decimal(5)))) == (
        422,
        42210000,
        "qty of take_profit and stop_loss orders cannot be changed",
    )
    oto = entered(exchange, wish(order_class="oto", profit="12"))
    assert no(exchange.replace(oto.id, ReplaceRequest(qty=Decimal(5))))[2] == "oto orders cannot be replaced"


def test_legs_are_for_no_more_than_is_left_of_their_entry() -> None:
    exchange = exchange_with(volume_share=Decimal("0.006"))
    _, profit, loss = entry(exchange, bracket())
    exchange.on_bar(flat())
    entered(exchange, wish("sell", "6", "10"))
    exchange.on_bar(flat(1))
    exchange.on_bar(flat(2))
    assert exchange.account.position_qty("AAPL") == 4
    assert row(profit.status, profit.qty, loss.status, loss.qty) == ("new", 4, "held", 4)
