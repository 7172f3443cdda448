"""Order: what was asked of the broker, and what is known of it.

A status never moves backwards: a late word cannot reopen a finished order. Fills are facts and always count, also
after a cancel or an expiry; whether the broker's count is reached decides when the order's reservation ends.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from decimal import Decimal

import attrs

from tradecore.domain import events as ev
from tradecore.domain.commands import (
    CancelOrder,
    PlaceOrder,
    RecordAnswer,
    RecordCancelAnswer,
    RecordFill,
    RecordNotSent,
    RecordRejection,
    RecordReport,
    RecordUnknown,
    StartCancel,
    StartSubmit,
    WithdrawOrder,
)
from tradecore.domain.values import ZERO, OrderStatus, OrderType, Side, TimeInForce, plus, times
from tradecore.errors import CancelRefused, InputError, InvariantViolated

_S = OrderStatus
_OURS = frozenset({_S.PLANNED, _S.QUEUED, _S.SUBMITTED, _S.UNKNOWN})
_RANK = {
    _S.PLANNED: 0,
    _S.QUEUED: 1,
    _S.SUBMITTED: 2,
    _S.UNKNOWN: 2,
    _S.PENDING_NEW: 3,
    _S.ACCEPTED: 4,
    _S.HELD: 4,
}
"""Statuses that come only before others. All further working statuses share a rank and follow the broker's clock."""
_WORKING_RANK = 5

_LATE = "it arrived at the broker after it was given up"

CANCEL_ATTEMPTS = 3
"""How often a cancel is sent before a person must look."""


@attrs.frozen
class OrderState:
    """An order as its events tell it. Quantities in units; `filled_value` is the sum of quantity x price of fills."""

    order_id: str
    client_order_id: str
    account: str
    symbol: str
    side: Side
    quantity: Decimal
    order_type: OrderType
    limit_price: Decimal | None
    time_in_force: TimeInForce
    extended_hours: bool
    strategy: str
    trade_id: str
    decision_id: str | None
    reference_price: Decimal | None
    status: OrderStatus
    body_hash: str = ""
    not_after: dt.datetime | None = None
    broker_order_id: str | None = None
    broker_updated_at: dt.datetime | None = None
    broker_filled_qty: Decimal = ZERO
    filled_qty: Decimal = ZERO
    filled_value: Decimal = ZERO
    submits: int = 0
    in_flight: bool = False
    exists_at_broker: bool = False
    cancel_requested: bool = False
    cancels: int = 0
    cancel_in_flight: bool = False
    cancel_taken: bool = False

    @property
    def remaining(self) -> Decimal:
        """What is not filled yet."""
        return self.quantity - self.filled_qty

    @property
    def missing_fills(self) -> Decimal:
        """What the broker says was filled and no recorded fill covers yet."""
        return max(ZERO, self.broker_filled_qty - self.filled_qty)

    @property
    def cancel_spent(self) -> bool:
        """True when the last request to cancel leads to no further attempt: it was taken, or failed too often."""
        return self.cancel_taken or (self.cancels >= CANCEL_ATTEMPTS and not self.cancel_in_flight)

    @property
    def was_given_up(self) -> bool:
        """True when we ended the order because the broker seemed not to have it: should it arrive, it lives."""
        return self.status.is_terminal and self.broker_order_id is None

    @property
    def is_settled(self) -> bool:
        """True when the order is finished and all of its fills are recorded."""
        return self.status.is_terminal and not self.missing_fills


def body_hash(order: ev.OrderPlanned | OrderState) -> str:
    """SHA-256 over exactly what may be sent to the broker for this order."""
    parts = (
        order.client_order_id,
        order.symbol,
        order.side.value,
        format(order.quantity, "f"),
        order.order_type.value,
        "" if order.limit_price is None else format(order.limit_price, "f"),
        order.time_in_force.value,
        str(order.extended_hours),
    )
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


