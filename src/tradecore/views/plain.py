"""Numbers and times as rows write them: decimals without exponent, instants as RFC 3339 in UTC to the microsecond."""

from __future__ import annotations

import datetime as dt
import functools
from decimal import Decimal
from typing import Any

from tradecore.domain.values import ZERO

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def text(number: Decimal) -> str:
    """A number without exponent and trailing zeros: equal numbers are written alike."""
    written = format(number, "f")
    if "." in written:
        written = written.rstrip("0").rstrip(".")
    return "0" if written == "-0" else written


def text_or_none(number: Decimal | None) -> str | None:
    """As `text`; None stays None."""
    return None if number is None else text(number)


def number(row: dict[str, Any], field: str) -> Decimal:
    """The number in a field of a row; zero when the field is empty."""
    written = row[field]
    return ZERO if written is None else Decimal(written)


def instant(moment: dt.datetime) -> str:
    """A moment with a Z at the end; texts of moments sort as the moments do."""
    if moment.tzinfo is not dt.UTC:
        moment = moment.astimezone(dt.UTC)
    return moment.isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def instant_or_none(moment: dt.datetime | None) -> str | None:
    """As `instant`; None stays None."""
    return None if moment is None else instant(moment)


@functools.lru_cache(maxsize=4096)  # the events of one command share their moment, and several views write it
def instant_of_ns(nanoseconds: int) -> str:
    """The moment so many nanoseconds after 1970, cut to the microsecond."""
    return instant(_EPOCH + dt.timedelta(microseconds=nanoseconds // 1000))
