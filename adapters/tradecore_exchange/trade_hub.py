"""Trade updates on their way to connections, and what faults make of them."""

from __future__ import annotations

import asyncio
import enum
import time

import attrs
import msgspec

from tradecore_exchange.faults import CUT_KINDS, UPDATE_KINDS, Faults
from tradecore_exchange.floor import Message
from tradecore_exchange.orders import TradeUpdate
from tradecore_exchange.wire import trade_update_json

_REORDER_FLUSH_S = 0.2
_UNKNOWN_WORD = "teleported"


class Cut(enum.Enum):
    """How a connection is to end."""

    CLOSE = "stream_drop"
    ABORT = "stream_abort"


Item = bytes | Cut


@attrs.define(eq=False)
class TradeConnection:
    """One client of the trade stream. Items wait in `queue` for its own task; JSON, whatever goes over the wire."""

    queue: asyncio.Queue[Item] = attrs.field(factory=asyncio.Queue)
    listening: bool = False


class TradeHub:
    """Every connection to the trade stream."""

    def __init__(self, faults: Faults) -> None:
        self.connections: set[TradeConnection] = set()
        self._faults = faults
        self._held: list[bytes] = []
        self._mute_until = 0.0

    def on_message(self, message: Message) -> None:
        """Send a trade update to whoever listens."""
        if not isinstance(message, TradeUpdate):
            return
        if any(connection.listening for connection in self.connections):
            for item in self._spoiled(message):
                self._send(item)

    def cut(self, how: Cut) -> None:
        """End every connection now."""
        for connection in self.connections:
            connection.queue.put_nowait(how)

    def _send(self, item: Item) -> None:
        for connection in self.connections:
            if connection.listening:
                connection.queue.put_nowait(item)

    def _spoiled(self, update: TradeUpdate) -> list[Item]:
        # A mute by duration is used up once, not once for each update that it swallows.
        if time.monotonic() < self._mute_until:
            return []
        fault = self._faults.take(*UPDATE_KINDS, *CUT_KINDS)
        body = trade_update_json(update)
        items: list[Item] = []
        match fault.kind if fault else None:
            case "stream_mute":
                if fault is not None and fault.ms:
                    self._mute_until = time.monotonic() + fault.ms / 1_000
                return []
            case "stream_drop" | "stream_abort" as kind:
                return [Cut(kind)]
            case "duplicate_update":
                items = [msgspec.json.encode(body)]
            case "unknown_event":
                body["data"]["event"] = _UNKNOWN_WORD
            case "unknown_status":
                body["data"]["order"]["status"] = _UNKNOWN_WORD
            case "null_field" if fault is not None:
                (body["data"]["order"] if fault.field in body["data"]["order"] else body["data"])[fault.field] = None
            case "non_json":
                items = [b"\x00not json{"]
            case "reorder_updates":
                self._held.append(msgspec.json.encode(body))
                asyncio.get_running_loop().call_later(_REORDER_FLUSH_S, self._flush)
                return []
        items.append(msgspec.json.encode(body))
        items.extend(self._held)
        self._held.clear()
        return items

    def _flush(self) -> None:
        for item in self._held:
            self._send(item)
        self._held.clear()
