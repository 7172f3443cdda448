"""The outbox itself: takes up what is open, marks it, calls, and records what came of it."""

from __future__ import annotations

from collections.abc import Callable

import anyio
from anyio.abc import TaskGroup

from tradecore.batch import Given
from tradecore.domain import commands as cmd
from tradecore.domain import streams
from tradecore.domain.events import (
    AlertTriggered,
    CancelSubmitted,
    Event,
    KillSubmitted,
    OrderDead,
    OrderSubmitted,
)
from tradecore.domain.messages import Cause, Recorded
from tradecore.domain.order import OrderState
from tradecore.domain.switch import why_not_sent
from tradecore.domain.terms import body_hash
from tradecore.domain.values import Purpose
from tradecore.domain.work import Work
from tradecore.errors import BrokerUnreachable, ProtocolError, TradecoreError
from tradecore.failpoints import failpoint
from tradecore.ledger import Ledger
from tradecore.outbox import calls, lookups
from tradecore.outbox.answers import Done
from tradecore.outbox.needs import Kind, Priority, missing_legs, needs, priority
from tradecore.outbox.pace import Pace
from tradecore.outbox.queue import Item, WorkQueue
from tradecore.ports.broker import Broker
from tradecore.ports.clock import Clock
from tradecore.ports.ids import Ids, Rng

_KILL = "kill"
_SENDING = (Kind.SUBMIT, Kind.REPLACE)
_BEGUN = (OrderSubmitted, CancelSubmitted, KillSubmitted)


