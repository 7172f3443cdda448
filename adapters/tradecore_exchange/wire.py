"""Orders and activities as the protocol writes them: every number a string, every time RFC 3339, null when absent."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from tradecore_exchange.identity import asset_id, is_crypto
from tradecore_exchange.instants import SECOND_NS, instant_text
from tradecore_exchange.numbers import number_text
from tradecore_exchange.orders import Activity, Order, TradeUpdate
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


def order_json(order: Order) -> dict[str, JSON]:
    """An order; `commission` only where there is one."""
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
        "failed_at": None,
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
        "order_class": "",
        "order_type": order.type,
        "type": order.type,
        "side": order.side,
        "position_intent": order.position_intent,
        "time_in_force": order.time_in_force,
        "limit_price": optional_number(order.limit_price),
        "stop_price": None,
        "status": order.status,
        "extended_hours": order.extended_hours,
        "legs": None,
        "trail_percent": None,
        "trail_price": None,
        "hwm": None,
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
    return {"stream": "trade_updates", "data": data}


def activity_json(activity: Activity) -> dict[str, JSON]:
    """A line of the account's history. The id's time is New York's and its uuid belongs to nothing else."""
    if activity.kind == "FEE":
        date = dt.datetime.fromtimestamp(activity.at_ns // SECOND_NS, NEW_YORK).date()
        return {
            "activity_type": "FEE",
            "id": activity.id,
            "date": date.isoformat(),
            "net_amount": number_text(activity.net_amount),
            "description": f"commission of order {activity.order_id}",
            "status": "executed",
        }
    return {
        "activity_type": "FILL",
        "id": activity.id,
        "type": "fill" if activity.order_status == "filled" else "partial_fill",
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
