"""A short trading day: a few minutes of bars, the close, and the first minutes of the day after."""

from __future__ import annotations

import datetime as dt
import random
from decimal import Decimal

from tradecore.domain.values import Bar

SYMBOLS = ("AAA", "BBB")
OPEN = dt.datetime(2024, 1, 2, 14, 30, tzinfo=dt.UTC)
_CLOSE = dt.datetime(2024, 1, 2, 20, 59, tzinfo=dt.UTC)
_NEXT = dt.datetime(2024, 1, 3, 14, 30, tzinfo=dt.UTC)
_MINUTE = dt.timedelta(minutes=1)


def minutes(count: int, more: int = 3) -> list[dt.datetime]:
    """When the bars of the day begin: `count` minutes, the last minute of the day, and `more` of the next."""
    return [OPEN + n * _MINUTE for n in range(count)] + [_CLOSE] + [_NEXT + n * _MINUTE for n in range(more)]


def bars(seed: int, count: int, more: int = 3) -> list[Bar]:
    """A walk that moves enough for limits and stops to be reached, by (start, symbol)."""
    rng = random.Random(f"bars:{seed}")
    price = {symbol: rng.randint(3_000, 20_000) for symbol in SYMBOLS}
    found = []
    for start in minutes(count, more):
        for symbol in SYMBOLS:
            opened = price[symbol]
            closed = max(500, opened + rng.randint(-opened // 60, opened // 60))
            reach = opened // 100
            high = max(opened, closed) + rng.randint(0, reach)
            low = min(opened, closed) - rng.randint(0, reach)
            price[symbol] = closed
            found.append(
                Bar(
                    symbol,
                    start,
                    _cents(opened),
                    _cents(high),
                    _cents(low),
                    _cents(closed),
                    Decimal(rng.randint(50, 5_000)),
                )
            )
    return found


def _cents(amount: int) -> Decimal:
    return Decimal(f"{amount // 100}.{amount % 100:02d}")