class Outbox:
    """The working set of open deliveries of one account."""

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

        `lease_token` is asked before anything is marked, so that a lease that was lost is noticed before anything is
        sent.
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
        self._queue = WorkQueue()
        self._busy = 0
        self._finished: list[tuple[Item, Done]] = []
        self._held_until = 0.0
        self._changed = anyio.Event()
        self._closing = False
        self.refusal: Callable[[OrderState], str | None] = lambda _: None
        """Why an order that the broker does not have yet is not to be sent any more; None when it is."""
        self.halt: Callable[[], str | None] = lambda: None
        """Why nothing but closing orders is to be sent, asked before every send; needs no ledger."""

    # --- the working set: a fold of the log -------------------------------------------------------------------------

    def observe(self, events: tuple[Recorded[Event], ...]) -> None:
        """Take in appended events: what they open, change or close."""
        for order_id in streams.orders_in(events):
            self._reconsider(order_id)
        if any(recorded.envelope.stream == streams.kill(self._account) for recorded in events):
            self._reconsider_kill()
        self._signal()

    def consider(self, order_id: str) -> None:
        """Look at an order anew and keep, change or drop its item."""
        self._reconsider(order_id)
        self._reconsider_kill()
        self._signal()

    @property
    def open_items(self) -> int:
        """How many pieces of work are open."""
        return len(self._items)

    @property
    def unresolved(self) -> int:
        """How many orders may be at the broker without our knowing."""
        return sum(1 for item in self._items.values() if item.kind is Kind.RESOLVE)

    def _reconsider(self, order_id: str) -> None:
        order = self._ledger.order(order_id)
        if order is not None and order.account != self._account:
            return  # these keys open another account
        parent = order.parent_order_id if order is not None else None
        if parent is not None and order is not None and (order.broker_order_id is None or parent in self._items):
            self._reconsider(parent)  # a leg is found by way of its parent
        kind = needs(order, self._ledger.order) if order is not None else None
        item = self._items.get(order_id)
        if item is not None and item.busy:
            return  # looked at again when its call has ended
        if order is None or kind is None:
            self._drop(order_id)
        elif item is None or item.kind is not kind:
            self._open(order, kind, item)

    def _reconsider_kill(self) -> None:
        state = self._ledger.kill(self._account)
        if state is None or not state.is_open:
            self._drop(_KILL)
        elif _KILL not in self._items:
            self._put(Item(_KILL, Kind.KILL, Priority.KILL, _KILL))

    def _open(self, order: OrderState, kind: Kind, before: Item | None) -> None:
        """Begin the next piece of work of an order; how often it failed, and until when it waits, goes on."""
        line = order.symbol if kind in _SENDING else order.order_id
        item = Item(order.order_id, kind, priority(kind, order), line)
        if before is not None:
            before.gone = True
            item.failures, item.number = before.failures, before.number
            if kind in _SENDING:
                item.due_at = before.due_at
        self._put(item)

    def _put(self, item: Item) -> None:
        self._items[item.key] = item
        self._queue.put(item, self._clock.monotonic())

    def _drop(self, key: str) -> None:
        item = self._items.get(key)
        if item is not None and not item.busy:
            item.gone = True
            del self._items[key]

    # --- delivery ---------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Deliver for ever; cancelled by the runner, which lets calls that are under way finish (`settle_calls`)."""
        try:
            async with anyio.create_task_group() as group:
                while True:
                    changed = self._changed
                    self._step(group)
                    with anyio.move_on_after(self._until_next()):
                        await changed.wait()
        finally:
            self._record(self._collect_finished(), [])

    async def drain(self) -> None:
        """Wait until no order has open work."""
        while self._items:
            changed = self._changed
            await changed.wait()

    async def settle_calls(self) -> None:
        """Start no further delivery, and wait until no call to the broker is under way."""
        self._closing = True
        while self._busy:
            changed = self._changed
            await changed.wait()

    def _step(self, group: TaskGroup) -> None:
        """Record everything that ended and mark everything that can begin, in one transaction; then begin."""
        finished = self._collect_finished()
        for item, _ in finished:  # its place is free for what is marked in the same transaction
            self._busy -= 1
            self._queue.release(item.line)
        taken = self._take()
        if not finished and not taken:
            return
        started = self._record(finished, taken)
        for item in taken:
            if item.key in started:
                group.start_soon(self._deliver, item, self._clock.monotonic())
            else:  # stale, withdrawn, or sent by somebody else
                self._busy -= 1
                self._queue.release(item.line)
                self._ended(item, Done())
        if taken or finished:
            self._signal()

    def _take(self) -> list[Item]:
        now = self._clock.monotonic()
        kept = 1 if self._pace.max_concurrent > 1 else 0
        taken: list[Item] = []
        while not self._closing:
            free = self._pace.max_concurrent - self._busy
            item = self._queue.take(now, only_urgent=free <= kept or now < self._held_until) if free > 0 else None
            if item is None:
                break
            item.busy = True
            self._busy += 1
            taken.append(item)
        return taken

    def _until_next(self) -> float | None:
        """Seconds until something falls due; a full house waits for a call to end instead."""
        if self._finished:
            return 0.0
        now = self._clock.monotonic()
        times = [self._queue.next_due()]
        if self._queue.has_ready and now < self._held_until:
            times.append(self._held_until)
        known = [time for time in times if time is not None]
        return max(0.0, min(known) - now) if known else None

    # --- T2 and T3 --------------------------------------------------------------------------------------------------

    def _collect_finished(self) -> list[tuple[Item, Done]]:
        finished, self._finished = self._finished, []
        return finished

    def _record(self, finished: list[tuple[Item, Done]], taken: list[Item]) -> set[str]:
        """One append for the outcomes of what ended and the marks of what begins; the keys of what may be called."""
        outcomes: list[Given] = [command for _, done in finished for command in done.commands]
        marked = [item for item in taken if item.is_marked]
        marks: list[Given] = []
        fatal: BaseException | None = None
        if marked:
            failpoint("outbox.t2.before")
            try:
                lease = self._lease_token()
                marks = [self._mark(item, lease) for item in marked]
            except TradecoreError as error:  # the lease is lost: what was done is recorded, and nothing begins
                fatal = error
        results = self._ledger.handle_many(outcomes + marks, self._cause()) if outcomes or marks else []
        if finished:
            failpoint("outbox.t3.after")
        for item, done in finished:
            self._ended(item, done)
            if done.alert is not None:
                self._alert(*done.alert)
            fatal = done.fatal or fatal
        self._alert_the_dead(results)
        fatal = next((result for result in results if isinstance(result, TradecoreError)), None) or fatal
        if fatal is not None:
            raise fatal
        begun = {item.key for item in taken if not item.is_marked}
        for item, result in zip(marked, results[len(outcomes) :], strict=True):
            assert not isinstance(result, TradecoreError), "it was raised"
            if any(isinstance(recorded.event, _BEGUN) for recorded in result):
                begun.add(item.key)
        return begun

    def _mark(self, item: Item, lease: str) -> cmd.Command:
        """T2."""
        if item.kind is Kind.KILL:
            return cmd.StartKill(self._account, lease)
        if item.kind is Kind.CANCEL:
            return cmd.StartCancel(item.key, lease)
        order = self._ledger.order(item.key)
        assert order is not None, "an order does not vanish"
        reason = self.refusal(order) or self._halted(order)
        if reason is not None:
            return cmd.WithdrawOrder(item.key, f"not sent: {reason}")
        return cmd.StartSubmit(item.key, lease, body_hash(order), self._clock.now(), attempt=order.submits + 1)

    def _ended(self, item: Item, done: Done) -> None:
        """Let an item go, or come back when its work is not done."""
        item.busy = False
        now = self._clock.monotonic()
        if done.hold_s is not None:
            self._held_until = max(self._held_until, now + done.hold_s)
        item.due_at = now + self._delay(item, done)
        item.send_again = done.send_again
        if item.key == _KILL:
            del self._items[_KILL]
            state = self._ledger.kill(self._account)
            if state is not None and state.is_open:
                self._put(item)
            return
        order = self._ledger.order(item.key)
        kind = needs(order, self._ledger.order) if order is not None else None
        if order is None or kind is None:
            self._drop(item.key)
        elif kind is item.kind:
            self._put(item)
        else:
            self._open(order, kind, item)

    def _delay(self, item: Item, done: Done) -> float:
        if done.retry_in_s is None:
            return 0.0
        if not item.is_marked:
            return done.retry_in_s
        item.failures += 1
        if item.kind in (Kind.CANCEL, Kind.KILL):
            return self._pace.linear(item.failures - 1, self._rng)
        return self._pace.doubling(item.failures - 1, self._rng, done.retry_in_s)

    # --- calls ------------------------------------------------------------------------------------------------------

    async def _deliver(self, item: Item, marked_at: float) -> None:
        """One call, whose outcome is recorded with whatever else ends at the same moment."""
        with anyio.CancelScope(shield=item.is_marked):  # what was sent has an outcome, and it must be recorded
            done = await self._call(item, marked_at)
            self._finished.append((item, done))
        self._signal()

    async def _call(self, item: Item, marked_at: float) -> Done:
        if item.kind is Kind.KILL:
            return await self._kill()
        find = self._ledger.order
        order = find(item.key)
        assert order is not None, "an order does not vanish"
        if item.kind is Kind.CANCEL:
            return await calls.cancel_order(self._broker, order)
        if item.is_marked:
            failpoint("outbox.post.before")
            return await self._send(order, marked_at)
        if item.kind is Kind.RESOLVE:
            return await lookups.resolve(self._broker, order, find, item, self._pace, self._clock)
        return await lookups.find_legs(self._broker, order, find, item, self._pace)

    def _halted(self, order: OrderState) -> str | None:
        return self.halt() if order.purpose is Purpose.TRADE else None

    def _stopped(self, order: OrderState) -> str | None:
        """Why an order whose attempt is recorded is not sent after all, or None: a stop may have come in between."""
        return self._halted(order) or why_not_sent(self._ledger.account(order.account), order)

    async def _send(self, order: OrderState, marked_at: float) -> Done:
        if (stopped := self._stopped(order)) is not None:
            return calls.not_sent(order, stopped)
        if self._clock.monotonic() - marked_at > self._pace.send_within_s:
            return calls.not_sent(order)
        if order.replaces is None:
            return await calls.submit_order(self._broker, order, missing_legs(order, self._ledger.order))
        old = self._ledger.order(order.replaces)
        old_id = old.broker_order_id if old is not None else None
        assert old_id is not None, "only what the broker has can be replaced"
        return await calls.replace_order(self._broker, order, old_id)

    async def _kill(self) -> Done:
        state = self._ledger.kill(self._account)
        assert state is not None, "it was just marked"
        done = await calls.kill_everything(self._broker, state)
        (answer,) = done.commands
        if isinstance(answer, cmd.RecordKillAnswer) and answer.accepted:
            try:
                left = await lookups.count_open(self._broker)
            except (BrokerUnreachable, ProtocolError) as error:
                done.commands = [cmd.RecordKillAnswer(self._account, True, str(error))]
            else:
                done.commands = [cmd.RecordKillAnswer(self._account, True, "", left)]
        return done

    # --- telling ----------------------------------------------------------------------------------------------------

    def _alert_the_dead(self, results: list[tuple[Recorded[Event], ...] | TradecoreError]) -> None:
        for result in results:
            for recorded in () if isinstance(result, TradecoreError) else result:
                event = recorded.event
                if isinstance(event, OrderDead):
                    kind = "cancel_failed" if event.work is Work.CANCEL else "delivery_dead"
                    what = f"the {event.work.value} of order {event.order_id} is dead after {event.attempts} attempts"
                    self._alert(kind, f"{what}, retry or discard it: {event.reason}")

    def _alert(self, kind: str, message: str) -> None:
        self._ledger.note(streams.BROKER, AlertTriggered(kind, message), self._cause())

    def _cause(self) -> Cause:
        return Cause(self._ids.trace_id(), actor="outbox")

    def _signal(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()
