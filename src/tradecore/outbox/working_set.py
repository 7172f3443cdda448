"""The working set: what is open for one account, a fold of the log that any process can make."""

from __future__ import annotations

from tradecore.domain import streams
from tradecore.domain.events import Event
from tradecore.domain.messages import Recorded
from tradecore.domain.order import OrderState
from tradecore.ledger import Ledger
from tradecore.outbox.needs import Kind, Priority, needs, priority
from tradecore.outbox.queue import Item, WorkQueue
from tradecore.ports.clock import Clock

KILL = "kill"
"""The key of the account's kill."""
SENDING = (Kind.SUBMIT, Kind.REPLACE)
"""What brings an order to the broker."""


class WorkingSet:
    """Items by key, and the queue in which those stand that are not under way."""

    def __init__(self, ledger: Ledger, account: str, clock: Clock) -> None:
        self._ledger = ledger
        self._account = account
        self._clock = clock
        self.items: dict[str, Item] = {}
        self.queue = WorkQueue()

    def observe(self, events: tuple[Recorded[Event], ...]) -> None:
        """Take in appended events: what they open, change or close."""
        for order_id in streams.orders_in(events):
            self.consider(order_id)
        kill = streams.kill(self._account)
        if any(recorded.envelope.stream == kill for recorded in events):
            self.consider_kill()

    def consider(self, order_id: str) -> None:
        """Look at an order anew and keep, change or drop its item."""
        order = self._ledger.order(order_id)
        if order is None or order.account != self._account:
            return  # these keys open another account
        parent = order.parent_order_id
        if parent is not None and (order.broker_order_id is None or parent in self.items):
            self.consider(parent)  # a leg is found by way of its parent
        item = self.items.get(order_id)
        if item is None or not item.busy:  # else it is looked at when its call has ended
            self._arrange(order, needs(order, self._ledger.order), item)

    def consider_kill(self) -> None:
        """Look at the account's kill anew."""
        state = self._ledger.kill(self._account)
        if state is None or not state.needs_broker:
            self._drop(KILL)
        elif KILL not in self.items:
            self._put(Item(KILL, Kind.KILL, Priority.KILL, KILL))

    def came_back(self, item: Item) -> None:
        """Look anew at an item whose call has ended; what is not done stands again, from when it is due."""
        item.busy = False
        if item.key == KILL:
            del self.items[KILL]
            state = self._ledger.kill(self._account)
            if state is not None and state.needs_broker:
                self._put(item)
            return
        order = self._ledger.order(item.key)
        assert order is not None, "an order does not vanish"
        kind = needs(order, self._ledger.order)
        if kind is item.kind:
            self._put(item)
        else:
            self._arrange(order, kind, item)

    def still_wanted(self, item: Item) -> OrderState | None:
        """The order that needs what the item is for; None when it does not any more: somebody else was at it."""
        order = self._ledger.order(item.key)
        return order if order is not None and needs(order, self._ledger.order) is item.kind else None

    def _arrange(self, order: OrderState, kind: Kind | None, item: Item | None) -> None:
        if kind is None:
            self._drop(order.order_id)
        elif item is None or item.kind is not kind:
            self._open(order, kind, item)

    def _open(self, order: OrderState, kind: Kind, before: Item | None) -> None:
        """Begin the next piece of work of an order; how often it failed, and until when it waits, goes on."""
        line = order.symbol if kind in SENDING else order.order_id
        item = Item(order.order_id, kind, priority(kind, order), line)
        if before is not None:
            before.gone = True
            item.failures, item.number = before.failures, before.number
            if kind in SENDING:
                item.due_at = before.due_at
        self._put(item)

    def _put(self, item: Item) -> None:
        self.items[item.key] = item
        self.queue.put(item, self._clock.monotonic())

    def _drop(self, key: str) -> None:
        item = self.items.get(key)
        if item is not None and not item.busy:
            item.gone = True
            del self.items[key]