def check_terms(command: PlaceOrder) -> None:
    """Refuse terms that no broker could take literally; raises `InputError` naming the field. Nothing is repaired."""
    if not (command.quantity.is_finite() and command.quantity > 0):
        raise InputError("quantity", command.quantity, "a number above zero")
    if command.order_type is OrderType.LIMIT:
        if command.limit_price is None:
            raise InputError("limit_price", None, "a price above zero, because a limit order needs one")
        if not (command.limit_price.is_finite() and command.limit_price > 0):
            raise InputError("limit_price", command.limit_price, "a price above zero")
    elif command.limit_price is not None:
        raise InputError("limit_price", command.limit_price, "no price, because a market order has none")
    if command.extended_hours and (
        command.order_type is not OrderType.LIMIT or command.time_in_force is not TimeInForce.DAY
    ):
        raise InputError(
            "extended_hours", True, "a limit order for the day, the only kind that trades in extended hours"
        )
    fractional = command.quantity != command.quantity.to_integral_value()
    if fractional and command.time_in_force is not TimeInForce.DAY and "/" not in command.symbol:
        raise InputError("time_in_force", command.time_in_force.value, "day, because the quantity is fractional")


def plan(command: PlaceOrder, client_order_id: str, trade_id: str) -> list[ev.Event]:
    """The first events of an order: planned, and queued for delivery."""
    check_terms(command)
    planned = ev.OrderPlanned(
        order_id=command.order_id,
        client_order_id=client_order_id,
        account=command.account,
        symbol=command.symbol,
        side=command.side,
        quantity=command.quantity,
        order_type=command.order_type,
        limit_price=command.limit_price,
        time_in_force=command.time_in_force,
        extended_hours=command.extended_hours,
        strategy=command.strategy,
        trade_id=trade_id,
        decision_id=command.proposal.decision_id if command.proposal else None,
        reference_price=command.reference_price,
    )
    return [planned, ev.OrderQueued(command.order_id, body_hash(planned), command.not_after)]


OrderCommand = (
    CancelOrder
    | StartSubmit
    | StartCancel
    | RecordAnswer
    | RecordRejection
    | RecordNotSent
    | RecordUnknown
    | WithdrawOrder
    | RecordCancelAnswer
    | RecordReport
    | RecordFill
)


def decide(state: OrderState, command: OrderCommand) -> list[ev.Event]:
    """What a command means for an order; an empty list when it says nothing new."""
    match command:
        case StartSubmit():
            return _start_submit(state, command)
        case RecordAnswer() | RecordReport():
            return _broker_word(state, command)
        case RecordFill():
            return _fill(state, command)
        case RecordRejection():
            if state.status.is_terminal or state.broker_order_id is not None:
                return []
            return [ev.OrderRejected(state.order_id, command.code, command.message, command.raw)]
        case RecordNotSent():
            return [ev.OrderNotSent(state.order_id, state.submits, command.reason)] if state.in_flight else []
        case RecordUnknown():
            if not state.in_flight or state.status is _S.UNKNOWN:
                return []
            return [ev.OrderOutcomeUnknown(state.order_id, state.submits, command.reason, command.exists)]
        case WithdrawOrder():
            if state.status.is_terminal or state.broker_order_id is not None or state.exists_at_broker:
                return []
            return [ev.OrderCanceled(state.order_id, command.reason, ZERO, "")]
        case CancelOrder():
            return _request_cancel(state, command)
        case StartCancel():
            if state.status.is_terminal or not state.cancel_requested or state.cancel_taken:
                return []
            return [ev.CancelSubmitted(state.order_id, state.cancels + 1, command.lease)]
        case RecordCancelAnswer():
            if not state.cancel_in_flight:
                return []
            return [ev.CancelAnswered(state.order_id, command.accepted, command.message)]


