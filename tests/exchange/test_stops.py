"""Stops, stop-limits and trailing stops, on the core alone."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.exchange.core_play import (
    bar,
    entered,
    exchange_with,
    fills,
    flat,
    holding,
    no,
    quote,
    refused,
    replaced,
    wish,
)
from tradecore_exchange import Exchange, OrderRequest, ReplaceRequest
from tradecore_exchange.orders import Order

Prices = tuple[str, str, str, str]


def long(qty: str = "10") -> Exchange:
    exchange = exchange_with()
    holding(exchange, "buy", qty)
    return exchange


@pytest.mark.parametrize(
    ("side", "stop", "limit", "prices", "price"),
    [
        ("sell", "9", None, ("10", "11", "9", "10"), "9"),
        ("sell", "9", None, ("10", "11", "9.01", "10"), None),
        ("sell", "9", None, ("8", "8.50", "7", "8"), "8"),
        ("buy", "11", None, ("10", "11", "9", "10"), "11"),
        ("buy", "11.01", None, ("10", "11", "9", "10"), None),
        ("buy", "10.50", None, ("10.80", "11", "9", "10"), "10.80"),
        # A buy stop is a stop-limit 4 % above: a gap beyond that trades only when the bar comes back to it.
        ("buy", "10.50", None, ("12", "12", "10.92", "12"), "10.92"),
        ("buy", "10.50", None, ("12", "12", "10.93", "12"), None),
        ("sell", "9", "8.50", ("10", "11", "8", "8"), "9"),
        ("sell", "9", "8.50", ("8", "8.49", "7", "8"), None),
        ("sell", "9", "8.50", ("8", "8.50", "7", "8"), "8.50"),
        # The limit is better than the stop: the bar must end there, for its way is not known.
        ("sell", "9", "9.50", ("10", "11", "8", "9.49"), None),
        ("sell", "9", "9.50", ("10", "11", "8", "9.50"), "9.50"),
        ("buy", "11", "10.50", ("10", "11", "9", "10.51"), None),
        ("buy", "11", "10.50", ("10", "11", "9", "10.50"), "10.50"),
    ],
)
def test_a_stop_trades_in_the_bar_that_reaches_it_at_the_price_of_the_rule(
    side: str, stop: str, limit: str | None, prices: Prices, price: str | None
) -> None:
    exchange = long() if side == "sell" else exchange_with()
    order = entered(exchange, wish(side, limit=limit, stop=stop))
    updates = exchange.on_bar(bar(1, *prices))
    assert fills(updates) == ([] if price is None else [("fill", Decimal(10), Decimal(price))])
    assert (order.type, order.status) == ("stop" if limit is None else "stop_limit", "filled" if price else "new")


def test_once_reached_a_stop_limit_is_a_limit_and_stays_one() -> None:
    exchange = long()
    entered(exchange, wish("sell", stop="9", limit="9.50"))
    assert exchange.on_bar(flat(1, "8.90")) == []
    assert fills(exchange.on_bar(bar(2, "9.20", "9.60", "9.10"))) == [("fill", Decimal(10), Decimal("9.50"))]


@pytest.mark.parametrize(
    ("stop", "collar"), [("10.50", "10.92"), ("49.99", "51.98"), ("50", "51.25"), ("0.5", "0.52"), ("200.01", "205.01")]
)
def test_a_buy_stop_is_bounded_above_and_holds_buying_power_at_the_bound(stop: str, collar: str) -> None:
    order = entered(exchange_with(), wish(stop=stop))
    assert (order.collar, order.limit_price, order.reserved) == (Decimal(collar), None, 10 * Decimal(collar))
    assert entered(long(), wish("sell", stop="9")).collar is None


@pytest.mark.parametrize(
    ("side", "bid", "ask", "price"),
    [
        ("sell", "9.01", "9.10", None),
        ("sell", "9", "9.10", "9"),
        ("sell", "8", "9.10", "8"),
        ("buy", "10", "10.99", None),
        ("buy", "10", "11", "11"),
        ("buy", "10", "12", None),
    ],
)
def test_a_quote_reaches_a_stop_with_the_side_that_the_order_would_trade_with(
    side: str, bid: str, ask: str, price: str | None
) -> None:
    exchange = long() if side == "sell" else exchange_with()
    entered(exchange, wish(side, stop="9" if side == "sell" else "11"))
    updates = exchange.on_quote(quote(bid, ask, 200))
    assert fills(updates) == ([] if price is None else [("fill", Decimal(10), Decimal(price))])


def trailing(exchange: Exchange, side: str = "sell", **trail: str) -> Order:
    order = entered(exchange, wish(side, **trail))  # type: ignore[arg-type]
    assert order.type == "trailing_stop"
    return order


def test_a_trailing_stop_follows_the_best_price_and_never_goes_back() -> None:
    exchange = long()
    order = trailing(exchange, trail="1")
    assert (order.hwm, order.stop_price) == (Decimal(10), Decimal(9))
    exchange.on_bar(bar(1, "10", "12", "9.50", "11.50"))
    assert (order.hwm, order.stop_price) == (Decimal(12), Decimal(11))
    exchange.on_bar(bar(2, "11.50", "11.60", "11.20", "11.20"))
    assert (order.hwm, order.stop_price) == (Decimal(12), Decimal(11))
    assert fills(exchange.on_bar(bar(3, "11.20", "11.20", "10", "10"))) == [("fill", Decimal(10), Decimal(11))]


def test_a_trailing_stop_that_its_own_bar_moves_up_trades_when_the_bar_closes_below_it() -> None:
    exchange = long()
    trailing(exchange, trail="1")
    assert fills(exchange.on_bar(bar(1, "10", "13", "9.50", "11"))) == [("fill", Decimal(10), Decimal(12))]


def test_a_trailing_buy_follows_the_lowest_price_by_percent() -> None:
    exchange = exchange_with()
    exchange.on_bar(flat())
    order = trailing(exchange, "buy", percent="10")
    assert (order.hwm, order.stop_price, order.reserved) == (Decimal(10), Decimal(11), Decimal(110))
    exchange.on_bar(flat(1, "8"))
    assert (order.hwm, order.stop_price) == (Decimal(8), Decimal("8.8"))
    assert fills(exchange.on_bar(bar(2, "8", "9", "8", "9"))) == [("fill", Decimal(10), Decimal("8.8"))]


def test_a_trailing_stop_entered_before_any_price_starts_with_the_first() -> None:
    exchange = exchange_with()
    order = trailing(exchange, "buy", trail="1")
    assert (order.hwm, order.stop_price) == (None, None)
    exchange.on_bar(flat())
    assert (order.hwm, order.stop_price) == (Decimal(10), Decimal(11))


def test_quotes_move_and_reach_a_trailing_stop() -> None:
    exchange = long()
    order = trailing(exchange, trail="1")
    exchange.on_quote(quote("12", "12.01", 100))
    assert (order.hwm, order.stop_price) == (Decimal(12), Decimal(11))
    assert fills(exchange.on_quote(quote("11", "11.01", 101))) == [("fill", Decimal(10), Decimal(11))]


def test_the_trail_of_a_working_order_is_changed_and_its_best_price_stays() -> None:
    exchange = long()
    order = trailing(exchange, trail="1")
    exchange.on_bar(flat(1, "12"))
    new = replaced(exchange, order, ReplaceRequest(trail=Decimal("2.5")))
    assert (new.trail_price, new.hwm, new.stop_price) == (Decimal("2.5"), Decimal(12), Decimal("9.5"))
    by_percent = replaced(exchange, new, ReplaceRequest(trail=Decimal(3)))
    assert (by_percent.trail_price, by_percent.stop_price) == (Decimal(3), Decimal(9))
    assert no(exchange.replace(by_percent.id, ReplaceRequest(stop_price=Decimal(3)))) == (
        422,
        40010001,
        "trailing stop orders require no stop price",
    )


def test_a_stop_is_not_reached_outside_the_regular_hours() -> None:
    exchange = long()
    entered(exchange, wish("sell", stop="9", tif="gtc"))
    assert exchange.on_bar(flat(400, "5")) == []


@pytest.mark.parametrize(
    ("request_", "code", "message"),
    [
        (wish(kind="stop"), 40010001, "stop orders require a stop price"),
        (wish(kind="stop_limit", limit="10"), 40010001, "stop limit orders require a stop price"),
        (wish(kind="stop_limit", stop="10"), 40010001, "stop limit orders require a limit price"),
        (wish(kind="stop", stop="12", limit="12"), 40010001, "stop orders require no limit price"),
        (wish(kind="market", stop="12"), 40010001, "market orders require no stop price"),
        (
            wish(kind="trailing_stop"),
            40010001,
            "trailing stop orders must specify one of trail_price or trail_percent",
        ),
        (
            wish(trail="1", percent="1"),
            40010001,
            "trailing stop orders must specify one of trail_price or trail_percent",
        ),
        (wish(percent="100"), 40010001, "trail_percent must be < 100"),
        (wish(kind="limit", limit="9", trail="1"), 40010001, "limit orders require no trail price or trail percent"),
        (wish(trail="1", tif="ioc"), 42210000, "trailing stop orders must be DAY or GTC orders"),
        (wish(stop="12", tif="opg"), 42210000, "stop orders must be DAY or GTC orders"),
        (wish("sell", stop="10"), 42210000, "stop price must be less than current price"),
        (wish("buy", stop="10"), 42210000, "stop price must be greater than current price"),
        (wish("sell", trail="10"), 42210000, "trail_price must be less than current price"),
        (
            wish("sell", stop="9.005"),
            42210000,
            "invalid stop_price 9.005. sub-penny increment does not fulfill minimum pricing criteria",
        ),
    ],
)
def test_each_wrong_stop_is_refused_with_its_own_words(request_: OrderRequest, code: int, message: str) -> None:
    exchange = exchange_with()
    exchange.on_bar(flat())
    assert no(exchange.submit(request_)) == (422, code, message)


def test_a_stop_on_the_wrong_side_of_the_market_is_told_both_prices() -> None:
    assert refused(long(), wish("sell", stop="10.50")).extras == {"market_price": "10", "stop_price": "10.5"}


def test_prices_below_a_dollar_have_four_places() -> None:
    exchange = exchange_with()
    entered(exchange, wish(stop="0.1234"))
    assert refused(exchange, wish(stop="0.12345")).code == 42210000
