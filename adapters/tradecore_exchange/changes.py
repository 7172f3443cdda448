"""What an input changed: the unit that is made durable before anybody hears of it."""

from __future__ import annotations

from decimal import Decimal

import attrs

from tradecore_exchange.account import Account
from tradecore_exchange.orders import Activity, Order


@attrs.frozen
class ExchangeState:
    """Everything of an exchange that is neither an order, an activity, the time, nor the market."""

    seed: int
    opening_cash: Decimal
    account: Account
    execution_count: int
    update_count: int


@attrs.define
class Changes:
    """Orders that moved (by id) and activities that are new, since the last time somebody took them."""

    orders: dict[str, Order] = attrs.field(factory=dict)
    activities: list[Activity] = attrs.field(factory=list)
    account: bool = False

    def __bool__(self) -> bool:
        return bool(self.orders or self.activities or self.account)
