"""Comparing, round after round: what differs is recorded once nothing that is on its way can explain it any more."""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable
from decimal import Decimal

import attrs

from tradecore.domain.account import AccountState
from tradecore.domain.commands import FilledSoFar, NoteSuspension
from tradecore.domain.events import FillRevision
from tradecore.domain.fill import is_moot
from tradecore.domain.messages import Cause
from tradecore.domain.truth import Known, Source
from tradecore.domain.values import ZERO
from tradecore.inbox import Inbox
from tradecore.ledger import Ledger
from tradecore.outbox import Outbox
from tradecore.ports.broker import Broker
from tradecore.ports.clock import Clock
from tradecore.ports.ids import Ids
from tradecore.reconcile import (
    OF_ORDERS,
    UNDECIDED,
    Difference,
    Differences,
    Reconciler,
    compare_order,
    compare_standing,
    confirmed,
    may_be_late,
)

_OFTEN_LATE = (*OF_ORDERS, UNDECIDED)
"""What the next look often explains."""


@attrs.frozen
class Round:
    """What a comparison came to: how things stand, what of it is certain, and what may still explain itself.

    `doubted` are those of the latter that the round before saw too. A round with any of the latter is no conclusion.
    """

    standing: Differences
    certain: tuple[Difference, ...] = ()
    waiting: tuple[Difference, ...] = ()
    doubted: tuple[Difference, ...] = ()


