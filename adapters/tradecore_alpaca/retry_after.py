"""How long a rate limit asks us to wait."""

from __future__ import annotations

import datetime as dt
from email.utils import parsedate_to_datetime

from tradecore_alpaca.http import Answer

_LONGEST_S = 120.0


def retry_after_s(answer: Answer, now: dt.datetime) -> float | None:
    """Seconds from `Retry-After` (a number or an HTTP date), else from `X-RateLimit-Reset` (epoch seconds), else None.

    Between 0 and 120: a clock that disagrees with the broker's must not stop delivery for longer.
    """
    seconds = None
    if answer.retry_after is not None:
        seconds = _number(answer.retry_after)
        if seconds is None:
            seconds = _until_date(answer.retry_after, now)
    if seconds is None:
        seconds = reset_in_s(answer, now)
    return None if seconds is None else min(max(seconds, 0.0), _LONGEST_S)


def reset_in_s(answer: Answer, now: dt.datetime) -> float | None:
    """Seconds until the broker counts anew, by `X-RateLimit-Reset` (epoch seconds); negative for a clock ahead."""
    reset = _number(answer.rate_limit_reset) if answer.rate_limit_reset is not None else None
    return None if reset is None else reset - now.timestamp()


def _number(text: str) -> float | None:
    text = text.strip()
    return float(text) if text.isascii() and text.replace(".", "", 1).isdigit() and len(text) < 20 else None


def _until_date(text: str, now: dt.datetime) -> float | None:
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=dt.UTC)
    return (date - now).total_seconds()
