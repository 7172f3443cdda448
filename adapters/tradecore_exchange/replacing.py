"""Changing a working order means a new one in its place: which may be, and on what terms."""

from __future__ import annotations

from tradecore_exchange.numbers import is_whole
from tradecore_exchange.orders import Order
from tradecore_exchange.refusals import Refused, against_the_rules, already_finished, forbidden
from tradecore_exchange.requests import OrderRequest, ReplaceRequest, check_terms


def check_replaceable(order: Order) -> None:
    """Raises `Refused` unless the order works on the market and has a quantity."""
    if not order.is_open:
        raise Refused(already_finished(order.status))
    if order.status in {"accepted", "pending_new"}:
        raise Refused(against_the_rules(f"cannot replace order in {order.status} status"))
    if order.qty is None:
        raise Refused(against_the_rules("notional orders cannot be replaced"))


def replaced_terms(order: Order, request: ReplaceRequest) -> OrderRequest:
    """The order that takes the place of `order`; without a new quantity, what was left. Raises `Refused`."""
    qty = order.leaves_qty if request.qty is None else request.qty
    limit_price = order.limit_price if request.limit_price is None else request.limit_price
    time_in_force = request.time_in_force or order.time_in_force
    if (qty, limit_price, time_in_force) == (order.leaves_qty, order.limit_price, order.time_in_force):
        raise Refused(forbidden("order parameters are not changed"))
    if qty != order.leaves_qty and not is_whole(order.leaves_qty):
        raise Refused(against_the_rules("qty of fractional orders cannot be changed"))
    terms = OrderRequest(
        symbol=order.symbol,
        side=order.side,
        type=order.type,
        time_in_force=time_in_force,
        qty=qty,
        limit_price=limit_price,
        extended_hours=order.extended_hours,
        client_order_id=request.client_order_id,
    )
    check_terms(terms)
    return terms