def _start_submit(state: OrderState, command: StartSubmit) -> list[ev.Event]:
    """Allow a send only of the content that was decided on, while it is fresh, and while it is still wanted."""
    if state.status.is_terminal or state.broker_order_id is not None or state.exists_at_broker:
        return []
    if command.attempt is not None and command.attempt != state.submits + 1:
        return []
    if command.body_hash != state.body_hash:
        raise InvariantViolated(f"order {state.order_id}: what would be sent is not what was decided on")
    assert state.not_after is not None, "an order is queued before it is sent"
    if command.now > state.not_after:
        return [ev.OrderCanceled(state.order_id, "stale: its time to be sent had passed", ZERO, "")]
    if state.cancel_requested:
        return [ev.OrderCanceled(state.order_id, "canceled before it was sent", ZERO, "")]
    return [ev.OrderSubmitted(state.order_id, state.submits + 1, command.lease)]


def _request_cancel(state: OrderState, command: CancelOrder) -> list[ev.Event]:
    if state.status.is_terminal:
        raise CancelRefused(f"order {state.order_id} is already {state.status.value}")
    if state.cancel_requested and not state.cancel_spent:
        return []
    if state.status is _S.QUEUED and state.submits == 0:
        return [ev.OrderCanceled(state.order_id, command.reason, ZERO, "")]
    return [ev.CancelRequested(state.order_id, command.reason)]


def _broker_word(state: OrderState, word: RecordAnswer | RecordReport) -> list[ev.Event]:
    """Merge what the broker says of an order; late and repeated words fall away."""
    events: list[ev.Event] = []
    known = state.broker_order_id
    if known is not None and known != word.broker_order_id:
        raise InvariantViolated(
            f"order {state.order_id} is {known} at the broker, and also {word.broker_order_id}: two for one intent"
        )
    source = word.source if isinstance(word, RecordReport) else "answer"
    given_up = state.was_given_up
    if known is None:
        first = word.status if _rank(word.status) < _WORKING_RANK else _S.ACCEPTED
        found = isinstance(word, RecordReport) or word.found_by_lookup
        events.append(ev.OrderAccepted(state.order_id, word.broker_order_id, first, word.updated_at, found, word.raw))
        state = evolve(state, events[0])
    ending = _ending(state, word)
    if ending is not None:
        events.append(ending)
    elif _moves_on(state, word):
        events.append(ev.OrderUpdated(state.order_id, word.status, word.updated_at, source, word.raw))
    if given_up and ending is None and word.status is not _S.FILLED and not state.cancel_requested:
        events.append(ev.CancelRequested(state.order_id, _LATE))
    return events


def _ending(state: OrderState, word: RecordAnswer | RecordReport) -> ev.Event | None:
    """The event that ends the order, if the broker's word does. `filled` is never taken on its word: fills say that."""
    if state.status.is_terminal:
        return None
    match word.status:
        case _S.CANCELED:
            return ev.OrderCanceled(state.order_id, "canceled at the broker", word.filled_qty, word.raw)
        case _S.EXPIRED:
            return ev.OrderExpired(state.order_id, word.filled_qty, word.raw)
        case _S.REPLACED:
            return ev.OrderReplaced(state.order_id, word.filled_qty, word.raw)
        case _S.REJECTED:
            return ev.OrderRejected(state.order_id, "", "rejected by the broker", word.raw)
        case _:
            return None


def _rank(status: OrderStatus) -> int:
    return _RANK.get(status, _WORKING_RANK)


def _moves_on(state: OrderState, word: RecordAnswer | RecordReport) -> bool:
    """Whether a working status is news: further along, or as far and later by the broker's clock."""
    if state.status.is_terminal or word.status.is_terminal or word.status in _OURS or word.status is state.status:
        return False
    if word.status is _S.PARTIALLY_FILLED:
        return False  # told by fills
    if word.status is _S.NEW and state.filled_qty:
        return False  # it was new before it was filled in part
    before, after = _rank(state.status), _rank(word.status)
    if after != before:
        return after > before
    return state.broker_updated_at is None or word.updated_at > state.broker_updated_at


