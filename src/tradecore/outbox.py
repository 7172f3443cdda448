"""Outbox: recorded intent → broker call → recorded answer. The only caller of `Broker.submit` and `Broker.cancel`.

The protocol, per order: T1 (elsewhere) records the intent. T2 records the attempt, after checking that the intent is
fresh, unchanged and still wanted. Then one call. T3 records its outcome. What has an attempt and no outcome, in this
process or after a crash, is looked up at the broker by its client order id; only after the broker has denied knowing it
several times, over a window in which the request could still have been on its way, is the same order sent again.
"""

from __future__ import annotations

import enum
from collections.abc import Callable

import anyio
import attrs
import structlog

from tradecore.domain import commands as cmd
from tradecore.domain import streams
from tradecore.domain.events import AlertTriggered, Event, OrderSubmitted
from tradecore.domain.messages import Cause, Recorded
from tradecore.domain.order import OrderState
from tradecore.domain.terms import body_hash
from tradecore.domain.values import OrderStatus
from tradecore.errors import (
    AlreadyExists,
    BrokerRefused,
    BrokerUnauthorized,
    BrokerUnreachable,
    InvariantViolated,
    NotSent,
    OutcomeUnknown,
    ProtocolError,
)
from tradecore.failpoints import failpoint
from tradecore.ledger import Ledger
from tradecore.ports.broker import Broker, BrokerOrder, OrderRequest, ReplaceRequest
from tradecore.ports.clock import Clock
from tradecore.ports.ids import Ids, Rng

_log = structlog.get_logger("tradecore.outbox")
_LOOKUPS_BEFORE_ALERT = 10


class Kind(enum.IntEnum):
    """What an order needs, most urgent first."""

    CANCEL = 0
    RESOLVE = 1
    SUBMIT = 2


@attrs.frozen
class Pace:
    """How patient delivery is, in seconds; see `[delivery]` in the settings."""

    visibility_s: float = 10.0
    lookup_interval_s: float = 2.0
    lookups: int = 3
    retry_initial_s: float = 2.0
    retry_max_s: float = 60.0
    retry_jitter_s: float = 1.0
    max_concurrent: int = 5


@attrs.define
class Item:
    """An order with open work. Times are on the monotonic clock of this process."""

    order_id: str
    kind: Kind
    due_at: float = 0.0
    busy: bool = False
    failures: int = 0
    first_lookup_at: float | None = None
    lookups: int = 0


def needs(order: OrderState) -> Kind | None:
    """What the order needs from the broker, as its events tell it; None when nothing."""
    if order.status.is_terminal:
        return None
    if order.broker_order_id is None:
        if order.leg is not None and order.replaces is None:
            return None  # the broker makes it with its parent
        return Kind.SUBMIT if order.status is OrderStatus.QUEUED else Kind.RESOLVE
    if order.cancel_requested and not order.cancel_spent:
        return Kind.CANCEL
    return None


def request_of(order: OrderState) -> OrderRequest:
    """Exactly what is sent for an order."""
    return OrderRequest(
        client_order_id=order.client_order_id,
        symbol=order.symbol,
        side=order.side,
        quantity=order.quantity,
        order_type=order.order_type,
        limit_price=order.limit_price,
        time_in_force=order.time_in_force,
        extended_hours=order.extended_hours,
        notional=order.notional,
        stop_price=order.stop_price,
        trail_price=order.trail_price,
        trail_percent=order.trail_percent,
        order_class=order.order_class,
        take_profit=order.take_profit,
        stop_loss=order.stop_loss,
    )


def replace_request_of(order: OrderState) -> ReplaceRequest:
    """Exactly what is sent for an order that is to take the place of another."""
    return ReplaceRequest(
        client_order_id=order.client_order_id,
        quantity=order.quantity,
        limit_price=order.limit_price,
        stop_price=order.stop_price,
        trail=order.trail_price if order.trail_price is not None else order.trail_percent,
        time_in_force=order.time_in_force,
    )


