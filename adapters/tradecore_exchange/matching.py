"""The exchange itself: orders in, market in, trade updates out. No I/O, no wall clock, no hidden chance."""

from __future__ import annotations

import datetime as dt
import heapq
import random
from collections.abc import Iterable, Sequence
from decimal import Decimal

import attrs

from tradecore.domain.values import Bar, Quote, TimeInForce, minus, times
from tradecore_exchange.account import Account
from tradecore_exchange.admission import Admission
from tradecore_exchange.blotter import Blotter
from tradecore_exchange.changes import Changes, ExchangeState
from tradecore_exchange.identity import is_crypto, uuid_text
from tradecore_exchange.instants import MINUTE_NS, nanoseconds
from tradecore_exchange.market_clock import MarketClock
from tradecore_exchange.numbers import floor_qty, is_whole
from tradecore_exchange.options import ExchangeOptions
from tradecore_exchange.orders import Activity, Order, OrderBook, TradeUpdate
from tradecore_exchange.pricing import IMMEDIATE, bar_price, quote_price
from tradecore_exchange.refusals import Refusal, Refused, already_finished, order_not_found
from tradecore_exchange.replacing import check_replaceable, replaced_terms
from tradecore_exchange.requests import OrderRequest, ReplaceRequest
from tradecore_exchange.sessions import Phase, good_till_canceled_end, phase_at, session_of_order

_START = dt.datetime(2024, 1, 2, 14, 30, tzinfo=dt.UTC)


@attrs.frozen
class Submitted:
    """The answer to an accepted order: a copy from before anything happened to it, and what happened since."""

    order: Order
    updates: list[TradeUpdate]


@attrs.frozen
class Canceled:
    """The answer to an accepted cancel; no updates when the order was canceled before."""

    updates: list[TradeUpdate]


