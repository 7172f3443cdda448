"""The state of an order, and how each of its events changes it."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import attrs

from tradecore.domain import events as ev
from tradecore.domain.evolving import changed
from tradecore.domain.terms import StopLoss, TakeProfit, size
from tradecore.domain.values import (
    ZERO,
    Leg,
    OrderClass,
    OrderStatus,
    OrderType,
    Purpose,
    Side,
    TimeInForce,
    minus,
    plus,
    times,
)
from tradecore.domain.work import CANCEL_ATTEMPTS, Work
from tradecore.errors import InvariantViolated

_S = OrderStatus
OURS = frozenset({_S.PLANNED, _S.QUEUED, _S.SUBMITTED, _S.UNKNOWN})
"""Statuses that only we give: the broker has not spoken yet."""


@attrs.frozen
class Approval:
    """What a person is asked: whether an order may pass these rules, before `until`."""

    rules: tuple[str, ...]
    reason: str
    until: dt.datetime


@attrs.frozen(slots=False)
class OrderState:
    """An order as its events tell it. Quantities in units; `filled_value` is the sum of quantity x price of fills."""

    order_id: str
    client_order_id: str
    account: str
    symbol: str
    side: Side
    quantity: Decimal | None
    order_type: OrderType
    limit_price: Decimal | None
    time_in_force: TimeInForce
    extended_hours: bool
    strategy: str
    trade_id: str
    decision_id: str | None
    reference_price: Decimal | None
    status: OrderStatus
    notional: Decimal | None = None
    stop_price: Decimal | None = None
    trail_price: Decimal | None = None
    trail_percent: Decimal | None = None
    order_class: OrderClass = OrderClass.SIMPLE
    take_profit: TakeProfit | None = None
    stop_loss: StopLoss | None = None
    purpose: Purpose = Purpose.TRADE
    parent_order_id: str | None = None
    leg: Leg | None = None
    replaces: str | None = None
    replaced_by: str | None = None
    filled_at_replace: Decimal = ZERO
    body_hash: str = ""
    not_after: dt.datetime | None = None
    broker_order_id: str | None = None
    broker_updated_at: dt.datetime | None = None
    broker_filled_qty: Decimal = ZERO
    filled_qty: Decimal = ZERO
    filled_value: Decimal = ZERO
    submits: int = 0
    failures: int = 0
    dead: bool = False
    in_flight: bool = False
    exists_at_broker: bool = False
    lost_attempt: bool = False
    """True once nobody knew what became of an attempt: what the broker says of a later one may come of that."""
    cancel_requested: bool = False
    cancels: int = 0
    cancel_in_flight: bool = False
    cancel_taken: bool = False
    external: bool = False
    filled_before: Decimal = ZERO
    halted: bool = False
    fills: tuple[str, ...] = ()
    revised_at: tuple[dt.datetime, ...] = ()
    awaited: tuple[ev.FillRevision, ...] = ()
    approval: Approval | None = None

    @property
    def remaining(self) -> Decimal:
        """What is not filled yet; of an order of an amount of money, at the most."""
        whole = size(self, self.reference_price)
        return ZERO if whole is None else max(ZERO, whole - self.filled_qty)

    @property
    def missing_fills(self) -> Decimal:
        """What the broker says was filled and no recorded fill covers yet."""
        return max(ZERO, self.broker_filled_qty - self.filled_qty)

    @property
    def cancel_spent(self) -> bool:
        """True when the last request to cancel leads to no further attempt: it was taken, or failed too often."""
        return self.cancel_taken or (self.cancels >= CANCEL_ATTEMPTS and not self.cancel_in_flight)

    @property
    def awaits_approval(self) -> bool:
        """True while a person is asked: nothing of it is sent."""
        return self.status is _S.PLANNED and self.approval is not None

    @property
    def work(self) -> Work:
        """What brings the order to the broker."""
        return Work.SUBMIT if self.replaces is None else Work.REPLACE

    @property
    def was_given_up(self) -> bool:
        """True when we ended the order because the broker seemed not to have it: should it arrive, it lives."""
        return self.status.is_terminal and self.broker_order_id is None

    @property
    def is_unwanted(self) -> bool:
        """True when it is to be canceled should it arrive. A leg stays: it protects what was filled of its parent."""
        return self.was_given_up and self.leg is None

    @property
    def is_settled(self) -> bool:
        """True when the order is finished and all of its fills are recorded."""
        return self.status.is_terminal and not self.missing_fills


_PLANNED = ev.OrderPlanned.__struct_fields__


def evolve(state: OrderState | None, event: ev.Event) -> OrderState:
    """The order after an event."""
    if isinstance(event, ev.OrderPlanned):
        return OrderState(**{name: getattr(event, name) for name in _PLANNED}, status=_S.PLANNED)
    if isinstance(event, ev.OrderAdopted):
        return _adopted(event)
    assert state is not None, "an order begins with its plan"
    match event:  # what there is most of, first
        case ev.OrderQueued():
            return changed(state, status=_S.QUEUED, body_hash=event.body_hash, not_after=event.not_after)
        case ev.OrderSubmitted():
            return changed(state, status=_S.SUBMITTED, submits=event.attempt, in_flight=True)
        case ev.OrderAccepted():
            status = event.status if state.status in OURS or state.was_given_up else state.status
            return changed(
                state,
                status=status,
                broker_order_id=event.broker_order_id,
                broker_updated_at=event.updated_at,
                in_flight=False,
                dead=False,
            )
        case ev.OrderUpdated():
            return changed(state, status=event.status, broker_updated_at=event.updated_at)
        case ev.OrderPartiallyFilled() | ev.OrderFilled():
            return _evolve_fill(state, event)
        case ev.OrderHalted():
            return changed(state, halted=True)
        case ev.OrderFillRevised():
            return _evolve_revision(state, event)
        case ev.OrderRevisionAwaited():
            return changed(state, awaited=(*state.awaited, event.revision))
        case ev.ApprovalRequested():
            return changed(state, approval=Approval(event.rules, event.reason, event.until))
        case ev.ApprovalGranted() | ev.ApprovalRefused() | ev.ApprovalExpired():
            return state
        case ev.OrderNotSent():
            return changed(state, status=_S.QUEUED, in_flight=False, failures=state.failures + event.counts)
        case ev.OrderOutcomeUnknown():
            exists = state.exists_at_broker or event.exists
            dead = state.dead and not exists
            return changed(state, status=_S.UNKNOWN, exists_at_broker=exists, lost_attempt=True, dead=dead)
        case ev.OrderRejected():
            return changed(state, status=_S.REJECTED, in_flight=False)
        case ev.OrderCanceled():
            return _ended(state, _S.CANCELED, event.broker_filled_qty)
        case ev.OrderExpired():
            return _ended(state, _S.EXPIRED, event.broker_filled_qty)
        case ev.OrderReplaced():
            return _ended(state, _S.REPLACED, event.broker_filled_qty)
        case ev.OrderCompleted():
            return _ended(state, _S.FILLED, event.broker_filled_qty)
        case ev.ReplaceRequested():
            return changed(state, replaced_by=event.by_order_id, filled_at_replace=state.filled_qty)
        case ev.ReplaceFailed():
            return changed(state, replaced_by=None)
        case ev.OrderDead():
            return state if event.work is Work.CANCEL else changed(state, dead=True)
        case ev.OrderRetried():
            if event.work is Work.CANCEL:
                return state
            return changed(state, dead=False, failures=0, not_after=event.not_after)
        case ev.OrderDiscarded():
            return changed(state, cancel_requested=False) if event.work is Work.CANCEL else state
        case ev.StaleOutcome():
            return state
        case ev.CancelRequested():
            return changed(state, cancel_requested=True, cancels=0, cancel_taken=False)
        case ev.CancelSubmitted():
            return changed(state, cancels=event.attempt, cancel_in_flight=True)
        case ev.CancelAnswered():
            cancels = state.cancels if event.counts else min(state.cancels, CANCEL_ATTEMPTS) - 1
            return changed(state, cancels=cancels, cancel_in_flight=False, cancel_taken=event.accepted)
        case _:
            raise InvariantViolated(f"an order cannot hold {event.NAME}")


def _ended(state: OrderState, status: OrderStatus, broker_filled: Decimal) -> OrderState:
    return changed(state, status=status, in_flight=False, dead=False, broker_filled_qty=broker_filled)


def _evolve_fill(state: OrderState, event: ev.OrderPartiallyFilled | ev.OrderFilled) -> OrderState:
    if isinstance(event, ev.OrderFilled):
        status = _S.FILLED
    else:
        status = state.status if state.status.is_terminal else _S.PARTIALLY_FILLED
    return changed(
        state,
        status=status,
        filled_qty=event.filled_qty,
        filled_value=plus(state.filled_value, times(event.quantity, event.price)),
        in_flight=False,
        fills=(*state.fills, event.fill_id),
    )


def _evolve_revision(state: OrderState, event: ev.OrderFillRevised) -> OrderState:
    before = times(event.previous_quantity, event.previous_price)
    value = plus(minus(state.filled_value, before), times(event.quantity, event.price))
    broker_filled = plus(minus(state.broker_filled_qty, event.previous_quantity), event.quantity)
    return changed(
        state,
        filled_qty=event.filled_qty,
        filled_value=value,
        broker_filled_qty=max(ZERO, broker_filled) if state.broker_filled_qty else ZERO,
        revised_at=(*state.revised_at, event.revised_at),
        awaited=tuple(item for item in state.awaited if item.execution_id != event.execution_id),
    )


def _adopted(event: ev.OrderAdopted) -> OrderState:
    return OrderState(
        order_id=event.order_id,
        client_order_id=event.client_order_id,
        account=event.account,
        symbol=event.symbol,
        side=event.side,
        quantity=event.quantity,
        order_type=event.order_type,
        limit_price=event.limit_price,
        time_in_force=event.time_in_force,
        extended_hours=False,
        strategy=event.strategy,
        trade_id=event.trade_id,
        decision_id=None,
        reference_price=event.reference_price,
        status=event.status,
        notional=event.notional,
        stop_price=event.stop_price,
        replaces=event.replaces,
        broker_order_id=event.broker_order_id,
        broker_updated_at=event.updated_at,
        external=True,
        filled_before=event.filled_before,
    )
