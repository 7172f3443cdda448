"""Books as of a moment: which entries are in them."""

from __future__ import annotations

import datetime as dt

import pytest

from tests.books.stories import book_of
from tests.ledger.desk import NOON, Desk
from tradecore.books import parse_as_of
from tradecore.books.as_of import booked_times
from tradecore.errors import InputError

HOUR = dt.timedelta(hours=1)


@pytest.fixture
def desk() -> Desk:
    return Desk.in_memory()


def test_a_moment_includes_what_happened_at_it(desk: Desk) -> None:
    desk.pin()
    desk.clock.at = NOON + HOUR
    desk.done("buy", "1", "50")
    book = book_of(desk)
    assert len(book.until(NOON + HOUR)) == 2
    assert len(book.until(NOON + HOUR - dt.timedelta(microseconds=1))) == 1
    assert book.until(NOON - HOUR) == ()


def test_a_fill_that_is_reported_late_is_booked_after_what_it_follows(desk: Desk) -> None:
    """It closes a lot that was opened by a later execution; before that, there is nothing to close."""
    desk.pin()
    desk.clock.at = NOON + 2 * HOUR
    desk.done("buy", "1", "50")
    desk.clock.at = NOON + HOUR
    desk.done("sell", "1", "55")
    book = book_of(desk)
    assert booked_times(book.entries) == [NOON, NOON + 2 * HOUR, NOON + 2 * HOUR]
    assert len(book.until(NOON + HOUR)) == 1
    assert book.statement(NOON + 2 * HOUR).positions == {}
    assert [line.time for line in book.statement().movements] == [NOON + 2 * HOUR, NOON + HOUR]


def test_the_opening_holds_for_the_first_fill_of_a_replay(desk: Desk) -> None:
    """Bars of last year, traded today: the account was pinned after all of its fills."""
    desk.pin(cash="1000")
    desk.clock.at = NOON - 24 * HOUR
    desk.done("buy", "1", "50")
    statement = book_of(desk).statement(NOON - 24 * HOUR)
    assert statement.opening_cash == 1000
    assert statement.closing_cash == 950


@pytest.mark.parametrize(
    ("raw", "meant"),
    [
        ("0", 0),
        ("12", 12),
        ("2024-01-31", dt.datetime(2024, 1, 31, 23, 59, 59, 999999, dt.UTC)),
        ("2024-01-31T12:00:00Z", dt.datetime(2024, 1, 31, 12, tzinfo=dt.UTC)),
        ("2024-01-31T12:00+02:00", dt.datetime(2024, 1, 31, 10, tzinfo=dt.UTC)),
    ],
)
def test_a_position_a_day_and_a_moment_are_understood(raw: str, meant: object) -> None:
    assert parse_as_of("as_of", raw) == meant


@pytest.mark.parametrize(
    "raw", ["", "-1", "yesterday", "2024-01-31T12:00", "2024-13-01", "1e3", "٣", "0001-01-01T00:00:00+14:00"]
)
def test_anything_else_is_refused(raw: str) -> None:
    with pytest.raises(InputError, match="a position, a day such as"):
        parse_as_of("as_of", raw)
