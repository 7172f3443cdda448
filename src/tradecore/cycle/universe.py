"""The universe: which symbols are looked at now, and whether the broker trades them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence

from tradecore.domain.session import is_regular


class Universe:
    """The symbols of a cycle. `tradable` says whether the broker trades one; None when nobody knows."""

    def __init__(self, symbols: Sequence[str], tradable: Callable[[str], bool | None]) -> None:
        self.symbols = tuple(symbols)
        self.tradable = tradable

    def open_at(self, now: dt.datetime) -> tuple[str, ...]:
        """Those whose market is in its regular session."""
        return tuple(symbol for symbol in self.symbols if is_regular(symbol, now))
