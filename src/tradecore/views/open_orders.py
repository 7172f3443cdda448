"""View `open_orders`: orders that may still work. Key: order id. What ended has no row.

An index for starts, and a cautious one: whoever reads it asks the order itself.
"""

from __future__ import annotations

from tradecore.domain import events as ev
from tradecore.domain.messages import Recorded
from tradecore.views.view import Rows


class OpenOrders:
    """Orders from their plan, or from what the broker says of others', to their end."""

    name = "open_orders"
    shape = "open_orders/1"

    def apply(self, rows: Rows, recorded: Recorded[ev.Event]) -> None:
        """Fold what begins, revives or ends an order."""
        event = recorded.event
        match event:
            case ev.OrderPlanned() | ev.OrderAdopted():
                row = {"order_id": event.order_id, "account": event.account, "accepted": False, "filled": False}
                row["accepted"] = isinstance(event, ev.OrderAdopted)
                rows.put(event.order_id, row | {"position": recorded.envelope.position})
            case ev.OrderAccepted():
                known = rows.get(event.order_id)
                if known is not None and known["filled"]:  # it was filled before the broker's answer came
                    rows.delete(event.order_id)
                elif known is not None:
                    rows.put(event.order_id, known | {"accepted": True})
                else:  # given up, and at the broker after all; whose it is the order knows
                    row = {"order_id": event.order_id, "account": None, "accepted": True, "filled": False}
                    rows.put(event.order_id, row | {"position": recorded.envelope.position})
            case ev.OrderFilled() | ev.OrderCompleted():
                known = rows.get(event.order_id)
                if known is not None and known["accepted"]:
                    rows.delete(event.order_id)
                elif known is not None:
                    rows.put(event.order_id, known | {"filled": True})
            case ev.OrderRejected() | ev.OrderCanceled() | ev.OrderExpired() | ev.OrderReplaced():
                rows.delete(event.order_id)
            case _:
                pass
