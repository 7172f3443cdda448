"""What an account looked like a little while ago: for answers that lag behind what has happened."""

from __future__ import annotations

import bisect
import time
from collections.abc import Callable
from typing import Any

from tradecore_exchange.floor import Floor, Message
from tradecore_exchange.orders import TradeUpdate
from tradecore_exchange.wire import order_json
from tradecore_exchange.wire_account import position_json

JSON = Any
History = list[tuple[float, JSON]]

_KEPT_S = 60.0


def _as_of(history: History, at_s: float) -> JSON:
    index = bisect.bisect_right(history, at_s, key=lambda entry: entry[0])
    return history[index - 1][1] if index else None


def _add(history: History, at_s: float, body: JSON) -> None:
    history.append((at_s, body))
    while len(history) > 2 and history[1][0] < at_s - _KEPT_S:
        del history[0]


class Hindsight:
    """Watches from `begin` on, as it costs a copy of everything that moves; times are of the monotonic clock."""

    def __init__(self, floor: Floor, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._floor = floor
        self._monotonic = monotonic
        self._heard: dict[str, float] = {}
        self._orders: dict[str, History] = {}
        self._positions: History = []
        self._watching = False

    def begin(self) -> None:
        """Know how everything is now."""
        if self._watching:
            return
        self._watching = True
        for order in self._floor.exchange.book.all:
            _add(self._orders.setdefault(order.id, []), 0.0, order_json(order))
        _add(self._positions, 0.0, self._held())

    def on_message(self, message: Message) -> None:
        """See what has just become known."""
        if not isinstance(message, TradeUpdate):
            return
        now, order = self._monotonic(), message.order
        self._heard.setdefault(order.client_order_id, now)
        if self._watching:
            _add(self._orders.setdefault(order.id, []), now, order_json(order))
            if message.position_qty is not None:
                _add(self._positions, now, self._held())

    def is_younger(self, client_order_id: str, ms: int) -> bool:
        """True for an order that was heard of less than `ms` milliseconds ago, or was not yet."""
        heard = self._heard.get(client_order_id)
        if heard is None:
            # An order of before a restart was heard of long ago; one that waits to be published, never.
            return self._floor.has_unpublished
        return (self._monotonic() - heard) * 1_000 < ms

    def order(self, order_id: str, ms: int) -> JSON:
        """An order as it was; None when it was not there."""
        return _as_of(self._orders.get(order_id, []), self._monotonic() - ms / 1_000)

    def positions(self, ms: int) -> dict[str, JSON]:
        """All positions as they were, by symbol."""
        held: dict[str, JSON] = _as_of(self._positions, self._monotonic() - ms / 1_000) or {}
        return held

    def _held(self) -> dict[str, JSON]:
        positions = self._floor.exchange.account.positions
        return {symbol: position_json(self._floor, positions[symbol]) for symbol in sorted(positions)}
