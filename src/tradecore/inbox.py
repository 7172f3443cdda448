"""Inbox: what the broker says → recorded facts. A repeat does nothing; what cannot be read is parked, never dropped.

The stream is a hint that arrives early; the record is what is read again: orders and executions since a watermark, on
every connect, whenever the stream shows a gap, and on a schedule. Both paths end in the same two commands, and a fill's
identity is the same on both, so it does not matter which comes first.
"""

from __future__ import annotations

import datetime as dt

import structlog

from tradecore.domain import commands as cmd
from tradecore.domain import streams
from tradecore.domain.events import Event, FillRecorded, OrderAccepted, ReportParked
from tradecore.domain.identity import derived_id, fill_id
from tradecore.domain.messages import Cause, Recorded
from tradecore.domain.values import canonical
from tradecore.errors import BrokerUnreachable, InputError, ProtocolError
from tradecore.failpoints import failpoint
from tradecore.ledger import Ledger
from tradecore.ports.broker import (
    EVER,
    Broker,
    BrokerFill,
    BrokerOrder,
    OrderReport,
    Report,
    StreamConnected,
    UnknownReport,
)
from tradecore.ports.ids import Ids
from tradecore.views import read_row

_log = structlog.get_logger("tradecore.inbox")
_OVERLAP = dt.timedelta(seconds=60)
_REMEMBERED = 20_000
"""Orders by the broker's id that are kept at hand."""


