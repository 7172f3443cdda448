"""The regular session of US equities, for deciding which bars a strategy is asked about.

Weekdays 9:30 to 16:00 in New York. Holidays and half days need no rule here: on them there are no bars to ask about.
"""

from __future__ import annotations

import datetime as dt
import zoneinfo

_NEW_YORK = zoneinfo.ZoneInfo("America/New_York")
_OPEN = dt.time(9, 30)
_CLOSE = dt.time(16, 0)


def is_regular(symbol: str, at: dt.datetime) -> bool:
    """Whether `at` (UTC) lies in the regular session of the symbol's market. Crypto pairs (`BTC/USD`) never close."""
    if "/" in symbol:
        return True
    local = at.astimezone(_NEW_YORK)
    return local.weekday() < 5 and _OPEN <= local.time() < _CLOSE
