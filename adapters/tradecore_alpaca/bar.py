"""Bars of Alpaca's market data, exact from their JSON text."""

from __future__ import annotations

import msgspec

from tradecore.domain.values import Bar
from tradecore.errors import ProtocolError
from tradecore_alpaca.json_text import as_text, instant, number, read


class _Bar(msgspec.Struct):
    t: str
    o: msgspec.Raw
    h: msgspec.Raw
    l: msgspec.Raw  # noqa: E741  Alpaca's name for the low
    c: msgspec.Raw
    v: msgspec.Raw


def decode_bar(symbol: str, raw: bytes | msgspec.Raw) -> Bar:
    """A bar of that symbol; `start` is Alpaca's `t`. Raises `ProtocolError`."""
    told = read(raw, _Bar)
    bar = Bar(
        symbol=symbol,
        start=instant("bar.t", told.t),
        open=number("bar.o", told.o),
        high=number("bar.h", told.h),
        low=number("bar.l", told.l),
        close=number("bar.c", told.c),
        volume=number("bar.v", told.v),
    )
    if not (0 < bar.low <= min(bar.open, bar.close) and max(bar.open, bar.close) <= bar.high and bar.volume >= 0):
        raise ProtocolError("bar: its prices contradict each other", as_text(raw))
    return bar
