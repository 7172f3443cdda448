"""What a backtest did, as rows: orders, fills, trades, and equity over time."""

from __future__ import annotations

import datetime as dt
from array import array
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import Generic, TypeVar, overload

import attrs

from tradecore.domain.nanos import from_nanos, instant
from tradecore.domain.values import OrderStatus, OrderType, Side, TimeInForce, TradeStatus

Row = TypeVar("Row")


@attrs.frozen
class OrderRow:
    """An order at the end of the run. `placed_at` and `ended_at` are UTC; `average_price` to 9 places."""

    order_id: str
    trade_id: str
    decision_id: str | None
    strategy: str
    symbol: str
    side: Side
    quantity: Decimal | None
    order_type: OrderType
    limit_price: Decimal | None
    stop_price: Decimal | None
    time_in_force: TimeInForce
    status: OrderStatus
    placed_at: dt.datetime
    ended_at: dt.datetime | None
    filled_qty: Decimal
    average_price: Decimal | None


@attrs.frozen
class FillRow:
    """An execution. `at` is UTC; `fees` in account currency."""

    fill_id: str
    order_id: str
    trade_id: str
    symbol: str
    side: Side
    quantity: Decimal
    price: Decimal
    fees: Decimal
    at: dt.datetime


@attrs.frozen
class TradeRow:
    """A position idea from decision to flat. `quantity` is all that was bought or sold to enter, unsigned.

    Averages are to 9 places; `realised_pnl` is net of `fees`. What is still open has no `closed_at`.
    """

    trade_id: str
    strategy: str
    symbol: str
    side: Side
    quantity: Decimal
    entry_price: Decimal | None
    exit_price: Decimal | None
    opened_at: dt.datetime | None
    closed_at: dt.datetime | None
    realised_pnl: Decimal
    fees: Decimal
    status: TradeStatus
    open_qty: Decimal


class LazyRows(Sequence[Row], Generic[Row]):
    """Rows that are made when somebody looks, once."""

    def __init__(self, make: Callable[[], Sequence[Row]]) -> None:
        self._make: Callable[[], Sequence[Row]] | None = make
        self._rows: Sequence[Row] = ()

    def _made(self) -> Sequence[Row]:
        if self._make is not None:
            self._rows, self._make = tuple(self._make()), None
        return self._rows

    def __len__(self) -> int:
        return len(self._made())

    @overload
    def __getitem__(self, place: int) -> Row: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Row]: ...
    def __getitem__(self, place: int | slice) -> Row | Sequence[Row]:
        return self._made()[place]

    def __iter__(self) -> Iterator[Row]:
        return iter(self._made())


class EquityCurve(Sequence[tuple[dt.datetime, Decimal]]):
    """Equity at the end of every bar time, one point for each: (UTC time, account currency).

    `times_ns` are nanoseconds since 1970, `nanos` billionths of the currency, for whoever works with columns.
    """

    def __init__(self, times_ns: array[int] | None = None, nanos: array[int] | None = None) -> None:
        self.times_ns: array[int] = array("q") if times_ns is None else times_ns
        self.nanos: array[int] = array("q") if nanos is None else nanos

    def __len__(self) -> int:
        return len(self.times_ns)

    @overload
    def __getitem__(self, place: int) -> tuple[dt.datetime, Decimal]: ...
    @overload
    def __getitem__(self, place: slice) -> EquityCurve: ...
    def __getitem__(self, place: int | slice) -> tuple[dt.datetime, Decimal] | EquityCurve:
        if isinstance(place, slice):
            return EquityCurve(self.times_ns[place], self.nanos[place])
        return instant(self.times_ns[place]), from_nanos(self.nanos[place])
