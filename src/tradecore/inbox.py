"""Inbox: what the broker says → recorded facts. A repeat does nothing; what cannot be read is parked, never dropped.

The stream is a hint; the record is what is read again since a watermark: on every connect, at every gap, on a schedule.
Both end in the same commands, and a fill's identity is the same on both, so it does not matter which comes first.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable

import structlog

from tradecore.activities import read_from, unbooked
from tradecore.attribution import Attribution, external_order_id
from tradecore.domain import events as ev
from tradecore.domain import streams
from tradecore.domain.messages import Recorded
from tradecore.domain.order_state import OrderState
from tradecore.domain.values import ZERO, OrderStatus, plus
from tradecore.errors import BrokerUnreachable, InputError, ProtocolError
from tradecore.intake import Intake
from tradecore.ledger import Ledger
from tradecore.notices import Notices
from tradecore.ports.broker import (
    EVER,
    Broker,
    BrokerFill,
    BrokerOrder,
    OrderReport,
    Report,
    StreamConnected,
    StreamLost,
    UnknownReport,
)
from tradecore.ports.ids import Ids
from tradecore.translation import (
    activities_of,
    adoption_of,
)

_log = structlog.get_logger("tradecore.inbox")
_OVERLAP = dt.timedelta(seconds=60)
_LONG_OVERLAP = dt.timedelta(days=1)  # where something differs: what was missed may be of long ago


class Inbox:
    """Turns reports into commands, and knows from where to read again.

    `behind` says that fills are known to be missing, `lost_at_ns` since when the stream is lost (None while it is
    not), `reconnected` that it came back since somebody last asked, `halted` which orders contradict themselves, and
    `shown` what the broker showed of orders when they were last read, None for one that it did not have.
    """

    def __init__(self, ledger: Ledger, broker: Broker, ids: Ids, account: str, *, adopts: bool = True) -> None:
        """`adopts` is whether orders that others place in the account are taken up, or only told of."""
        self._ledger = ledger
        self._broker = broker
        self._account = account
        self._adopts = adopts
        self._who = Attribution(ledger, account)
        self._notices = Notices(ledger, ids)
        self._intake = Intake(ledger, ids, account, self._who, self._notices)
        self._foreign: set[str] = set()
        self._unsettled: dict[str, dt.datetime] = {}  # order id -> broker's time of its acceptance
        self._watermark = EVER
        self._listed = EVER  # orders submitted before were seen
        self._waiting: dict[
            str, dt.datetime
        ] = {}  # broker's ids of orders that may be ours, and from where lists show them
        self.behind = False
        self.lost_at_ns: int | None = None
        self.reconnected = False
        self.shown: dict[str, BrokerOrder | None] = {}
        self.catch_up: Callable[[], None] = lambda: None  # with what other processes recorded

    @property
    def halted(self) -> dict[str, str]:
        """Why orders are halted, by their ids."""
        return self._intake.halted

    @property
    def undecided(self) -> dict[str, tuple[ev.FillRevision, ...]]:
        """By order, busts and corrections of which nobody knows which execution they mean."""
        return self._intake.undecided

    def ask_about(self, order_ids: Iterable[str]) -> None:
        """Look again and again at orders of which such a revision is known from before."""
        self._intake.doubt(order_ids)

    def observe(self, events: tuple[Recorded[ev.Event], ...]) -> None:
        """Take in appended events: who is who at the broker, what is unsettled, and how far fills were read."""
        for recorded in events:
            event = recorded.event
            self._who.observe(event)
            if isinstance(event, ev.OrderAccepted | ev.OrderAdopted):
                self._unsettled[event.order_id] = event.updated_at
            elif isinstance(event, ev.FillRecorded):
                self._watermark = max(self._watermark, event.occurred_at)
            elif isinstance(event, ev.OrderHalted):
                self.halted[event.order_id] = event.reason
        for order_id in streams.orders_in(events):  # an order settles by an event of its own, so no other need be asked
            if order_id in self._unsettled and (state := self._ledger.order(order_id)) and state.is_settled:
                del self._unsettled[order_id]

    def remember(self, order_id: str, accepted_at: dt.datetime) -> None:
        """Restore what `observe` would know of an order that is not settled."""
        self._unsettled[order_id] = accepted_at

    def restore(self, order: OrderState) -> None:
        """Restore what an order that is not finished says beyond that: a leg to be seen, a contradiction."""
        if order.leg is not None:
            self._who.expect_leg(order)
        if order.halted:
            told = (item.event for item in self._ledger.journal.load(streams.order(order.order_id)))
            reasons = [event.reason for event in told if isinstance(event, ev.OrderHalted)]
            self.halted[order.order_id] = reasons[-1]

    def start_from(self, watermark: dt.datetime) -> None:
        """Read fills again from here on (with an overlap)."""
        self._watermark = max(self._watermark, watermark)

    def list_from(self, watermark: dt.datetime) -> None:
        """Look through the account's orders from here on (with an overlap)."""
        self._listed = max(self._listed, watermark)

    @property
    def waits_since(self) -> dt.datetime | None:
        """From where orders are listed by whoever starts anew, because of those whose owner is not known yet."""
        return min(self._waiting.values(), default=None)

    async def run(self) -> None:
        """Read the stream for ever."""
        async for report in self._broker.reports():
            await self.take(report)

    async def take(self, report: Report) -> None:
        """Record one message of the stream; read again where it shows that something is missing."""
        match report:
            case StreamConnected():
                self._restored()
                await self._collect_or_stay_behind()
            case StreamLost():
                self._lost(report.reason)
            case UnknownReport():
                self._notices.park("stream", report)
                await self._collect_or_stay_behind()
            case OrderReport():
                await self._take_report(report)

    async def _take_report(self, report: OrderReport) -> None:
        try:
            order_id = await self._whose(report.order, "stream")
        except (BrokerUnreachable, ProtocolError) as error:  # whose it is can be asked later: nothing is lost
            _log.warning("a report waits for the broker", error=str(error))
            self.behind = True
            return
        if order_id is None:
            return
        self._intake.apply_order(order_id, report.order, "stream")
        if report.fill is not None:
            self._intake.apply_fill(order_id, report.fill)
        if self._misses_fills(order_id, report.order) or self._misses_bust(order_id, report.order):
            await self._collect_or_stay_behind()

    def _lost(self, reason: str) -> None:
        if self.lost_at_ns is None:
            lost = self._notices.note(streams.BROKER, ev.StreamLost(self._account, reason))
            self.lost_at_ns = lost.envelope.recorded_at_ns

    def _restored(self) -> None:
        self.reconnected = True
        if self.lost_at_ns is not None:
            self.lost_at_ns = None
            self._notices.note(streams.BROKER, ev.StreamRestored(self._account))

    async def _collect_or_stay_behind(self) -> None:
        """Read again; when that fails, `behind` stays true until somebody does (the runner's schedule)."""
        self.behind = True
        try:
            await self.collect()
        except (BrokerUnreachable, ProtocolError) as error:
            _log.warning("the broker cannot be read again yet", error=str(error))

    async def collect(self, *, far: bool = False) -> None:
        """Read orders and executions again from the watermarks (`far` before them), all pages; record what is new.

        Raises `BrokerUnreachable`; what was read before that is recorded.
        """
        orders = await self._read_orders()
        snapshots = [(order, await self._whose(order, "orders")) for order in orders]
        snapshots += await self._read_legs()
        self._listed = max([self._listed, *(order.updated_at for order in orders)])  # all of them were gone through
        self.shown |= {order_id: order for order, order_id in snapshots if order_id is not None}
        since = self._watermark - (_LONG_OVERLAP if far else _OVERLAP)
        await self._read_fills(since)  # before the statuses: a finished order with all its fills settles at once
        missing: dict[str, BrokerOrder] = {}
        for order, order_id in snapshots:
            if order_id is None:
                continue
            self._intake.apply_order(order_id, order, "orders")
            if self._misses_fills(order_id, order) or self._misses_bust(order_id, order):
                missing[order_id] = order
        if missing:  # later fills of other orders may have moved the watermark beyond the ones that were missed
            born = min(self._born(order_id) for order_id in missing) - _OVERLAP
            if born < since:
                await self._read_fills(born)
                for order_id, order in missing.items():
                    self._intake.apply_order(order_id, order, "orders")
        self.behind = bool(self._waiting) or any(
            self._misses_fills(order_id, order) for order_id, order in missing.items()
        )

    async def collect_activities(self) -> None:
        """Read changes that no order made, with an overlap of days, and book them. Raises `BrokerUnreachable`."""
        page = await self._broker.activities_since(read_from(self._ledger, self._account))
        for unreadable in page.unreadable:
            self._notices.park("activities", unreadable)
        for command in activities_of(self._account, unbooked(self._ledger, self._account, page.activities)):
            try:
                self._intake.handle(command, "activities")
            except InputError as error:
                reason = f"an activity that cannot be booked: {error}"
                self._notices.park("activities", UnknownReport(reason, command.raw))

    async def _read_fills(self, since: dt.datetime) -> None:
        """Record every execution at or after `since`, busts and corrections too."""
        page = await self._broker.fills_since(since)
        for unreadable in page.unreadable:
            self._notices.park("activities", unreadable)
        for fill in page.fills:
            order_id = await self._order_of_fill(fill)
            if order_id is not None:
                self._intake.apply_fill(order_id, fill)

    def _born(self, order_id: str) -> dt.datetime:
        """A time before every fill of the order, by our clock and by the broker's (a replayed market has its own)."""
        events = self._ledger.journal.load(streams.order(order_id))
        planned = dt.datetime.fromtimestamp(events[0].envelope.recorded_at_ns // 1_000_000_000, dt.UTC)
        told = (item.event.updated_at for item in events if isinstance(item.event, ev.OrderAccepted | ev.OrderAdopted))
        return min([planned, *told])

    async def _read_orders(self) -> list[BrokerOrder]:
        """Every unsettled order as the broker has it now, what waits, and whatever was placed since the oldest."""
        since = min([self._listed, *self._unsettled.values()]) - _OVERLAP
        page = await self._broker.orders_since(max(since, EVER))
        for unreadable in page.unreadable:
            self._notices.park("orders", unreadable)
        self.shown = {}
        orders = list(page.orders)
        seen = {order.broker_order_id for order in orders}
        for order_id in dict.fromkeys((*self._unsettled, *self.undecided)):  # absent is not gone: ask for it by name
            state = self._ledger.order(order_id)
            if state is not None and state.broker_order_id is not None and state.broker_order_id not in seen:
                order = await self._broker.order(state.broker_order_id)
                if order is not None:
                    orders.append(order)
                else:
                    self.shown[order_id] = None
        for broker_order_id in [one for one in self._waiting if one not in seen]:  # the list may begin after it by now
            stranger = await self._broker.order(broker_order_id)
            if stranger is not None:
                orders.append(stranger)
            else:
                self._waiting.pop(broker_order_id, None)
        return orders

    async def _read_legs(self, stranger: BrokerOrder | None = None) -> list[tuple[BrokerOrder, str | None]]:
        """The legs that the broker has not shown yet, from their parents, which tell them when asked by name.

        A `stranger` may be one that was given up.
        """
        found: list[tuple[BrokerOrder, str | None]] = []
        late = [] if stranger is None else self._who.parents_of_late_legs(stranger)
        for parent in [*self._who.parents_of_unseen_legs(), *late]:
            assert parent.broker_order_id is not None, "only such parents are listed"
            shown = await self._broker.order(parent.broker_order_id)
            if shown is not None:
                found += [(leg, leg_id) for leg_id, leg in self._who.take_legs(parent.order_id, shown)]
        return found

    # --- whose is it ------------------------------------------------------------------------------------------------

    async def _whose(self, order: BrokerOrder, source: str) -> str | None:
        """The order of this ledger behind a broker order; one of others is taken up, or told of and then None.

        None also for what cannot be told yet.
        """
        known = self._who.of(order)
        if known is not None or order.broker_order_id in self._foreign:
            self._waiting.pop(order.broker_order_id, None)
            return known
        self.catch_up()
        for leg, leg_id in await self._read_legs(order):
            if leg_id is not None:
                self._intake.apply_order(leg_id, leg, source)
        self.catch_up()
        known = self._who.of(order)
        if known is None and self._who.may_be_leg(order):  # the next reading knows more
            self._waiting.setdefault(order.broker_order_id, self._listed)
            self.behind = True
            return None
        self._waiting.pop(order.broker_order_id, None)
        return known if known is not None else self._meet(order, source)

    def _meet(self, order: BrokerOrder, source: str) -> str | None:
        """An order that nobody placed here: adopted, or set aside with an alert. What was before the books is past."""
        is_past = self._intake.is_past(order.updated_at)
        if is_past and (order.status is None or order.status.is_terminal):
            self._foreign.add(order.broker_order_id)
            return None
        before = order.filled_qty if is_past else ZERO
        replaced = self._who.replaced_by(order)
        what = f"order {order.broker_order_id} ({order.side.value} {order.symbol}) was not placed by this ledger"
        if self._adopts and order.status is not None:
            account_id = self._ledger.account(self._account).broker_account_id
            assert account_id is not None, "the account is pinned before anything is collected"
            order_id = external_order_id(account_id, order.broker_order_id)
            try:
                self._intake.handle(adoption_of(self._account, order_id, order, order.status, replaced, before), source)
            except InputError as error:
                what = f"{what} and cannot be adopted: {error}"
            else:
                self._who.learn(order.broker_order_id, order_id)
                self._notices.alert_once("foreign_order", order.broker_order_id, f"{what}; it is adopted")
                return order_id
        self._foreign.add(order.broker_order_id)
        self._notices.park_once(("foreign", order.broker_order_id), ev.ReportParked(source, what, order.raw))
        self._notices.alert_once("foreign_order", order.broker_order_id, what)
        return None

    async def _order_of_fill(self, fill: BrokerFill) -> str | None:
        """An execution names only the broker's order; ask the broker once for those not known."""
        known = self._who.named(fill.broker_order_id)
        if known is not None or fill.broker_order_id in self._foreign or self._intake.is_past(fill.occurred_at):
            return known
        order = await self._broker.order(fill.broker_order_id)
        if order is not None:
            return await self._whose(order, "activities")
        reason = (
            "an execution of an order that the broker does not show"  # it may be shown later: asked again each time
        )
        self._notices.park("activities", UnknownReport(reason, fill.raw))
        return None

    def _misses_fills(self, order_id: str, order: BrokerOrder) -> bool:
        known = self._ledger.order(order_id)
        return known is not None and plus(known.filled_qty, known.filled_before) < order.filled_qty

    def _misses_bust(self, order_id: str, order: BrokerOrder) -> bool:
        """Whether the broker is through with an order, and all that counts there is here, but does not complete it.

        Then an execution and its bust were both missed.
        """
        known = self._ledger.order(order_id)
        if known is None or known.status.is_terminal or known.halted or order.status is not OrderStatus.FILLED:
            return False
        return plus(known.filled_qty, known.filled_before) == order.filled_qty
