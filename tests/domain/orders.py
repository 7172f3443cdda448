"""An order told by its events, without a ledger."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from tradecore.domain import events as ev
from tradecore.domain.order import OrderState, evolve
from tradecore.domain.values import OrderStatus, OrderType, Side, TimeInForce

D = Decimal
S = OrderStatus
NOON = dt.datetime(2024, 1, 2, 17, 0, tzinfo=dt.UTC)
LATER = NOON + dt.timedelta(hours=1)


def planned(**terms: Any) -> OrderState:
    """An order of 10 that is planned."""
    given: dict[str, Any] = {
        "order_id": "o", "client_order_id": "c", "account": "main", "symbol": "AAA", "side": Side.BUY,
        "quantity": D(10), "order_type": OrderType.MARKET, "limit_price": None, "time_in_force": TimeInForce.DAY,
        "extended_hours": False, "strategy": "s", "trade_id": "t", "decision_id": None, "reference_price": D(5),
    }  # fmt: skip
    return evolve(None, ev.OrderPlanned(**(given | terms)))


def order(*happened: ev.Event, **terms: Any) -> OrderState:
    """An order that is queued, after what happened to it."""
    state = evolve(planned(**terms), ev.OrderQueued("o", "body", LATER))
    for event in happened:
        state = evolve(state, event)
    return state


def taken(status: S = S.ACCEPTED, at: dt.datetime = NOON, *, found: bool = False) -> ev.OrderAccepted:
    return ev.OrderAccepted("o", "b", status, at, found, "{}")


def part(quantity: str, filled: str, price: str = "5", name: str = "f") -> ev.OrderPartiallyFilled:
    return ev.OrderPartiallyFilled("o", name, D(quantity), D(price), D(filled))
