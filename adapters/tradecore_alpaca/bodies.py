"""What is written to Alpaca: the same request, the same bytes; numbers as plain decimal text, never as floats."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from tradecore.domain.terms import StopLoss
from tradecore.domain.values import OrderClass, canonical
from tradecore.ports.broker import OrderRequest, ReplaceRequest

_Leg = dict[str, str]
_Body = dict[str, str | bool | _Leg]


def order_body(request: OrderRequest) -> bytes:
    """The JSON of an order. The take-profit of an OCO is the order itself: Alpaca wants its price as that of a leg."""
    body: _Body = {
        "symbol": request.symbol,
        "side": request.side.value,
        "type": request.order_type.value,
        "time_in_force": request.time_in_force.value,
        "extended_hours": request.extended_hours,
        "client_order_id": request.client_order_id,
    }
    profit = request.take_profit.limit_price if request.take_profit is not None else None
    limit = request.limit_price
    if request.order_class is OrderClass.OCO:
        profit, limit = limit, None
    numbers = {
        "qty": request.quantity,
        "notional": request.notional,
        "limit_price": limit,
        "stop_price": request.stop_price,
        "trail_price": request.trail_price,
        "trail_percent": request.trail_percent,
    }
    body.update(_texts(numbers))
    if request.order_class is not OrderClass.SIMPLE:
        body["order_class"] = request.order_class.value
    if profit is not None:
        body["take_profit"] = _texts({"limit_price": profit})
    if request.stop_loss is not None:
        body["stop_loss"] = _stop_loss(request.stop_loss)
    return msgspec.json.encode(body, order="sorted")


def replace_body(request: ReplaceRequest) -> bytes:
    """The JSON of a replacement: what stays as it is is not written. The new order's id always is."""
    body: _Body = {"client_order_id": request.client_order_id}
    numbers = {
        "qty": request.quantity,
        "limit_price": request.limit_price,
        "stop_price": request.stop_price,
        "trail": request.trail,
    }
    body.update(_texts(numbers))
    if request.time_in_force is not None:
        body["time_in_force"] = request.time_in_force.value
    return msgspec.json.encode(body, order="sorted")


def suspend_body(*, suspended: bool) -> bytes:
    """The JSON of the account's own switch."""
    return msgspec.json.encode({"suspend_trade": suspended})


def _stop_loss(leg: StopLoss) -> _Leg:
    return _texts({"stop_price": leg.stop_price, "limit_price": leg.limit_price})


def _texts(numbers: dict[str, Decimal | None]) -> _Leg:
    return {name: format(canonical(number), "f") for name, number in numbers.items() if number is not None}