class Exchange:
    """One account's exchange. Time is the market's: the end of the last bar, or the last quote.

    `symbols` are the listed assets. `start` (aware) is the time before the market has said anything.
    """

    def __init__(
        self, symbols: Iterable[str], options: ExchangeOptions | None = None, start: dt.datetime = _START
    ) -> None:
        self.options = options or ExchangeOptions()
        self.symbols = frozenset(symbols)
        self.blotter = Blotter(
            self.options.seed,
            Account(self.options.cash, self.options.multiplier),
            MarketClock(nanoseconds(start)),
        )
        self.prices: dict[str, Decimal] = {}
        self._quotes: dict[str, Quote] = {}
        self._bar_ends: dict[str, int] = {}
        self._waiting: dict[str, Order] = {}
        self._expiries: list[tuple[int, int]] = []

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
        """Every fill and fee, oldest first."""
        return self.blotter.activities

    @property
    def clock(self) -> MarketClock:
        """The market's time."""
        return self.blotter.clock

    def submit(self, request: OrderRequest) -> Submitted | Refusal:
        """Enter an order. Against a live quote it may trade at once; against bars it waits for the next one."""
        try:
            order = self._new_order(request)
        except Refused as refused:
            return refused.refusal
        return self._enter(order)

    def replace(self, order_id: str, request: ReplaceRequest) -> Submitted | Refusal:
        """Put a new order in the place of a working one. `qty` is what the new order is to trade by itself."""
        old = self.book.by_id.get(order_id)
        if old is None:
            return order_not_found(order_id)
        try:
            check_replaceable(old)
            order = self._new_order(replaced_terms(old, request), leaving_out=old)
        except Refused as refused:
            return refused.refusal
        self.blotter.replace(old, order)
        return self._enter(order)

    def cancel(self, order_id: str) -> Canceled | Refusal:
        """Take an order off the market; again is fine, after any other end it is refused."""
        order = self.book.by_id.get(order_id)
        if order is None:
            return order_not_found(order_id)
        if order.is_open:
            self._waiting.pop(order.id, None)
            self.blotter.cancel(order)
        elif order.status != "canceled":
            return already_finished(order.status)
        return Canceled(self.blotter.take_updates())

    def on_bar(self, bar: Bar) -> list[TradeUpdate]:
        """A minute of a market with one symbol; with several, give all bars of a minute to `on_bars` at once."""
        return self.on_bars((bar,))

    def on_bars(self, bars: Sequence[Bar]) -> list[TradeUpdate]:
        """All bars of one minute: orders that were there before it trade within it, then day orders may expire."""
        start = nanoseconds(bars[0].start)
        end = start + MINUTE_NS
        self._expire_until(start)
        self.clock.reach(end)
        self._open_waiting(start)
        for bar in bars:
            self._match_bar(bar, start)
            self.prices[bar.symbol] = bar.close
            self._bar_ends[bar.symbol] = end
        self._expire_until(end)
        return self.blotter.take_updates()

    def on_quote(self, quote: Quote) -> list[TradeUpdate]:
        """A new best bid and ask; it stands until a later bar or quote of its symbol. Sizes do not limit fills."""
        at = nanoseconds(quote.at)
        self._expire_until(at)
        self.clock.reach(at)
        self._open_waiting(at)
        self._quotes[quote.symbol] = quote
        if quote.bid > 0 and quote.ask > 0:
            self.prices[quote.symbol] = (quote.bid + quote.ask) / 2
        for order in self.book.open_of(quote.symbol):
            self._match_quote(order)
        return self.blotter.take_updates()

    def phase(self, symbol: str, at_ns: int) -> Phase:
        """What the market of a symbol admits at a moment."""
        return Phase.REGULAR if self.options.always_open or is_crypto(symbol) else phase_at(at_ns)

    def take_changes(self) -> Changes:
        """What changed since the last call, for whoever keeps it."""
        return self.blotter.take_changes()

    def state(self) -> ExchangeState:
        """What `restore` needs besides orders and activities."""
        blotter = self.blotter
        return ExchangeState(
            blotter.seed, self.options.cash, self.account, blotter.execution_count, blotter.update_count
        )

    def restore(
        self, state: ExchangeState, clock: MarketClock, orders: Iterable[Order], activities: Iterable[Activity]
    ) -> None:
        """Become the exchange that was; prices and quotes come back by `recall_bar` and `recall_quote`."""
        self.blotter = Blotter(state.seed, state.account, clock)
        self.blotter.execution_count, self.blotter.update_count = state.execution_count, state.update_count
        self.activities.extend(activities)
        for order in orders:
            self.book.add(order)
            if order.is_open:
                self._watch(order)

    def recall_bar(self, bar: Bar) -> None:
        """Know the price of a bar that was matched before a restart."""
        self.prices[bar.symbol] = bar.close
        self._bar_ends[bar.symbol] = nanoseconds(bar.start) + MINUTE_NS

    def recall_quote(self, quote: Quote) -> None:
        """Know a quote that was matched before a restart."""
        self._quotes[quote.symbol] = quote
        if quote.bid > 0 and quote.ask > 0 and self.live_quote(quote.symbol) is not None:
            self.prices[quote.symbol] = (quote.bid + quote.ask) / 2

    def live_quote(self, symbol: str) -> Quote | None:
        """The quote of a symbol, unless a bar has ended since."""
        quote = self._quotes.get(symbol)
        return quote if quote is not None and nanoseconds(quote.at) >= self._bar_ends.get(symbol, 0) else None

    def _new_order(self, request: OrderRequest, leaving_out: Order | None = None) -> Order:
        admission = Admission(self.options, self.account, self.book, self.prices, self.symbols.__contains__)
        admitted = admission.admit(request, leaving_out)
        now = self.clock.now_ns
        trades_now = self._trades_in(request.symbol, now, extended_hours=request.extended_hours)
        number = len(self.book.all) + 1
        at = self.clock.stamp()
        return Order(
            number=number,
            id=uuid_text(self.blotter.seed, "order", number),
            client_order_id=request.client_order_id or uuid_text(self.blotter.seed, "client_order_id", number),
            symbol=request.symbol,
            side=request.side,
            type=request.type,
            time_in_force=request.time_in_force,
            qty=request.qty,
            notional=request.notional,
            limit_price=request.limit_price,
            extended_hours=request.extended_hours,
            position_intent=admitted.position_intent,
            reserve_price=admitted.reserve_price,
            submitted_ns=at,
            expires_ns=_expiry(request, now),
            status="pending_new" if trades_now else "accepted",
            updated_ns=at,
        )

    def _enter(self, order: Order) -> Submitted:
        self.blotter.enter(order)
        snapshot = attrs.evolve(order)
        self._watch(order)
        if order.status == "pending_new":
            self.blotter.activate(order)
            if self.live_quote(order.symbol) is not None:
                self._match_quote(order)
        return Submitted(snapshot, self.blotter.take_updates())

    def _watch(self, order: Order) -> None:
        if order.status == "accepted":
            self._waiting[order.id] = order
        if order.expires_ns is not None:
            heapq.heappush(self._expiries, (order.expires_ns, order.number))

    def _trades_in(self, symbol: str, at_ns: int, *, extended_hours: bool) -> bool:
        phase = self.phase(symbol, at_ns)
        return phase is Phase.REGULAR or (phase is Phase.EXTENDED and extended_hours)

    def _open_waiting(self, at_ns: int) -> None:
        for order in list(self._waiting.values()):
            if self._trades_in(order.symbol, at_ns, extended_hours=order.extended_hours):
                del self._waiting[order.id]
                self.blotter.activate(order)

    def _expire_until(self, now_ns: int) -> None:
        while self._expiries and self._expiries[0][0] <= now_ns:
            at, number = heapq.heappop(self._expiries)
            order = self.book.all[number - 1]
            if not order.is_open:
                continue
            self.clock.reach(at)
            self._waiting.pop(order.id, None)
            if order.time_in_force is TimeInForce.GTC:
                self.blotter.cancel(order)
            else:
                self.blotter.expire(order)

    def _match_bar(self, bar: Bar, start_ns: int) -> None:
        orders = self.book.open_of(bar.symbol)
        if not orders:
            return
        share = self.options.volume_share
        pool = None if share is None else times(share, bar.volume)
        for order in orders:
            if not self._trades_in(order.symbol, start_ns, extended_hours=order.extended_hours):
                continue
            price = bar_price(order.side, order.limit_price, order.time_in_force, bar)
            traded = self._trade(order, price, pool)
            if pool is not None:
                pool = minus(pool, traded)

    def _match_quote(self, order: Order) -> None:
        quote = self.live_quote(order.symbol)
        assert quote is not None, "there is a quote to match"
        if self._trades_in(order.symbol, self.clock.now_ns, extended_hours=order.extended_hours):
            self._trade(order, quote_price(order.side, order.limit_price, quote), None)

    def _trade(self, order: Order, price: Decimal | None, pool: Decimal | None) -> Decimal:
        """Trade what can be traded at `price` out of `pool` (None: no limit); returns the quantity."""
        qty = Decimal(0)
        if price is not None:
            wanted = self._wanted(order, price)
            whole = order.qty is not None and is_whole(order.qty)
            qty = wanted if pool is None else min(wanted, floor_qty(pool, whole=whole))
            if order.time_in_force is TimeInForce.FOK:
                qty = wanted if qty == wanted else Decimal(0)
            elif qty == wanted:
                qty = self._perhaps_a_part(order, wanted, whole=whole)
            if qty > 0:
                self.blotter.fill(order, qty, price, times(qty, self.options.fee_per_share))
        if order.is_open and order.time_in_force in IMMEDIATE:
            self.blotter.cancel(order)
        return qty

    def _wanted(self, order: Order, price: Decimal) -> Decimal:
        if order.notional is None:
            return order.leaves_qty
        qty = floor_qty(order.notional / price, whole=False)
        if order.opens:
            return qty
        return min(qty, abs(self.account.position_qty(order.symbol)))

    def _perhaps_a_part(self, order: Order, wanted: Decimal, *, whole: bool) -> Decimal:
        """The dice of `partial_fill_rate`, thrown once an order from its own number, so that a restart throws alike."""
        rate = self.options.partial_fill_rate
        if not rate or order.split or order.notional is not None or (whole and wanted < 2):
            return wanted
        order.split = True
        chance = random.Random(f"{self.blotter.seed}:{order.number}")  # noqa: S311 -- repeatable on purpose
        if chance.random() >= rate:
            return wanted
        part = floor_qty(wanted * Decimal(chance.randint(10, 90)) / 100, whole=whole)
        return part if part > 0 else Decimal(1) if whole else wanted


def _expiry(request: OrderRequest, now_ns: int) -> int | None:
    if request.time_in_force is TimeInForce.GTC:
        return good_till_canceled_end(now_ns)
    if request.time_in_force is TimeInForce.DAY:
        session = session_of_order(now_ns, extended=request.extended_hours)
        return session.post_close if request.extended_hours else session.close
    return None
