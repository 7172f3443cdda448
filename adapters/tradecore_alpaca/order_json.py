"""Alpaca's order object, with its legs, as a value of the port. The raw text stays with each; nothing is guessed."""

from __future__ import annotations

import msgspec

from tradecore.domain.values import ZERO, OrderStatus, Side
from tradecore.errors import ProtocolError
from tradecore.ports.broker import BrokerOrder
from tradecore_alpaca.json_text import ABSENT, as_text, instant, optional_number, read

_SIDES = {"buy": Side.BUY, "sell": Side.SELL, "sell_short": Side.SELL, "sell_short_exempt": Side.SELL}
_OURS_ONLY = {OrderStatus.PLANNED, OrderStatus.QUEUED, OrderStatus.SUBMITTED, OrderStatus.UNKNOWN}
_STATUSES = {status.value: status for status in OrderStatus if status not in _OURS_ONLY}


class _Order(msgspec.Struct):
    id: str
    client_order_id: str
    symbol: str
    side: str
    status: str
    type: str | None = None
    order_type: str | None = None
    order_class: str | None = None
    time_in_force: str | None = None
    qty: msgspec.Raw = ABSENT
    notional: msgspec.Raw = ABSENT
    limit_price: msgspec.Raw = ABSENT
    stop_price: msgspec.Raw = ABSENT
    filled_qty: msgspec.Raw = ABSENT
    filled_avg_price: msgspec.Raw = ABSENT
    updated_at: str | None = None
    submitted_at: str | None = None
    created_at: str | None = None
    replaces: str | None = None
    replaced_by: str | None = None
    legs: list[msgspec.Raw] | None = None


def decode_order(raw: bytes | msgspec.Raw) -> BrokerOrder:
    """An order; `status` is None for a word that is not known. Raises `ProtocolError`, for a strange leg as well."""
    order = read(raw, _Order)
    moment = order.updated_at or order.submitted_at or order.created_at
    order_type = order.type or order.order_type
    for field, text in (("id", order.id), ("symbol", order.symbol), ("type", order_type), ("updated_at", moment)):
        if not text:
            raise ProtocolError(f"order: {field} is empty", as_text(raw))
    assert order_type
    assert moment
    quantity, notional = optional_number("order.qty", order.qty), optional_number("order.notional", order.notional)
    if quantity is None and notional is None:  # taken at its word, it would be another order than the one we sent
        raise ProtocolError("order: neither qty nor notional says how much", as_text(raw))
    return BrokerOrder(
        broker_order_id=order.id,
        client_order_id=order.client_order_id,
        symbol=order.symbol,
        side=decode_side(order.side),
        quantity=quantity,
        order_type=order_type,
        status=_STATUSES.get(order.status),
        filled_qty=optional_number("order.filled_qty", order.filled_qty) or ZERO,
        filled_avg_price=optional_number("order.filled_avg_price", order.filled_avg_price),
        updated_at=instant("order.updated_at", moment),
        raw=as_text(raw),
        notional=notional,
        limit_price=optional_number("order.limit_price", order.limit_price),
        stop_price=optional_number("order.stop_price", order.stop_price),
        time_in_force=order.time_in_force or "",
        order_class=order.order_class or "simple",
        legs=tuple(decode_order(leg) for leg in order.legs or ()),
        replaces=order.replaces,
        replaced_by=order.replaced_by,
    )


def decode_side(word: str) -> Side:
    """Buy or sell; a short sale is a sale. Raises `ProtocolError`."""
    try:
        return _SIDES[word]
    except KeyError:
        raise ProtocolError(f"side: {word[:80]!r} is neither a buy nor a sell", word) from None
