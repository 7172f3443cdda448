"""Writes `src/tradecore/domain/holidays.py` from exchange-calendars: `python tools/market_holidays.py`."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

TARGET = Path(__file__).parents[1] / "src" / "tradecore" / "domain" / "holidays.py"
FIRST_YEAR, LAST_YEAR = 1990, 2035
_HEAD = '''"""Days on which New York does not trade, or closes early. Written by `tools/market_holidays.py`.

Source: exchange-calendars {version}, calendar XNYS. Weekdays only, as month and day.
"""

from __future__ import annotations

FIRST_YEAR = {first}
LAST_YEAR = {last}

CLOSED = {{
{closed}
}}

# The hour at which the session ends, where it is not 16.
EARLY = {{
{early}
}}
'''


def schedule() -> tuple[dict[dt.date, int], str]:
    """The hour of closing of every session, and the version of the package that says so."""
    import exchange_calendars  # a development tool's own need

    calendar = exchange_calendars.get_calendar("XNYS", start=f"{FIRST_YEAR}-01-01", end=f"{LAST_YEAR}-12-31")
    closes = calendar.schedule["close"].dt.tz_convert("America/New_York")
    return {day.date(): close.hour for day, close in closes.items()}, exchange_calendars.__version__


def text() -> str:
    """The module."""
    hours, version = schedule()
    closed, early = [], []
    for year in range(FIRST_YEAR, LAST_YEAR + 1):
        days = (dt.date(year, 1, 1) + dt.timedelta(days=number) for number in range(366))
        weekdays = [day for day in days if day.year == year and day.weekday() < 5]
        closed.append(f'    {year}: "{" ".join(f"{day:%m%d}" for day in weekdays if day not in hours)}",')
        short = [f"{day:%m%d}@{hours[day]}" for day in weekdays if hours.get(day, 16) != 16]
        if short:
            early.append(f'    {year}: "{" ".join(short)}",')
    return _HEAD.format(
        version=version, first=FIRST_YEAR, last=LAST_YEAR, closed="\n".join(closed), early="\n".join(early)
    )


if __name__ == "__main__":
    TARGET.write_text(text(), encoding="utf-8")
