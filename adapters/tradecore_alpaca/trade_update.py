"""One message of the stream `trade_updates` as a report. What cannot be read is parked whole, never dropped."""

from __future__ import annotations

import msgspec

from tradecore.domain.values import ZERO
from tradecore.errors import ProtocolError
from tradecore.ports.broker import BrokerFill, BrokerOrder, OrderReport, UnknownReport
from tradecore_alpaca.decode import check_fill
from tradecore_alpaca.json_text import ABSENT, as_text, instant, number, read
from tradecore_alpaca.order_json import decode_order

_FILLS = frozenset({"fill", "partial_fill"})
_EVENTS = _FILLS | {
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
# They take back what was told before; no report of ours can say so, and the order alone would hide it.
_REVERSALS = frozenset({"trade_bust", "trade_correct"})


class _Data(msgspec.Struct):
    event: str
    order: msgspec.Raw
    execution_id: str | None = None
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
    if data.event in _REVERSALS:
        raise ProtocolError(f"event: {data.event} takes back an execution")
    if data.event not in _EVENTS:
        raise ProtocolError(f"event: {data.event[:80]!r} is not a known word")
    order = decode_order(data.order)
    if order.status is None:
        raise ProtocolError("order.status is not a known word")
    return OrderReport(order, data.event, _fill(order, data, message) if data.event in _FILLS else None)


def _fill(order: BrokerOrder, data: _Data, message: bytes) -> BrokerFill:
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
    )
    check_fill(fill)
    return fill
