"""What holds of a request at the moment in which it leaves: recorded, as decided, in time, and not after a stop."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from tests.simulation.books import Order
from tradecore.domain import events as ev
from tradecore.domain.values import Purpose, TradingState

if TYPE_CHECKING:
    from tests.simulation.judge import Judge

_NUMBERS = {"qty": "quantity", "limit_price": "limit_price", "stop_price": "stop_price"}
_HEARD_WITHIN_S = 1.0
"""How soon every process must have heard of a stop that another one recorded."""


def check_request(judge: Judge, now: float, wall: dt.datetime, by: str, method: str, path: str, body: bytes) -> None:
    """Look at a request that is about to leave a process; `body` is what it asks for where it only reads."""
    if method == "POST" and path == "/v2/orders":
        told = msgspec.json.decode(body)
        order = judge.by_client_id.get(told.get("client_order_id", ""))
        if order is None or order.plan is None:
            judge.fail("I1", f"{by} sends {told.get('client_order_id')!r}, which nobody recorded")
            return
        _check_body(judge, order.plan, told)
        _check_sending(judge, now, wall, by, order)
    elif method == "PATCH" and path.startswith("/v2/orders/"):
        told = msgspec.json.decode(body)
        order = judge.by_client_id.get(told.get("client_order_id", ""))
        if order is None:
            judge.fail("I1", f"{by} replaces by {told.get('client_order_id')!r}, which nobody recorded")
            return
        if order.plan is not None:
            _check_numbers(judge, order.plan, told, [name for name in _NUMBERS if name in told])
        _check_sending(judge, now, wall, by, order)
        judge.reach["replacement sent"] += 1
    elif path == "/v2/positions":
        judge.comparing.add(by)
    elif path.endswith("by_client_order_id"):
        order = judge.by_client_id.get(body.decode().partition("=")[2])
        if order is not None:
            order.was_asked_for = True


def _check_body(judge: Judge, plan: ev.OrderPlanned, told: dict[str, Any]) -> None:
    ours = (plan.symbol, plan.side.value, plan.order_type.value, plan.time_in_force.value)
    if ours != tuple(told.get(name) for name in ("symbol", "side", "type", "time_in_force")):
        judge.fail("I3", f"{plan.order_id} was decided as {ours}, and is sent as {told}")
    _check_numbers(judge, plan, told, list(_NUMBERS))


def _check_numbers(judge: Judge, plan: ev.OrderPlanned, told: dict[str, Any], names: list[str]) -> None:
    for name in names:
        mine, his = getattr(plan, _NUMBERS[name]), told.get(name)
        if (None if his is None else Decimal(str(his))) != mine:
            judge.fail("I3", f"{name} of {plan.order_id} was decided as {mine}, and is sent as {his}")


def _check_sending(judge: Judge, now: float, wall: dt.datetime, by: str, order: Order) -> None:
    order.posts += 1
    if order.posts > order.attempts or order.attempt_by != by:
        judge.fail("I1", f"{by} sends {order.order_id} for the {order.posts}. time; recorded are {order.attempts}")
    if order.status.is_terminal:
        judge.fail("I2", f"{by} sends {order.order_id}, which is {order.status.value}")
    if order.not_after is not None and wall > order.not_after:
        judge.fail("I3", f"{by} sends {order.order_id} at {wall}; its time ended {order.not_after}")
    grace = 0.0 if judge.stopped_by == by else _HEARD_WITHIN_S
    is_late = judge.state is TradingState.HALTED and now - judge.stopped_at > grace
    if is_late and order.plan is not None and order.plan.purpose is Purpose.TRADE:
        judge.fail("I5", f"{by} sends {order.order_id} {now - judge.stopped_at:.2f} s after trading was halted")
