"""The outbox itself: takes up what is open, marks it, calls, and records what came of it."""

from __future__ import annotations

from collections.abc import Callable

import anyio
import structlog
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
    PositionChange,
    ReservationReleased,
    SuspensionLiftSubmitted,
)
from tradecore.domain.messages import Cause, Recorded
from tradecore.domain.terms import body_hash
from tradecore.errors import InvariantViolated, LaneRefused, TradecoreError
from tradecore.failpoints import failpoint
from tradecore.ledger import Ledger, Outcome
from tradecore.outbox import deaths
from tradecore.outbox.answers import Done
from tradecore.outbox.caller import Caller
from tradecore.outbox.hands import Hands
from tradecore.outbox.lane import Lane
from tradecore.outbox.leave import Leave
from tradecore.outbox.needs import Kind
from tradecore.outbox.pace import Pace
from tradecore.outbox.queue import Item
from tradecore.outbox.waiting import WaitingRoom
from tradecore.outbox.working_set import KILL, WorkingSet
from tradecore.ports.broker import Broker
from tradecore.ports.clock import Clock
from tradecore.ports.ids import Ids, Rng

_log = structlog.get_logger("tradecore.outbox")
_OF_ACCOUNT = (KillSubmitted, SuspensionLiftSubmitted)
_BEGUN = (OrderSubmitted, CancelSubmitted, *_OF_ACCOUNT)
_ANSWERS = (cmd.RecordAnswer, cmd.RecordReport)
_MAKES_ROOM = (PositionChange, ReservationReleased)
"""What can make an order one that reduces."""
_AFTER_ITS_TIME_S = 0.01


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
        lane: Lane | None = None,
    ) -> None:
        """`account` is the one behind the broker's keys: orders of other accounts are not this outbox's.

        With a `lane` other processes may stand ready to deliver the account too; without one nobody else may.

        `lease_token` is asked before anything is marked, so that a lease that was lost is noticed before anything is
        sent.
        """
        self._ledger = ledger
        self._account = account
        self._clock = clock
        self._ids = ids
        self._rng = rng
        self._lease_token = lease_token
        self._pace = pace
        self._lane = lane
        self._open = WorkingSet(ledger, account, clock)
        self._waiting = WaitingRoom()
        self.leave = Leave(ledger, clock, account)
        self._caller = Caller(ledger, broker, clock, pace, account, self.leave)
        self._hands = Hands(self._deliver)
        self._busy = 0
        self._finished: list[tuple[Item, Done]] = []
        self._held_until = 0.0
        self._stuck_since: float | None = None
        self._changed = anyio.Event()
        self._closing = False

    # --- what is open -----------------------------------------------------------------------------------------------

    def observe(self, events: tuple[Recorded[Event], ...]) -> None:
        """Take in appended events: what they open, change or close."""
        if self._lane is not None:
            self._lane.observe(events)
        if self._stuck_since is not None and any(isinstance(recorded.event, _BEGUN) for recorded in events):
            self._stuck_since = None  # somebody delivers
        self._open.observe(events)
        if self._waiting:
            if any(isinstance(recorded.event, _MAKES_ROOM) for recorded in events):
                self._stand_again(self._waiting.let_go())
            else:
                found = map(self._waiting.take, streams.orders_in(events))
                self._stand_again([item for item in found if item is not None])
        self._signal()

    def consider(self, order_id: str) -> None:
        """Take up an order as a start does; what of it is dead is told."""
        order = self._ledger.order(order_id)
        if order is not None and order.account == self._account:
            deaths.tell_again(self._ledger, order, self._cause())
        self._open.consider(order_id)
        self._signal()

    def restore(self) -> None:
        """Take up what earlier runs left open and no order tells: a kill."""
        self._open.consider_kill()
        self._signal()

    def look_again(self) -> None:
        """What made orders wait may be gone."""
        self._stand_again(self._waiting.let_go())
        self._signal()

    def _stand_again(self, items: list[Item]) -> None:
        for item in items:
            item.due_at = 0.0
            self._open.queue.put(item, self._clock.monotonic())

    @property
    def open_items(self) -> int:
        """How many pieces of work are open."""
        return len(self._open.items)

    @property
    def unresolved(self) -> int:
        """How many orders may be at the broker without our knowing; not one that was proved not to be."""
        return len(self.unresolved_orders)

    @property
    def unresolved_orders(self) -> tuple[str, ...]:
        """Their ids."""
        items = self._open.items.values()
        return tuple(i.key for i in items if i.kind is Kind.RESOLVE and (i.busy or i.send_again is None))

    # --- delivery ---------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Deliver for ever; cancelled by the runner, which lets calls that are under way finish (`settle_calls`)."""
        try:
            async with anyio.create_task_group() as group:
                while True:
                    changed = self._next_change()
                    self._step(group)
                    with anyio.move_on_after(self._until_next()):
                        await changed.wait()
        finally:
            self._record(self._collect_finished(), [])

    async def drain(self) -> None:
        """Wait until no order has open work, but for what must wait."""
        while len(self._open.items) > len(self._waiting):
            changed = self._next_change()
            await changed.wait()

    def why_stuck(self, patience_s: float) -> str | None:
        """Why work that is ready was not begun for so long, by this process or another; None when all is well."""
        now = self._clock.monotonic()
        if self._stuck_since is None or now < self._stuck_since + patience_s:
            return None
        if self._lane is not None and not self._lane.is_held:
            return "another process holds the lane and delivers nothing"
        return "the broker wants to be left alone" if now < self._held_until else "nothing takes it up"

    async def settle_calls(self) -> None:
        """Start no further delivery, and wait until no call to the broker is under way."""
        self._closing = True
        while self._busy:
            changed = self._next_change()
            await changed.wait()
        if self._lane is not None:
            self._lane.leave()

    def _step(self, group: TaskGroup) -> None:
        """Record everything that ended and mark everything that can begin, in one transaction; then begin."""
        finished = self._collect_finished()
        for item, _ in finished:  # its place is free for what is marked in the same transaction
            self._busy -= 1
            self._open.queue.release(item.line)
        taken = self._take()
        if taken or self._busy or not self._open.queue.has_ready:
            self._stuck_since = None
        elif self._stuck_since is None:
            self._stuck_since = self._clock.monotonic()
        is_sign_due = self._lane is not None and self._lane.is_held and self._clock.monotonic() >= self._lane.due_at
        if not finished and not taken and not (is_sign_due and self._open.items):
            return
        started = self._record(finished, taken)
        for item in taken:
            if item.key in started:
                self._hands.give(group, item, self._clock.monotonic())
            else:  # stale, withdrawn, or sent by somebody else
                self._busy -= 1
                self._open.queue.release(item.line)
                self._ended(item, Done())
        if taken or finished:
            self._signal()

    def _take(self) -> list[Item]:
        now = self._clock.monotonic()
        kept = 1 if self._pace.max_concurrent > 1 else 0
        taken: list[Item] = []
        if self._closing:  # nor does it take a lane again that it left
            return taken
        if self._lane is not None and not self._lane.may_deliver(has_work=bool(self._open.items)):
            return taken
        self._stand_again(self._waiting.take_due(now))
        while True:
            free = self._pace.max_concurrent - self._busy
            item = self._open.queue.take(now, only_urgent=free <= kept or now < self._held_until) if free > 0 else None
            if item is None:
                break
            if item.brings_to_broker and self._must_wait(item, now):
                self._open.queue.release(item.line)
                continue
            item.busy = True
            self._busy += 1
            taken.append(item)
        return taken

    def _must_wait(self, item: Item, now: float) -> bool:
        """Whether an order waits, and is put aside."""
        order = self._ledger.order(item.key)
        assert order is not None, "an order does not vanish"
        wait_s = self.leave.seconds_to_wait(order)
        if wait_s is None:
            return False
        self._waiting.put(item, now + wait_s + _AFTER_ITS_TIME_S)
        self._signal()  # who drains does not wait for it
        return True

    def _until_next(self) -> float | None:
        """Seconds until something falls due; a full house waits for a call to end instead."""
        if self._finished:
            return 0.0
        if self._closing or self._busy >= self._pace.max_concurrent:
            return None
        now = self._clock.monotonic()
        times = [self._open.queue.next_due(), self._waiting.next_due()]
        if self._lane is not None:
            if self._open.items and not self._lane.is_held:
                return max(0.0, self._lane.due_at - now)
            times.append(self._lane.due_at if self._open.items else None)
        if self._open.queue.has_ready and now < self._held_until:
            times.append(self._held_until)
        known = [time for time in times if time is not None]
        return max(0.0, min(known) - now) if known else None

    # --- T2 and T3 --------------------------------------------------------------------------------------------------

    def _collect_finished(self) -> list[tuple[Item, Done]]:
        finished, self._finished = self._finished, []
        return finished

    def _record(self, finished: list[tuple[Item, Done]], taken: list[Item]) -> set[str]:
        """One append for the outcomes of what ended and the marks of what begins; the keys of what may be called."""
        # What was sent has an outcome whoever delivers by now; what was only asked counts while the lane is ours.
        outcomes: list[Given] = [command for item, done in finished for command in done.commands if item.is_marked]
        learned = [command for item, done in finished for command in done.commands if not item.is_marked]
        marked = [item for item in taken if item.is_marked]
        marks: list[cmd.Command] = []
        fatal: BaseException | None = None
        if marked:
            failpoint("outbox.t2.before")
            try:
                lease = self._lease_token()
                marks = [mark for item in marked if (mark := self._mark(item, lease)) is not None]
            except TradecoreError as error:  # the lease is lost: what was done is recorded, and nothing begins
                fatal = error
        results = self._handle(outcomes, [*learned, *marks])
        results = self._halt_contradicted(results, [*outcomes, *learned])
        if finished:
            failpoint("outbox.t3.after")
        for item, done in finished:
            self._ended(item, done)
            if done.alert is not None:
                self._alert(*done.alert)
            fatal = done.fatal or fatal
        for result in results:
            for recorded in () if isinstance(result, TradecoreError) else result:
                if isinstance(recorded.event, OrderDead):
                    deaths.tell(self._ledger, recorded, self._cause())
        fatal = next((each for each in results if isinstance(each, TradecoreError)), None) or fatal
        if fatal is not None:
            raise fatal
        begun = {item.key for item in taken if not item.is_marked}
        for result in results:
            assert not isinstance(result, TradecoreError), "it was raised"
            for recorded in result:
                if isinstance(recorded.event, _BEGUN):
                    begun.add(KILL if isinstance(recorded.event, _OF_ACCOUNT) else recorded.event.order_id)
        return begun

    def _halt_contradicted(self, results: list[Outcome], given: list[Given]) -> list[Outcome]:
        """Halt the orders whose answers cannot be true; everything else goes on."""
        for at, (result, command) in enumerate(zip(results, given, strict=False)):
            if isinstance(result, InvariantViolated) and isinstance(command, _ANSWERS):
                halt = cmd.HaltOrder(command.order_id, str(result), command.raw)
                results[at] = self._ledger.handle(halt, self._cause())
                self._alert("order_halted", f"order {command.order_id} is halted: {result}")
        return results

    def _handle(self, outcomes: list[Given], fenced: list[cmd.Command]) -> list[Outcome]:
        """Record; with a lane, what is `fenced` only together with the proof that the lane is ours."""
        if self._lane is None:
            given = outcomes + list(fenced)
            return self._ledger.handle_many(given, self._cause()) if given else []
        if not self._lane.is_held:
            return self._ledger.handle_many(outcomes, self._cause()) if outcomes else []
        results = self._ledger.handle_many([*outcomes, (self._lane.sign(), *fenced)], self._cause())
        if isinstance(results[-1], LaneRefused):
            _log.warning("somebody else delivers this lane by now", reason=str(results[-1]))
            results.pop()
        self._lane.signed()
        return results

    def _mark(self, item: Item, lease: str) -> cmd.Command | None:
        """T2; None when the order needs something else by now, because somebody else was at it."""
        if item.kind is Kind.KILL:
            killed = self._ledger.kill(self._account)
            is_kill = killed is None or killed.is_open
            return cmd.StartKill(self._account, lease) if is_kill else cmd.StartLift(self._account, lease)
        order = self._open.still_wanted(item)
        if order is None:
            return None
        if item.kind is Kind.CANCEL:
            return cmd.StartCancel(item.key, lease)
        reason = self.leave.given_up(order)
        if reason is not None:
            return cmd.WithdrawOrder(item.key, f"not sent: {reason}")
        before = order.submits if item.send_again is None else item.send_again
        return cmd.StartSubmit(item.key, lease, body_hash(order), self._clock.now(), attempt=before + 1)

    def _ended(self, item: Item, done: Done) -> None:
        """Let an item go, or come back when its work is not done."""
        now = self._clock.monotonic()
        if done.hold_s is not None:
            self._held_until = max(self._held_until, now + done.hold_s)
        item.due_at = now + self._delay(item, done)
        item.send_again = done.send_again
        self._open.came_back(item)

    def _delay(self, item: Item, done: Done) -> float:
        if done.retry_in_s is None:
            return 0.0
        if not item.is_marked:
            return done.retry_in_s
        item.failures += 1
        if item.kind in (Kind.CANCEL, Kind.KILL):
            return max(self._pace.linear(item.failures - 1, self._rng), done.retry_in_s)
        return self._pace.doubling(item.failures - 1, self._rng, done.retry_in_s)

    # --- calls ------------------------------------------------------------------------------------------------------

    async def _deliver(self, item: Item, marked_at: float) -> None:
        """One call, whose outcome is recorded with whatever else ends at the same moment."""
        done = await self._caller.call(item, marked_at)
        self._finished.append((item, done))  # only now: the list is another one whenever outcomes were recorded
        self._signal()

    # --- telling ----------------------------------------------------------------------------------------------------

    def _alert(self, kind: str, message: str) -> None:
        self._ledger.note(streams.BROKER, AlertTriggered(kind, message), self._cause())

    def _cause(self) -> Cause:
        return Cause(self._ids.trace_id(), actor="outbox")

    def _signal(self) -> None:
        self._changed.set()

    def _next_change(self) -> anyio.Event:
        """Set by whatever changes from here on."""
        if self._changed.is_set():
            self._changed = anyio.Event()
        return self._changed
