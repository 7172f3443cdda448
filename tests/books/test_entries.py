"""What an order becomes in double entry."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from tests.books.stories import book_of, events_of
from tests.ledger.desk import NOON, Desk
from tradecore.books import books_of
from tradecore.books.entries import Entry
from tradecore.domain.events import FillRecorded, PositionChange
from tradecore.errors import CorruptLedger, InputError

D = Decimal


@pytest.fixture
def desk() -> Desk:
    return Desk.in_memory()


def legs(entry: Entry) -> list[tuple[str, Decimal]]:
    return [(posting.account, posting.amount) for posting in entry.postings]


def lots(entry: Entry) -> list[tuple[Decimal, Decimal, bool]]:
    moves = [posting.lot for posting in entry.postings]
    return [(move.quantity, move.price, move.closes) for move in moves if move is not None]


def test_the_books_begin_with_cash_and_positions_against_equity(desk: Desk) -> None:
    desk.pin(cash="500", positions=[("IBM", "3", "100"), ("SPY", "-2", "50"), ("QQQ", "0", "1")])
    (entry,) = book_of(desk).entries
    assert legs(entry) == [
        ("assets:cash", D(500)),
        ("assets:securities:IBM", D(300)),
        ("assets:securities:SPY", D(-100)),
        ("equity:opening", D(-700)),
    ]
    assert entry.is_opening


def test_a_round_trip_books_cost_fees_and_profit_before_fees_apart(desk: Desk) -> None:
    desk.pin(cash="1000")
    desk.fill(desk.live("buy", "10"), "10", "50", fees="0.30")
    desk.fill(desk.live("sell", "10"), "10", "55", fees="0.20")
    _, bought, sold = book_of(desk).entries
    assert legs(bought) == [
        ("assets:cash", D("-500.30")),
        ("assets:securities:SPY", D(500)),
        ("expenses:fees", D("0.30")),
    ]
    assert legs(sold) == [
        ("assets:cash", D("549.80")),
        ("assets:securities:SPY", D(-500)),
        ("expenses:fees", D("0.20")),
        ("income:realised-pnl", D(-50)),
    ]


def test_a_short_position_is_securities_at_negative_cost(desk: Desk) -> None:
    desk.pin(cash="1000")
    desk.done("sell", "10", "50")
    desk.done("buy", "4", "45")
    _, sold, bought = book_of(desk).entries
    assert legs(sold) == [("assets:cash", D(500)), ("assets:securities:SPY", D(-500))]
    assert lots(sold) == [(D(-10), D(50), False)]
    assert legs(bought) == [
        ("assets:cash", D(-180)),
        ("assets:securities:SPY", D(200)),
        ("income:realised-pnl", D(-20)),
    ]
    assert book_of(desk).statement().positions["SPY"].cost == -300


def test_a_partial_close_takes_the_oldest_lots_at_what_they_cost(desk: Desk) -> None:
    desk.pin()
    desk.done("buy", "5", "10")
    desk.done("buy", "5", "20")
    desk.done("sell", "7", "30")
    closing = book_of(desk).entries[-1]
    assert lots(closing) == [(D(-5), D(10), True), (D(-2), D(20), True)]
    assert legs(closing)[-1] == ("income:realised-pnl", D(-120))
    (left,) = book_of(desk).statement().positions["SPY"].lots
    assert (left.quantity, left.price) == (D(3), D(20))


def test_a_flip_closes_the_old_lot_and_opens_one_of_the_other_sign(desk: Desk) -> None:
    desk.pin()
    desk.done("buy", "10", "50", strategy="a")
    desk.done("sell", "25", "60", strategy="b")  # strategies differ, so one event goes through zero
    flip = book_of(desk).entries[-1]
    assert lots(flip) == [(D(-10), D(50), True), (D(-15), D(60), False)]
    assert legs(flip)[-1] == ("income:realised-pnl", D(-100))


def test_a_close_without_profit_and_fees_has_two_legs(desk: Desk) -> None:
    desk.pin()
    desk.done("buy", "1", "50")
    desk.done("sell", "1", "50")
    assert legs(book_of(desk).entries[-1]) == [("assets:cash", D(50)), ("assets:securities:SPY", D(-50))]


def test_an_entry_names_its_event_trace_fill_and_the_time_of_the_fill(desk: Desk) -> None:
    desk.pin()
    order = desk.live("buy", "1")
    desk.clock.at = NOON + dt.timedelta(days=3)
    desk.fill(order, "1", "50")
    entry = book_of(desk).entries[-1]
    change, fill = (
        next(item for item in events_of(desk) if isinstance(item.event, kind))
        for kind in (PositionChange, FillRecorded)
    )
    assert (entry.event_id, entry.position, entry.trace_id) == (
        change.envelope.event_id,
        change.envelope.position,
        change.envelope.trace_id,
    )
    assert isinstance(fill.event, FillRecorded)
    assert (entry.fill_id, entry.time) == (fill.event.fill_id, NOON + dt.timedelta(days=3))
    assert entry.description == "buy 1 SPY at 50"


def test_the_same_fill_twice_is_booked_once(desk: Desk) -> None:
    desk.pin()
    order = desk.live("buy", "2")
    desk.fill(order, "1", "50", cum="1")
    desk.fill(order, "1", "50", cum="1")
    assert len(book_of(desk).entries) == 2


def test_a_fill_before_the_account_is_pinned_makes_way_for_what_the_broker_says(desk: Desk) -> None:
    desk.done("buy", "1", "50")
    desk.pin(cash="1000", positions=[("SPY", "1", "50")])
    book = book_of(desk)
    assert book.trial_balance().is_balanced
    assert book.statement().closing_cash == desk.account.cash
    assert book.statement().positions == desk.account.positions


def test_a_ledger_without_money_has_no_books_and_one_without_trades_an_opening(desk: Desk) -> None:
    assert books_of([]) == {}
    desk.limit(qty="1")
    assert books_of(events_of(desk)) == {}
    desk.pin(cash="0")
    book = book_of(desk)
    assert book.statement().closing_cash == 0
    assert book.trial_balance().lines == ()
    assert book.trial_balance().is_balanced


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"cash_delta": D(-501)}, "out of balance"),
        ({"realised_pnl": D(1)}, "out of balance"),
        ({"fill_id": "another"}, "was not recorded before it"),
    ],
)
def test_an_event_that_contradicts_itself_is_not_booked(desk: Desk, change: dict[str, Any], words: str) -> None:
    desk.pin()
    desk.done("buy", "10", "50")
    events = [
        msgspec.structs.replace(item, event=msgspec.structs.replace(item.event, **change))
        if isinstance(item.event, PositionChange)
        else item
        for item in events_of(desk)
    ]
    with pytest.raises(CorruptLedger, match=words):
        books_of(events)


def test_a_lot_cannot_be_closed_twice(desk: Desk) -> None:
    desk.pin()
    desk.done("buy", "10", "50")
    desk.done("sell", "10", "50")
    events = events_of(desk)
    closing = next(item for item in reversed(events) if isinstance(item.event, PositionChange))
    with pytest.raises(CorruptLedger, match="does not hold that much"):
        books_of([*events, closing])


def test_a_position_that_is_not_in_the_ledger_yet_has_no_statement(desk: Desk) -> None:
    desk.pin()
    book = book_of(desk)
    for position in (-1, book.head + 1):
        with pytest.raises(InputError, match=f"from 0 to {book.head}"):
            book.statement(position)
