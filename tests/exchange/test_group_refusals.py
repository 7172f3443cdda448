"""Brackets, ocos and otos that are refused, each with its own words."""

from __future__ import annotations

import pytest

from tests.exchange.core_play import bracket, entered, exchange_with, flat, holding, no, refused, wish
from tradecore_exchange import OrderRequest


@pytest.mark.parametrize(
    ("request_", "code", "message"),
    [
        (wish(order_class="bracket", profit="12"), 40010001, "bracket orders require take_profit and stop_loss"),
        (wish(order_class="bracket"), 40010001, "bracket orders require take_profit and stop_loss"),
        (wish(limit="12", order_class="oco", profit="12"), 40010001, "oco orders require take_profit and stop_loss"),
        (
            wish("sell", limit="13", order_class="oco", profit="12", loss="8"),
            40010001,
            "limit_price of an oco order must be its take_profit.limit_price",
        ),
        (wish(order_class="oto"), 40010001, "oto orders require one of take_profit or stop_loss"),
        (
            wish(order_class="oto", profit="12", loss="8"),
            40010001,
            "oto orders require one of take_profit or stop_loss",
        ),
        (wish(profit="12"), 40010001, "simple orders require no take_profit or stop_loss"),
        (bracket(tif="ioc"), 42210000, "bracket orders must be DAY or GTC orders"),
        (bracket(qty="0.5"), 42210000, "fractional orders must be simple orders"),
        (bracket(qty=None, notional="100"), 42210000, "fractional orders must be simple orders"),
        (
            bracket(symbol="BTC/USD", tif="gtc"),
            42210000,
            "crypto orders not allowed for advanced order_class: otoco",
        ),
        (bracket(trail="1"), 42210000, "trailing stop orders must be simple orders"),
        (
            wish(order_class="oco", profit="12", loss="8"),
            42210000,
            "oco orders must be limit orders",
        ),
        (wish("buy", limit="8", order_class="oco", profit="8", loss="12"), 42210000, "oco orders must be exit orders"),
        (
            wish(limit="10", extended=True, order_class="oto", profit="12"),
            42210000,
            "extended hours orders must be simple orders",
        ),
        (bracket(profit="8", loss="9"), 42210000, "take_profit.limit_price must be > stop_loss.stop_price"),
        (bracket("sell", profit="12", loss="8"), 42210000, "take_profit.limit_price must be < stop_loss.stop_price"),
        (bracket(profit="10"), 42210000, "take_profit.limit_price must be >= base_price + 0.01"),
        (bracket(loss="10"), 42210000, "stop_loss.stop_price must be <= base_price - 0.01"),
        (bracket(limit="8"), 42210000, "stop_loss.stop_price must be <= base_price - 0.01"),
        (bracket("sell", profit="10", loss="12"), 42210000, "take_profit.limit_price must be <= base_price - 0.01"),
        (bracket("sell", profit="8", loss="10"), 42210000, "stop_loss.stop_price must be >= base_price + 0.01"),
        (
            bracket(profit="12.001"),
            42210000,
            "invalid take_profit.limit_price 12.001. sub-penny increment does not fulfill minimum pricing criteria",
        ),
    ],
)
def test_each_wrong_group_is_refused_with_its_own_words(request_: OrderRequest, code: int, message: str) -> None:
    exchange = exchange_with()
    exchange.on_bar(flat())
    assert no(exchange.submit(request_)) == (422, code, message)


def test_the_base_price_is_told_and_a_cent_beyond_it_is_enough() -> None:
    exchange = exchange_with()
    assert refused(exchange, bracket(limit="10", loss="10")).extras == {"base_price": "10"}
    entered(exchange, bracket(limit="10", profit="10.01", loss="9.99"))


def test_an_exit_is_no_entry() -> None:
    exchange = exchange_with()
    holding(exchange, "buy")
    assert refused(exchange, bracket("sell", profit="8", loss="12")).message == "bracket orders must be entry orders"
    assert refused(exchange, wish("sell", order_class="oto", loss="12")).message == "oto orders must be entry orders"
    stop = wish("sell", limit="12", order_class="oco", profit="12", loss="10.50")
    assert refused(exchange, stop).message == "stop price must be less than current price"
