"""View `fills`: every execution. Key: fill id."""

from __future__ import annotations

from tradecore.domain.events import Event, FillBusted, FillCorrected, FillRecorded
from tradecore.domain.messages import Recorded
from tradecore.views.plain import instant, text
from tradecore.views.view import Rows


class Fills:
    """Executions as they count now. `status` is recorded, corrected or busted; what is busted counts nothing."""

    name = "fills"
    shape = "fills/2"

    def apply(self, rows: Rows, recorded: Recorded[Event]) -> None:
        """Fold a fill."""
        event = recorded.event
        if isinstance(event, FillBusted | FillCorrected):
            row = rows.require(event.fill_id)
            if isinstance(event, FillCorrected):
                now = {"qty": text(event.quantity), "price": text(event.price), "fees": text(event.fees)}
                row.update(now, status="corrected")
            else:
                row["status"] = "busted"
            rows.put(event.fill_id, row)
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
                "status": "recorded",
                "source": event.source,
                "occurred_at": instant(event.occurred_at),
                "trace_id": recorded.envelope.trace_id,
                "position": recorded.envelope.position,
            },
        )
