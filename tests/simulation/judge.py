"""The judge: an account of its own of everything that is written and sent, and what must hold at every step."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import attrs
import msgspec

from tradecore.domain import events as ev
from tradecore.domain.limits import Limits
from tradecore.domain.messages import Recorded
from tradecore.domain.values import ZERO, OrderStatus, Purpose, Side, TradingState

Fail = Callable[[str, str], None]
Truth = Callable[[str], str | None]
"""The status of the order that the exchange has under a client order id, None when it has none."""
_S = OrderStatus
_HEARD_WITHIN_S = 1.0
"""How soon every process must have heard of a stop that another one recorded."""


@attrs.define(eq=False)
class Order:
    """An order as the judge knows it from the log."""

    order_id: str
    client_order_id: str
    symbol: str
    sign: int
    quantity: Decimal | None
    plan: ev.OrderPlanned | None
    status: OrderStatus = _S.PLANNED
    broker_order_id: str | None = None
    not_after: dt.datetime | None = None
    filled: Decimal = ZERO
    attempts: int = 0
    attempted_at: float = 0.0
    attempt_by: str = ""
    was_asked_for: bool = False
    is_answered: bool = True
    may_be_there: bool = False
    posts: int = 0
    fills: dict[str, tuple[Decimal, Decimal, Decimal]] = attrs.field(factory=dict)
    is_leg: bool = False
    is_dead: bool = False
    is_halted: bool = False
    is_to_be_canceled: bool = False
    cancel_was_taken: bool = False
    replaces: str | None = None

    @property
    def is_external(self) -> bool:
        """Whether somebody else placed it."""
        return self.plan is None

    @property
    def remaining(self) -> Decimal:
        """What may still be filled."""
        return max(ZERO, (self.quantity or ZERO) - self.filled)


class Judge:
    """Follows the log and the wire."""

    def __init__(self, fail: Fail, reach: Counter[str], visibility_s: float, truth: Truth) -> None:
        self._fail = fail
        self._truth = truth
        self._visibility_s = visibility_s
        self.reach = reach
        self.orders: dict[str, Order] = {}
        self.by_client_id: dict[str, Order] = {}
        self.by_broker_id: dict[str, Order] = {}
        self.positions: dict[str, Decimal] = {}
        self.cash = ZERO
        self.limits = Limits()
        self.state = TradingState.ACTIVE
        self.stopped_at = 0.0
        self.stopped_by = ""
        self.lane: tuple[str | None, int] = (None, 0)
        self.open_differences: dict[str, str] = {}
        self.fill_ids: set[str] = set()
        self.sagas: dict[str, dt.datetime] = {}
        self._told: dict[str, Decimal] = {}
        self._event_ids: set[str] = set()
        self._versions: dict[str, int] = {}
        self._position = 0

    # --- the log ----------------------------------------------------------------------------------------------------

    def written(self, now: float, by: str, recorded: tuple[Recorded[ev.Event], ...]) -> None:
        """Look at an append."""
        for one in recorded:
            self._check_envelope(one)
            self._take(now, by, one.event)
        told, self._told = self._told, {}
        for order_id, filled in told.items():  # an append is one step: its events may be in any order
            if filled != self.orders[order_id].filled:
                self._fail(
                    "I4", f"order {order_id} says {filled} is filled; its fills say {self.orders[order_id].filled}"
                )

    def rewind(self, head: int) -> None:
        """Power was lost: what the ledger acknowledged must be there."""
        if head < self._position:
            self._fail(
                "I6", f"the ledger acknowledged position {self._position}, and ends at {head} after a loss of power"
            )

    def _check_envelope(self, one: Recorded[ev.Event]) -> None:
        envelope = one.envelope
        if envelope.position != self._position + 1:
            self._fail("I6", f"position {envelope.position} follows {self._position}")
        self._position = envelope.position
        version = self._versions.get(envelope.stream, 0)
        if envelope.version != version + 1:
            self._fail("I6", f"version {envelope.version} of {envelope.stream} follows {version}")
        self._versions[envelope.stream] = envelope.version
        if envelope.event_id in self._event_ids:
            self._fail("I7", f"event id {envelope.event_id} is there twice")
        if envelope.causation_id is not None and envelope.causation_id not in self._event_ids:
            self._fail("I7", f"{envelope.name} is caused by {envelope.causation_id}, which is not there before it")
        if len(envelope.trace_id) != 32 or not envelope.actor:
            self._fail("I7", f"{envelope.name} at {envelope.position} has no trace or no actor")
        self._event_ids.add(envelope.event_id)

    def _take(self, now: float, by: str, event: ev.Event) -> None:
        order = self.orders.get(getattr(event, "order_id", ""))
        before = order.status if order is not None else None
        match event:
            case ev.OrderPlanned():
                self._planned(event)
            case ev.OrderAdopted():
                self._adopted(event)
            case ev.OrderQueued() if order:
                order.status, order.not_after = _S.QUEUED, event.not_after
            case ev.OrderSubmitted() if order:
                self._submitted(now, by, order, event)
            case ev.OrderNotSent() if order:
                # A 429 counts as proof, and a gateway that refuses what it passed on is found by the next attempt.
                proven = order.attempts == 1 and "HTTP 429" not in event.reason
                if proven and self._truth(order.client_order_id) is not None:
                    self._fail("I2", f"order {order.order_id} is recorded as not sent; the exchange has it")
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
                elif not order.status.is_terminal:
                    order.status = _S.PARTIALLY_FILLED
            case ev.OrderFillRevised() if order:
                self._told[order.order_id] = event.filled_qty
            case ev.OrderRejected() if order:
                if self._truth(order.client_order_id) not in (None, "rejected") and not order.is_leg:
                    self._fail("I2", f"order {order.order_id} is recorded as rejected; the exchange has it")
                order.status, order.is_answered = _S.REJECTED, True
            case ev.OrderCanceled() if order:
                if order.may_be_there and now - order.attempted_at < self._visibility_s and not order.broker_order_id:
                    self._fail("I2", f"{order.order_id} is given up {now - order.attempted_at:.1f} s after a send")
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
                self._fail("I4", f"order {order.order_id} is halted: {event.reason}")
            case ev.CancelAnswered() if order:
                order.cancel_was_taken = event.accepted
            case ev.CancelRequested() if order:
                order.is_to_be_canceled = True
            case ev.FillRecorded():
                self._filled(event)
            case ev.FillBusted():
                self._revised(event.fill_id, event.order_id, None)
            case ev.FillCorrected():
                self._revised(event.fill_id, event.order_id, (event.quantity, event.price, event.fees))
            case ev.AccountPinned():
                self.cash = event.cash
                self.positions = {held.symbol: held.quantity for held in event.positions}
            case ev.CashBooked():
                self.cash += event.amount
            case ev.LimitsSet():
                self.limits = event.limits
            case ev.ReservationMade():
                self._reserved(event)
            case ev.LimitBreached():
                self.reach[f"denied:{event.rule}"] += 1
            case ev.KillSwitchActivated():
                if self.state is not event.state:
                    self.stopped_at, self.stopped_by = now, by
                self.state = event.state
            case ev.KillSwitchCleared():
                self.state = TradingState.ACTIVE
            case ev.LaneTaken():
                if event.fence != self.lane[1] + 1:
                    self._fail("I11", f"fence {event.fence} of the lane follows {self.lane[1]}")
                if self.lane[0] not in (None, event.holder):
                    self.reach["takeover"] += 1
                self.lane = (event.holder, event.fence)
            case ev.LaneLeft():
                self.lane = (None, self.lane[1])
            case ev.LaneUsed():
                if self.lane != (by, event.fence):
                    self._fail("I11", f"{by} uses the lane under fence {event.fence}; it is {self.lane}")
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
                self._fail("I9", f"order {order.order_id} goes from {before.value} to {order.status.value}")

    def _planned(self, event: ev.OrderPlanned) -> None:
        if event.order_id in self.orders or event.client_order_id in self.by_client_id:
            self._fail("I1", f"order {event.order_id} is planned twice")
        sign = 1 if event.side is Side.BUY else -1
        order = Order(event.order_id, event.client_order_id, event.symbol, sign, event.quantity, event)
        order.is_leg, order.replaces = event.leg is not None, event.replaces
        self.orders[order.order_id] = self.by_client_id[order.client_order_id] = order

    def _adopted(self, event: ev.OrderAdopted) -> None:
        sign = 1 if event.side is Side.BUY else -1
        order = Order(event.order_id, event.client_order_id, event.symbol, sign, event.quantity, None, event.status)
        order.broker_order_id = event.broker_order_id
        if event.broker_order_id in self.by_broker_id:
            self._fail("I1", f"order {event.broker_order_id} is adopted, and is known already")
        self.orders[order.order_id] = self.by_broker_id[event.broker_order_id] = order
        self.reach["adopted"] += 1

    def _submitted(self, now: float, by: str, order: Order, event: ev.OrderSubmitted) -> None:
        if order.status.is_terminal:
            self._fail("I2", f"order {order.order_id} is {order.status.value} and is marked to be sent")
        if event.attempt != order.attempts + 1:
            self._fail("I1", f"attempt {event.attempt} of {order.order_id} follows {order.attempts}")
        if not order.is_answered:
            self._fail("I1", f"order {order.order_id} is marked again while attempt {order.attempts} has no outcome")
        if order.may_be_there and now - order.attempted_at < self._visibility_s:
            self._fail("I1", f"order {order.order_id} may be there; sent again after {now - order.attempted_at:.1f} s")
        if order.may_be_there and not order.was_asked_for:
            self._fail("I1", f"order {order.order_id} may be there; sent again, and nobody asked for it since")
        if event.lease != f"lease:{by}" or self.lane[0] not in (None, by):
            self._fail("I11", f"{by} marks under {event.lease}, the lane is {self.lane}")
        order.attempts, order.attempted_at, order.attempt_by = event.attempt, now, by
        order.status, order.is_answered, order.may_be_there = _S.SUBMITTED, False, False
        order.was_asked_for = False

    def _accepted(self, order: Order, event: ev.OrderAccepted) -> None:
        if order.broker_order_id not in (None, event.broker_order_id):
            self._fail("I1", f"order {order.order_id} is {order.broker_order_id} and {event.broker_order_id}")
        other = self.by_broker_id.setdefault(event.broker_order_id, order)
        if other is not order:
            self._fail("I1", f"{event.broker_order_id} is {other.order_id} and {order.order_id}")
        if order.broker_order_id is None and order.filled:
            self.reach["fill before answer"] += 1
        if event.found_by_lookup:
            self.reach["found by lookup"] += 1
        if order.status in (_S.PLANNED, _S.QUEUED, _S.SUBMITTED, _S.UNKNOWN) or order.broker_order_id is None:
            order.status = event.status
        order.broker_order_id, order.is_answered, order.is_dead = event.broker_order_id, True, False

    # --- numbers ----------------------------------------------------------------------------------------------------

    def _filled(self, event: ev.FillRecorded) -> None:
        order = self.orders.get(event.order_id)
        if order is None:
            self._fail("I4", f"a fill of order {event.order_id}, which is not there")
            return
        if event.fill_id in self.fill_ids:
            self._fail("I9", f"fill {event.fill_id} is recorded twice")
        self.fill_ids.add(event.fill_id)
        order.fills[event.fill_id] = (event.quantity, event.price, event.fees)
        order.filled += event.quantity
        if order.quantity is not None and order.filled > order.quantity:
            self._fail("I4", f"order {order.order_id} of {order.quantity} is filled with {order.filled}")
        self._move(order, event.quantity, event.price, event.fees)

    def _revised(self, fill_id: str, order_id: str, now: tuple[Decimal, Decimal, Decimal] | None) -> None:
        order = self.orders[order_id]
        quantity, price, fees = order.fills.pop(fill_id)
        order.filled -= quantity
        self._move(order, -quantity, price, -fees)
        self.reach["bust" if now is None else "correct"] += 1
        if now is not None:
            order.fills[fill_id] = now
            order.filled += now[0]
            self._move(order, *now)

    def _move(self, order: Order, quantity: Decimal, price: Decimal, fees: Decimal) -> None:
        self.positions[order.symbol] = self.positions.get(order.symbol, ZERO) + order.sign * quantity
        self.cash -= order.sign * quantity * price + fees

    def _reserved(self, event: ev.ReservationMade) -> None:
        """I3, on the judge's own count of what may still happen: every order that did not end may fill."""
        limit = self.limits.max_position_qty
        order = self.orders.get(event.order_id)
        if order is not None and order.is_external:
            return  # nobody here decided it
        held = self.positions.get(event.symbol, ZERO)
        sign = 1 if event.side is Side.BUY else -1
        working = [
            one
            for one in self.orders.values()
            if one.symbol == event.symbol
            and one.sign == sign
            and not one.status.is_terminal
            and not one.is_leg
            and one is not order
            and one.order_id != event.replaces
            and one.replaces is None
        ]
        worst = abs(held * sign + sum((one.remaining for one in working), ZERO) + event.quantity)
        if limit is not None and worst > limit and held * sign >= 0 and worst > abs(held):
            self._fail("I3", f"{event.order_id} may bring {event.symbol} to {worst}; the limit is {limit}")

    # --- the wire ---------------------------------------------------------------------------------------------------

    def sent(self, now: float, wall: dt.datetime, by: str, method: str, path: str, body: bytes) -> None:
        """Look at a request that is about to leave a process; `body` is what it asks for where it only reads."""
        if method == "POST" and path == "/v2/orders":
            told = msgspec.json.decode(body)
            order = self.by_client_id.get(told.get("client_order_id", ""))
            if order is None or order.plan is None:
                self._fail("I1", f"{by} sends {told.get('client_order_id')!r}, which nobody recorded")
                return
            self._check_body(order.plan, told)
            self._check_sending(now, wall, by, order)
        elif method == "PATCH" and path.startswith("/v2/orders/"):
            told = msgspec.json.decode(body)
            order = self.by_client_id.get(told.get("client_order_id", ""))
            if order is None:
                self._fail("I1", f"{by} replaces by {told.get('client_order_id')!r}, which nobody recorded")
                return
            self._check_sending(now, wall, by, order)
            self.reach["replacement sent"] += 1
        elif path.endswith("by_client_order_id"):
            order = self.by_client_id.get(body.decode().partition("=")[2])
            if order is not None:
                order.was_asked_for = True

    def _check_body(self, plan: ev.OrderPlanned, told: dict[str, Any]) -> None:
        ours = (plan.symbol, plan.side.value, plan.order_type.value, plan.time_in_force.value)
        if ours != tuple(told.get(name) for name in ("symbol", "side", "type", "time_in_force")):
            self._fail("I3", f"{plan.order_id} was decided as {ours}, and is sent as {told}")
        for name in ("quantity", "limit_price", "stop_price"):
            mine, his = getattr(plan, name), told.get({"quantity": "qty"}.get(name, name))
            if (None if his is None else Decimal(str(his))) != mine:
                self._fail("I3", f"{name} of {plan.order_id} was decided as {mine}, and is sent as {his}")

    def _check_sending(self, now: float, wall: dt.datetime, by: str, order: Order) -> None:
        order.posts += 1
        if order.posts > order.attempts or order.attempt_by != by:
            self._fail("I1", f"{by} sends {order.order_id} for the {order.posts}. time; recorded are {order.attempts}")
        if order.status.is_terminal:
            self._fail("I2", f"{by} sends {order.order_id}, which is {order.status.value}")
        if order.not_after is not None and wall > order.not_after:
            self._fail("I3", f"{by} sends {order.order_id} at {wall}; its time ended {order.not_after}")
        grace = 0.0 if self.stopped_by == by else _HEARD_WITHIN_S
        is_late = self.state is TradingState.HALTED and now - self.stopped_at > grace
        if is_late and order.plan is not None and order.plan.purpose is Purpose.TRADE:
            self._fail("I5", f"{by} sends {order.order_id} {now - self.stopped_at:.2f} s after trading was halted")
