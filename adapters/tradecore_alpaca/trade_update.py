"""One message of the stream `trade_updates` as a report. What cannot be read is parked whole, never dropped."""

from __future__ import annotations

import msgspec

from tradecore.domain.values import ZERO
from tradecore.errors import ProtocolError
from tradecore.ports.broker import BrokerFill, BrokerOrder, Execution, OrderReport, UnknownReport
from tradecore_alpaca.decode import check_fill
from tradecore_alpaca.json_text import ABSENT, as_text, instant, number, read
from tradecore_alpaca.order_json import decode_order

# The last two take back what was told before, wholly or in part.
_EXECUTIONS = {
    "fill": Execution.TRADE,
    "partial_fill": Execution.TRADE,
    "trade_bust": Execution.BUST,
    "trade_correct": Execution.CORRECT,
}
_EVENTS = _EXECUTIONS.keys() | {
    "accepted",
    "calculated",
    "canceled",
    "done_for_day",
    "expired",
    "held",
    "new",
    "order_cancel_rejected",
    "order_replace_rejected",
    "pending_cancel",
    "pending_new",
    "pending_replace",
    "rejected",
    "replaced",
    "restated",
    "stopped",
    "suspended",
}


class _Data(msgspec.Struct):
    event: str
    order: msgspec.Raw
    execution_id: str | None = None
    previous_execution_id: str | None = None
    price: msgspec.Raw = ABSENT
    qty: msgspec.Raw = ABSENT
    timestamp: str | None = None


class _Message(msgspec.Struct):
    stream: str
    data: _Data


def read_report(message: bytes) -> OrderReport | UnknownReport:
    """The message as an `OrderReport`, with its fill if it tells one; or as an `UnknownReport` with the reason."""
    try:
        return _read(message)
    except ProtocolError as error:
        return UnknownReport(str(error), as_text(message))


def _read(message: bytes) -> OrderReport:
    frame = read(message, _Message)
    if frame.stream != "trade_updates":
        raise ProtocolError(f"stream: {frame.stream[:80]!r} is not one that was asked for")
    data = frame.data
    if data.event not in _EVENTS:
        raise ProtocolError(f"event: {data.event[:80]!r} is not a known word")
    order = decode_order(data.order)
    if order.status is None:
        raise ProtocolError("order.status is not a known word")
    execution = _EXECUTIONS.get(data.event)
    return OrderReport(order, data.event, None if execution is None else _fill(order, data, execution, message))


def _fill(order: BrokerOrder, data: _Data, execution: Execution, message: bytes) -> BrokerFill:
    if not data.execution_id or data.timestamp is None:
        raise ProtocolError("fill: execution_id or timestamp is missing")
    fill = BrokerFill(
        broker_order_id=order.broker_order_id,
        client_order_id=order.client_order_id,
        execution_id=data.execution_id,
        symbol=order.symbol,
        side=order.side,
        quantity=number("qty", data.qty),
        price=number("price", data.price),
        cumulative_qty=order.filled_qty,
        fees=ZERO,
        occurred_at=instant("timestamp", data.timestamp),
        source="stream",
        raw=as_text(message),
        execution=execution,
        previous_execution_id=data.previous_execution_id,
    )
    check_fill(fill)
    return fill