def _fill(state: OrderState, command: RecordFill) -> list[ev.Event]:
    """Count an execution. More than was ordered is a broken promise of the broker: a person must look."""
    filled = plus(state.filled_qty, command.quantity)
    if filled > state.quantity:
        raise InvariantViolated(
            f"order {state.order_id}: fills of {filled} exceed its quantity {state.quantity} "
            f"(execution {command.execution_id} of {command.quantity})"
        )
    events: list[ev.Event] = []
    unwanted = state.was_given_up and not state.cancel_requested and filled != state.quantity
    if state.broker_order_id is None:  # the fill overtook the answer: it proves that the broker has the order
        events.append(
            ev.OrderAccepted(
                state.order_id, command.broker_order_id, _S.ACCEPTED, command.occurred_at, True, command.raw
            )
        )
    elif state.broker_order_id != command.broker_order_id:
        raise InvariantViolated(
            f"order {state.order_id} is {state.broker_order_id} at the broker; a fill names {command.broker_order_id}"
        )
    kind = ev.OrderFilled if filled == state.quantity else ev.OrderPartiallyFilled
    events.append(kind(state.order_id, command.fill_id, command.quantity, command.price, filled))
    if unwanted:
        events.append(ev.CancelRequested(state.order_id, _LATE))
    return events


def evolve(state: OrderState | None, event: ev.Event) -> OrderState:
    """The order after an event."""
    if isinstance(event, ev.OrderPlanned):
        return OrderState(**{a.name: getattr(event, a.name) for a in attrs.fields(ev.OrderPlanned)}, status=_S.PLANNED)
    assert state is not None, "an order begins with its plan"
    match event:
        case ev.OrderQueued():
            return attrs.evolve(state, status=_S.QUEUED, body_hash=event.body_hash, not_after=event.not_after)
        case ev.OrderSubmitted():
            return attrs.evolve(state, status=_S.SUBMITTED, submits=event.attempt, in_flight=True)
        case ev.OrderNotSent():
            return attrs.evolve(state, status=_S.QUEUED, in_flight=False)
        case ev.OrderOutcomeUnknown():
            return attrs.evolve(state, status=_S.UNKNOWN, exists_at_broker=state.exists_at_broker or event.exists)
        case ev.OrderAccepted():
            status = event.status if state.status in _OURS or state.was_given_up else state.status
            return attrs.evolve(
                state,
                status=status,
                broker_order_id=event.broker_order_id,
                broker_updated_at=event.updated_at,
                in_flight=False,
            )
        case ev.OrderUpdated():
            return attrs.evolve(state, status=event.status, broker_updated_at=event.updated_at)
        case ev.OrderPartiallyFilled() | ev.OrderFilled():
            return _evolve_fill(state, event)
        case ev.OrderRejected():
            return attrs.evolve(state, status=_S.REJECTED, in_flight=False)
        case ev.OrderCanceled():
            return _ended(state, _S.CANCELED, event.broker_filled_qty)
        case ev.OrderExpired():
            return _ended(state, _S.EXPIRED, event.broker_filled_qty)
        case ev.OrderReplaced():
            return _ended(state, _S.REPLACED, event.broker_filled_qty)
        case ev.CancelRequested():
            return attrs.evolve(state, cancel_requested=True, cancels=0, cancel_taken=False)
        case ev.CancelSubmitted():
            return attrs.evolve(state, cancels=event.attempt, cancel_in_flight=True)
        case ev.CancelAnswered():
            return attrs.evolve(state, cancel_in_flight=False, cancel_taken=event.accepted)
        case _:
            raise InvariantViolated(f"an order cannot hold {event.NAME}")


def _ended(state: OrderState, status: OrderStatus, broker_filled: Decimal) -> OrderState:
    return attrs.evolve(state, status=status, in_flight=False, broker_filled_qty=broker_filled)


def _evolve_fill(state: OrderState, event: ev.OrderPartiallyFilled | ev.OrderFilled) -> OrderState:
    if isinstance(event, ev.OrderFilled):
        status = _S.FILLED
    else:
        status = state.status if state.status.is_terminal else _S.PARTIALLY_FILLED
    return attrs.evolve(
        state,
        status=status,
        filled_qty=event.filled_qty,
        filled_value=plus(state.filled_value, times(event.quantity, event.price)),
        in_flight=False,
    )
