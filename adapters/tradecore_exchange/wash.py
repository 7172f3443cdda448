"""The wash-trade rule: an account's orders must not be able to trade with one another."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from decimal import Decimal

from tradecore.domain.values import Side
from tradecore_exchange.orders import Order
from tradecore_exchange.refusals import Refused, wash_trade
from tradecore_exchange.requests import OrderRequest
from tradecore_exchange.words import OrderClass, OrderType


class _Kind(enum.Enum):
    MARKET = "market"
    LIMIT = "limit"
    STOP = "stop"


_KINDS = {
    OrderType.MARKET: _Kind.MARKET,
    OrderType.LIMIT: _Kind.LIMIT,
    OrderType.STOP: _Kind.STOP,
    OrderType.STOP_LIMIT: _Kind.STOP,
}


def check_wash_trade(request: OrderRequest, others: Iterable[Order]) -> None:
    """Raises `Refused` naming the opposite order; trailing stops and orders that belong together are exempt.

    A market order may meet any opposite order, a stop any but another stop, a limit another limit that crosses it.
    """
    kind = _KINDS.get(request.type)
    if kind is None or request.order_class is not OrderClass.SIMPLE:
        return
    for order in others:
        other = _KINDS.get(order.type)
        if order.side is request.side or order.is_complex or other is None:
            continue
        if _may_meet(kind, other, request.side, request.limit_price, order.limit_price):
            raise Refused(wash_trade(order.id, "limit" if other is _Kind.LIMIT else "market/stop"))


def _may_meet(kind: _Kind, other: _Kind, side: Side, limit: Decimal | None, other_limit: Decimal | None) -> bool:
    if kind is _Kind.LIMIT and other is _Kind.LIMIT:
        assert limit is not None, "limit orders have a limit"
        assert other_limit is not None, "limit orders have a limit"
        buy, sell = (limit, other_limit) if side is Side.BUY else (other_limit, limit)
        return buy >= sell
    return not (kind is _Kind.STOP and other is _Kind.STOP)
