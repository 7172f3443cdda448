"""Signals: what passes and is not worth keeping. They are published at most once and are in no ledger.

Nothing is ever decided, delivered or accounted for because of a signal; whoever misses one reads the ledger.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import ClassVar

import attrs


@attrs.frozen
class Signal:
    """Base of all signals."""

    NAME: ClassVar[str]
    SCHEMA: ClassVar[int] = 1


@attrs.frozen
class BarClosed(Signal):
    """A bar that will not change any more. `start` is its beginning."""

    NAME: ClassVar[str] = "market.bar.closed"
    symbol: str
    start: dt.datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal


@attrs.frozen
class NewsPublished(Signal):
    """A decision is shown a text from outside for the first time. By the hash under which the side store keeps it."""

    NAME: ClassVar[str] = "market.news.published"
    text_hash: str
    symbols: tuple[str, ...]
    at: dt.datetime
    origin: str


@attrs.frozen
class SessionChanged(Signal):
    """The market opened or closed."""

    NAME: ClassVar[str] = "market.session.changed"
    market: str
    is_open: bool
    at: dt.datetime


@attrs.frozen
class Heartbeat(Signal):
    """A runner is alive and can make progress; `position` is how far its views are folded."""

    NAME: ClassVar[str] = "system.heartbeat"
    runner_id: str
    position: int
    open_work: int


SIGNALS: dict[str, type[Signal]] = {
    item.NAME: item
    for item in tuple(globals().values())
    if isinstance(item, type) and issubclass(item, Signal) and "NAME" in item.__dict__
}
"""Every signal class by its stable name."""
