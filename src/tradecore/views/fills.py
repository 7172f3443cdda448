"""View `fills`: every execution. Key: fill id."""

from __future__ import annotations

from tradecore.domain.events import Event, FillRecorded
from tradecore.domain.messages import Recorded
from tradecore.views.plain import instant, text
from tradecore.views.view import Rows


class Fills:
    """Executions as they were recorded; they never change."""

    name = "fills"
    shape = "fills/1"

    def apply(self, rows: Rows, recorded: Recorded[Event]) -> None:
        """Fold a fill."""
        event = recorded.event
        if not isinstance(event, FillRecorded):
            return
        rows.put(
            event.fill_id,
            {
                "fill_id": event.fill_id,
                "order_id": event.order_id,
                "trade_id": event.trade_id,
                "account": event.account,
                "broker_order_id": event.broker_order_id,
                "execution_id": event.execution_id,
                "symbol": event.symbol,
                "side": event.side.value,
                "qty": text(event.quantity),
                "price": text(event.price),
                "cum_qty": text(event.cumulative_qty),
                "fees": text(event.fees),
                "source": event.source,
                "occurred_at": instant(event.occurred_at),
                "trace_id": recorded.envelope.trace_id,
                "position": recorded.envelope.position,
            },
        )
