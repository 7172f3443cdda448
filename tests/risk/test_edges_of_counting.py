"""Edges of what the gate counts with: windows, books that close, sectors at nothing, orders that were never there."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import attrs
import pytest

from tests.risk.asks import placed
from tradecore.domain.exposure import Book, Exposure
from tradecore.domain.limits import Limits, ScopeLimits
from tradecore.domain.reservations import Reservation, put
from tradecore.domain.tempo import Tempo
from tradecore.domain.values import ZERO, Side

D = Decimal
RATE = ScopeLimits(max_orders_per_minute=1)


# --- how long an order is remembered --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limits", "window_s"),
    [
        (Limits(), None),
        (Limits(repeat_window_s=D(300)), None),
        (Limits(max_orders_per_minute=1), 60),
        (Limits(per_symbol={"QQQ": RATE, "SPY": ScopeLimits()}), 60),
        (Limits(per_agent={"a": RATE}), 60),
        (Limits(max_repeats=1, repeat_window_s=D(300)), 300),
        (Limits(per_symbol={"SPY": ScopeLimits()}), None),
        (Limits(duplicate_window_s=D(30)), 30),
        (Limits(duplicate_window_s=D(120), max_orders_per_minute=1), 120),
        (Limits(duplicate_window_s=D(30), max_orders_per_minute=1), 60),
    ],
)
def test_an_order_is_remembered_as_long_as_a_limit_looks_back(limits: Limits, window_s: int | None) -> None:
    first = placed(0)
    remembered = Tempo().placed(first, None, limits)
    assert remembered.recent == (() if window_s is None else (first,))
    if window_s is not None:
        before, after = (
            attrs.evolve(first, at=first.at + dt.timedelta(seconds=window_s, microseconds=by)) for by in (-1, 0)
        )
        assert remembered.placed(before, None, limits).recent == (first, before)
        assert remembered.placed(after, None, limits).recent == (after,)


def test_a_day_counts_what_was_placed() -> None:
    tempo = Tempo().placed(placed(0), D(5), Limits()).placed(placed(0, symbol="QQQ"), None, Limits())
    assert (tempo.orders, tempo.notional) == (2, D(5))
    assert tempo.by_scope == {
        "symbol SPY": 1, "symbol QQQ": 1, "strategy momentum": 2, "agent strategy:momentum": 2
    }  # fmt: skip


# --- books ----------------------------------------------------------------------------------------------------------


def test_a_book_that_is_empty_is_no_position_and_needs_no_price() -> None:
    held = Exposure().with_book("SPY", Book(D(1)))
    assert set(held.books) == set(held.unpriced) == {"SPY"}
    for book, is_empty in (
        (Book(), True),
        (Book(D(1)), False),
        (Book(ZERO, D(1)), False),
        (Book(ZERO, ZERO, D(1)), False),
    ):
        assert book.is_empty is is_empty
    flat = held.with_book("SPY", Book())
    assert (flat.books, flat.unpriced) == ({}, frozenset())
    assert Exposure().with_book("SPY", Book()).books == {}


def test_a_price_that_nobody_knows_is_no_price() -> None:
    marked = Exposure().with_mark("SPY", D(10)).with_mark("QQQ", D(5))
    assert marked.with_mark("SPY", None).marks == {"QQQ": D(5)}


def test_a_sector_at_nothing_is_not_in_the_totals() -> None:
    exposure = Exposure().with_sectors({"SPY": "index"}).with_mark("SPY", D(10))
    assert exposure.by_sector == {}
    assert exposure.with_sectors({"SPY": "index", "QQQ": "index"}).by_sector == {}
    assert exposure.with_book("SPY", Book(D(2))).by_sector == {"index": D(20)}


# --- reservations ---------------------------------------------------------------------------------------------------


def reserve(**terms: Any) -> Reservation:
    return Reservation("t", "s", "SPY", Side.BUY, D(10), **terms)


def test_the_end_of_an_order_that_was_never_there_opens_nothing() -> None:
    assert put({}, "x", None) == ({}, ())


def test_the_end_of_an_order_that_counted_nothing_opens_nothing() -> None:
    assert put({"x": reserve()}, "x", None) == ({}, ())
    assert put({"x": reserve(counted=D(10))}, "x", None) == ({}, (("SPY", Side.BUY, D(-10)),))


def test_what_counts_as_before_opens_nothing() -> None:
    same = reserve(counted=D(10))
    assert put({"x": same}, "x", same) == ({"x": same}, ())


def test_what_takes_the_place_of_an_order_that_is_gone_counts_in_full() -> None:
    after, opened = put({}, "new", reserve(replaces="gone"))
    assert set(after) == {"new"}
    assert opened == (("SPY", Side.BUY, D(10)),)
