"""The sheet of a ledger, live or kept: equity out of the double-entry books, trades and fills out of the views."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal

from tradecore.books.as_of import booked_times
from tradecore.books.chart import ADJUSTMENTS
from tradecore.books.entries import Entry
from tradecore.books.reading import Book
from tradecore.books.standing import Standing
from tradecore.domain.values import ZERO, Bar, Side, TradeStatus, plus, times
from tradecore.errors import InputError
from tradecore.metrics import ClosedTrade, Curve, Dealt, Sample, market_of
from tradecore.tearsheet.sheet import Sheet
from tradecore.views.view import Row

_MINUTE = dt.timedelta(minutes=1)
_INSTANT = dt.timedelta(microseconds=1)
_OUTSIDE = ("equity:deposits", "equity:other", ADJUSTMENTS)
_AT_COST = (
    "Positions are valued at cost, because no prices were given: profit shows when it is realised. --bars values them."
)


def sheet_of_ledger(
    book: Book, trades: Iterable[Row], fills: Iterable[Row], bars: Sequence[Bar] = (), title: str | None = None
) -> Sheet:
    """The sheet of one trading account. With minute `bars`, by time, positions are valued at closes; else at cost.

    What was paid in or out, or adjusted by a person, is no return. Raises `InputError` for an account without entries.
    """
    if not book.entries:
        raise InputError("account", book.account, "an account with entries in its books")
    closed = tuple(_trade(row) for row in trades if _is_closed(row, book.account))
    dealt = tuple(_fill(row) for row in fills if row["account"] == book.account and row["status"] != "busted")
    prices: dict[str, list[tuple[dt.datetime, Decimal]]] = {}
    for bar in bars:
        prices.setdefault(bar.symbol, []).append((bar.start + _MINUTE, bar.close))
    return Sheet(
        title=title or f"Account {book.account}",
        currency=book.currency,
        curve=Curve.of(samples_of(book.entries, bars)),
        trades=closed,
        dealt=tuple(sorted(dealt, key=lambda deal: deal.at)),
        prices=prices,
        market=market_of(frozenset(deal.symbol for deal in dealt)),
        provenance={
            "account": book.account,
            "positions of the ledger": f"{book.entries[0].position} to {book.entries[-1].position}, head {book.head}",
            "entries": f"{len(book.entries):,}",
            "bars": f"{len(bars):,}",
        },
        notes=() if bars else (_AT_COST,),
    )


def samples_of(entries: Sequence[Entry], bars: Sequence[Bar] = ()) -> Iterator[Sample]:
    """One sample per moment at which something was booked, or a bar ended from the first entry on."""
    standing = Standing()
    closes: dict[str, Decimal] = {}
    flow, now = ZERO, None
    begun = False
    for at, item in _merged(entries, bars):
        if now is not None and at != now and begun:
            yield _sample(now, standing, closes, flow)
            flow = ZERO
        now = at
        if isinstance(item, Entry):
            standing.take(item)
            begun = True
            if not item.is_opening:
                flow = plus(flow, _paid_in(item))
        else:
            closes[item.symbol] = item.close
    if now is not None and begun:
        yield _sample(now, standing, closes, flow)


def _merged(entries: Sequence[Entry], bars: Sequence[Bar]) -> Iterator[tuple[dt.datetime, Entry | Bar]]:
    """Entries and bars by time; at one moment, entries first."""
    booked = list(zip(booked_times(entries), entries, strict=True))
    if entries[0].is_opening:
        booked[0] = (booked[0][0] - _INSTANT, entries[0])  # what was held before the first fill is a sample of its own
    place = 0
    for bar in bars:
        end = bar.start + _MINUTE
        while place < len(booked) and booked[place][0] <= end:
            yield booked[place]
            place += 1
        yield end, bar
    yield from booked[place:]


def _sample(at: dt.datetime, standing: Standing, closes: Mapping[str, Decimal], flow: Decimal) -> Sample:
    equity, exposure = standing.cash, ZERO
    for symbol, position in standing.positions.items():
        close = closes.get(symbol)
        if close is None:
            value = sum((times(lot.quantity, lot.price) for lot in position.lots), ZERO)
        else:
            value = times(position.quantity, close)
        equity = plus(equity, value)
        exposure = plus(exposure, abs(value))
    return Sample(at, equity, exposure, flow)


def _paid_in(entry: Entry) -> Decimal:
    """What came from outside: the other side is a credit there."""
    return -sum((posting.amount for posting in entry.postings if posting.account in _OUTSIDE), ZERO)


def _is_closed(row: Row, account: str) -> bool:
    return bool(row["account"] == account and row["status"] == TradeStatus.CLOSED.value and row["opened_at"])


def _trade(row: Row) -> ClosedTrade:
    return ClosedTrade(
        trade_id=row["trade_id"],
        symbol=row["symbol"],
        side=Side(row["side"]),
        quantity=Decimal(row["entry_qty"]),
        opened_at=dt.datetime.fromisoformat(row["opened_at"]),
        closed_at=dt.datetime.fromisoformat(row["closed_at"]),
        pnl=Decimal(row["realised_pnl"]),
        fees=Decimal(row["fees"]),
    )


def _fill(row: Row) -> Dealt:
    return Dealt(
        at=dt.datetime.fromisoformat(row["occurred_at"]),
        symbol=row["symbol"],
        side=Side(row["side"]),
        quantity=Decimal(row["qty"]),
        price=Decimal(row["price"]),
        fees=Decimal(row["fees"]),
    )
