"""View `trades`: every position idea from proposal to outcome. Key: trade id. The rules are the domain's own."""

from __future__ import annotations

import datetime as dt

from tradecore.domain import events as ev
from tradecore.domain import trade
from tradecore.domain.messages import Recorded
from tradecore.domain.position import Position
from tradecore.domain.values import Side, TradeStatus, plus
from tradecore.views.plain import instant, instant_or_none, number, text
from tradecore.views.view import Row, Rows


class Trades:
    """Trades with what they hold, cost and earned. Amounts net of fees, in account currency."""

    name = "trades"
    shape = "trades/3"

    def apply(self, rows: Rows, recorded: Recorded[ev.Event]) -> None:
        """Fold an event of a trade."""
        if not recorded.envelope.name.startswith("trade.trade."):
            return
        event = recorded.event
        if isinstance(event, ev.TradeProposed):
            row = _proposed(event, recorded)
        else:
            row = rows.require(recorded.envelope.stream.removeprefix("trade-"))
            _fold(row, event)
        rows.put(row["trade_id"], row)


def _fold(row: Row, event: ev.Event) -> None:
    after = trade.evolve(_state(row), event)
    row["status"] = after.status.value
    row["open_qty"] = text(after.position.quantity)
    row["realised_pnl"] = text(after.realised_pnl)
    row["fees"] = text(after.fees)
    row["working_orders"] = list(after.working_orders)
    row["exit_orders"] = list(after.exit_orders)
    row["fills"] = list(after.fills)
    row["opened_at"] = instant_or_none(after.opened_at)
    if after.status is not TradeStatus.CLOSED:
        row["closed_at"] = None
    match event:
        case ev.TradeWorking():
            row["orders"] = [*row["orders"], event.order_id]
            row["exit_reason"] = None
        case ev.TradeRevised():
            if event.open_qty:
                row["exit_reason"] = None
            if event.order_id not in after.exit_orders:  # what is booked anew comes as a fill
                change = event.signed_qty * Side(row["side"]).sign
                row["entry_qty"] = text(plus(number(row, "entry_qty"), change))
        case ev.TradeFilled() if (event.signed_qty > 0) == (row["side"] == Side.BUY.value):
            row["entry_qty"] = text(plus(number(row, "entry_qty"), abs(event.signed_qty)))
        case ev.TradeClosed():
            row["exit_reason"] = event.exit_reason
            row["closed_at"] = instant(event.closed_at)
        case ev.TradeRefused():
            row["exit_reason"] = f"{event.rule}: {event.reason}"
        case ev.TradeAbandoned():
            row["exit_reason"] = event.reason
        case _:
            pass


def _proposed(event: ev.TradeProposed, recorded: Recorded[ev.Event]) -> Row:
    return {
        "trade_id": event.trade_id,
        "account": event.account,
        "strategy": event.strategy,
        "symbol": event.symbol,
        "side": event.side.value,
        "status": TradeStatus.PROPOSED.value,
        "decision_id": event.decision_id,
        "open_qty": "0",
        "entry_qty": "0",
        "realised_pnl": "0",
        "fees": "0",
        "orders": [],
        "working_orders": [],
        "exit_orders": [],
        "opened_at": None,
        "closed_at": None,
        "fills": [],
        "exit_reason": None,
        "trace_id": recorded.envelope.trace_id,
        "position": recorded.envelope.position,
    }


def _state(row: Row) -> trade.TradeState:
    """As much of the trade's state as the row's fields are derived from: the lots are not among it."""
    opened = row["opened_at"]
    return trade.TradeState(
        trade_id=row["trade_id"],
        account=row["account"],
        strategy=row["strategy"],
        symbol=row["symbol"],
        side=Side(row["side"]),
        decision_id=row["decision_id"],
        reference_price=None,
        status=TradeStatus(row["status"]),
        position=Position(quantity=number(row, "open_qty")),
        working_orders=tuple(row["working_orders"]),
        exit_orders=tuple(row["exit_orders"]),
        realised_pnl=number(row, "realised_pnl"),
        fees=number(row, "fees"),
        fills=tuple(row["fills"]),
        opened_at=None if opened is None else dt.datetime.fromisoformat(opened),
    )
