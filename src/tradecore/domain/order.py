"""Order: what was asked of the broker, and what is known of it.

A status never moves backwards: a late word cannot reopen a finished order. Fills are facts and always count, also
after a cancel or an expiry; whether the broker's count is reached decides when the order's reservation ends.
"""

from __future__ import annotations

from tradecore.domain import events as ev
from tradecore.domain.commands import (
    CancelOrder,
    DiscardWork,
    HaltOrder,
    RecordAnswer,
    RecordCancelAnswer,
    RecordFill,
    RecordNotSent,
    RecordRejection,
    RecordReport,
    RecordUnknown,
    RetryWork,
    StartCancel,
    StartSubmit,
    WithdrawOrder,
)
from tradecore.domain.evolving import changed
from tradecore.domain.order_state import OURS, OrderState, evolve
from tradecore.domain.values import ZERO, OrderStatus, plus
from tradecore.domain.work import CANCEL_ATTEMPTS, SUBMIT_ATTEMPTS, Work
from tradecore.errors import CancelRefused, InvariantViolated, WorkRefused

_S = OrderStatus
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

__all__ = ["OrderCommand", "OrderState", "decide", "evolve"]


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
    | RetryWork
    | DiscardWork
    | HaltOrder
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
        case RecordRejection() | RecordNotSent() | RecordUnknown():
            return _failed_attempt(state, command)
        case WithdrawOrder():
            if state.status.is_terminal or state.broker_order_id is not None or state.exists_at_broker:
                return []
            return [*_without_outcome(state), ev.OrderCanceled(state.order_id, command.reason, ZERO, "")]
        case HaltOrder():
            return [] if state.halted else [ev.OrderHalted(state.order_id, command.reason, command.raw)]
        case CancelOrder():
            return _request_cancel(state, command)
        case StartCancel():
            if state.status.is_terminal or not state.cancel_requested or state.cancel_taken:
                return []
            lost = [ev.CancelAnswered(state.order_id, False, _NO_OUTCOME)] if state.cancel_in_flight else []
            return [*lost, ev.CancelSubmitted(state.order_id, state.cancels + 1, command.lease)]
        case RecordCancelAnswer():
            return _cancel_answered(state, command)
        case RetryWork():
            return _retry(state, command)
        case DiscardWork():
            return _discard(state, command)


def _failed_attempt(state: OrderState, command: RecordRejection | RecordNotSent | RecordUnknown) -> list[ev.Event]:
    """T3 of an attempt that did not bring the order to the broker, or not for certain."""
    attempt = state.submits if command.attempt is None else command.attempt
    has_ended = state.status.is_terminal or state.broker_order_id is not None
    exists = isinstance(command, RecordUnknown) and command.exists
    if attempt != state.submits and (has_ended or not exists):  # only the outcome of the last attempt counts
        reason = command.message if isinstance(command, RecordRejection) else command.reason
        return [ev.StaleOutcome(state.order_id, attempt, _OUTCOMES[type(command)], reason)]
    if has_ended:
        return []
    match command:
        case RecordRejection():
            return [ev.OrderRejected(state.order_id, command.code, command.message, command.raw)]
        case RecordNotSent():
            if not state.in_flight:
                return []
            not_sent = ev.OrderNotSent(state.order_id, attempt, command.reason, command.counts)
            if not command.counts or state.failures + 1 < SUBMIT_ATTEMPTS:
                return [not_sent]
            return [not_sent, ev.OrderDead(state.order_id, state.work, state.submits, command.reason)]
        case RecordUnknown():
            if state.exists_at_broker or not (exists or (state.in_flight and state.status is not _S.UNKNOWN)):
                return []
            return [ev.OrderOutcomeUnknown(state.order_id, attempt, command.reason, command.exists)]


_OUTCOMES = {RecordRejection: "rejected", RecordNotSent: "not_sent", RecordUnknown: "unknown"}
_NO_OUTCOME = "no outcome was recorded: the process that sent it ended"
_ANOTHER_BODY = "what would be sent is not what was decided on"


def _without_outcome(state: OrderState) -> list[ev.Event]:
    """The outcome of an attempt that never got one, before anything else is recorded of the order."""
    if state.status is not _S.SUBMITTED:
        return []
    return [ev.OrderOutcomeUnknown(state.order_id, state.submits, _NO_OUTCOME, False)]


def _cancel_answered(state: OrderState, command: RecordCancelAnswer) -> list[ev.Event]:
    if not state.cancel_in_flight:
        return []
    answered = ev.CancelAnswered(state.order_id, command.accepted, command.message, command.counts)
    if command.accepted or not command.counts or state.cancels < CANCEL_ATTEMPTS or state.status.is_terminal:
        return [answered]
    return [answered, ev.OrderDead(state.order_id, Work.CANCEL, state.cancels, command.message)]


def _dead_work(state: OrderState) -> Work:
    """What of the order is dead. Raises `WorkRefused`."""
    if state.status.is_terminal:
        raise WorkRefused(f"order {state.order_id} is already {state.status.value}")
    if state.dead:
        return state.work
    if state.cancel_requested and state.cancel_spent and not state.cancel_taken:
        return Work.CANCEL
    if state.in_flight:
        raise WorkRefused(f"order {state.order_id} may be at the broker: it is looked up until that is known")
    raise WorkRefused(f"nothing of order {state.order_id} is dead: delivery still works on what it needs")


