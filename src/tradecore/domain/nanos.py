"""Exact numbers as whole billionths: nine places are the finest that the domain admits, so nothing is lost."""

from __future__ import annotations

import datetime as dt
import functools
from decimal import ROUND_HALF_EVEN, Context, Decimal

from tradecore.errors import InputError

NANO = 1_000_000_000
_EXACT = Context(prec=60)
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)


def to_nanos(field: str, number: Decimal) -> int:
    """A number in whole billionths. Raises `InputError` for one with more than 9 places, and for NaN or infinity."""
    if number.is_finite():
        whole = _whole(number)
        if whole is not None:
            return whole
    raise InputError(field, str(number), "a finite number with at most 9 places")


@functools.lru_cache(maxsize=4096)
def _whole(number: Decimal) -> int | None:
    """Quantities and prices repeat themselves."""
    scaled = number.scaleb(9, _EXACT)
    whole = int(scaled)
    return whole if whole == scaled else None


def rounded_nanos(number: Decimal) -> int:
    """A finite number in billionths, half even where it has more places."""
    return int(number.scaleb(9, _EXACT).to_integral_value(ROUND_HALF_EVEN, _EXACT))


@functools.lru_cache(maxsize=65_536)
def from_nanos(nanos: int) -> Decimal:
    """The number of so many billionths, without trailing zeros or exponent."""
    if not nanos % NANO:
        return Decimal(nanos // NANO)
    text = f"{abs(nanos):010d}"
    return Decimal(f"{'-' if nanos < 0 else ''}{text[:-9]}.{text[-9:].rstrip('0')}")


def instant(ns: int) -> dt.datetime:
    """The UTC time so many nanoseconds after 1970, to the microsecond."""
    return _EPOCH + dt.timedelta(microseconds=ns // 1000)


def nanoseconds(at: dt.datetime) -> int:
    """Nanoseconds since 1970 of an aware time."""
    return (at - _EPOCH) // _MICROSECOND * 1000
