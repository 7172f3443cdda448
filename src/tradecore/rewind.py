"""Rewound history: a restored ledger has forgotten what it sent behind the copy, and the broker has not."""

from __future__ import annotations

import datetime as dt

from tradecore.domain.identity import order_id_of_client
from tradecore.domain.values import OrderStatus
from tradecore.errors import RewoundLedger
from tradecore.ledger import Ledger
from tradecore.ports.broker import EVER, Broker, BrokerOrder
from tradecore.views import ALL_VIEWS, read_rows
from tradecore.views.projector import Projector

_OVERLAP = dt.timedelta(days=1)
_EXAMPLES = 3


async def refuse_rewound(ledger: Ledger, broker: Broker) -> tuple[BrokerOrder, ...]:
    """Make sure, before anything is sent, that the ledger has every order that the broker has under its epoch.

    Orders are read from the last recorded fill on, by the broker's clock, with an overlap: every forgotten order came
    after the copy, and so after every fill in it.

    Returns the orders that the ledger would still send although the broker has them: they were queued in the copy and
    sent after it. They are ours, and must be recorded before the outbox looks at them.

    Raises `RewoundLedger`, `BrokerUnreachable`.
    """
    Projector(ledger.journal, [view for view in ALL_VIEWS if view.name == "balances"]).catch_up()
    latest = [row["last_fill_at"] for row in read_rows(ledger.journal, "balances")]
    fills = [dt.datetime.fromisoformat(at) for at in latest if at is not None]
    orders = (await broker.orders_since(max(fills, default=EVER + _OVERLAP) - _OVERLAP)).orders
    forgotten: list[str] = []
    overlooked: list[BrokerOrder] = []
    for order in orders:
        known = ledger.order_under(order.client_order_id)
        if known is not None and known.status is OrderStatus.QUEUED:
            overlooked.append(order)
        elif known is None and order_id_of_client(order.client_order_id, ledger.epoch) is not None:
            forgotten.append(order.client_order_id)
    if forgotten:
        raise RewoundLedger(len(forgotten), tuple(forgotten[:_EXAMPLES]))
    return tuple(overlooked)
