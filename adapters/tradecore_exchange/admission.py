"""Whether the account may enter an order now: assets, holdings, wash trades, prices, buying power."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

import attrs

from tradecore.domain.values import Side, times
from tradecore_exchange.account import ZERO, Account
from tradecore_exchange.identity import is_crypto
from tradecore_exchange.numbers import cents, floor_qty, is_whole
from tradecore_exchange.options import ExchangeOptions
from tradecore_exchange.orders import Order, OrderBook
from tradecore_exchange.pricing import collar_of, is_beyond
from tradecore_exchange.refusals import (
    Refused,
    against_the_rules,
    forbidden,
    insufficient_buying_power,
    insufficient_qty,
    repeated_client_order_id,
    stop_price_passed,
    unknown_asset,
)
from tradecore_exchange.requests import OrderRequest
from tradecore_exchange.rules import is_fractional
from tradecore_exchange.sessions import takes_auction_orders
from tradecore_exchange.wash import check_wash_trade
from tradecore_exchange.words import OrderClass, OrderType, TimeInForce


@attrs.frozen
class Admitted:
    """What an order means for the account, and the price at which it holds buying power."""

    position_intent: str
    reserve_price: Decimal


@attrs.frozen
class Admission:
    """The checks, on the state they look at."""

    options: ExchangeOptions
    account: Account
    book: OrderBook
    prices: Mapping[str, Decimal]
    is_listed: Callable[[str], bool]
    now_ns: int

    def admit(self, request: OrderRequest, leaving_out: Order | None = None) -> Admitted:
        """Raises `Refused`; `leaving_out` is the order that this one replaces.

        Uniqueness comes before anything that changes with the market: whoever asks again after a lost answer must hear
        that the order exists, not that it could no longer be afforded.
        """
        self.check_identity(request)
        self._check_asset(request)
        self._check_auction(request)
        others = [order for order in self.book.open_of(request.symbol) if order is not leaving_out]
        exempt = leaving_out is not None and leaving_out.is_complex
        if self.options.wash_trade_check and not exempt:
            check_wash_trade(request, others)
        held = self.account.position_qty(request.symbol)
        closing = held < 0 if request.side is Side.BUY else held > 0
        self._check_direction(request, closing=closing)
        price = self._price(request)
        if closing:
            self._check_holding(request, others, abs(held), price)
        elif request.side is Side.SELL:
            self._check_short(request, others)
        elif any(order.side is Side.SELL and order.opens for order in others):
            raise Refused(forbidden("cannot open a long buy while a short sell order is open"))
        intent = f"{request.side}_to_{'close' if closing else 'open'}"
        if request.position_intent not in {None, intent}:
            raise Refused(against_the_rules(f"position intent mismatch, inferred: {intent}"))
        self.check_stop(request)
        if not closing:
            self._check_buying_power(request, price, leaving_out)
        return Admitted(intent, price)

    def check_identity(self, request: OrderRequest) -> None:
        """The asset is known, the client_order_id new, the account not suspended. Raises `Refused`."""
        if not self.is_listed(request.symbol):
            raise Refused(unknown_asset(request.symbol))
        if request.client_order_id is not None and request.client_order_id in self.book.by_client_order_id:
            raise Refused(repeated_client_order_id())
        if self.account.configuration.suspend_trade:
            raise Refused(forbidden("new orders are rejected by user request"))

    def check_stop(self, request: OrderRequest) -> None:
        """A stop, or that of an oco, must lie beyond the market where that is known. Raises `Refused`."""
        market = self.prices.get(request.symbol)
        if market is None:
            return
        stop = request.stop_price
        if request.order_class is OrderClass.OCO and request.stop_loss is not None:
            stop = request.stop_loss.stop_price
        if stop is not None and is_beyond(request.side, stop, market):
            raise Refused(stop_price_passed(request.side, market, stop))
        if request.side is Side.SELL and request.trail_price is not None and request.trail_price >= market:
            raise Refused(against_the_rules("trail_price must be less than current price"))

    def _price(self, request: OrderRequest) -> Decimal:
        """What a unit costs at most, as far as that is known; zero when nothing is."""
        if request.limit_price is not None:
            return request.limit_price
        if request.stop_price is not None:
            collar = collar_of(request.side, request.type, request.stop_price, request.symbol)
            return request.stop_price if collar is None else collar
        price = self.prices.get(request.symbol) or ZERO
        if request.type is OrderType.TRAILING_STOP and request.side is Side.BUY:
            return price + (request.trail_price or price * (request.trail_percent or ZERO) / 100)
        return price

    def _check_asset(self, request: OrderRequest) -> None:
        terms = self.options.terms(request.symbol)
        if not terms.tradable:
            raise Refused(against_the_rules(f'asset "{request.symbol}" is not tradable'))
        if is_crypto(request.symbol) or not is_fractional(request):
            return
        if not terms.fractionable:
            raise Refused(forbidden(f'asset "{request.symbol}" is not fractionable'))
        if not self.account.configuration.fractional_trading:
            raise Refused(forbidden("fractional trading is disabled by user request"))

    def _check_auction(self, request: OrderRequest) -> None:
        tif = request.time_in_force
        if self.options.always_open or tif not in {TimeInForce.OPG, TimeInForce.CLS}:
            return
        if not takes_auction_orders(self.now_ns, opening=tif is TimeInForce.OPG):
            end = "9:28am" if tif is TimeInForce.OPG else "3:50pm"
            raise Refused(against_the_rules(f"{tif} orders must be submitted after 7:00pm and before {end}"))

    def _check_direction(self, request: OrderRequest, *, closing: bool) -> None:
        match request.order_class:
            case OrderClass.BRACKET | OrderClass.OTO if closing:
                raise Refused(against_the_rules(f"{request.order_class} orders must be entry orders"))
            case OrderClass.OCO if not closing:
                raise Refused(against_the_rules("oco orders must be exit orders"))

    def _check_holding(self, request: OrderRequest, others: list[Order], held: Decimal, price: Decimal) -> None:
        promised = sum((self.book.promised(order) for order in others if order.side is request.side), ZERO)
        wanted = request.qty
        if wanted is None:
            wanted = floor_qty(request.notional / price, whole=False) if request.notional and price else ZERO
        if wanted > held - promised:
            raise Refused(insufficient_qty(request.symbol, wanted, held, promised))
        if request.side is Side.BUY and wanted != held and is_fractional(request):
            raise Refused(against_the_rules("fractional orders cannot close a short position"))
        if wanted != held:
            self._check_least(request, times(wanted, price))

    def _check_short(self, request: OrderRequest, others: list[Order]) -> None:
        if is_crypto(request.symbol):
            raise Refused(insufficient_qty(request.symbol, request.qty or ZERO, ZERO, ZERO))
        if not self.options.shorting or self.account.configuration.no_shorting or self.account.margin == 1:
            raise Refused(forbidden("account is not allowed to short"))
        if request.qty is None or not is_whole(request.qty):
            raise Refused(against_the_rules("fractional orders cannot be sold short"))
        terms = self.options.terms(request.symbol)
        if not (terms.shortable and terms.easy_to_borrow):
            raise Refused(against_the_rules(f'asset "{request.symbol}" cannot be sold short'))
        if any(order.side is Side.BUY and order.opens for order in others):
            raise Refused(forbidden("cannot open a short sell while a long buy order is open"))

    def _check_buying_power(self, request: OrderRequest, price: Decimal, leaving_out: Order | None) -> None:
        cost = request.notional if request.qty is None else times(request.qty, price)
        assert cost is not None, "an order has a quantity or a notional"
        self._check_least(request, cost)
        reserved = (self.book.reserved(order) for order in self.book.open() if order is not leaving_out)
        margin = self.account.margin if self.options.terms(request.symbol).marginable else 1
        available = self.account.buying_power(self.prices, reserved, margin)
        if cost > available:
            raise Refused(insufficient_buying_power(cents(available), cents(cost)))

    def _check_least(self, request: OrderRequest, cost: Decimal) -> None:
        """The least that an order of a fraction may cost, in dollars; without a price nobody knows."""
        least = 10 if is_crypto(request.symbol) else 1
        if 0 < cost < least and (is_fractional(request) or is_crypto(request.symbol)):
            raise Refused(forbidden(f"cost basis must be >= minimal amount of order {least}"))
