"""Exposure: per symbol what is held, what is open and what it is worth, with totals that are kept, never summed up."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import attrs

from tradecore.domain.evolving import changed
from tradecore.domain.values import ZERO, Side, minus, plus, times


@attrs.frozen
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
        books = dict(self.books)
        if book.is_empty:
            books.pop(symbol, None)
        else:
            books[symbol] = book
        mark = self.marks.get(symbol)
        return changed(self._weighed(symbol, self.book(symbol), mark, book, mark), books=books)

    def with_mark(self, symbol: str, price: Decimal | None) -> Exposure:
        """After the price of a symbol changed; None when nobody knows it any more."""
        before = self.marks.get(symbol)
        if before == price:
            return self
        marks = {**self.marks, symbol: price} if price is not None else dict(self.marks)
        if price is None:
            del marks[symbol]
        book = self.book(symbol)
        return changed(self._weighed(symbol, book, before, book, price), marks=marks)

    def with_sectors(self, sectors: Mapping[str, str]) -> Exposure:
        """After the sectors were named anew."""
        totals: dict[str, Decimal] = {}
        for symbol, sector in sectors.items():
            worth = times(self.book(symbol).worst, self.marks.get(symbol, ZERO))
            if worth:
                totals[sector] = plus(totals.get(sector, ZERO), worth)
        return changed(self, sectors=dict(sectors), by_sector=totals)

    def _weighed(self, symbol: str, old: Book, before: Decimal | None, new: Book, mark: Decimal | None) -> Exposure:
        """The totals, with `old` at the price `before` taken out and `new` at `mark` put in."""
        was, now = times(old.worst, before or ZERO), times(new.worst, mark or ZERO)
        more = minus(now, was)

        def moved(total: Decimal, after: Decimal, former: Decimal) -> Decimal:
            return plus(total, minus(times(after, mark or ZERO), times(former, before or ZERO)))

        by_sector = self.by_sector
        sector = self.sectors.get(symbol)
        if sector is not None and more:
            by_sector = {**by_sector, sector: plus(by_sector.get(sector, ZERO), more)}
        unpriced = self.unpriced
        if (mark is None and not new.is_empty) != (symbol in unpriced):
            unpriced = unpriced ^ {symbol}
        return changed(
            self,
            gross=plus(self.gross, more),
            net=moved(self.net, new.position, old.position),
            most=moved(self.most, new.most, old.most),
            least=moved(self.least, new.least, old.least),
            by_sector=by_sector,
            unpriced=unpriced,
        )
