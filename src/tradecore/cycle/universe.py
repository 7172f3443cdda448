"""The universe: which symbols are looked at now, and whether the broker trades them.

A broker that cannot be asked leaves the last known list in force. That it could not be asked is never a no.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from tradecore.domain import streams
from tradecore.domain.events import AssetsRefreshed
from tradecore.domain.session import is_regular
from tradecore.ledger import Ledger


class Universe:
    """The symbols of a cycle."""

    def __init__(self, ledger: Ledger, symbols: Sequence[str]) -> None:
        self._journal = ledger.journal
        self.symbols = tuple(symbols)
        self._listed: frozenset[str] | None = None
        self._version = 0

    def open_at(self, now: dt.datetime) -> tuple[str, ...]:
        """Those whose market is in its regular session."""
        return tuple(symbol for symbol in self.symbols if is_regular(symbol, now))

    def tradable(self, symbol: str) -> bool | None:
        """Whether the broker trades it, as it last said itself; None when it never said anything."""
        for recorded in self._journal.load(streams.ASSETS, self._version):
            self._version = recorded.envelope.version
            if isinstance(recorded.event, AssetsRefreshed):
                self._listed = frozenset(recorded.event.symbols)
        return None if self._listed is None else symbol in self._listed
