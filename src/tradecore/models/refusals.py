"""What a provider's HTTP status means, for adapters. Status first; words are only shown, never searched."""

from __future__ import annotations

import datetime as dt
from email.utils import parsedate_to_datetime

from tradecore.domain.model_call import ModelFailure
from tradecore.ports.model_provider import CallFailed

_LONGEST_S = 3_600.0
# The request may have been worked on behind these; a provider that says 500 or 503 itself bills nothing.
_MAYBE_WORKED_ON = frozenset({408, 502, 504})


def refused(status: int, retry_after: str | None, message: str, now: dt.datetime) -> CallFailed:
    """The failure behind an answer that is not 200; `retry_after` is the header, a number or a date."""
    if status == 429:
        wish_s = _retry_after_s(retry_after, now)
        return CallFailed(ModelFailure.RATE_LIMITED, message, is_billable=False, status=status, retry_after_s=wish_s)
    return CallFailed(_failure(status), message, is_billable=status in _MAYBE_WORKED_ON, status=status)


def _failure(status: int) -> ModelFailure:
    if status in (401, 403):
        return ModelFailure.UNAUTHORIZED
    if status == 408:
        return ModelFailure.TIMEOUT
    if status >= 500:
        return ModelFailure.SERVER_ERROR
    return ModelFailure.REFUSED if status >= 400 else ModelFailure.BROKEN


def _retry_after_s(text: str | None, now: dt.datetime) -> float | None:
    if text is None:
        return None
    text = text.strip()
    if text.isascii() and text.replace(".", "", 1).isdigit() and len(text) < 20:
        return min(float(text), _LONGEST_S)
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    date = date if date.tzinfo is not None else date.replace(tzinfo=dt.UTC)
    return min(max((date - now).total_seconds(), 0.0), _LONGEST_S)
