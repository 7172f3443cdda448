"""Orders and activities as the protocol writes them: every number a string, every time RFC 3339, null when absent."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from tradecore_exchange.activities import REVERSALS, Activity
from tradecore_exchange.identity import asset_id, is_crypto
from tradecore_exchange.instants import SECOND_NS, instant_text
from tradecore_exchange.numbers import number_text
from tradecore_exchange.orders import Order, TradeUpdate
from tradecore_exchange.sessions import NEW_YORK

JSON = Any


def optional_number(number: Decimal | None) -> str | None:
    """Decimal text, or null."""
    return None if number is None else number_text(number)


def optional_instant(ns: int | None) -> str | None:
    """RFC 3339 text, or null."""
    return None if ns is None else instant_text(ns)


def asset_class(symbol: str) -> str:
    """What kind of asset it is."""
    return "crypto" if is_crypto(symbol) else "us_equity"


def order_json(order: Order, legs: Iterable[Order] = ()) -> dict[str, JSON]:
    """An order, with the legs that are to be shown under it; `commission` only where there is one."""
    body: dict[str, JSON] = {
        "id": order.id,
        "client_order_id": order.client_order_id,
        "created_at": instant_text(order.submitted_ns),
        "updated_at": instant_text(order.updated_ns),
        "submitted_at": instant_text(order.submitted_ns),
        "filled_at": optional_instant(order.filled_ns),
        "expired_at": optional_instant(order.expired_ns),
        "expires_at": optional_instant(order.expires_ns),
        "canceled_at": optional_instant(order.canceled_ns),
        "failed_at": optional_instant(order.failed_ns),
        "replaced_at": optional_instant(order.replaced_ns),
        "replaced_by": order.replaced_by,
        "replaces": order.replaces,
        "asset_id": asset_id(order.symbol),
        "symbol": order.symbol,
        "asset_class": asset_class(order.symbol),
        "notional": optional_number(order.notional),
        "qty": optional_number(order.qty),
        "filled_qty": number_text(order.filled_qty),
        "filled_avg_price": optional_number(order.filled_avg_price),
        "order_class": order.order_class,
        "order_type": order.type,
        "type": order.type,
        "side": order.side,
        "position_intent": order.position_intent,
        "time_in_force": order.time_in_force,
        "limit_price": optional_number(order.limit_price),
        "stop_price": optional_number(order.stop_price),
        "status": order.status,
        "extended_hours": order.extended_hours,
        "legs": [order_json(leg) for leg in legs] or None,
        "trail_percent": optional_number(order.trail_percent),
        "trail_price": optional_number(order.trail_price),
        "hwm": optional_number(order.hwm),
        "source": None,
        "subtag": None,
    }
    if order.commission:
        body["commission"] = number_text(order.commission)
    return body


def trade_update_json(update: TradeUpdate) -> dict[str, JSON]:
    """One message of the trade stream, envelope included."""
    data: dict[str, JSON] = {
        "event": update.event,
        "execution_id": update.execution_id,
        "order": order_json(update.order),
        "timestamp": instant_text(update.at_ns),
    }
    if update.qty is not None:
        data["price"] = optional_number(update.price)
        data["qty"] = number_text(update.qty)
        data["position_qty"] = optional_number(update.position_qty)
    if update.previous_execution_id is not None:
        data["previous_execution_id"] = update.previous_execution_id
    if update.reason is not None:
        data["reason"] = update.reason
    return {"stream": "trade_updates", "data": data}


def activity_json(activity: Activity) -> dict[str, JSON]:
    """A line of the account's history. The id's time is New York's and its uuid belongs to nothing else."""
    return _execution_json(activity) if activity.kind == "FILL" else _entry_json(activity)


def _execution_json(activity: Activity) -> dict[str, JSON]:
    body: dict[str, JSON] = {
        "activity_type": "FILL",
        "id": activity.id,
        # Of a record without an execution type, the status of the order tells.
        "type": activity.execution_type or ("fill" if activity.order_status == "filled" else "partial_fill"),
        "order_id": activity.order_id,
        "order_status": activity.order_status,
        "symbol": activity.symbol,
        "side": activity.side,
        "qty": number_text(activity.qty),
        "price": number_text(activity.price),
        "cum_qty": number_text(activity.cum_qty),
        "leaves_qty": number_text(activity.leaves_qty),
        "transaction_time": instant_text((activity.at_ns + 500) // 1_000 * 1_000),
    }
    if activity.execution_type in REVERSALS:
        body["previous_id"] = activity.previous_execution_id
    return body


def _entry_json(activity: Activity) -> dict[str, JSON]:
    date = dt.datetime.fromtimestamp(activity.at_ns // SECOND_NS, NEW_YORK).date()
    body: dict[str, JSON] = {
        "activity_type": activity.kind,
        "id": activity.id,
        "date": date.isoformat(),
        "net_amount": number_text(activity.net_amount),
        "description": activity.description,
        "status": "executed",
    }
    if activity.symbol:
        body["symbol"] = activity.symbol
    if activity.qty:
        body["qty"] = number_text(activity.qty)
    if activity.per_share_amount is not None:
        body["per_share_amount"] = number_text(activity.per_share_amount)
    return body
