"""At what price an order trades against a market, or that it does not: the rules, without any state."""

from __future__ import annotations

from decimal import Decimal

from tradecore.domain.values import Bar, Quote, Side, TimeInForce

IMMEDIATE = frozenset({TimeInForce.IOC, TimeInForce.FOK})


def bar_price(side: Side, limit: Decimal | None, time_in_force: TimeInForce, bar: Bar) -> Decimal | None:
    """The price within a bar that began after the order was entered.

    A market order trades at the open. A limit trades at the open when that is better, else at its limit when the bar
    came that far. An immediate order has the open only.
    """
    if limit is None:
        return bar.open
    if side is Side.BUY:
        if bar.open <= limit:
            return bar.open
        return limit if bar.low <= limit and time_in_force not in IMMEDIATE else None
    if bar.open >= limit:
        return bar.open
    return limit if bar.high >= limit and time_in_force not in IMMEDIATE else None


def quote_price(side: Side, limit: Decimal | None, quote: Quote) -> Decimal | None:
    """The other side of the quote when the order crosses it. A price of zero means that side is empty."""
    price = quote.ask if side is Side.BUY else quote.bid
    if price <= 0:
        return None
    if limit is None or (limit >= price if side is Side.BUY else limit <= price):
        return price
    return None
