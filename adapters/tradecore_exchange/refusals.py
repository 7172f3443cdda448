"""Every no of this exchange: HTTP status, code and words as the real one says them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import attrs

from tradecore_exchange.numbers import number_text

JSON = Any


@attrs.frozen
class Refusal:
    """A definite no; nothing was changed. `extras` are further fields of the body."""

    status: int
    code: int
    message: str
    extras: dict[str, str] = attrs.field(factory=dict)

    @property
    def body(self) -> dict[str, JSON]:
        """The answer's JSON."""
        return {"code": self.code, "message": self.message, **self.extras}


class Refused(Exception):
    """Raised by a check to leave with its refusal; never crosses the edge of the core."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


def invalid(message: str) -> Refusal:
    """The request itself makes no sense."""
    return Refusal(422, 40010001, message)


def against_the_rules(message: str) -> Refusal:
    """The request is well formed and breaks a rule of trading."""
    return Refusal(422, 42210000, message)


def forbidden(message: str, **extras: str) -> Refusal:
    """The account may not do this now."""
    return Refusal(403, 40310000, message, extras)


def order_not_found(order: str) -> Refusal:
    """No order by that id, or not yet visible."""
    return Refusal(404, 40410000, f"order not found for {order}")


def position_not_found() -> Refusal:
    """The account holds nothing of it."""
    return Refusal(404, 40410000, "position does not exist")


def asset_not_found(symbol: str) -> Refusal:
    """The exchange does not list it (asked for by itself)."""
    return Refusal(404, 40410000, f"asset not found for {symbol}")


def unknown_asset(symbol: str) -> Refusal:
    """The exchange does not list it (named in an order)."""
    return against_the_rules(f'asset "{symbol}" not found')


def repeated_client_order_id() -> Refusal:
    """An order by that client_order_id exists, whatever became of it."""
    return invalid("client_order_id must be unique")


def insufficient_buying_power(buying_power: Decimal, cost_basis: Decimal) -> Refusal:
    """The order costs more than the account can buy."""
    return forbidden(
        "insufficient buying power", buying_power=number_text(buying_power), cost_basis=number_text(cost_basis)
    )


def insufficient_qty(symbol: str, requested: Decimal, existing: Decimal, held: Decimal) -> Refusal:
    """The order closes more than is held and not yet promised to other orders."""
    available = number_text(existing - held)
    return forbidden(
        f"insufficient qty available for order (requested: {number_text(requested)}, available: {available})",
        available=available,
        existing_qty=number_text(existing),
        held_for_orders=number_text(held),
        symbol=symbol,
    )


def wash_trade(existing_order_id: str, kind: str) -> Refusal:
    """The order could trade with another one of the same account."""
    return forbidden(
        "potential wash trade detected. use complex orders",
        existing_order_id=existing_order_id,
        reject_reason=f"opposite side {kind} order exists",
    )


def already_finished(status: str) -> Refusal:
    """The order cannot be canceled any more."""
    return against_the_rules(f'order is already in "{status}" state')


def already_asked(status: str) -> Refusal:
    """A cancel or a replacement of the order is not yet decided: `pending_cancel` or `pending_replace`."""
    return against_the_rules("order " + status.replace("_", " "))


def stop_price_passed(side: str, market_price: Decimal, stop_price: Decimal) -> Refusal:
    """The market is at the stop or beyond it."""
    word = "less" if side == "sell" else "greater"
    refusal = against_the_rules(f"stop price must be {word} than current price")
    extras = {"market_price": number_text(market_price), "stop_price": number_text(stop_price)}
    return attrs.evolve(refusal, extras=extras)


def too_near_to_base(field: str, comparison: str, sign: str, base_price: Decimal) -> Refusal:
    """A leg must be a cent or more beyond the base price."""
    refusal = against_the_rules(f"{field} must be {comparison} base_price {sign} 0.01")
    return attrs.evolve(refusal, extras={"base_price": number_text(base_price)})


def execution_not_found(execution_id: str) -> Refusal:
    """No execution by that id counts (any more)."""
    return Refusal(404, 40410000, f"execution not found for {execution_id}")
