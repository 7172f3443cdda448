"""What a strategy holds of a symbol, and in which trade."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import attrs

from tradecore.domain.events import TradeShare
from tradecore.domain.values import ZERO, minus, plus


@attrs.frozen
class Holding:
    """What one strategy holds of a symbol (signed), and the trade that it belongs to.

    `others` hold some of it beside that trade, but only while a fill is being revised.
    """

    trade_id: str
    quantity: Decimal
    others: Mapping[str, Decimal] = attrs.field(factory=dict)

    @property
    def trades(self) -> tuple[str, ...]:
        """Every trade that holds some of it."""
        return (self.trade_id, *self.others)


def with_share(before: Holding | None, share: TradeShare) -> Holding | None:
    """The holding after a trade of it got, or gave, so many units; None when no trade holds any."""
    if before is None or (before.trade_id == share.trade_id and not before.others):
        quantity = plus(before.quantity if before else ZERO, share.signed_qty)
        return Holding(share.trade_id, quantity) if quantity else None
    first = before.quantity
    for quantity in before.others.values():
        first = minus(first, quantity)
    by_trade = {before.trade_id: first, **before.others}
    by_trade[share.trade_id] = plus(by_trade.get(share.trade_id, ZERO), share.signed_qty)
    left = {trade_id: quantity for trade_id, quantity in by_trade.items() if quantity}
    if not left:
        return None
    trade_id = next(iter(left))
    del left[trade_id]
    return Holding(trade_id, plus(before.quantity, share.signed_qty), left)
