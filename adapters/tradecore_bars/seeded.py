"""`seeded_bars`: a market out of a seed, the same on every machine and for ever."""

from __future__ import annotations

import datetime as dt
import hashlib
import heapq
import random
from collections.abc import Iterator, Sequence
from decimal import Decimal

from tradecore.domain.calendar import next_session
from tradecore.domain.values import Bar, parse_symbol
from tradecore.errors import InputError

_MINUTE = dt.timedelta(minutes=1)
_LOWEST_CENTS = 500


def _cents(amount: int) -> Decimal:
    return Decimal(f"{amount // 100}.{amount % 100:02d}")


def _symbol_bars(symbol: str, days: int, seed: int, start: dt.date) -> Iterator[Bar]:
    """A walk that leans for a while, turns, and is pulled back to its own level: averages cross several times a day."""
    digest = hashlib.sha256(f"{seed}:{symbol}".encode()).digest()
    chance = random.Random(int.from_bytes(digest[:16], "big"))  # noqa: S311 -- a market, not a secret
    level = chance.uniform(2_500, 40_000)
    price = level
    lean, turns_in = 0.0, 0
    day = start
    for _ in range(days):
        session = next_session(day)
        day, minute = session.date, session.open
        while minute < session.close:
            if turns_in == 0:
                lean, turns_in = chance.uniform(-4e-4, 4e-4), chance.randint(10, 60)
            turns_in -= 1
            opened = price
            pull = 0.002 * (level - price) / level
            price = max(_LOWEST_CENTS, price * (1 + lean + pull + chance.uniform(-1e-3, 1e-3)))
            spread = price * 4e-4
            open_, close = round(opened), round(price)
            high = max(open_, close) + int(chance.random() * spread)
            low = min(open_, close) - int(chance.random() * spread)
            volume = 100 + int(chance.random() ** 3 * 20_000)
            yield Bar(symbol, minute, _cents(open_), _cents(high), _cents(low), _cents(close), Decimal(volume))
            minute += _MINUTE
        day += dt.timedelta(days=1)


def seeded_bars(symbols: Sequence[str], days: int, seed: int, start: dt.date = dt.date(2024, 1, 2)) -> Iterator[Bar]:
    """Minute bars of `days` sessions from `start`, by (start, symbol): 390 a day, 210 on a half day, in New York.

    A symbol's bars depend on its name, the seed and `start` alone: other symbols do not change them, and more days only
    add to them. Prices are whole cents.

    Raises:
        InputError: no symbol, a malformed or repeated one, or fewer than one day.
    """
    names = [parse_symbol("symbols", symbol) for symbol in symbols]
    if not names or len(set(names)) != len(names):
        raise InputError("symbols", list(symbols), "at least one symbol, each once")
    if days < 1:
        raise InputError("days", days, "one day or more")
    walks = [_symbol_bars(name, days, seed, start) for name in sorted(names)]
    return heapq.merge(*walks, key=lambda bar: (bar.start, bar.symbol))
