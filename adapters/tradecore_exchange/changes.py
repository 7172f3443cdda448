"""What an input changed: the unit that is made durable before anybody hears of it."""

from __future__ import annotations

from decimal import Decimal

import attrs

from tradecore_exchange.account import Account
from tradecore_exchange.activities import Activity
from tradecore_exchange.market import Split
from tradecore_exchange.orders import Order


@attrs.define
class Switches:
    """How the exchange treats what is asked of it, until it is told otherwise.

    `hold_new`: new orders stay `pending_new` until they are released. `slow_cancels` and `slow_replaces`: a request is
    decided only after the next moment of the market, and may come too late.
    """

    hold_new: bool = False
    slow_cancels: bool = False
    slow_replaces: bool = False


@attrs.frozen
class ExchangeState:
    """Everything of an exchange that is neither an order, an activity, the time, nor the market."""

    seed: int
    opening_cash: Decimal
    account: Account
    execution_count: int
    update_count: int
    halted: list[str] = attrs.field(factory=list)
    splits: list[Split] = attrs.field(factory=list)
    switches: Switches = attrs.field(factory=Switches)


@attrs.define
class Changes:
    """Orders that moved (by id) and activities that are new, since the last time somebody took them."""

    orders: dict[str, Order] = attrs.field(factory=dict)
    activities: list[Activity] = attrs.field(factory=list)
    account: bool = False

    def __bool__(self) -> bool:
        return bool(self.orders or self.activities or self.account)
