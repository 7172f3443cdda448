"""The judge: an account of its own of everything that is written, and what must hold at every step."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable
from decimal import Decimal

from tests.simulation.books import Books, Fail, Order
from tests.simulation.envelopes import Envelopes
from tradecore.domain import events as ev
from tradecore.domain.messages import Recorded
from tradecore.domain.values import OrderStatus, TradingState

Truth = Callable[[str], str | None]
"""The status of the order that the exchange has under a client order id, None when it has none."""
_S = OrderStatus
_LANE = "main"
"""The lane of delivery; cycles have one of their own."""


class Judge(Books):
    """Follows the log."""

    def __init__(self, fail: Fail, reach: Counter[str], visibility_s: float, truth: Truth) -> None:
        super().__init__(fail, reach)
        self.envelopes = Envelopes(fail)
        self._truth = truth
        self._visibility_s = visibility_s
        self.state = TradingState.ACTIVE
        self.stopped_at = 0.0
        self.stopped_by = ""
        self.lanes: dict[str, tuple[str | None, int]] = {}
        self.open_differences: dict[str, str] = {}
        self.sagas: dict[str, dt.datetime] = {}
        self.comparing: set[str] = set()
        self._told: dict[str, Decimal] = {}

    def written(self, now: float, by: str, recorded: tuple[Recorded[ev.Event], ...]) -> None:
        """Look at an append."""
        for one in recorded:
            self.envelopes.check(one)
            self._take(now, by, one.event)
        told, self._told = self._told, {}
        for order_id, filled in told.items():  # an append is one step: its events may be in any order
            if filled != self.orders[order_id].filled:
                self.fail(
                    "I4", f"order {order_id} says {filled} is filled; its fills say {self.orders[order_id].filled}"
                )

    def _take(self, now: float, by: str, event: ev.Event) -> None:
        order = self.orders.get(getattr(event, "order_id", ""))
        before = order.status if order is not None else None
        match event:
            case ev.OrderPlanned():
                self.planned(event)
                self.orders[event.order_id].attempted_at = now
            case ev.OrderAdopted():
                self.adopted(event)
            case ev.OrderQueued() if order:
                order.status, order.not_after = _S.QUEUED, event.not_after
            case ev.OrderSubmitted() if order:
                self._submitted(now, by, order, event)
            case ev.OrderNotSent() if order:
                if order.attempts == 1 and self._truth(order.client_order_id) is not None:
                    self.fail("I2", f"order {order.order_id} is recorded as not sent; the exchange has it")
                order.status, order.is_answered = _S.QUEUED, True
            case ev.OrderOutcomeUnknown() if order:
                order.status, order.is_answered, order.may_be_there = _S.UNKNOWN, True, True
            case ev.OrderAccepted() if order:
                self._accepted(order, event)
            case ev.OrderUpdated() if order:
                order.status = event.status
            case ev.OrderPartiallyFilled() | ev.OrderFilled() if order:
                self._told[order.order_id] = event.filled_qty
                if isinstance(event, ev.OrderFilled):
                    order.status = _S.FILLED
                    self.reach["filled while canceling"] += order.is_to_be_canceled
                elif not order.status.is_terminal:
                    order.status = _S.PARTIALLY_FILLED
            case ev.OrderFillRevised() if order:
                self._told[order.order_id] = event.filled_qty
            case ev.OrderRejected() if order:
                if self._truth(order.client_order_id) not in (None, "rejected") and not order.is_leg:
                    self.fail("I2", f"order {order.order_id} is recorded as rejected; the exchange has it")
                order.status, order.is_answered = _S.REJECTED, True
            case ev.OrderCanceled() if order:
                if order.may_be_there and now - order.attempted_at < self._visibility_s and not order.broker_order_id:
                    self.fail("I2", f"{order.order_id} is given up {now - order.attempted_at:.1f} s after a send")
                order.status, order.is_answered = _S.CANCELED, True
            case ev.OrderExpired() if order:
                order.status = _S.EXPIRED
            case ev.OrderReplaced() if order:
                order.status = _S.REPLACED
            case ev.OrderCompleted() if order:
                order.status = _S.FILLED
            case ev.OrderDead() if order:
                order.is_dead = True
            case ev.OrderRetried() if order:
                order.is_dead = False
                order.not_after = event.not_after or order.not_after
            case ev.OrderHalted() if order:
                order.is_halted = True
                self.fail("I4", f"order {order.order_id} is halted: {event.reason}")
            case ev.CancelAnswered() if order:
                order.cancel_was_taken = event.accepted
            case ev.CancelRequested() if order:
                order.is_to_be_canceled = True
            case ev.FillRecorded():
                self.reach["fill during comparison"] += by in self.comparing
                self.filled(event)
            case ev.ReconciliationCompleted():
                self.comparing.discard(by)
            case ev.FillBusted():
                self.revised(event.fill_id, event.order_id, None)
            case ev.FillCorrected():
                self.revised(event.fill_id, event.order_id, (event.quantity, event.price, event.fees))
            case ev.AccountPinned():
                self.cash = event.cash
                self.positions = {held.symbol: held.quantity for held in event.positions}
            case ev.CashBooked():
                self.cash += event.amount
                self.booked.add(event.activity_id)
            case ev.LimitsSet():
                self.limits = event.limits
            case ev.ReservationMade():
                self.reserved(event)
            case ev.LimitBreached():
                self.reach[f"denied:{event.rule}"] += 1
            case ev.KillSwitchActivated():
                if self.state is not event.state:
                    self.stopped_at, self.stopped_by = now, by
                self.state = event.state
            case ev.KillSwitchCleared():
                self.state = TradingState.ACTIVE
            case ev.LaneTaken():
                holder, fence = self.lanes.get(event.lane, (None, 0))
                if event.fence != fence + 1:
                    self.fail("I11", f"fence {event.fence} of {event.lane} follows {fence}")
                if holder not in (None, event.holder):
                    is_delivery = event.lane == _LANE
                    self.reach["takeover" if is_delivery else "takeover of cycles"] += 1
                    during = is_delivery and any(not one.is_answered for one in self.orders.values())
                    self.reach["takeover during send"] += during
                self.lanes[event.lane] = (event.holder, event.fence)
            case ev.LaneLeft():
                self.lanes[event.lane] = (None, self.lanes[event.lane][1])
            case ev.LaneUsed():
                if self.lanes.get(event.lane) != (by, event.fence):
                    self.fail("I11", f"{by} uses {event.lane} under fence {event.fence}; it is {self.lanes}")
            case ev.DifferenceFound():
                self.open_differences[event.difference_id] = (
                    f"{event.kind} {event.subject}: {event.ours}/{event.theirs}"
                )
            case ev.DifferenceResolved():
                self.open_differences.pop(event.difference_id, None)
            case _:
                self.reach[f"event:{event.NAME}"] += 1
        if isinstance(event, ev.SagaStarted | ev.SagaStepped | ev.SagaCompensating):
            self.sagas[event.saga_id] = event.deadline
        elif isinstance(event, ev.SagaCompleted | ev.SagaFailed | ev.SagaNeedsPerson):
            self.sagas.pop(event.saga_id, None)
            self.reach[event.NAME] += 1
        if order is not None and before is not None and order.status is not before:
            self.reach[f"state:{order.status.value}"] += 1
            self.reach[f"transition:{before.value}>{order.status.value}"] += 1
            if before.is_terminal and not (order.status is _S.FILLED or isinstance(event, ev.OrderAccepted)):
                self.fail("I9", f"order {order.order_id} goes from {before.value} to {order.status.value}")

    def _submitted(self, now: float, by: str, order: Order, event: ev.OrderSubmitted) -> None:
        if order.status.is_terminal:
            self.fail("I2", f"order {order.order_id} is {order.status.value} and is marked to be sent")
        if event.attempt != order.attempts + 1:
            self.fail("I1", f"attempt {event.attempt} of {order.order_id} follows {order.attempts}")
        if not order.is_answered:
            self.fail("I1", f"order {order.order_id} is marked again while attempt {order.attempts} has no outcome")
        if order.may_be_there and now - order.attempted_at < self._visibility_s:
            self.fail("I1", f"order {order.order_id} may be there; sent again after {now - order.attempted_at:.1f} s")
        if order.may_be_there and not order.was_asked_for:
            self.fail("I1", f"order {order.order_id} may be there; sent again, and nobody asked for it since")
        if event.lease != f"lease:{by}" or self.lanes.get(_LANE, (None, 0))[0] not in (None, by):
            self.fail("I11", f"{by} marks under {event.lease}, the lanes are {self.lanes}")
        order.attempts, order.attempted_at, order.attempt_by = event.attempt, now, by
        order.status, order.is_answered, order.may_be_there = _S.SUBMITTED, False, False
        order.was_asked_for = False

    def _accepted(self, order: Order, event: ev.OrderAccepted) -> None:
        if order.broker_order_id not in (None, event.broker_order_id):
            self.fail("I1", f"order {order.order_id} is {order.broker_order_id} and {event.broker_order_id}")
        other = self.by_broker_id.setdefault(event.broker_order_id, order)
        if other is not order:
            self.fail("I1", f"{event.broker_order_id} is {other.order_id} and {order.order_id}")
        if order.broker_order_id is None and order.filled:
            self.reach["fill before answer"] += 1
        if event.found_by_lookup:
            self.reach["found by lookup"] += 1
        if order.status in (_S.PLANNED, _S.QUEUED, _S.SUBMITTED, _S.UNKNOWN) or order.broker_order_id is None:
            order.status = event.status
        order.broker_order_id, order.is_answered, order.is_dead = event.broker_order_id, True, False
