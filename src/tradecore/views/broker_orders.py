"""View `broker_orders`: which order of ours is behind an order at the broker. Key: broker order id."""

from __future__ import annotations

from tradecore.domain.events import Event, OrderAccepted, OrderAdopted
from tradecore.domain.messages import Recorded
from tradecore.views.view import Rows


class BrokerOrders:
    """An index: executions name only the broker's order."""

    name = "broker_orders"
    shape = "broker_orders/1"

    def apply(self, rows: Rows, recorded: Recorded[Event]) -> None:
        """Fold an acceptance."""
        event = recorded.event
        if isinstance(event, OrderAccepted | OrderAdopted):
            row = {"broker_order_id": event.broker_order_id, "order_id": event.order_id}
            rows.put(event.broker_order_id, row | {"position": recorded.envelope.position})
