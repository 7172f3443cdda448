"""Identities: random ones come from the `Ids` port, the ones that a retry must repeat are computed here."""

from __future__ import annotations

import re
import uuid
from hashlib import sha1

from tradecore.errors import InputError

_SPACE = uuid.UUID("7e1cf9a2-3f0b-5c0f-9d53-0d7f5b6c2a11").bytes
_VARIANT = {digit: "89ab"[int(digit, 16) % 4] for digit in "0123456789abcdef"}
_CANONICAL = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII)
_CLIENT_ORDER_ID = re.compile(r"tc-([0-9a-f]{8})-([0-9a-f]{32})", re.ASCII)
_TRACE_ID = re.compile(r"[0-9a-f]{32}", re.ASCII)
_EPOCH = re.compile(r"[0-9a-f]{8}", re.ASCII)


def derived_id(*parts: str) -> str:
    """An id that is a pure function of its parts: the same parts, the same id, in every process and for ever.

    A UUID of version 5 (RFC 9562, section 5.5), written out here: every order needs seven of them.
    """
    text = sha1(_SPACE + "\x1f".join(parts).encode(), usedforsecurity=False).hexdigest()
    return f"{text[:8]}-{text[8:12]}-5{text[13:16]}-{_VARIANT[text[16]]}{text[17:20]}-{text[20:32]}"


def decision_id(strategy: str, symbol: str, data_as_of: str) -> str:
    """One decision per strategy, symbol and moment of data: deciding again after a crash names the same decision."""
    return derived_id("decision", strategy, symbol, data_as_of)


def order_id_of_decision(decision: str) -> str:
    """The order that a decision places."""
    return derived_id("order", decision)


def leg_order_id(parent: str, leg: str) -> str:
    """The order that the broker makes as a leg of another."""
    return derived_id("leg", parent, leg)


def trade_id_of_order(order: str) -> str:
    """The trade that an opening order begins."""
    return derived_id("trade", order)


def successor_trade_id(trade: str, fill: str) -> str:
    """The trade that begins when one fill carries a position through zero."""
    return derived_id("trade", trade, fill)


def fill_id(broker_account_id: str, broker_order_id: str, cumulative_qty: str) -> str:
    """One fill per order and cumulative quantity.

    The stream and the REST history of Alpaca name the same execution differently; what both carry is the order and
    the quantity filled so far, so that pair is the execution's identity (whichever source brings it first).
    """
    return derived_id("fill", broker_account_id, broker_order_id, cumulative_qty)


def closing_order_id(saga_id: str) -> str:
    """The order by which a saga closes a position."""
    return derived_id("saga", saga_id, "close")


def client_order_id(order: str, epoch: str) -> str:
    """The broker's idempotency key: a pure function of the order and the ledger's epoch, 44 characters."""
    if not _EPOCH.fullmatch(epoch):
        raise InputError("epoch", epoch, "8 hexadecimal digits")
    digits = order.replace("-", "") if _CANONICAL.fullmatch(order) else uuid.UUID(order).hex
    return f"tc-{epoch}-{digits}"


def order_id_of_client(client_id: str, epoch: str) -> str | None:
    """The order behind a client order id of this ledger, or None when the id is somebody else's."""
    match = _CLIENT_ORDER_ID.fullmatch(client_id)
    if match is None or match[1] != epoch:
        return None
    return str(uuid.UUID(match[2]))


def parse_uuid(field: str, raw: object) -> str:
    """A UUID in its canonical text form; raises `InputError` otherwise."""
    try:
        return str(uuid.UUID(raw))  # type: ignore[arg-type]
    except (ValueError, AttributeError, TypeError):
        raise InputError(field, raw, "a UUID such as 018f3c5e-9d1a-7c3b-8a54-0242ac120002") from None


def parse_trace_id(field: str, raw: object) -> str:
    """A W3C trace id (32 hexadecimal digits, not all zero); raises `InputError` otherwise."""
    if isinstance(raw, str) and _TRACE_ID.fullmatch(raw) and set(raw) != {"0"}:
        return raw
    raise InputError(field, raw, "32 lower-case hexadecimal digits, not all zero")