def _retry(state: OrderState, command: RetryWork) -> list[ev.Event]:
    work = _dead_work(state)
    if work is Work.CANCEL:
        retried = ev.OrderRetried(state.order_id, work, command.reason)
        return [retried, ev.CancelRequested(state.order_id, command.reason)]
    return [ev.OrderRetried(state.order_id, work, command.reason, command.not_after)]


def _discard(state: OrderState, command: DiscardWork) -> list[ev.Event]:
    work = _dead_work(state)
    discarded = ev.OrderDiscarded(state.order_id, work, command.reason)
    if work is Work.CANCEL:
        return [discarded]
    return [discarded, ev.OrderCanceled(state.order_id, command.reason, ZERO, "")]


def _start_submit(state: OrderState, command: StartSubmit) -> list[ev.Event]:
    """Allow a send only of the content that was decided on, while it is fresh, and while it is still wanted."""
    if state.status.is_terminal or state.broker_order_id is not None or state.exists_at_broker or state.dead:
        return []
    if state.awaits_approval:
        return []
    if command.attempt is not None and command.attempt != state.submits + 1:
        return []
    assert state.not_after is not None, "an order is queued before it is sent"
    lost = _without_outcome(state)
    if command.now > state.not_after:
        return [*lost, ev.OrderCanceled(state.order_id, "stale: its time to be sent had passed", ZERO, "")]
    if state.cancel_requested:
        return [*lost, ev.OrderCanceled(state.order_id, "canceled before it was sent", ZERO, "")]
    if command.body_hash != state.body_hash:  # a person must look; nothing else waits for that
        return [*lost, ev.OrderDead(state.order_id, state.work, state.submits, _ANOTHER_BODY)]
    return [*lost, ev.OrderSubmitted(state.order_id, state.submits + 1, command.lease)]


def _request_cancel(state: OrderState, command: CancelOrder) -> list[ev.Event]:
    if state.status.is_terminal:
        by = f" by {state.replaced_by}" if state.status is _S.REPLACED and state.replaced_by is not None else ""
        raise CancelRefused(f"order {state.order_id} is already {state.status.value}{by}")
    if state.cancel_requested and not state.cancel_spent:
        return []
    if state.dead or state.awaits_approval or (state.status is _S.QUEUED and state.submits == 0):
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
    given_up = state.is_unwanted
    if known is None:
        first = word.status if _rank(word.status) < _WORKING_RANK else _S.ACCEPTED
        found = isinstance(word, RecordReport) or word.found_by_lookup
        events.append(ev.OrderAccepted(state.order_id, word.broker_order_id, first, word.updated_at, found, word.raw))
        if first is word.status and state.status in OURS:
            return events  # that was all it said
        state = evolve(state, events[0])
    ending = _ending(state, word) or _counted_anew(state, word)
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
            reason = word.reason if isinstance(word, RecordReport) else "canceled at the broker"
            return ev.OrderCanceled(state.order_id, reason, word.filled_qty, word.raw)
        case _S.EXPIRED:
            return ev.OrderExpired(state.order_id, word.filled_qty, word.raw)
        case _S.REPLACED:
            return ev.OrderReplaced(state.order_id, word.filled_qty, word.raw)
        case _S.REJECTED:
            return ev.OrderRejected(state.order_id, "", "rejected by the broker", word.raw)
        # Only the broker knows what an amount of money came to, what was left for a replacement, how much of its parent
        # there was for a leg, and what is complete after a bust.
        case _S.FILLED if (
            state.quantity is None
            or state.revised_at
            or state.awaited
            or ((state.replaces or state.leg) and word.filled_qty < state.quantity)
        ):
            return ev.OrderCompleted(state.order_id, word.filled_qty, word.raw)
        case _:
            return None


def _counted_anew(state: OrderState, word: RecordAnswer | RecordReport) -> ev.Event | None:
    """The end again, with a lower count: it was told by a word from before a bust, and its fills would never come."""
    is_less = state.missing_fills and word.filled_qty < state.broker_filled_qty
    if not (is_less and state.revised_at and word.status is state.status):
        return None
    return _ending(changed(state, status=_S.ACCEPTED), word)


def _rank(status: OrderStatus) -> int:
    return _RANK.get(status, _WORKING_RANK)


def _moves_on(state: OrderState, word: RecordAnswer | RecordReport) -> bool:
    """Whether a working status is news: further along, or as far and later by the broker's clock."""
    if state.status.is_terminal or word.status.is_terminal or word.status in OURS or word.status is state.status:
        return False
    if word.status is _S.PARTIALLY_FILLED:  # told by fills; but a suspension or an attempt to cancel may be over
        return bool(state.filled_qty and state.broker_updated_at) and _is_later(state, word)
    if word.status is _S.NEW and state.filled_qty:
        return False  # it was new before it was filled in part
    before, after = _rank(state.status), _rank(word.status)
    if after != before:
        return after > before
    return _is_later(state, word)


def _is_later(state: OrderState, word: RecordAnswer | RecordReport) -> bool:
    return state.broker_updated_at is None or word.updated_at > state.broker_updated_at


def _fill(state: OrderState, command: RecordFill) -> list[ev.Event]:
    """Count an execution. More than was ordered is a broken promise of the broker: a person must look."""
    filled = plus(state.filled_qty, command.quantity)
    if state.quantity is not None and filled > state.quantity:
        raise InvariantViolated(
            f"order {state.order_id}: fills of {filled} exceed its quantity {state.quantity} "
            f"(execution {command.execution_id} of {command.quantity})"
        )
    events: list[ev.Event] = []
    unwanted = state.is_unwanted and not state.cancel_requested and filled != state.quantity
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
