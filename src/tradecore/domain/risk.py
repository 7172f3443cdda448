"""The gate that every order passes inside the command that records it. Written as "allow only if"."""

from __future__ import annotations

from decimal import Decimal

import attrs

from tradecore.domain.values import times


@attrs.frozen
class Limits:
    """The limits of an account. None means not set, zero means zero. Notional in account currency."""

    version: int = 0
    max_order_qty: Decimal | None = None
    max_order_notional: Decimal | None = None
    max_open_orders: int | None = None


@attrs.frozen
class Breach:
    """The limit that refuses, and why."""

    rule: str
    reason: str


def check(limits: Limits, quantity: Decimal, price: Decimal | None, open_orders: int) -> Breach | None:
    """The first limit that refuses an order of `quantity` at about `price`, or None when it is allowed."""
    cap = limits.max_order_qty
    if cap is not None and not quantity <= cap:
        return Breach("max_order_qty", f"quantity {quantity} is above the limit of {cap}")
    cap = limits.max_order_notional
    if cap is not None:
        if price is None:
            return Breach("max_order_notional", f"no price is known, so the limit of {cap} cannot be shown to hold")
        notional = times(quantity, price)
        if not notional <= cap:
            return Breach("max_order_notional", f"notional {notional} is above the limit of {cap}")
    most = limits.max_open_orders
    if most is not None and not open_orders + 1 <= most:
        return Breach("max_open_orders", f"{open_orders} orders are open and the limit is {most}")
    return None
