"""The parts of an exchange, and what must outlive its process."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal

from tradecore.domain.values import Bar, Quote
from tradecore_exchange.account import Account
from tradecore_exchange.activities import Activity
from tradecore_exchange.blotter import Blotter
from tradecore_exchange.changes import Changes, ExchangeState, Switches
from tradecore_exchange.dealing import Dealer
from tradecore_exchange.desk import Desk
from tradecore_exchange.instants import nanoseconds
from tradecore_exchange.interventions import Interventions
from tradecore_exchange.market import Market
from tradecore_exchange.market_clock import MarketClock
from tradecore_exchange.options import ExchangeOptions
from tradecore_exchange.orders import Order, OrderBook
from tradecore_exchange.timetable import Timetable

_START = dt.datetime(2024, 1, 2, 14, 30, tzinfo=dt.UTC)


class Core:
    """One account, its orders and its market.

    `symbols` are the listed assets. `start` (aware) is the time before the market has said anything.
    """

    def __init__(
        self, symbols: Iterable[str], options: ExchangeOptions | None = None, start: dt.datetime = _START
    ) -> None:
        self.options = options or ExchangeOptions()
        self.symbols = frozenset(symbols)
        account = Account(self.options.cash, self.options.multiplier)
        self.blotter = Blotter(self.options.seed, account, MarketClock(nanoseconds(start)))
        self.market = Market(self.options)
        self.switches = Switches()
        self._desk = Desk(self.blotter)
        self._dealer = Dealer(self.options, self._desk, self.market)
        self._timetable = Timetable(self._desk, self.market, self._dealer)
        self._interventions = Interventions(self._desk, self.market, self._timetable)

    @property
    def book(self) -> OrderBook:
        """Every order."""
        return self.blotter.book

    @property
    def account(self) -> Account:
        """Cash and positions."""
        return self.blotter.account

    @property
    def activities(self) -> list[Activity]:
        """Everything that moved cash or shares, oldest first."""
        return self.blotter.activities

    @property
    def clock(self) -> MarketClock:
        """The market's time."""
        return self.blotter.clock

    @property
    def prices(self) -> dict[str, Decimal]:
        """The last price of every symbol that has one."""
        return self.market.prices

    def take_changes(self) -> Changes:
        """What changed since the last call, for whoever keeps it."""
        return self.blotter.take_changes()

    def state(self) -> ExchangeState:
        """What `restore` needs besides orders and activities."""
        blotter = self.blotter
        return ExchangeState(
            blotter.seed,
            self.options.cash,
            self.account,
            blotter.execution_count,
            blotter.update_count,
            sorted(self.market.halted),
            self.market.splits,
            self.switches,
        )

    def restore(
        self, state: ExchangeState, clock: MarketClock, orders: Iterable[Order], activities: Iterable[Activity]
    ) -> None:
        """Become the exchange that was; prices and quotes come back by `recall_bar` and `recall_quote`."""
        blotter = self.blotter
        blotter.seed, blotter.account, blotter.clock = state.seed, state.account, clock
        blotter.execution_count, blotter.update_count = state.execution_count, state.update_count
        self.market.halted, self.market.splits = set(state.halted), state.splits
        self.switches = state.switches
        blotter.activities.extend(activities)
        for order in orders:
            self.book.add(order)
            if order.is_open:
                self._timetable.watch(order)

    def recall_bar(self, bar: Bar) -> None:
        """Know the price of a bar that was matched before a restart."""
        self.market.show_bar(bar)

    def recall_quote(self, quote: Quote) -> None:
        """Know a quote that was matched before a restart."""
        self.market.show_quote(quote)