class Inbox:
    """Turns reports into commands, and knows from where to read again."""

    def __init__(self, ledger: Ledger, broker: Broker, ids: Ids, account: str) -> None:
        self._ledger = ledger
        self._broker = broker
        self._ids = ids
        self._account = account
        self._order_of: dict[str, str] = {}  # broker order id -> order id
        self._foreign: set[str] = set()
        self._unsettled: dict[str, dt.datetime] = {}  # order id -> broker's time of its acceptance
        self._watermark = EVER
        self.behind = False

    def observe(self, events: tuple[Recorded[Event], ...]) -> None:
        """Take in appended events: who is who at the broker, what is unsettled, and how far fills were read."""
        for recorded in events:
            event = recorded.event
            if isinstance(event, OrderAccepted):
                self._order_of[event.broker_order_id] = event.order_id
                if len(self._order_of) > _REMEMBERED:
                    del self._order_of[next(iter(self._order_of))]  # the oldest; the view has it
                self._unsettled[event.order_id] = event.updated_at
            elif isinstance(event, FillRecorded):
                self._watermark = max(self._watermark, event.occurred_at)
        for order_id in streams.orders_in(events):  # an order settles by an event of its own, so no other need be asked
            if order_id in self._unsettled and self._is_settled(order_id):
                del self._unsettled[order_id]

    def remember(self, order_id: str, accepted_at: dt.datetime) -> None:
        """Restore what `observe` would know of an order that is not settled."""
        self._unsettled[order_id] = accepted_at

    def start_from(self, watermark: dt.datetime) -> None:
        """Read fills again from here on (with an overlap)."""
        self._watermark = max(self._watermark, watermark)

    async def run(self) -> None:
        """Read the stream for ever."""
        async for report in self._broker.reports():
            await self.take(report)

    async def take(self, report: Report) -> None:
        """Record one message of the stream; read again where it shows that something is missing."""
        match report:
            case StreamConnected():
                await self._collect_or_stay_behind()
            case UnknownReport():
                self._park("stream", report)
                await self._collect_or_stay_behind()
            case OrderReport():
                order_id = self._ours(report.order)
                if order_id is None:
                    self._park_foreign("stream", report.order)
                    return
                self._apply_order(order_id, report.order, "stream")
                if report.fill is not None:
                    self._apply_fill(order_id, report.fill)
                if self._misses_fills(order_id, report.order):
                    await self._collect_or_stay_behind()

    async def _collect_or_stay_behind(self) -> None:
        """Read again; when that fails, `behind` stays true until somebody does (the runner's schedule)."""
        self.behind = True
        try:
            await self.collect()
        except (BrokerUnreachable, ProtocolError) as error:
            _log.warning("the broker cannot be read again yet", error=str(error))

    async def collect(self) -> None:
        """Read orders and executions again from the watermarks, all pages, and record what is new.

        Raises `BrokerUnreachable`; what was read before that is recorded.
        """
        snapshots = [(order, self._ours(order)) for order in await self._read_orders()]
        since = self._watermark - _OVERLAP
        await self._read_fills(since)  # before the statuses: a finished order with all its fills settles at once
        missing: dict[str, BrokerOrder] = {}
        for order, order_id in snapshots:
            if order_id is None:
                self._park_foreign("orders", order)
                continue
            self._apply_order(order_id, order, "orders")
            if self._misses_fills(order_id, order):
                missing[order_id] = order
        if missing:  # later fills of other orders may have moved the watermark beyond the ones that were missed
            born = min(self._born(order_id) for order_id in missing) - _OVERLAP
            if born < since:
                await self._read_fills(born)
        self.behind = any(self._misses_fills(order_id, order) for order_id, order in missing.items())

    async def _read_fills(self, since: dt.datetime) -> None:
        """Record every execution at or after `since`."""
        page = await self._broker.fills_since(since)
        for unreadable in page.unreadable:
            self._park("activities", unreadable)
        for fill in page.fills:
            order_id = await self._order_of_fill(fill)
            if order_id is not None:
                self._apply_fill(order_id, fill)

    def _born(self, order_id: str) -> dt.datetime:
        """A time before every fill of the order, by our clock and by the broker's (a replayed market has its own)."""
        events = self._ledger.journal.load(streams.order(order_id))
        planned = dt.datetime.fromtimestamp(events[0].envelope.recorded_at_ns // 1_000_000_000, dt.UTC)
        return min([planned, *(item.event.updated_at for item in events if isinstance(item.event, OrderAccepted))])

    async def _read_orders(self) -> list[BrokerOrder]:
        """Every unsettled order as the broker has it now, and whatever else was placed since the oldest of them."""
        if not self._unsettled:
            return []
        page = await self._broker.orders_since(min(self._unsettled.values()) - _OVERLAP)
        for unreadable in page.unreadable:
            self._park("orders", unreadable)
        orders = list(page.orders)
        seen = {order.broker_order_id for order in orders}
        for order_id in list(self._unsettled):  # absent from a list is not gone: ask for it by name
            state = self._ledger.order(order_id)
            if state is not None and state.broker_order_id is not None and state.broker_order_id not in seen:
                order = await self._broker.order(state.broker_order_id)
                if order is not None:
                    orders.append(order)
        return orders

    # --- one message ------------------------------------------------------------------------------------------------

    def _apply_order(self, order_id: str, order: BrokerOrder, source: str) -> None:
        if order.status is None:
            self._park(source, UnknownReport("an order status that tradecore does not know", order.raw))
            return
        failpoint("inbox.report.before")
        self._handle(
            cmd.RecordReport(
                order_id=order_id,
                broker_order_id=order.broker_order_id,
                status=order.status,
                filled_qty=order.filled_qty,
                updated_at=order.updated_at,
                source=source,
                raw=order.raw,
            ),
            source,
        )
        failpoint("inbox.report.after")

    def _apply_fill(self, order_id: str, fill: BrokerFill) -> None:
        account = self._ledger.account(self._account)
        assert account.broker_account_id is not None, "the account is pinned before anything is collected"
        identity = fill_id(account.broker_account_id, fill.broker_order_id, format(canonical(fill.cumulative_qty), "f"))
        if self._ledger.has_stream(streams.fill(identity)):
            return
        command = cmd.RecordFill(
            fill_id=identity,
            order_id=order_id,
            broker_order_id=fill.broker_order_id,
            execution_id=fill.execution_id,
            quantity=fill.quantity,
            price=fill.price,
            cumulative_qty=fill.cumulative_qty,
            fees=fill.fees,
            occurred_at=fill.occurred_at,
            source=fill.source,
            raw=fill.raw,
        )
        failpoint("inbox.fill.before")
        try:
            self._handle(command, fill.source)
        except InputError as error:  # a price of zero, for one: for a person to look at, not a reason to stop reading
            self._park(fill.source, UnknownReport(f"an execution that cannot be booked: {error}", fill.raw))
        failpoint("inbox.fill.after")

    # --- whose is it ------------------------------------------------------------------------------------------------

    def _ours(self, order: BrokerOrder) -> str | None:
        """The order of this ledger behind a broker order, or None when somebody else placed it."""
        known = self._ledger.order_under(order.client_order_id)
        return None if known is None else known.order_id

    async def _order_of_fill(self, fill: BrokerFill) -> str | None:
        """An execution names only the broker's order; ask the broker once for those not known."""
        known = self._order_of.get(fill.broker_order_id) or self._order_in_view(fill.broker_order_id)
        if known is not None or fill.broker_order_id in self._foreign:
            return known
        order = await self._broker.order(fill.broker_order_id)
        order_id = self._ours(order) if order is not None else None
        if order_id is None:
            self._foreign.add(fill.broker_order_id)
            self._park("activities", UnknownReport("an execution of an order that this ledger did not place", fill.raw))
        return order_id

    def _order_in_view(self, broker_order_id: str) -> str | None:
        """What a view says of orders that this process did not see accepted, unless the order says otherwise."""
        row = read_row(self._ledger.journal, "broker_orders", broker_order_id)
        order = None if row is None else self._ledger.order(row["order_id"])
        if order is None or (order.broker_order_id, order.account) != (broker_order_id, self._account):
            return None
        return order.order_id

    def _misses_fills(self, order_id: str, order: BrokerOrder) -> bool:
        known = self._ledger.order(order_id)
        return known is not None and known.filled_qty < order.filled_qty

    def _is_settled(self, order_id: str) -> bool:
        order = self._ledger.order(order_id)
        return order is not None and order.is_settled

    # --- what cannot be read ----------------------------------------------------------------------------------------

    def _park_foreign(self, source: str, order: BrokerOrder) -> None:
        if order.broker_order_id not in self._foreign:
            self._foreign.add(order.broker_order_id)
            reason = f"order {order.broker_order_id} was not placed by this ledger"
            self._park_once(("foreign", order.broker_order_id), ReportParked(source, reason, order.raw))

    def _park(self, source: str, report: UnknownReport) -> None:
        _log.warning("parked a report", source=source, reason=report.reason)
        self._park_once((source, report.reason, report.raw), ReportParked(source, report.reason, report.raw))

    def _park_once(self, key: tuple[str, ...], event: ReportParked) -> None:
        stream = f"parked-{derived_id('parked', *key)}"
        if not self._ledger.has_stream(stream):
            self._ledger.note(stream, event, Cause(self._ids.trace_id(), actor="inbox", source=event.source))

    def _handle(self, command: cmd.Command, source: str) -> None:
        self._ledger.handle(command, Cause(self._ids.trace_id(), actor="inbox", source=source))