class Comparer:
    """Compares books and broker for one account."""

    def __init__(
        self,
        ledger: Ledger,
        broker: Broker,
        inbox: Inbox,
        outbox: Outbox,
        clock: Clock,
        ids: Ids,
        account: str,
        cash_tolerance: Decimal,
        collect: Callable[[], Awaitable[None]],
        ask_time: Callable[[], Awaitable[dt.datetime]],
        patience_s: float,
    ) -> None:
        """`collect` reads again what the broker knows, `ask_time` its time.

        A difference may be put down to something that is on its way for `patience_s`.
        """
        self._ledger = ledger
        self._broker = broker
        self._inbox = inbox
        self._outbox = outbox
        self._clock = clock
        self._ids = ids
        self._account = account
        self._collect = collect
        self._ask_time = ask_time
        self._patience_s = patience_s
        self._reconciler = Reconciler(ledger, ids, account, cash_tolerance)
        self._since: dict[tuple[str, str], float] = {}
        self._before: frozenset[Difference] = frozenset()
        self._concluded: tuple[dt.datetime, float] | None = None  # as of, by the broker's clock and the monotonic one
        self.is_unsure = True
        """Whether the last round came to no conclusion, so that the next should not wait for its time."""

    async def compare(self, why: str) -> Round | None:
        """A round; None when the account does not stand still. Raises `BrokerUnreachable`, `ProtocolError`."""
        self.is_unsure = True
        began = self._clock.monotonic()
        await self._look_at_suspension()
        await self._collect()
        as_of = await self._ask_time()
        found = await confirmed(self._ledger, self._broker, self._account, self._collect_far)
        if found is None:
            return None
        if found or why != "schedule":
            await self._inbox.collect_activities()
            self._inbox.catch_up()  # others may have booked what is only seen to be booked here
            before = self._ledger.account(self._account)
            found = await compare_standing(self._ledger, self._broker, self._account) if found else ()
            self._inbox.catch_up()
            if found and self._ledger.account(self._account) != before:
                return None
        known = Differences.of(self._ledger, self._account)
        result = self._judge(known, (*found, *await self._compare_orders(known), *self._undecided(known)))
        certain = (*result.certain, *self._halted())
        standing = self._reconciler.record(
            why, as_of, certain, concluded=not result.waiting, orders_from=self._inbox.waits_since
        )
        if not result.waiting:
            self._concluded, self.is_unsure = (as_of, began), False
        return attrs.evolve(result, standing=standing)

    def known(self, limit_s: float | None) -> Known[AccountState]:
        """The account as of the last conclusion; stale when that is longer ago than `limit_s`, None for no matter."""
        account = self._ledger.account(self._account)
        limit = None if limit_s is None else dt.timedelta(seconds=limit_s)
        if self._concluded is None:
            return Known(account, Source.UNAVAILABLE, None, None, limit)
        as_of, at = self._concluded
        # The broker's clock may be that of a market replayed faster than ours.
        age = dt.timedelta(seconds=self._clock.monotonic() - at)
        source = Source.LIVE if limit is None or age <= limit else Source.STALE
        return Known(account, source, as_of, age, limit)

    async def _look_at_suspension(self) -> None:
        """Take in whether the broker refuses new orders, unless it was told to change that meanwhile."""
        before = self._ledger.kill(self._account)
        shown = (await self._broker.account()).suspended
        self._inbox.catch_up()
        if self._ledger.kill(self._account) == before:
            cause = Cause(self._ids.trace_id(), actor="reconciliation")
            self._ledger.handle(NoteSuspension(self._account, shown), cause)
            self._inbox.catch_up()

    async def _collect_far(self) -> None:
        """Read from further back than usual: what was missed may be a revision of long ago."""
        await self._inbox.collect(far=True)
        self._inbox.catch_up()

    def _judge(self, known: Differences, found: tuple[Difference, ...]) -> Round:
        """Tell what is certain from what an order or a report that is on its way may explain in a moment."""
        now, account = self._clock.monotonic(), self._ledger.account(self._account)
        before, seen = self._before, self._since
        self._before = frozenset(found)
        self._since = {item.key: seen.get(item.key, now) for item in found}
        certain: list[Difference] = []
        waiting: list[Difference] = []
        for item in found:
            on_its_way = self._inbox.behind or self._may_come_of_unresolved(item)
            explains_itself = (
                not known.has(item)
                and now - self._since[item.key] < self._patience_s
                and (on_its_way or (item not in before and (item.what in _OFTEN_LATE or may_be_late(account, item))))
            )
            (waiting if explains_itself else certain).append(item)
        # An order that differs for the first time is looked at again, and keeps nothing else from being known.
        unsettled = tuple(item for item in waiting if item.what not in OF_ORDERS)
        return Round(known, tuple(certain), unsettled, tuple(item for item in unsettled if item.key in seen))

    def _may_come_of_unresolved(self, difference: Difference) -> bool:
        unresolved = self._outbox.unresolved_orders
        if difference.what in OF_ORDERS:
            return difference.subject in unresolved
        if difference.what == "cash":
            return bool(unresolved)
        orders = (self._ledger.order(order_id) for order_id in unresolved)
        return any(order is not None and order.symbol == difference.subject for order in orders)

    async def _compare_orders(self, known: Differences) -> tuple[Difference, ...]:
        """What differs twice of the orders that the broker was asked about, and of those that differed before."""
        first = await self._look_at_orders(known)
        if not first:
            return ()
        await self._collect()
        again = await self._look_at_orders(known)
        return tuple(item for item in first if item in again)

    async def _look_at_orders(self, known: Differences) -> tuple[Difference, ...]:
        shown = dict(self._inbox.shown)
        for order_id in sorted(known.orders - shown.keys()):  # out of the window by now
            order = self._ledger.order(order_id)
            if order is not None and order.broker_order_id is not None:
                shown[order_id] = await self._broker.order(order.broker_order_id)
        found: list[Difference] = []
        for order_id, theirs in shown.items():
            order = self._ledger.order(order_id)
            if order is not None and not order.halted:  # a contradiction is a difference of its own
                found += compare_order(order, theirs)
        return tuple(found)

    def _undecided(self, known: Differences) -> list[Difference]:
        """Busts and corrections that were told, and may mean one execution or another."""
        self._inbox.ask_about(known.undecided)
        found = []
        for order_id, revisions in self._inbox.undecided.items():
            for told in () if self._is_moot(order_id, revisions) else revisions:
                word = "busts" if told.busts else "corrects"
                theirs = f"{told.execution_id} {word} one: {told.quantity:f} at {told.price:f}"
                found.append(Difference(UNDECIDED, order_id, "cannot tell which execution is meant", theirs))
        return found

    def _is_moot(self, order_id: str, revisions: tuple[FillRevision, ...]) -> bool:
        order, shown = self._ledger.order(order_id), self._inbox.shown.get(order_id)
        if order is None or shown is None or order.filled_before:
            return False
        if shown.filled_qty and shown.filled_avg_price is None:
            return False
        so_far = FilledSoFar(shown.filled_qty, shown.filled_avg_price or ZERO)
        return is_moot(order.filled_qty, order.filled_value, revisions, so_far)

    def _halted(self) -> tuple[Difference, ...]:
        return tuple(Difference("order", order_id, "halted", reason) for order_id, reason in self._inbox.halted.items())
