"""The regular session of a symbol's market, for deciding which bars a strategy is asked about."""

from __future__ import annotations

import datetime as dt

from tradecore.domain.calendar import is_open


def is_regular(symbol: str, at: dt.datetime) -> bool:
    """Whether `at` (UTC) lies in the regular session of the symbol's market. Crypto pairs (`BTC/USD`) never close."""
    return "/" in symbol or is_open(at)
