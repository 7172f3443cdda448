"""A venue: what a broker plugin opens for a runner."""

from __future__ import annotations

import datetime as dt
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import attrs

from tradecore.ports.broker import Broker
from tradecore.ports.market_data import MarketData


@attrs.frozen
class Advance:
    """What one step of a replayed market did.

    `time` is the market's time after the step, `symbols` those that got a bar, `orders_changed` how many orders of the
    account moved. `done` means that there is nothing further to replay; `total` is None when that is not known.
    """

    time: dt.datetime
    symbols: tuple[str, ...]
    orders_changed: int
    done: bool
    steps: int
    total: int | None


class Replay(Protocol):
    """A market that waits for its trader: it moves one bar when asked. Live markets have none."""

    async def state(self) -> Advance:
        """Where the market stands, without moving it."""

    async def advance(self) -> Advance:
        """Move to the next bar time."""


@attrs.frozen
class Venue:
    """A broker account with its market data.

    `replay` is there where the market is a replayed one; `symbols` are those that it has, empty where any may be asked.
    """

    broker: Broker
    market_data: MarketData
    replay: Replay | None = None
    symbols: tuple[str, ...] = ()


class OpenVenue(Protocol):
    """What the entry points `tradecore.brokers` name."""

    def __call__(self, settings: object) -> AbstractAsyncContextManager[Venue]:
        """Open the venue of `tradecore.settings.Settings`; closing it ends every connection it made."""
