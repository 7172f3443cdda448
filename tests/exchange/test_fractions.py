"""Fractions of shares, orders by dollars, and crypto, on the core alone."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.exchange.core_play import MINUTE, OPEN, entered, exchange_with, fills, flat, no, refused, row, wish
from tradecore_exchange import AssetTerms


@pytest.mark.parametrize(
    ("request_", "refusal"),
    [
        (wish(qty=None, notional="0.99"), (422, 40010001, "notional must be >= 1.00")),
        (wish(qty=None, notional="1.005"), (422, 40010001, "notional value must be limited to 2 decimal places")),
        (wish(qty="0.05"), (403, 40310000, "cost basis must be >= minimal amount of order 1")),
        (wish(qty="0.5", tif="gtc"), (422, 42210000, "fractional orders must be DAY orders")),
        (wish(qty="0.5", tif="cls"), (422, 42210000, "fractional orders must be DAY orders")),
        (
            wish(qty="0.5", trail="1"),
            (422, 42210000, "fractional orders must be market, limit, stop or stop limit orders"),
        ),
        (wish("sell", "0.5"), (422, 42210000, "fractional orders cannot be sold short")),
        (wish(qty="0.5", symbol="MSFT"), (403, 40310000, 'asset "MSFT" is not fractionable')),
        (
            wish(qty="0.0004", symbol="BTC/USD", tif="gtc"),
            (403, 40310000, "cost basis must be >= minimal amount of order 10"),
        ),
        (
            wish(qty=None, notional="9.99", symbol="BTC/USD", tif="gtc"),
            (403, 40310000, "cost basis must be >= minimal amount of order 10"),
        ),
        (wish(symbol="BTC/USD"), (422, 42210000, "invalid crypto time_in_force")),
        (wish(symbol="BTC/USD", tif="fok"), (422, 42210000, "invalid crypto time_in_force")),
        (wish(symbol="BTC/USD", tif="gtc", stop="1"), (422, 42210000, "invalid order type for crypto order")),
        (
            wish("sell", "1", symbol="BTC/USD", tif="gtc"),
            (403, 40310000, "insufficient qty available for order (requested: 1, available: 0)"),
        ),
    ],
)
def test_fractions_and_crypto_are_refused_with_their_own_words(request_: object, refusal: tuple[int, int, str]) -> None:
    exchange = exchange_with(assets={"MSFT": AssetTerms(fractionable=False)})
    exchange.on_bars([flat(), flat(symbol="MSFT"), flat(price="20000", symbol="BTC/USD")])
    assert no(exchange.submit(request_)) == refusal  # type: ignore[arg-type]


def test_fractional_trading_can_be_switched_off() -> None:
    exchange = exchange_with()
    exchange.account.configuration.fractional_trading = False
    assert refused(exchange, wish(qty="0.5")).message == "fractional trading is disabled by user request"
    entered(exchange, wish(qty="1"))


def test_a_short_stays_whole() -> None:
    exchange = exchange_with()
    entered(exchange, wish("sell", "5"))
    exchange.on_bar(flat())
    words = "fractional orders cannot close a short position"
    assert no(exchange.submit(wish("buy", "2.5"))) == (422, 42210000, words)
    assert no(exchange.submit(wish("buy", None, notional="25"))) == (422, 42210000, words)
    exchange.split("AAPL", Decimal("1.5"))
    entered(exchange, wish("buy", "7.5"))


def test_the_rest_of_a_fraction_can_always_be_sold() -> None:
    exchange = exchange_with()
    entered(exchange, wish(qty="0.1"))
    exchange.on_bar(flat())
    exchange.on_bar(flat(1, "5"))
    assert refused(exchange, wish("sell", "0.05")).message == "cost basis must be >= minimal amount of order 1"
    entered(exchange, wish("sell", "0.1"))


def test_the_fee_of_crypto_is_taken_out_of_what_was_received() -> None:
    exchange = exchange_with()
    order = entered(exchange, wish(qty="2", symbol="BTC/USD", tif="gtc"))
    exchange.on_bar(flat(symbol="BTC/USD", price="1000"))
    position = exchange.account.positions["BTC/USD"]
    assert row(order.filled_qty, position.qty, position.cost) == (2, Decimal("1.995"), 2000)
    assert exchange.account.cash == 98_000
    assert refused(exchange, wish("sell", "2", symbol="BTC/USD", tif="ioc")).extras["available"] == "1.995"
    sale = entered(exchange, wish("sell", "1.995", symbol="BTC/USD", tif="ioc"))
    exchange.on_bar(flat(1, symbol="BTC/USD", price="1000"))
    assert (exchange.account.positions, exchange.account.cash) == ({}, Decimal("99990.0125"))
    assert sale.commission == Decimal("4.9875")
    fees = [(one.kind, one.qty, one.net_amount) for one in exchange.activities if one.kind != "FILL"]
    assert fees == [("CFEE", Decimal("-0.005"), 0), ("CFEE", 0, Decimal("-4.9875"))]


def test_crypto_trades_at_night_and_its_stop_limits_too() -> None:
    exchange = exchange_with(OPEN + 12 * 60 * MINUTE)
    entered(exchange, wish(qty="1", symbol="BTC/USD", tif="gtc", stop="1000", limit="1010"))
    assert fills(exchange.on_bar(flat(12 * 60, "1000", "BTC/USD"))) == [("fill", Decimal(1), Decimal(1000))]
