"""The account's history: every execution, and everything else that moved cash or shares."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal

import attrs

from tradecore.domain.values import Side
from tradecore_exchange.instants import SECOND_NS
from tradecore_exchange.sessions import NEW_YORK

TRADE_KINDS = frozenset({"FILL"})
NON_TRADE_KINDS = frozenset({"CFEE", "CSD", "CSW", "DIV", "FEE", "JNLC", "SPLIT"})
REVERSALS = frozenset({"trade_bust", "trade_correct"})


@attrs.frozen
class Activity:
    """One line of the account's history; `number` counts from 1.

    A FILL has an order, an execution and its `execution_type`; a bust or correction names in `previous_execution_id`
    the execution that no longer counts, and a correction has the quantity and price that do. Any other kind says in
    `net_amount` what it did to the cash (dollars) and, for CFEE and SPLIT, in `qty` what it did to the shares.
    """

    number: int
    kind: str
    id: str
    at_ns: int
    order_id: str = ""
    execution_id: str = ""
    symbol: str = ""
    side: Side | None = None
    qty: Decimal = Decimal(0)
    price: Decimal = Decimal(0)
    cum_qty: Decimal = Decimal(0)
    leaves_qty: Decimal = Decimal(0)
    order_status: str = ""
    net_amount: Decimal = Decimal(0)
    execution_type: str = ""
    previous_execution_id: str | None = None
    per_share_amount: Decimal | None = None
    description: str = ""

    @property
    def signed_qty(self) -> Decimal:
        """What a FILL that counts did to the position."""
        assert self.side is not None, "an execution has a side"
        return self.qty * self.side.sign


def activity_id(at_ns: int, unique: str) -> str:
    """`20240102093100000::uuid`: the time of New York in milliseconds, and a uuid that is nobody else's id."""
    local = dt.datetime.fromtimestamp(at_ns // SECOND_NS, NEW_YORK)
    return f"{local:%Y%m%d%H%M%S}{at_ns % SECOND_NS // 1_000_000:03d}::{unique}"


def standing(activities: Iterable[Activity]) -> dict[str, Activity]:
    """What counts of each execution, by the id that it first had: itself, or its correction; nothing once busted."""
    counts: dict[str, Activity] = {}
    first: dict[str, str] = {}
    for one in activities:
        if one.kind != "FILL":
            continue
        if one.previous_execution_id is None:
            counts[one.execution_id] = one
            continue
        origin = first.get(one.previous_execution_id, one.previous_execution_id)
        first[one.execution_id] = origin
        if one.execution_type == "trade_bust":
            del counts[origin]
        else:
            counts[origin] = one
    return counts
