"""The books of a whole ledger, by trading account."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import attrs

from tradecore.books.as_of import AsOf, entries_until
from tradecore.books.bookkeeper import Bookkeeper
from tradecore.books.entries import Entry
from tradecore.books.statement import Statement
from tradecore.books.trial_balance import TrialBalance
from tradecore.domain.events import Event
from tradecore.domain.messages import Recorded
from tradecore.errors import InputError

if TYPE_CHECKING:
    from tradecore.journal.contract import Journal

_PAGE = 1000


@attrs.frozen
class Book:
    """The journal of one trading account. `head` is the last position of the ledger that was read for it."""

    account: str
    currency: str
    entries: tuple[Entry, ...]
    head: int

    def until(self, as_of: AsOf | None = None) -> tuple[Entry, ...]:
        """The entries up to a position or moment; None is all. Raises `InputError` for a position not yet read."""
        if isinstance(as_of, int) and not 0 <= as_of <= self.head:
            raise InputError("as_of", as_of, f"a position of this ledger, from 0 to {self.head}")
        return entries_until(self.entries, as_of)

    def statement(self, as_of: AsOf | None = None) -> Statement:
        """Cash, profit, fees and lots. Raises as `until` does."""
        return Statement.after(self.account, self.currency, self.until(as_of))

    def trial_balance(self, as_of: AsOf | None = None) -> TrialBalance:
        """Every account of the chart. Raises as `until` does."""
        return TrialBalance.after(self.account, self.until(as_of))


def books_of(events: Iterable[Recorded[Event]]) -> dict[str, Book]:
    """Books by trading account, from the events of a ledger in order. Raises `CorruptLedger`."""
    keeper, head = Bookkeeper(), 0
    entries: dict[str, list[Entry]] = {}
    for recorded in events:
        head = recorded.envelope.position
        if (entry := keeper.take(recorded)) is not None:
            entries.setdefault(entry.account, []).append(entry)
    return {
        account: Book(account, keeper.currency(account), tuple(journal), head) for account, journal in entries.items()
    }


def read_books(journal: Journal) -> dict[str, Book]:
    """Books by trading account, as of now. Raises `CorruptLedger` and what the journal raises."""
    return books_of(events_of(journal))


def events_of(journal: Journal) -> Iterator[Recorded[Event]]:
    """Every event of a ledger, in order."""
    after = 0
    while page := journal.read(after, _PAGE):
        yield from page
        after = page[-1].envelope.position
