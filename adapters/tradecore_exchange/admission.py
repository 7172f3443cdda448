"""Whether the account may enter an order now: assets, holdings, wash trades, buying power."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

import attrs

from tradecore.domain.values import OrderType, Side, times
from tradecore_exchange.account import ZERO, Account
from tradecore_exchange.identity import is_crypto
from tradecore_exchange.numbers import cents, floor_qty, is_whole
from tradecore_exchange.options import ExchangeOptions
from tradecore_exchange.orders import Order, OrderBook
from tradecore_exchange.refusals import (
    Refused,
    against_the_rules,
    forbidden,
    insufficient_buying_power,
    insufficient_qty,
    repeated_client_order_id,
    unknown_asset,
    wash_trade,
)
from tradecore_exchange.requests import OrderRequest


@attrs.frozen
class Admitted:
    """What an order means for the account, and the price at which it holds buying power."""

    position_intent: str
    reserve_price: Decimal


@attrs.frozen
class Admission:
    """The checks, on the state they look at. `replacing` orders are left out by the caller's book."""

    options: ExchangeOptions
    account: Account
    book: OrderBook
    prices: Mapping[str, Decimal]
    is_listed: Callable[[str], bool]

    def admit(self, request: OrderRequest, leaving_out: Order | None = None) -> Admitted:
        """Raises `Refused`; `leaving_out` is the order that this one replaces.

        Uniqueness comes before anything that changes with the market: whoever asks again after a lost answer must hear
        that the order exists, not that it could no longer be afforded.
        """
        if not self.is_listed(request.symbol):
            raise Refused(unknown_asset(request.symbol))
        if request.client_order_id is not None and request.client_order_id in self.book.by_client_order_id:
            raise Refused(repeated_client_order_id())
        if self.account.configuration.suspend_trade:
            raise Refused(forbidden("new orders are rejected by user request"))
        others = [order for order in self.book.open_of(request.symbol) if order is not leaving_out]
        if self.options.wash_trade_check:
            _check_wash_trade(request, others)
        held = self.account.position_qty(request.symbol)
        closing = held < 0 if request.side is Side.BUY else held > 0
        price = request.limit_price or self.prices.get(request.symbol) or ZERO
        if closing:
            self._check_holding(request, others, abs(held), price)
        elif request.side is Side.SELL:
            self._check_short(request, others)
        elif any(order.side is Side.SELL and order.opens for order in others):
            raise Refused(forbidden("cannot open a long buy while a short sell order is open"))
        if not closing:
            self._check_buying_power(request, price, leaving_out)
        intent = f"{request.side}_to_{'close' if closing else 'open'}"
        if request.position_intent not in {None, intent}:
            raise Refused(against_the_rules(f"position intent mismatch, inferred: {intent}"))
        return Admitted(intent, price)

    def _check_holding(self, request: OrderRequest, others: list[Order], held: Decimal, price: Decimal) -> None:
        promised = sum((order.leaves_qty for order in others if order.side is request.side), ZERO)
        wanted = request.qty
        if wanted is None:
            wanted = floor_qty(request.notional / price, whole=False) if request.notional and price else ZERO
        if wanted > held - promised:
            raise Refused(insufficient_qty(request.symbol, wanted, held, promised))

    def _check_short(self, request: OrderRequest, others: list[Order]) -> None:
        wanted = request.qty or ZERO
        if not self.options.shorting or self.account.configuration.no_shorting or is_crypto(request.symbol):
            raise Refused(insufficient_qty(request.symbol, wanted, ZERO, ZERO))
        if request.qty is None or not is_whole(request.qty):
            raise Refused(against_the_rules("fractional orders cannot be sold short"))
        if any(order.side is Side.BUY and order.opens for order in others):
            raise Refused(forbidden("cannot open a short sell while a long buy order is open"))

    def _check_buying_power(self, request: OrderRequest, price: Decimal, leaving_out: Order | None) -> None:
        cost = request.notional if request.qty is None else times(request.qty, price)
        assert cost is not None, "an order has a quantity or a notional"
        reserved = (order.reserved for order in self.book.open() if order is not leaving_out)
        multiplier = 1 if is_crypto(request.symbol) else self.options.multiplier
        available = self.account.buying_power(self.prices, reserved, multiplier)
        if cost > available:
            raise Refused(insufficient_buying_power(cents(available), cents(cost)))


def _check_wash_trade(request: OrderRequest, others: list[Order]) -> None:
    for order in others:
        if order.side is request.side:
            continue
        if order.type is OrderType.MARKET or request.type is OrderType.MARKET:
            raise Refused(wash_trade(order.id, "market/stop"))
        assert order.limit_price is not None, "limit orders have a limit"
        assert request.limit_price is not None, "limit orders have a limit"
        buy, sell = order.limit_price, request.limit_price
        if request.side is Side.BUY:
            buy, sell = sell, buy
        if buy >= sell:
            raise Refused(wash_trade(order.id, "limit"))
