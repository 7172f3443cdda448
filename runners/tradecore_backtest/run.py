"""One run: the market moves bar by bar, what was placed before may fill, and only then the strategy sees the bar.

A strategy is handed numbers or bars that have ended, one time at a time, and nothing that it could read ahead with.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from itertools import repeat

import attrs

from tradecore.domain.limits import Limits
from tradecore.domain.nanos import NANO, rounded_nanos, to_nanos
from tradecore.domain.values import ZERO, Bar
from tradecore.domain.volatility import Swing
from tradecore.errors import InputError
from tradecore.journal.collector import collector_paused
from tradecore.ports.strategy import Idea, Portfolio, Strategy
from tradecore.strategies.glancing import Glancer
from tradecore_backtest.books import Asked, Books
from tradecore_backtest.columns import BarSource, Chunk, make_bar
from tradecore_backtest.corporate import Calendar
from tradecore_backtest.desk import Moment
from tradecore_backtest.hours import extended_hours, session_opening, sessions, utc_days
from tradecore_backtest.leaving import Caretaker
from tradecore_backtest.looking import Look, always, moments, swinging
from tradecore_backtest.market import Hours, MarketModel
from tradecore_backtest.pocket import DomainWanted
from tradecore_backtest.ticks import Quotes
from tradecore_backtest.touch import Touch
from tradecore_backtest.venue import Prices, Venue

_LARGEST_CASH = 5_000_000_000


@attrs.frozen
class Terms:
    """What a run is told. `bar_ns` is the length of a bar in nanoseconds."""

    cash: Decimal
    limits: Limits
    model: MarketModel
    bar_ns: int
    quotes: Mapping[str, Quotes] = attrs.field(factory=dict)


class Run:
    """A market, a desk and a strategy. `go` runs it once."""

    def __init__(self, source: BarSource, strategy: Strategy, books: Books, terms: Terms) -> None:
        if not 0 < terms.cash <= _LARGEST_CASH:
            raise InputError("cash", terms.cash, f"an amount above zero, at most {_LARGEST_CASH}")
        self.books = books
        self.times: array[int] = array("q")
        self.equity: array[int] = array("q")
        self.bar_count = 0
        self.refused = 0
        self.first_refusal = ""
        self.last: dict[str, int] = {}
        self._seen: dict[str, int] = {}
        self._source = source
        self._strategy = strategy
        self._look: Look = always
        self._ask: Callable[[Bar, Portfolio], tuple[Idea, ...]] = strategy.on_bar
        if isinstance(strategy, Glancer):
            self._look, self._ask = strategy.glance, strategy.propose
        self._swings: dict[str, Swing] | None = None
        if terms.limits.volatility_steps:
            self._swings, self._look = swinging(self._look)
        self._terms = terms
        self._bar_ns = terms.bar_ns
        self.hand_over: Callable[[], None] = lambda: None
        """What an order does that needs the domain asked from now on; `ask` is to be called by it."""
        self._caretaker: Caretaker | None = None
        self.venue = Venue(books, terms.model, self.last, self._seen, terms.bar_ns)
        self._touch = Touch(self.venue, terms.quotes, terms.model) if terms.quotes else None
        self._opening = 0
        self._cash = to_nanos("cash", terms.cash)
        self._held: dict[str, int] = {}
        self._is_begun = False
        regular = terms.model.hours is Hours.REGULAR and not all("/" in symbol for symbol in source.symbols)
        self._cut = sessions if regular else utc_days
        self._calendar = Calendar(books, self.venue, terms.model, self.last, is_utc=not regular)

    def ask(self, books: Books, caretaker: Caretaker) -> None:
        """Go on with books that decide at every step, and with exits."""
        self.books = self.venue.books = self._calendar.books = books
        self._caretaker = caretaker

    # --- what a strategy may know of its own standing ---------------------------------------------------------------

    def position(self, symbol: str) -> Decimal:
        """Signed quantity that the strategy holds."""
        return self.books.positions.get(symbol, ZERO)

    def working(self, symbol: str) -> Decimal:
        """Signed quantity that its open orders can still add."""
        return self.venue.working(symbol)

    # --- the run ----------------------------------------------------------------------------------------------------

    def go(self) -> None:
        """Run over all bars. Raises what the strategy raises."""
        for chunk in self._source.chunks():
            with collector_paused():  # what a run makes, it keeps; a strategy's own garbage waits for the next chunk
                place = 0
                for first, behind in self._cut(chunk.starts):
                    self._between(chunk, place, first)
                    self._span(chunk, first, behind)
                    place = behind
                self._between(chunk, place, len(chunk.starts))
        if not self._is_begun:
            self._begin(0)

    def _between(self, chunk: Chunk, first: int, behind: int) -> None:
        """Bars of the hours before and after a session: only orders for them trade, and nobody is asked."""
        if first == behind or not self.venue.open:
            return
        for begin, end_of_side in extended_hours(chunk.starts, first, behind):
            self._calendar.turn(chunk.starts[begin])
            self.venue.hold_auctions(chunk.starts[begin])
            for place in range(begin, end_of_side):
                symbol, open_, high, low, close, volume = self._row(chunk, place)
                start = chunk.starts[place]
                end = start + self._bar_ns
                prices = Prices(open_, high, low, close, volume, Moment(end))
                self.venue.match(symbol, prices, start, extended=True)
                self.last[symbol], self._seen[symbol] = close, end
            self._read_books()

    def _span(self, chunk: Chunk, first: int, behind: int) -> None:
        """The bars of a day, or what of it a chunk has."""
        start = chunk.starts[first]
        if not self._is_begun:
            self._begin(start)
        if self._calendar.turn(start):
            self._read_books()
        self._opening = session_opening(start) if self._cut is sessions else 0
        (self._span_of_one if chunk.codes is None else self._span_of_many)(chunk, first, behind)
        self.bar_count += behind - first

    def _begin(self, ns: int) -> None:
        self._is_begun = True
        self.books.begin(self._terms.cash, self._terms.limits, Moment(ns))

    def _span_of_one(self, chunk: Chunk, first: int, behind: int) -> None:
        """The bars of a day of the only symbol."""
        symbol = self._source.symbols[0]
        places = slice(first, behind)
        starts, closes = chunk.starts[places], chunk.closes[places]
        rows = zip(
            range(behind - first), starts, chunk.opens[places], chunk.highs[places], chunk.lows[places], closes,
            chunk.volumes[places], strict=True,
        )  # fmt: skip
        look = self._look
        is_open, last, bar_ns = self.venue.open, self.last, self._bar_ns
        venue, seen_ns, touch = self.venue, self._seen, self._touch
        seen = 0  # bars of this day that are in the equity curve
        is_busy = bool(is_open) or self._caretaker is not None
        for place, start, open_, high, low, close, volume in rows:
            if not is_busy:
                if look(symbol, start, open_, high, low, close, volume):
                    last[symbol] = close
                    self._decide(symbol, start, open_, high, low, close, volume)
                    is_busy = bool(is_open) or self._caretaker is not None
                continue
            if is_open:
                end = start + bar_ns
                self._mark(closes, seen, place, symbol)
                seen = place
                moment = Moment(end)
                if venue.auctions:
                    venue.hold_auctions(start)
                if touch is None:
                    venue.match(symbol, Prices(open_, high, low, close, volume, moment), start)
                else:
                    self._match([(symbol, open_, high, low, close, volume)], start)
                if venue.auctions:
                    last[symbol], seen_ns[symbol] = close, end
                    venue.hold_auctions(end, moment)
                self._read_books()
            if self._caretaker is not None:
                last[symbol] = close
                self._care(make_bar(symbol, start, open_, high, low, close, volume), start)
            if look(symbol, start, open_, high, low, close, volume):
                last[symbol] = close
                self._decide(symbol, start, open_, high, low, close, volume)
            is_busy = bool(is_open) or self._caretaker is not None
        if starts:
            last[symbol], seen_ns[symbol] = closes[-1], starts[-1] + bar_ns
        self._mark(closes, seen, len(closes), symbol)
        self.times.extend([start + bar_ns for start in starts])

    def _mark(self, closes: list[int], first: int, behind: int, symbol: str) -> None:
        """Put so many bars into the equity curve, at what is held now."""
        cash, held = self._cash, self._held.get(symbol, 0)
        if not held:
            self.equity.extend(repeat(cash, behind - first))
        elif not held % NANO:
            units = held // NANO
            self.equity.extend([cash + units * close for close in closes[first:behind]])
        else:
            self.equity.extend([cash + held * close // NANO for close in closes[first:behind]])

    def _span_of_many(self, chunk: Chunk, first: int, behind: int) -> None:
        """The bars of a day of several symbols: all of a time trade before any of them is decided on."""
        look, is_open, last, seen = self._look, self.venue.open, self.last, self._seen
        for begin, end_of_time in moments(chunk.starts, first, behind):
            start = chunk.starts[begin]
            end = start + self._bar_ns
            rows = [self._row(chunk, place) for place in range(begin, end_of_time)]
            has_auctions = bool(self.venue.auctions)
            if has_auctions:
                self.venue.hold_auctions(start)
            has_matched = self._match(rows, start) if is_open else False
            for row in rows:
                last[row[0]], seen[row[0]] = row[4], end
            if has_auctions:
                self.venue.hold_auctions(end, Moment(end))
            if has_matched or has_auctions:
                self._read_books()
            for symbol, open_, high, low, close, volume in rows:
                if self._caretaker is not None:
                    self._care(make_bar(symbol, start, open_, high, low, close, volume), start)
                if look(symbol, start, open_, high, low, close, volume):
                    self._decide(symbol, start, open_, high, low, close, volume)
            self.times.append(end)
            self.equity.append(self._cash + sum([held * last[one] // NANO for one, held in self._held.items()]))

    def _match(self, rows: Sequence[tuple[str, int, int, int, int, int]], start: int) -> bool:
        """Let the bars of a time meet the orders that were there before; True when there were any."""
        is_open, has_matched = self.venue.open, False
        end = start + self._bar_ns
        moment = Moment(end)
        quoted = self._touch.symbols if self._touch is not None else ()
        if self._touch is not None:
            self._touch.match(end, self._opening)
            has_matched = True
        for symbol, open_, high, low, close, volume in rows:
            if symbol in is_open and symbol not in quoted:
                self.venue.match(symbol, Prices(open_, high, low, close, volume, moment), start)
                has_matched = True
        return has_matched

    def _row(self, chunk: Chunk, place: int) -> tuple[str, int, int, int, int, int]:
        code = 0 if chunk.codes is None else chunk.codes[place]
        return (
            self._source.symbols[code], chunk.opens[place], chunk.highs[place], chunk.lows[place],
            chunk.closes[place], chunk.volumes[place],
        )  # fmt: skip

    def _read_books(self) -> None:
        self._cash = rounded_nanos(self.books.cash)
        self._held = {symbol: to_nanos("quantity", quantity) for symbol, quantity in self.books.positions.items()}

    def _care(self, bar: Bar, start: int) -> None:
        """Exits come first, as live."""
        assert self._caretaker is not None, "it was asked for"
        end = start + self._bar_ns
        self._caretaker.see(bar, Moment(end))

    # --- deciding ---------------------------------------------------------------------------------------------------

    def _decide(self, symbol: str, start: int, open_: int, high: int, low: int, close: int, volume: int) -> None:
        """Hand the bar to the strategy and place what it proposes, as the engine does."""
        bar = make_bar(symbol, start, open_, high, low, close, volume)
        ideas = self._ask(bar, self)
        if not ideas:
            return
        end = start + self._bar_ns
        moment = Moment(end)
        for number, idea in enumerate(ideas):
            swing = None if self._swings is None else self._swings.get(idea.symbol, Swing()).share
            asked = Asked(idea, idea.symbol, bar.start, bar.close, number, swing)
            try:
                try:
                    self.venue.admit(asked, moment)
                except DomainWanted:
                    self.hand_over()
                    self.venue.admit(asked, moment)
            except InputError as error:
                told = f"strategy {self._strategy.name} at {bar.start.isoformat()}: {error}"
                self.refused, self.first_refusal = self.refused + 1, self.first_refusal or told
                self.books.note(told, moment)
