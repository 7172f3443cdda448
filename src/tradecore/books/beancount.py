"""The books as a beancount file (version 3) that `bean-check` accepts.

Lots are explicit: every posting to securities names cost, date and the fill that opened the lot, so the booking method
is STRICT and nothing is left to be matched. A short position is a lot of negative units at cost: an account never holds
lots of both signs, because what is closed is posted before what is opened. Amounts are exact and so is the check:
the file sets the tolerance to zero. Dates are days in UTC and never run back; the true time is in the metadata.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator
from decimal import Decimal

import attrs

from tradecore.books import beancount_names as names
from tradecore.books.as_of import booked_times
from tradecore.books.beancount_digits import check_digits
from tradecore.books.chart import CASH, FEES, OPENING, OUTSIDE, REALISED_PNL, securities
from tradecore.books.entries import Entry, LotMove, Posting
from tradecore.books.reading import Book
from tradecore.books.standing import Standing
from tradecore.views.plain import instant, text

_NAMES = {
    CASH: "Assets:{}:Cash",
    FEES: "Expenses:{}:Fees",
    REALISED_PNL: "Income:{}:Realised-PnL",
    OPENING: "Equity:{}:Opening",
    **{name: names.outside(name) for name in OUTSIDE},
}
_LotKey = tuple[str, str, Decimal]


def beancount_lines(books: Iterable[Book]) -> Iterator[str]:
    """The lines of the file. Raises `InputError` for a currency or amounts that beancount cannot hold."""
    kept = [book for book in books if book.entries]
    currencies = {names.currency(posting.currency) for book in kept for posting in _postings(book.entries)}
    yield 'option "title" "tradecore"'
    yield 'option "tolerance_multiplier" "0"'
    for currency in sorted(currencies):
        yield f'option "operating_currency" "{currency}"'
    symbols = {posting.lot.symbol for book in kept for posting in _postings(book.entries) if posting.lot is not None}
    begin = min((booked_times(book.entries)[0] for book in kept), default=None)
    for symbol in sorted(symbols):
        assert begin is not None, "a symbol comes from an entry"
        yield f"{_day(begin)} commodity {names.commodity(symbol, currencies)}"
        yield f'  symbol: "{_quoted(symbol)}"'
    for book in kept:
        check_digits(book.entries)
        yield from _Section(book.account, currencies).lines(book.entries)


@attrs.define
class _Section:
    """One trading account in the file."""

    account: str
    currencies: Collection[str]
    _opened: dict[_LotKey, dt.datetime] = attrs.field(factory=dict)

    def lines(self, entries: tuple[Entry, ...]) -> Iterator[str]:
        times = booked_times(entries)
        yield ""
        for posting in {posting.account: posting for posting in _postings(entries)}.values():
            held = "" if posting.lot is None else f' {self._commodity(posting.lot.symbol)} "STRICT"'
            yield f"{_day(times[0])} open {self._name(posting)}{held}"
        for entry, time in zip(entries, times, strict=True):
            yield ""
            yield from self._transaction(entry, time)
        yield ""
        yield from self._assertions(entries, times[-1] + dt.timedelta(days=1))

    def _transaction(self, entry: Entry, time: dt.datetime) -> Iterator[str]:
        yield f'{_day(time)} * "{_quoted(entry.description)}"'
        yield f'  event: "{_quoted(entry.event_id)}"'
        yield f"  position: {entry.position}"
        yield f'  time: "{instant(entry.time)}"'
        yield f'  trace: "{_quoted(entry.trace_id)}"'
        for posting in entry.postings:
            if posting.lot is None:
                yield f"  {self._name(posting)}  {text(posting.amount)} {posting.currency}"
            else:
                yield f"  {self._name(posting)}  {self._lot(posting.lot, posting.currency, time)}"

    def _lot(self, move: LotMove, currency: str, time: dt.datetime) -> str:
        key = (move.symbol, move.opened_by, move.price)
        if not move.closes:
            self._opened[key] = time
        cost = f'{text(move.price)} {currency}, {_day(self._opened[key])}, "{_quoted(move.opened_by)}"'
        return f"{text(move.quantity)} {self._commodity(move.symbol)} {{{cost}}}"

    def _assertions(self, entries: tuple[Entry, ...], time: dt.datetime) -> Iterator[str]:
        """What every account holds after the last entry: money, or units of what it holds at cost."""
        standing = Standing.after(entries)
        positions = standing.positions
        for posting in {(posting.account, posting.currency): posting for posting in _postings(entries)}.values():
            if posting.lot is None:
                amount = f"{text(standing.balances[posting.account, posting.currency])} ~ 0 {posting.currency}"
            else:
                held = positions.get(posting.lot.symbol)
                amount = f"{text(held.quantity) if held else '0'} ~ 0 {self._commodity(posting.lot.symbol)}"
            yield f"{_day(time)} balance {self._name(posting)}  {amount}"

    def _name(self, posting: Posting) -> str:
        owner = names.trading_account(self.account)
        if posting.lot is None:
            return _NAMES[posting.account].format(owner)
        assert posting.account == securities(posting.lot.symbol), "lots are in the account of their symbol"
        return f"Assets:{owner}:Securities:{names.component(posting.lot.symbol)}"

    def _commodity(self, symbol: str) -> str:
        return names.commodity(symbol, self.currencies)


def _postings(entries: Iterable[Entry]) -> list[Posting]:
    return [posting for entry in entries for posting in entry.postings]


def _day(time: dt.datetime) -> str:
    return time.astimezone(dt.UTC).date().isoformat()


def _quoted(written: str) -> str:
    shown = "".join(char if char.isprintable() else " " for char in written)
    return shown.replace("\\", "\\\\").replace('"', '\\"')
