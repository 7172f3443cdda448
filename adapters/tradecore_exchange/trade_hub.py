"""Trade updates on their way to an account's connections, and what faults make of them."""

from __future__ import annotations

import asyncio
import enum
import time
from collections.abc import Callable, Iterable

import attrs
import msgspec

from tradecore_exchange import fault_kinds as kinds
from tradecore_exchange.fault_plan import Strike
from tradecore_exchange.faults import Faults
from tradecore_exchange.floor import Message
from tradecore_exchange.orders import TradeUpdate
from tradecore_exchange.serving import Serving, StreamPolicy
from tradecore_exchange.spoiling import spoil
from tradecore_exchange.wire import trade_update_json

_REORDER_FLUSH_S = 0.2


class Cut(enum.Enum):
    """How a connection is to end."""

    CLOSE = "stream_drop"
    ABORT = "stream_abort"


@attrs.frozen
class Freeze:
    """Neither read nor send for a time, in milliseconds; the connection stays."""

    ms: int


Item = bytes | Cut | Freeze


@attrs.define(eq=False)
class TradeConnection:
    """One client of the trade stream. Items wait in `queue` for its own task; JSON, whatever goes over the wire."""

    queue: asyncio.Queue[Item] = attrs.field(factory=asyncio.Queue)
    listening: bool = False


class TradeHub:
    """Every connection to one account's trade stream. `published` is the number of the last update that was told."""

    def __init__(
        self, faults: Faults, serving: Serving, published: int, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.connections: dict[TradeConnection, None] = {}  # in the order in which they came
        self.published = published
        self.told = asyncio.Event()
        self._faults = faults
        self._serving = serving
        self._monotonic = monotonic
        self._held: list[bytes] = []
        self._mute_until = 0.0
        self._places_until: list[float] = []

    def on_message(self, message: Message) -> None:
        """Send a trade update to whoever listens."""
        if not isinstance(message, TradeUpdate):
            return
        self.published += 1
        self._tell(message)

    def wake(self) -> None:
        """Wake the readers of events. Whoever waits has taken the event that is set; the next is for those to come."""
        self.told.set()
        self.told = asyncio.Event()

    def cut(self, how: Cut) -> None:
        """End every connection now."""
        self._send(how, self.connections)

    @property
    def is_full(self) -> bool:
        """True when a further connection is refused: one is there, or one that broke off is not yet missed."""
        now = self._monotonic()
        self._places_until = [until for until in self._places_until if until > now]
        return self._serving.stream_policy is StreamPolicy.REFUSE and bool(self.connections or self._places_until)

    def enter(self, connection: TradeConnection) -> None:
        """Take a connection that has authenticated."""
        if self._serving.stream_policy is StreamPolicy.KICK:
            self._send(Cut.CLOSE, self.connections)
        self.connections[connection] = None

    def leave(self, connection: TradeConnection, *, politely: bool) -> None:
        """Let a connection go; one that broke off keeps its place for a while."""
        if connection in self.connections:
            del self.connections[connection]
            if not politely:
                self._places_until.append(self._monotonic() + self._serving.reap_after_s)

    def _send(self, item: Item, to: Iterable[TradeConnection]) -> None:
        for connection in to:
            connection.queue.put_nowait(item)

    def _send_to_listeners(self, *items: Item) -> None:
        listeners = [connection for connection in self.connections if connection.listening]
        for item in items:
            self._send(item, listeners)

    def _tell(self, update: TradeUpdate) -> None:
        is_heard = any(connection.listening for connection in self.connections)
        # A mute by duration is used up once, not once for each update that it swallows.
        is_mute = self._monotonic() < self._mute_until
        of_sibling = update.event == "canceled" and update.order.is_complex
        strike = self._faults.for_update(update.event, of_sibling=of_sibling, is_heard=is_heard and not is_mute)
        if not is_heard or is_mute:
            return
        body = trade_update_json(update)
        match strike.kind if strike is not None else None:
            case None:
                self._send_to_listeners(msgspec.json.encode(body))
            case "stream_mute" if strike is not None:
                if strike.ms:
                    self._mute_until = self._monotonic() + strike.ms / 1_000
                return
            case "stream_drop" | "stream_abort" as kind:
                self._send_to_listeners(Cut(kind))
            case kinds.FREEZE if strike is not None:
                self._send_to_listeners(Freeze(strike.ms), msgspec.json.encode(body))
            case _ if strike is not None and not self._spoil(strike, body):
                return
        self._flush()

    def _spoil(self, strike: Strike, body: dict[str, object]) -> bool:
        """Send what is left of a message; False when the ones held back are to wait further."""
        sent = spoil(strike, body)
        self._send_to_listeners(*sent.now)
        loop = asyncio.get_running_loop()
        if sent.later is not None:
            loop.call_later(sent.delay_s, self._send_to_listeners, sent.later)
        if sent.held is not None:
            self._held.append(sent.held)
            loop.call_later(_REORDER_FLUSH_S, self._flush)
        return bool(sent.now)

    def _flush(self) -> None:
        held, self._held = self._held, []
        self._send_to_listeners(*held)
