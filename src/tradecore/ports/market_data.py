"""Market data, as a need."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Sequence
from typing import Protocol

import attrs

from tradecore.domain.values import Bar


@attrs.frozen
class DataConnected:
    """The stream of bars is (again) connected: bars may have been missed meanwhile."""


class MarketData(Protocol):
    """Bars, as they close and as they closed."""

    def bars(self, symbols: Sequence[str]) -> AsyncIterator[Bar | DataConnected]:
        """One-minute bars as they close; reconnects for ever, `DataConnected` first after each connect."""

    async def history(self, symbols: Sequence[str], start: dt.datetime, end: dt.datetime) -> tuple[Bar, ...]:
        """One-minute bars with `start <= bar.start < end`, by time then symbol. Raises `BrokerUnreachable`."""