class Outbox:
    """The working set of open deliveries, and the one place that calls the broker."""

    def __init__(
        self,
        ledger: Ledger,
        broker: Broker,
        clock: Clock,
        ids: Ids,
        rng: Rng,
        lease_token: Callable[[], str],
        pace: Pace,
        account: str = "main",
    ) -> None:
        """`account` is the one behind the broker's keys: orders of other accounts are not this outbox's.

        `lease_token` is asked for every attempt, so that a lease that was lost is noticed before anything is sent.
        """
        self._ledger = ledger
        self._account = account
        self._broker = broker
        self._clock = clock
        self._ids = ids
        self._rng = rng
        self._lease_token = lease_token
        self._pace = pace
        self._items: dict[str, Item] = {}
        self._changed = anyio.Event()
        self._closing = False
        self.refusal: Callable[[OrderState], str | None] = lambda _: None
        """Why an order that the broker does not have yet is not to be sent any more; None when it is."""

    # --- the working set: a fold of the log -------------------------------------------------------------------------

    def observe(self, events: tuple[Recorded[Event], ...]) -> None:
        """Take in appended events: what they open, change or close."""
        for order_id in streams.orders_in(events):
            self.consider(order_id)

    def consider(self, order_id: str) -> None:
        """Look at an order anew and keep, change or drop its item."""
        order = self._ledger.order(order_id)
        if order is not None and order.account != self._account:
            return  # these keys open another account
        kind = needs(order) if order is not None else None
        item = self._items.get(order_id)
        if kind is None:
            if item is not None and not item.busy:
                del self._items[order_id]
        elif item is None:
            self._items[order_id] = Item(order_id, kind)
        elif not item.busy and item.kind is not kind:
            self._items[order_id] = Item(order_id, kind, failures=item.failures)
        self._signal()

    @property
    def open_items(self) -> int:
        """How many orders have open work."""
        return len(self._items)

    @property
    def unresolved(self) -> int:
        """How many orders may be at the broker without our knowing."""
        return sum(1 for item in self._items.values() if item.kind is Kind.RESOLVE)

    # --- delivery ---------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Deliver for ever; cancelled by the runner, which lets calls that are under way finish (`drain`)."""
        async with anyio.create_task_group() as group:
            while True:
                changed = self._changed
                now = self._clock.monotonic()
                for item in self._due(now):
                    item.busy = True
                    group.start_soon(self._deliver, item)
                with anyio.move_on_after(self._until_next(now)):
                    await changed.wait()

    async def drain(self) -> None:
        """Wait until no order has open work."""
        while self._items:
            changed = self._changed
            await changed.wait()

    async def settle_calls(self) -> None:
        """Start no further delivery, and wait until no call to the broker is under way."""
        self._closing = True
        while any(item.busy for item in self._items.values()):
            changed = self._changed
            await changed.wait()

    def _due(self, now: float) -> list[Item]:
        free = self._free_places()
        waiting = [item for item in self._items.values() if not item.busy and item.due_at <= now]
        waiting.sort(key=lambda item: (item.kind, item.due_at))
        chosen: list[Item] = []
        for item in waiting:
            if self._has_place(item, free):
                chosen.append(item)
                free -= 1
        return chosen

    def _until_next(self, now: float) -> float | None:
        """Seconds until an item falls due that has a place; a full house waits for a call to end instead."""
        free = self._free_places()
        times = [item.due_at for item in self._items.values() if not item.busy and self._has_place(item, free)]
        return max(0.0, min(times) - now) if times else None

    def _free_places(self) -> int:
        busy = sum(1 for item in self._items.values() if item.busy)
        return 0 if self._closing else max(0, self._pace.max_concurrent - busy)

    def _has_place(self, item: Item, free: int) -> bool:
        """The last place is kept for cancels and look-ups: hanging submits must not hold up either."""
        kept = 1 if item.kind is Kind.SUBMIT and self._pace.max_concurrent > 1 else 0
        return free > kept

    async def _deliver(self, item: Item) -> None:
        try:
            order = self._ledger.order(item.order_id)
            kind = needs(order) if order is not None else None
            if order is not None and kind is not None:
                item.kind = kind
                match kind:
                    case Kind.SUBMIT:
                        await self._submit(item, order)
                    case Kind.RESOLVE:
                        await self._resolve(item, order)
                    case Kind.CANCEL:
                        await self._cancel(item, order)
        finally:
            item.busy = False
            self._refresh(item)

    def _refresh(self, item: Item) -> None:
        """After a delivery: keep what is still open (with its timing), drop what is done."""
        order = self._ledger.order(item.order_id)
        kind = needs(order) if order is not None else None
        if kind is None:
            self._items.pop(item.order_id, None)
        elif kind is not item.kind:
            self._items[item.order_id] = Item(item.order_id, kind, due_at=item.due_at, failures=item.failures)
        self._signal()

    async def _submit(self, item: Item, order: OrderState) -> None:
        """T2, the call, T3."""
        reason = self.refusal(order)
        if reason is not None:
            self._record(cmd.WithdrawOrder(order.order_id, f"not sent: {reason}"))
            return
        failpoint("outbox.t2.before")
        start = cmd.StartSubmit(
            order.order_id, self._lease_token(), body_hash(order), self._clock.now(), attempt=order.submits + 1
        )
        if not any(isinstance(recorded.event, OrderSubmitted) for recorded in self._record(start)):
            return  # stale, withdrawn, or sent by somebody else
        marked = self._ledger.order(order.order_id)
        assert marked is not None, "an order does not vanish"
        failpoint("outbox.post.before")
        try:
            with anyio.CancelScope(shield=True):  # what was sent has an outcome, and it must be recorded
                answer = await self._broker.submit(request_of(marked))
                failpoint("outbox.post.after")
                self._record_answer(marked, answer, found=False)
        except BrokerRefused as refusal:
            code = f"{refusal.status}" if refusal.code is None else f"{refusal.status}/{refusal.code}"
            self._record(cmd.RecordRejection(order.order_id, code, refusal.message, refusal.raw))
        except NotSent as error:
            self._record(cmd.RecordNotSent(order.order_id, str(error)))
            self._retry_later(item, error.retry_after_s)
        except BrokerUnauthorized as error:  # nothing was done there, and nothing else will be: the runner must stop
            self._record(cmd.RecordNotSent(order.order_id, str(error)))
            raise
        except OutcomeUnknown as error:
            exists = isinstance(error, AlreadyExists)
            self._record(cmd.RecordUnknown(order.order_id, str(error), exists))
        failpoint("outbox.t3.after")

    async def _resolve(self, item: Item, order: OrderState) -> None:
        """Ask the broker whether it has the order; send again only what it has proved not to have."""
        now = self._clock.monotonic()
        if item.first_lookup_at is None:
            item.first_lookup_at = now
        try:
            found = await self._broker.order_by_client_id(order.client_order_id)
        except (BrokerUnreachable, ProtocolError) as error:
            _log.warning("look-up failed", order_id=order.order_id, error=str(error))
            item.due_at = self._clock.monotonic() + self._pace.lookup_interval_s
            return
        if found is not None:
            self._record_answer(order, found, found=True)
            failpoint("outbox.t3.after")
            return
        item.lookups += 1
        if order.exists_at_broker and item.lookups == _LOOKUPS_BEFORE_ALERT:
            self._alert("order_hidden", f"the broker claims to have order {order.order_id} and does not show it")
        waited = self._clock.monotonic() - item.first_lookup_at
        if order.exists_at_broker or item.lookups < self._pace.lookups or waited < self._pace.visibility_s:
            item.due_at = self._clock.monotonic() + self._pace.lookup_interval_s
            return
        assert order.not_after is not None, "an order is queued before it is sent"
        if order.cancel_requested or self._clock.now() > order.not_after:
            self._record(
                cmd.WithdrawOrder(order.order_id, "it never arrived at the broker, and it is too late to send")
            )
            return
        item.first_lookup_at, item.lookups = None, 0
        await self._submit(item, order)

    async def _cancel(self, item: Item, order: OrderState) -> None:
        """Ask for a cancel. That the request was taken ends the work; that the order ended, only its status says."""
        assert order.broker_order_id is not None, "only an order that the broker has can be canceled there"
        self._record(cmd.StartCancel(order.order_id, self._lease_token()))
        try:
            with anyio.CancelScope(shield=True):
                await self._broker.cancel(order.broker_order_id)
                self._record(cmd.RecordCancelAnswer(order.order_id, True, ""))
        except BrokerRefused as refusal:
            self._record(cmd.RecordCancelAnswer(order.order_id, False, refusal.message))
            self._alert_if_spent(order.order_id, refusal.message)
            self._retry_later(item, None)
        except (NotSent, OutcomeUnknown) as error:  # asking twice for a cancel does no harm
            self._record(cmd.RecordCancelAnswer(order.order_id, False, str(error)))
            self._alert_if_spent(order.order_id, str(error))
            self._retry_later(item, None)

    def _alert_if_spent(self, order_id: str, reason: str) -> None:
        order = self._ledger.order(order_id)
        if order is not None and not order.status.is_terminal and order.cancel_spent:
            message = f"order {order_id} is not canceled after {order.cancels} attempts, ask again: {reason}"
            self._alert("cancel_failed", message)

    def _alert(self, kind: str, message: str) -> None:
        cause = Cause(self._ids.trace_id(), actor="outbox")
        self._ledger.note(streams.BROKER, AlertTriggered(kind, message), cause)

    def _record_answer(self, order: OrderState, answer: BrokerOrder, *, found: bool) -> None:
        """T3 for an order that the broker has, after checking that it is the one that was decided on."""
        same = (answer.symbol, answer.side, answer.quantity, answer.order_type) == (
            order.symbol,
            order.side,
            order.quantity,
            order.order_type.value,
        )
        if not same:
            raise InvariantViolated(
                f"the broker holds {order.client_order_id} as {answer.side.value} {answer.quantity} {answer.symbol} "
                f"{answer.order_type}, but {order.side.value} {order.quantity} {order.symbol} {order.order_type.value} "
                "was decided"
            )
        self._record(
            cmd.RecordAnswer(
                order_id=order.order_id,
                broker_order_id=answer.broker_order_id,
                status=answer.status or OrderStatus.ACCEPTED,
                filled_qty=answer.filled_qty,
                updated_at=answer.updated_at,
                raw=answer.raw,
                found_by_lookup=found,
            )
        )

    def _record(self, command: cmd.Command) -> tuple[Recorded[Event], ...]:
        return self._ledger.handle(command, Cause(self._ids.trace_id(), actor="outbox"))

    def _retry_later(self, item: Item, wish_s: float | None) -> None:
        backoff = min(self._pace.retry_initial_s * 2.0**item.failures, self._pace.retry_max_s)
        item.failures += 1
        delay = max(backoff, wish_s or 0.0) + self._rng.uniform(0.0, self._pace.retry_jitter_s)
        item.due_at = self._clock.monotonic() + delay

    def _signal(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()
