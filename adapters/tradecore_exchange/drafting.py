"""New orders as they are written down: the order itself, its legs, and an order in the place of another."""

from __future__ import annotations

from decimal import Decimal

import attrs

from tradecore.domain.values import Side
from tradecore_exchange.admission import Admitted
from tradecore_exchange.blotter import Blotter
from tradecore_exchange.identity import uuid_text
from tradecore_exchange.market import Market
from tradecore_exchange.orders import Order
from tradecore_exchange.pricing import collar_of, trail_from
from tradecore_exchange.refusals import Refused, against_the_rules, too_near_to_base
from tradecore_exchange.requests import OrderRequest
from tradecore_exchange.timetable import end_of
from tradecore_exchange.words import OrderClass, OrderType, Role

_CENT = Decimal("0.01")
_ROOT_ROLES = {OrderClass.BRACKET: Role.ENTRY, OrderClass.OTO: Role.ENTRY, OrderClass.OCO: Role.TAKE_PROFIT}


def check_legs(request: OrderRequest, market_price: Decimal | None) -> None:
    """Raises `Refused` unless the legs lie on their sides of the base price: the order's own, or the market's."""
    profit, loss = request.take_profit, request.stop_loss
    if request.order_class is OrderClass.SIMPLE:
        return
    exits = request.order_class is OrderClass.OCO
    long = (request.side is Side.BUY) != exits
    if profit is not None and loss is not None and (profit <= loss.stop_price if long else profit >= loss.stop_price):
        word = ">" if long else "<"
        raise Refused(against_the_rules(f"take_profit.limit_price must be {word} stop_loss.stop_price"))
    base = request.limit_price or request.stop_price or market_price
    if exits or base is None:
        return
    above, below = base + _CENT, base - _CENT
    if profit is not None and (profit < above if long else profit > below):
        comparison, sign = (">=", "+") if long else ("<=", "-")
        raise Refused(too_near_to_base("take_profit.limit_price", comparison, sign, base))
    if loss is not None and (loss.stop_price > below if long else loss.stop_price < above):
        comparison, sign = ("<=", "-") if long else (">=", "+")
        raise Refused(too_near_to_base("stop_loss.stop_price", comparison, sign, base))


def draft(request: OrderRequest, admitted: Admitted, blotter: Blotter, market: Market, *, held: bool) -> Order:
    """The order that a request asks for; `held` keeps it `pending_new`."""
    now = blotter.clock.now_ns
    number = len(blotter.book.all) + 1
    takes = market.takes(request.symbol, now, extended_hours=request.extended_hours)
    at = blotter.clock.stamp()
    order = Order(
        number=number,
        id=uuid_text(blotter.seed, "order", number),
        client_order_id=request.client_order_id or uuid_text(blotter.seed, "client_order_id", number),
        symbol=request.symbol,
        side=request.side,
        type=request.type,
        time_in_force=request.time_in_force,
        qty=request.qty,
        notional=request.notional,
        limit_price=request.limit_price,
        extended_hours=request.extended_hours,
        position_intent=admitted.position_intent,
        reserve_price=admitted.reserve_price,
        submitted_ns=at,
        expires_ns=end_of(request, now),
        status="pending_new" if takes or held else "accepted",
        updated_ns=at,
        order_class=request.order_class,
        role=_ROOT_ROLES.get(request.order_class, Role.ALONE),
        stop_price=request.stop_price,
        trail_price=request.trail_price,
        trail_percent=request.trail_percent,
    )
    if order.stop_price is not None:
        order.collar = collar_of(order.side, order.type, order.stop_price, order.symbol)
    price = market.prices.get(order.symbol)
    if order.type is OrderType.TRAILING_STOP and price is not None:
        trail = trail_from(order, price)
        order.hwm, order.stop_price = trail.hwm, trail.stop_price
    return order


def draft_legs(root: Order, request: OrderRequest, seed: int) -> list[Order]:
    """The held orders that belong to an entry, or the stop that belongs to the take-profit of an oco."""
    legs: list[Order] = []
    if request.order_class in {OrderClass.BRACKET, OrderClass.OTO} and request.take_profit is not None:
        legs.append(_leg(root, seed, 1, Role.TAKE_PROFIT, OrderType.LIMIT, request.take_profit, None))
    loss = request.stop_loss
    if request.order_class is not OrderClass.SIMPLE and loss is not None:
        kind = OrderType.STOP if loss.limit_price is None else OrderType.STOP_LIMIT
        legs.append(_leg(root, seed, len(legs) + 1, Role.STOP_LOSS, kind, loss.limit_price, loss.stop_price))
    root.leg_ids = tuple(leg.id for leg in legs)
    return legs


def _leg(
    root: Order, seed: int, place: int, role: Role, kind: OrderType, limit: Decimal | None, stop: Decimal | None
) -> Order:
    number = root.number + place
    side = root.side if root.order_class is OrderClass.OCO else root.side.opposite
    return attrs.evolve(
        root,
        number=number,
        id=uuid_text(seed, "order", number),
        client_order_id=uuid_text(seed, "client_order_id", number),
        side=side,
        type=kind,
        limit_price=limit,
        stop_price=stop,
        collar=None if stop is None else collar_of(side, kind, stop, root.symbol),
        position_intent=f"{side}_to_close",
        reserve_price=Decimal(0),
        role=role,
        status="held",
        parent_id=root.id,
        leg_ids=(),
    )


def draft_successor(old: Order, terms: OrderRequest, admitted: Admitted, blotter: Blotter, market: Market) -> Order:
    """The order that is to take the place of `old`, with the same place among those it belongs to."""
    new = draft(terms, admitted, blotter, market, held=False)
    new.replaces = old.id
    new.order_class, new.role = old.order_class, old.role
    new.parent_id, new.leg_ids = old.parent_id, old.leg_ids
    new.triggered = old.triggered
    if old.type is OrderType.TRAILING_STOP and old.hwm is not None:
        new.hwm = None
        trail = trail_from(new, old.hwm)
        new.hwm, new.stop_price = trail.hwm, trail.stop_price
    if old.status == "held":
        new.status = "held"
    return new
