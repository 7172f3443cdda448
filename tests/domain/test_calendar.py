"""The calendar of New York."""

from __future__ import annotations

import datetime as dt
import runpy
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradecore.domain import calendar, holidays
from tradecore.domain.session import is_regular

TOOL = Path(__file__).parents[2] / "tools" / "market_holidays.py"
INSTANTS = st.datetimes(dt.datetime(1990, 1, 2), dt.datetime(2035, 12, 20), timezones=st.just(dt.UTC))


def new_york(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=calendar.NEW_YORK).astimezone(dt.UTC)


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        ("2024-01-02T09:29", False),
        ("2024-01-02T09:30", True),
        ("2024-01-02T15:59:59", True),
        ("2024-01-02T16:00", False),
        ("2024-01-06T12:00", False),
        ("2024-01-15T12:00", False),
        ("2024-07-03T12:59", True),
        ("2024-07-03T13:00", False),
        ("2001-09-12T12:00", False),
        ("2025-01-09T12:00", False),
        ("1990-12-24T13:30", True),
        ("1990-12-24T14:00", False),
        ("1985-12-25T12:00", True),
    ],
)
def test_the_market_is_open_when_it_is(moment: str, is_open: bool) -> None:
    assert calendar.is_open(new_york(moment)) is is_open
    assert is_regular("AAPL", new_york(moment)) is is_open
    assert is_regular("BTC/USD", new_york(moment))


def test_the_clocks_change_and_the_market_with_them() -> None:
    winter, summer = calendar.session_on(dt.date(2024, 3, 8)), calendar.session_on(dt.date(2024, 3, 11))
    assert winter is not None
    assert summer is not None
    assert (winter.open.hour, summer.open.hour) == (14, 13)


def test_a_half_day_says_so() -> None:
    friday = calendar.session_on(dt.date(2024, 11, 29))
    assert friday is not None
    assert (friday.is_half_day, friday.close) == (True, new_york("2024-11-29T13:00"))


@pytest.mark.parametrize(
    ("now", "opening", "closing"),
    [
        ("2024-07-03T09:00", "2024-07-03T09:30", "2024-07-03T13:00"),
        ("2024-07-03T09:30", "2024-07-05T09:30", "2024-07-03T13:00"),
        ("2024-07-03T13:00", "2024-07-05T09:30", "2024-07-05T16:00"),
        ("2024-07-04T12:00", "2024-07-05T09:30", "2024-07-05T16:00"),
        ("2024-07-05T16:00", "2024-07-08T09:30", "2024-07-08T16:00"),
    ],
)
def test_what_comes_next(now: str, opening: str, closing: str) -> None:
    assert calendar.next_open(new_york(now)) == new_york(opening)
    assert calendar.next_close(new_york(now)) == new_york(closing)


@given(INSTANTS)
def test_openings_and_closings_take_turns(at: dt.datetime) -> None:
    opening, closing = calendar.next_open(at), calendar.next_close(at)
    assert calendar.is_open(at) == (closing < opening)
    assert calendar.is_open(opening)
    assert not calendar.is_open(closing)
    assert opening > at
    assert closing > at


@pytest.mark.filterwarnings("ignore")  # of pandas, about itself
def test_the_table_is_what_exchange_calendars_says() -> None:
    pytest.importorskip("exchange_calendars")
    tool = runpy.run_path(str(TOOL))
    hours: dict[dt.date, int]
    hours, _ = tool["schedule"]()
    day = dt.date(holidays.FIRST_YEAR, 1, 1)
    while day.year <= holidays.LAST_YEAR:
        session = calendar.session_on(day)
        assert (session is not None) == (day in hours), day
        if session is not None:
            assert session.close.astimezone(calendar.NEW_YORK).hour == hours[day]
        day += dt.timedelta(days=1)
