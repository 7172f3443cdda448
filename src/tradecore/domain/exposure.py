"""Exposure: per symbol what is held, what is open and what it is worth, with totals that are kept, never summed up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

import attrs

from tradecore.domain.evolving import changed
from tradecore.domain.values import ZERO, Side, minus, plus, times


@attrs.frozen(slots=False)  # made at every event, and twice as fast so
class Book:
    """One symbol. `position` is signed; `buys` and `sells` are what open orders can still fill, unsigned."""

    position: Decimal = ZERO
    buys: Decimal = ZERO
    sells: Decimal = ZERO

    @property
    def worst(self) -> Decimal:
        """The largest position, unsigned, that everything open could come to."""
        return max(abs(self.most), abs(self.least))

    @property
    def is_empty(self) -> bool:
        """Whether nothing is held and nothing is open."""
        return not (self.position or self.buys or self.sells)

    @property
    def most(self) -> Decimal:
        """The signed position once every open buy has filled, and no sell."""
        return plus(self.position, self.buys)

    @property
    def least(self) -> Decimal:
        """The signed position once every open sell has filled, and no buy."""
        return minus(self.position, self.sells)

    def open(self, side: Side, quantity: Decimal) -> Book:
        """With so much more that can fill on a side; less where `quantity` is below zero."""
        if side is Side.BUY:
            return Book(self.position, plus(self.buys, quantity), self.sells)
        return Book(self.position, self.buys, plus(self.sells, quantity))


_EMPTY = Book()


@attrs.frozen(slots=False)
class Exposure:
    """The books of all symbols, the last price of each, and the totals over those that have one.

    `gross` counts every symbol at its worst, `net` what is held, signed; `most` and `least` are `net` once every open
    buy has filled, or every open sell; `by_sector` is `gross` by the sectors that the limits name. `unpriced` are
    symbols with a book and no price.
    """

    books: Mapping[str, Book] = attrs.field(factory=dict)
    marks: Mapping[str, Decimal] = attrs.field(factory=dict)
    sectors: Mapping[str, str] = attrs.field(factory=dict)
    gross: Decimal = ZERO
    net: Decimal = ZERO
    most: Decimal = ZERO
    least: Decimal = ZERO
    by_sector: Mapping[str, Decimal] = attrs.field(factory=dict)
    unpriced: frozenset[str] = frozenset()

    def book(self, symbol: str) -> Book:
        """The book of a symbol, empty when there is none."""
        return self.books.get(symbol, _EMPTY)

    @property
    def held_value(self) -> Decimal | None:
        """What all positions are worth, signed; None when the price of one is not known."""
        return None if any(self.books[symbol].position for symbol in self.unpriced) else self.net

    def with_book(self, symbol: str, book: Book) -> Exposure:
        """After the book of a symbol changed."""
        mark = self.marks.get(symbol)
        return self._moved(symbol, mark, book, mark)

    def with_opened(self, opened: Iterable[tuple[str, Side, Decimal]]) -> Exposure:
        """After orders could fill more, or less: symbol, side, and how much."""
        exposure = self
        for symbol, side, more in opened:
            exposure = exposure.with_book(symbol, exposure.books.get(symbol, _EMPTY).open(side, more))
        return exposure

    def with_mark(self, symbol: str, price: Decimal | None) -> Exposure:
        """After the price of a symbol changed; None when nobody knows it any more."""
        before = self.marks.get(symbol)
        return self if before == price else self._moved(symbol, before, self.books.get(symbol, _EMPTY), price)

    def with_both(self, symbol: str, book: Book, price: Decimal | None) -> Exposure:
        """After the book of a symbol changed together with its price."""
        return self._moved(symbol, self.marks.get(symbol), book, price)

    def with_sectors(self, sectors: Mapping[str, str]) -> Exposure:
        """After the sectors were named anew."""
        totals: dict[str, Decimal] = {}
        for symbol, sector in sectors.items():
            worth = times(self.book(symbol).worst, self.marks.get(symbol, ZERO))
            if worth:
                totals[sector] = plus(totals.get(sector, ZERO), worth)
        return changed(self, sectors=dict(sectors), by_sector=totals)

    def _moved(self, symbol: str, before: Decimal | None, book: Book, mark: Decimal | None) -> Exposure:
        """With the book of a symbol at the price `before` taken out and `book` at `mark` put in.

        Every event of an account comes by here, so it counts only what changes, and copies the whole once.
        """
        after: dict[str, object] = {}
        old = self.books.get(symbol)
        is_empty = book.is_empty
        if is_empty:
            if old is not None:
                after["books"] = {name: other for name, other in self.books.items() if name != symbol}
        elif book is not old:
            after["books"] = {**self.books, symbol: book}
        if mark is None:
            if before is not None:
                after["marks"] = {name: price for name, price in self.marks.items() if name != symbol}
        elif mark != before:
            after["marks"] = {**self.marks, symbol: mark}
        if before is not None or mark is not None:
            self._weigh(after, symbol, (old or _EMPTY, before or ZERO), (book, mark or ZERO))
        if (mark is None and not is_empty) != (symbol in self.unpriced):
            after["unpriced"] = self.unpriced ^ {symbol}
        return changed(self, **after)

    def _weigh(
        self, after: dict[str, object], symbol: str, was: tuple[Book, Decimal], now: tuple[Book, Decimal]
    ) -> None:
        """The totals that change when a book at its price becomes another at another."""
        (old, before), (new, mark) = was, now
        old_position, position = old.position, new.position
        old_most, most = plus(old_position, old.buys), plus(position, new.buys)
        old_least, least = minus(old_position, old.sells), minus(position, new.sells)
        old_worst, worst = max(abs(old_most), abs(old_least)), max(abs(most), abs(least))
        if mark != before or position != old_position:
            after["net"] = plus(self.net, _worth_more(old_position, before, position, mark))
        if mark != before or most != old_most:
            after["most"] = plus(self.most, _worth_more(old_most, before, most, mark))
        if mark != before or least != old_least:
            after["least"] = plus(self.least, _worth_more(old_least, before, least, mark))
        if mark != before or worst != old_worst:
            more = _worth_more(old_worst, before, worst, mark)
            after["gross"] = plus(self.gross, more)
            sector = self.sectors.get(symbol)
            if sector is not None and more:
                after["by_sector"] = {**self.by_sector, sector: plus(self.by_sector.get(sector, ZERO), more)}


def _worth_more(old: Decimal, before: Decimal, new: Decimal, mark: Decimal) -> Decimal:
    return times(minus(new, old), mark) if mark == before else minus(times(new, mark), times(old, before))
