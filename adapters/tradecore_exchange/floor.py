"""The trading floor: exchange, tape and store in step. What is not yet durable, nobody hears of."""

from __future__ import annotations

import collections
import hashlib
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import TypeVar

import attrs

from tradecore.domain.values import Bar, Quote
from tradecore.errors import ConfigurationError, StoreUnavailable
from tradecore_exchange.feed import Feed, Step, Tick, fingerprint
from tradecore_exchange.history import MarketHistory
from tradecore_exchange.instants import as_datetime
from tradecore_exchange.matching import Exchange, Submitted
from tradecore_exchange.operations import Done
from tradecore_exchange.options import ExchangeOptions
from tradecore_exchange.orders import TradeUpdate
from tradecore_exchange.refusals import Refusal
from tradecore_exchange.requests import OrderRequest, ReplaceRequest
from tradecore_exchange.sessions import new_york_date
from tradecore_exchange.store import Extras, Store

Message = TradeUpdate | Bar | Quote
Answer = TypeVar("Answer", Submitted | Refusal, Done | Refusal)


@attrs.frozen
class Advanced:
    """What a step did. `bars` are the symbols that traded, `orders_changed` the ids of the orders that moved."""

    bars: frozenset[str]
    orders_changed: frozenset[str]


class Floor:
    """One exchange with its market and its memory.

    `ticks` is the market in order of time, `source` says in words what it is (with `symbols` it binds the store).
    Opening a store that was filled before continues there: the tape is wound to where it stopped.

    Raises:
        AnotherMarket: the store was filled on another market.
        ConfigurationError: the store was filled with another seed or opening cash.
        StoreUnavailable: the store cannot be opened, read or written.
    """

    def __init__(
        self,
        symbols: Iterable[str],
        ticks: Iterable[Tick] = (),
        *,
        source: str = "none",
        options: ExchangeOptions | None = None,
        store: Store | None = None,
    ) -> None:
        listed = sorted(set(symbols))
        self.source = source
        self.ticks = ticks
        self.fingerprint = fingerprint(listed, source)
        self.feed = Feed(ticks)
        self.history = MarketHistory()
        self.posts: collections.Counter[str] = collections.Counter()
        self.closes: list[tuple[int, Decimal]] = []
        self.store = store or Store(None)
        self._broken: StoreUnavailable | None = None
        self._extras = Extras()
        self._outbox: collections.deque[Message] = collections.deque()
        self._listeners: list[Callable[[Message], None]] = []
        first = self.feed.first_bar_ns
        if first is None:
            self.exchange = Exchange(listed, options)
        else:
            self.exchange = Exchange(listed, options, start=as_datetime(first))
        self._restore()

    def submit(self, request: OrderRequest) -> Submitted | Refusal:
        """Enter an order."""
        return self._answered(self.exchange.submit(request))

    def replace(self, order_id: str, request: ReplaceRequest) -> Submitted | Refusal:
        """Change an order."""
        return self._answered(self.exchange.replace(order_id, request))

    def cancel(self, order_id: str) -> Done | Refusal:
        """Cancel an order."""
        return self._answered(self.exchange.cancel(order_id))

    def carry_out(self, operation: Callable[[Exchange], Done | Refusal]) -> Done | Refusal:
        """Let something happen at the exchange (a bust, a halt, a split), durably, and told by the next `publish`."""
        self._check()
        return self._answered(operation(self.exchange))

    def count_post(self, client_order_id: str) -> None:
        """Remember that a POST of an order came in, whatever becomes of it; durable with the next input."""
        self.posts[client_order_id] += 1
        self._extras.posts[client_order_id] = self.posts[client_order_id]

    def advance(self) -> Advanced | None:
        """Let the market move to its next moment; None when there is none."""
        self._check()
        day = new_york_date(self.exchange.clock.market_ns)
        step = self.feed.next()
        if step is None:
            return None
        if new_york_date(step.at_ns) != day:
            self._close_day()
        updates = self._show(step)
        changed = frozenset(self._save(updates))
        self._outbox.extend(updates)
        self._outbox.extend(step.bars)
        self._outbox.extend(step.quotes)
        return Advanced(frozenset(bar.symbol for bar in step.bars), changed)

    def quote(self, quote: Quote) -> Advanced:
        """A quote from outside the tape."""
        self._check()
        self.history.of(quote.symbol).add_quote(quote)
        updates = self.exchange.on_quote(quote)
        self._extras.quotes[quote.symbol] = quote
        changed = frozenset(self._save(updates))
        self._outbox.extend(updates)
        self._outbox.append(quote)
        return Advanced(frozenset(), changed)

    def configuration_changed(self) -> None:
        """Make a change of the account's configuration durable."""
        self.exchange.blotter.changes.account = True
        self._save()

    def save(self) -> None:
        """Make durable what has no input of its own."""
        self._save()

    def listen(self, listener: Callable[[Message], None]) -> None:
        """Have every durable message delivered by `publish`, in order."""
        self._listeners.append(listener)

    def publish(self) -> None:
        """Deliver what happened since the last call; the caller decides whether its own answer goes first."""
        while self._outbox:
            message = self._outbox.popleft()
            for listener in self._listeners:
                listener(message)

    @property
    def has_unpublished(self) -> bool:
        """True while something durable waits to be told."""
        return bool(self._outbox)

    def sibling(self, name: str, cash: Decimal) -> Floor:
        """The floor of another account on the same market, with ids and a store of its own. Raises as a new one.

        An account that is new joins the market where this floor stands. The market must be one that can be read twice.
        """
        if not isinstance(self.ticks, Sequence):
            raise ConfigurationError("a further account needs a market that can be read again: give the bars as a list")
        options = self.exchange.options
        # From the digest of its name: two accounts never give out the same id.
        seed = int.from_bytes(hashlib.sha256(f"{options.seed}:{name}".encode()).digest()[:6])
        mine = attrs.evolve(options, seed=seed, cash=cash)
        floor = Floor(
            self.exchange.symbols, self.ticks, source=self.source, options=mine, store=self.store.sibling(name)
        )
        if floor.is_new:
            floor._join(self)
        return floor

    def close(self) -> None:
        """Let go of the store."""
        self.store.close()

    def _answered(self, outcome: Answer) -> Answer:
        self._check()
        if isinstance(outcome, Refusal):
            self._save()
            return outcome
        self._save(outcome.updates)
        self._outbox.extend(outcome.updates)
        return outcome

    def _show(self, step: Step) -> list[TradeUpdate]:
        """Bars come before quotes of the same moment: the orders were there when the bar's minute began."""
        updates: list[TradeUpdate] = []
        if step.bars:
            for bar in step.bars:
                self.history.of(bar.symbol).add_bar(bar)
            updates += self.exchange.on_bars(step.bars)
        for quote in step.quotes:
            self.history.of(quote.symbol).add_quote(quote)
            updates += self.exchange.on_quote(quote)
        return updates

    def _close_day(self) -> None:
        exchange = self.exchange
        equity = exchange.account.equity(exchange.prices)
        close = (exchange.clock.market_ns, equity)
        self.closes.append(close)
        self._extras.closes.append((close[0], format(equity, "f")))

    def _check(self) -> None:
        if self._broken is not None:
            raise self._broken

    def _save(self, updates: Sequence[TradeUpdate] = ()) -> Iterable[str]:
        """Commit what changed; after a failure the floor stays shut, as memory is then ahead of the store."""
        changes, extras = self.exchange.take_changes(), self._extras
        extras.updates = updates
        state = self.exchange.state() if changes.account else None
        try:
            self.store.save(self.fingerprint, self.feed.steps_done, self.exchange.clock, changes, state, extras)
        except StoreUnavailable as error:
            self._broken = error
            raise
        if extras.posts or extras.quotes or extras.closes or updates:
            self._extras = Extras()
        return changes.orders

    def _restore(self) -> None:
        saved = self.store.load(self.fingerprint)
        exchange = self.exchange
        self.is_new = saved is None
        if saved is None:
            exchange.blotter.changes.account = True
            self._save()
            return
        stored, given = (saved.state.seed, saved.state.opening_cash), (exchange.options.seed, exchange.options.cash)
        if stored != given:
            raise ConfigurationError(
                f"the exchange's store was begun with seed {stored[0]} and cash {stored[1]}, "
                f"not with seed {given[0]} and cash {given[1]}"
            )
        exchange.restore(saved.state, saved.clock, saved.orders, saved.activities)
        self.posts.update(saved.posts)
        self.closes = [(at, Decimal(equity)) for at, equity in saved.closes]
        self._recall(saved.steps)
        for quote in saved.quotes:
            self.history.of(quote.symbol).add_quote(quote)
            exchange.recall_quote(quote)

    def _join(self, other: Floor) -> None:
        """Stand in the market where another floor stands."""
        self._recall(other.feed.steps_done)
        for quote in filter(None, map(other.exchange.market.live_quote, sorted(other.exchange.symbols))):
            self.history.of(quote.symbol).add_quote(quote)
            self.exchange.recall_quote(quote)
            self._extras.quotes[quote.symbol] = quote
        self.exchange.clock.reach(other.exchange.clock.market_ns)
        self._save()

    def _recall(self, steps: int) -> None:
        """Know what the market showed until then, without trading on it."""
        while self.feed.steps_done < steps:
            step = self.feed.next()
            if step is None:
                raise ConfigurationError(f"the market ends before step {steps}, where the store stopped")
            for bar in step.bars:
                self.history.of(bar.symbol).add_bar(bar)
                self.exchange.recall_bar(bar)
            for quote in step.quotes:
                self.history.of(quote.symbol).add_quote(quote)
                self.exchange.recall_quote(quote)
