"""What the floor tells, on its way to whoever reads it."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Callable
from typing import Generic, TypeVar

import anyio
import msgspec
from anyio.streams.memory import MemoryObjectSendStream

from tradecore.ports.broker import Report, StreamConnected
from tradecore_alpaca.trade_update import read_report
from tradecore_exchange.floor import Message
from tradecore_exchange.orders import TradeUpdate
from tradecore_exchange.wire import trade_update_json

Told = TypeVar("Told")


class Readers(Generic[Told]):
    """Everybody who reads, each with a queue of its own; no message waits for a slow one."""

    def __init__(self) -> None:
        self._streams: set[MemoryObjectSendStream[Told]] = set()

    def tell(self, told: Told) -> None:
        """Hand it to every reader."""
        for stream in self._streams:
            stream.send_nowait(told)

    async def read(self, first: Told, wanted: Callable[[Told], bool] = lambda _: True) -> AsyncIterator[Told]:
        """`first`, then everything that is told from now on."""
        sending, receiving = anyio.create_memory_object_stream[Told](math.inf)
        with sending, receiving:
            self._streams.add(sending)
            try:
                yield first
                async for told in receiving:
                    if wanted(told):
                        yield told
            finally:
                self._streams.discard(sending)


class Reporter:
    """Trade updates as reports."""

    def __init__(self) -> None:
        self._readers: Readers[Report] = Readers()

    def on_message(self, message: Message) -> None:
        """Take in what the floor publishes."""
        if isinstance(message, TradeUpdate):
            self._readers.tell(read_report(msgspec.json.encode(trade_update_json(message))))

    def reports(self) -> AsyncIterator[Report]:
        """Every report from the first time it is asked for one."""
        return self._readers.read(StreamConnected())
