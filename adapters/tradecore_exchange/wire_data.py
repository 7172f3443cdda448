"""Bars and quotes as the data services write them: short keys, JSON numbers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from tradecore.domain.values import Bar, Quote
from tradecore_exchange.instants import instant_text, nanoseconds

JSON = Any


def _number(number: Decimal) -> int | float:
    """The services send numbers, not text; whole ones without a point."""
    return int(number) if number == number.to_integral_value() else float(number)


def _bar(bar: Bar) -> dict[str, JSON]:
    """`vw` and `n` are not known of a bar: the middle of its prices, and a trade for each hundred units, stand in."""
    return {
        "o": _number(bar.open),
        "h": _number(bar.high),
        "l": _number(bar.low),
        "c": _number(bar.close),
        "v": _number(bar.volume),
        "n": 1 + int(bar.volume) // 100,
        "vw": round(float(bar.open + bar.high + bar.low + bar.close) / 4, 6),
    }


def _quote(quote: Quote) -> dict[str, JSON]:
    return {
        "bx": "V",
        "bp": _number(quote.bid),
        "bs": _number(quote.bid_size),
        "ax": "V",
        "ap": _number(quote.ask),
        "as": _number(quote.ask_size),
        "c": ["R"],
        "z": "C",
    }


def stream_bar(bar: Bar) -> dict[str, JSON]:
    """A bar of the data stream; the time stays a datetime until the codec of the connection is known."""
    return {"T": "b", "S": bar.symbol, **_bar(bar), "t": bar.start}


def stream_quote(quote: Quote) -> dict[str, JSON]:
    """A quote of the data stream."""
    return {"T": "q", "S": quote.symbol, **_quote(quote), "t": quote.at}


def rest_bar(bar: Bar) -> dict[str, JSON]:
    """A bar of the data REST service."""
    return {"t": instant_text(nanoseconds(bar.start)), **_bar(bar)}


def rest_quote(quote: Quote) -> dict[str, JSON]:
    """A quote of the data REST service."""
    return {"t": instant_text(nanoseconds(quote.at)), **_quote(quote)}


def rest_trade(bar: Bar) -> dict[str, JSON]:
    """The last trade of a bar: its close."""
    at = nanoseconds(bar.start + dt.timedelta(seconds=59))
    return {"t": instant_text(at), "x": "V", "p": _number(bar.close), "s": 1, "c": ["@"], "i": 1, "z": "C"}


def joined(bars: Iterable[Bar], start: dt.datetime) -> Bar:
    """Several bars of one symbol as one that begins at `start`."""
    parts = list(bars)
    return Bar(
        symbol=parts[0].symbol,
        start=start,
        open=parts[0].open,
        high=max(bar.high for bar in parts),
        low=min(bar.low for bar in parts),
        close=parts[-1].close,
        volume=sum((bar.volume for bar in parts), Decimal(0)),
    )
