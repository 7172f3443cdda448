"""How a run leaves trades: by the engine's own exits and sagas, at the end of each bar, on what the bar showed.

What they ask for is done at once, as by a broker that answers before the next bar: cancels end orders, and orders trade
from the next bar on.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from tradecore.domain.account import AccountState
from tradecore.domain.commands import Command
from tradecore.domain.events import CancelRequested, Event, OrderQueued
from tradecore.domain.exits import ExitState
from tradecore.domain.kill import KillState
from tradecore.domain.messages import Cause, Envelope, Recorded
from tradecore.domain.nanos import NANO
from tradecore.domain.order_state import OrderState
from tradecore.domain.saga import SagaState
from tradecore.domain.trade import TradeState
from tradecore.domain.values import Bar, OrderStatus
from tradecore.exiting import Exits
from tradecore.sagas.conductor import Conductor
from tradecore_backtest.books import DeskBooks
from tradecore_backtest.desk import Desk, Moment
from tradecore_backtest.venue import Venue
from tradecore_backtest.writing import DerivedIds


class DeskRecords:
    """The desk at a moment, as exits and sagas see a ledger. `asked` is what they asked the broker for."""

    def __init__(self, desk: Desk) -> None:
        self.moment = Moment(0)
        self.asked: list[CancelRequested | OrderQueued] = []
        self.events: list[Recorded[Event]] = []
        self._desk = desk
        self._count = 0

    def account(self, name: str) -> AccountState:  # noqa: ARG002 - there is one
        """The only account that a desk has."""
        return self._desk.account

    def order(self, order_id: str) -> OrderState | None:
        """The order as it stands."""
        return self._desk.order(order_id)

    def trade(self, trade_id: str) -> TradeState | None:
        """The trade as it stands."""
        return self._desk.trade(trade_id)

    def exits(self, trade_id: str) -> ExitState | None:
        """How the trade is left."""
        return self._desk.exits(trade_id)

    def saga(self, saga_id: str) -> SagaState | None:
        """The saga as it stands."""
        return self._desk.saga(saga_id)

    def kill(self, account: str) -> KillState | None:  # noqa: ARG002 - nobody kills
        """Nobody kills in a backtest."""
        return None

    def has_stream(self, stream: str) -> bool:
        """Whether anything was decided there."""
        return self._desk.get(stream).version > 0

    def handle(self, command: Command, cause: Cause) -> tuple[Recorded[Event], ...]:
        """Have the desk decide."""
        return self._told(self._desk.take(command, self.moment, cause.actor), cause)

    def note(self, stream: str, event: Event, cause: Cause) -> Recorded[Event]:
        """Keep an alert."""
        self._desk.note(stream, event, self.moment)
        return self._told([(stream, event)], cause)[0]

    def _told(self, events: list[tuple[str, Event]], cause: Cause) -> tuple[Recorded[Event], ...]:
        told = tuple(Recorded(self._envelope(stream, event, cause), event) for stream, event in events)
        self.events.extend(told)
        self.asked.extend(event for _, event in events if isinstance(event, CancelRequested | OrderQueued))
        return told

    def _envelope(self, stream: str, event: Event, cause: Cause) -> Envelope:
        """For whoever listens here; the tape gets its own when it is written."""
        self._count += 1
        return Envelope(
            f"backtest-{self._count}", event.NAME, event.SCHEMA, stream, 0, 0, self.moment.ns, cause.trace_id, "", None,
            cause.actor, cause.source,
        )  # fmt: skip


class _BarTime:
    """Time as the bars tell it."""

    def __init__(self, records: DeskRecords) -> None:
        self._records = records

    def now_ns(self) -> int:
        return self._records.moment.ns

    def now(self) -> dt.datetime:
        return self._records.moment.at

    def monotonic(self) -> float:
        return self._records.moment.at.timestamp()

    async def sleep(self, seconds: float) -> None:  # noqa: ARG002 - nobody sleeps
        raise AssertionError("nobody waits in a backtest")


class Caretaker:
    """Holds every bar against the exits of what is held of its symbol, and sees to what follows."""

    def __init__(self, desk: Desk, books: DeskBooks, venue: Venue, account: str, name: str, bar_ns: int) -> None:
        self._desk, self._books, self._venue = desk, books, venue
        self._records = records = DeskRecords(desk)
        ids = DerivedIds(f"{name}:exits")
        self._exits = Exits(records, ids, account, dt.timedelta(microseconds=bar_ns * 1_000_000 // NANO))
        self._exits.doubts = False
        self._conductor = Conductor(records, _BarTime(records), ids, account)

    def see(self, bar: Bar, moment: Moment) -> None:
        """One bar that has ended."""
        self._records.moment = moment
        self._serve(bar.close)
        self._exits.see(bar)
        self._serve(bar.close)

    def _serve(self, close: Decimal) -> None:
        """Let sagas go on, and do what they ask for, until they have to wait."""
        records = self._records
        while True:
            events, records.events = tuple(records.events), []
            self._conductor.observe(events)
            self._conductor.advance()
            asked, records.asked = records.asked, []
            if not asked and not records.events:
                return
            for event in asked:
                self._do(event, close)

    def _do(self, event: CancelRequested | OrderQueued, close: Decimal) -> None:
        moment, venue = self._records.moment, self._venue
        order = self._desk.order(event.order_id)
        if order is None or order.status.is_terminal:
            return
        if isinstance(event, CancelRequested):
            ticket = self._books.ticket_of(event.order_id)
            if ticket is not None:
                for command in self._books.canceling(ticket):
                    self._desk.take(command, moment, "outbox")
                venue.take_out(ticket, moment)
        elif order.status is OrderStatus.QUEUED:
            venue.tickets += 1
            self._books.know(venue.tickets, event.order_id)
            venue.send(order, close, moment)
