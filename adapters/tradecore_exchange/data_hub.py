"""Bars and quotes on their way to connections of the data stream."""

from __future__ import annotations

import asyncio
from typing import Any

import attrs

from tradecore.domain.values import Bar, Quote
from tradecore_exchange.floor import Message
from tradecore_exchange.wire_data import stream_bar, stream_quote

JSON = Any
CHANNELS = ("trades", "quotes", "bars", "updatedBars", "dailyBars", "statuses", "lulds", "corrections", "cancelErrors")


@attrs.define(eq=False)
class DataConnection:
    """One client of the data stream, with what it asked for; points wait in `queue` for its own task."""

    queue: asyncio.Queue[dict[str, JSON]] = attrs.field(factory=asyncio.Queue)
    wanted: dict[str, set[str]] = attrs.field(factory=lambda: {channel: set() for channel in CHANNELS})

    def wants(self, channel: str, symbol: str) -> bool:
        """True when it subscribed to the symbol, or to all."""
        symbols = self.wanted[channel]
        return symbol in symbols or "*" in symbols


class DataHub:
    """Every connection to the data stream."""

    def __init__(self) -> None:
        self.connections: dict[DataConnection, None] = {}  # in the order in which they came

    def on_message(self, message: Message) -> None:
        """Send a bar or a quote to whoever subscribed to it."""
        if not self.connections:
            return
        if isinstance(message, Bar):
            channel, point = "bars", stream_bar(message)
        elif isinstance(message, Quote):
            channel, point = "quotes", stream_quote(message)
        else:
            return
        for connection in self.connections:
            if connection.wants(channel, message.symbol):
                connection.queue.put_nowait(point)
