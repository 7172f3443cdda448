"""Once a day, as arithmetic: when something is due, told what time it is. Times of day are UTC."""

from __future__ import annotations

import datetime as dt

_DAY = dt.timedelta(days=1)


def next_after(moment: dt.datetime, at: dt.time) -> dt.datetime:
    """The first moment behind `moment` that has the time of day `at`."""
    today = dt.datetime.combine(moment.astimezone(dt.UTC).date(), at, dt.UTC)
    return today if today > moment else today + _DAY


def is_due(now: dt.datetime, last: dt.datetime | None, at: dt.time) -> bool:
    """Whether what should happen daily at `at` has not happened since it should have; at once when it never has."""
    return last is None or next_after(last, at) <= now
