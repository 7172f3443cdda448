"""Orders that wait for leave to add risk: they stand in no line, and hold up nothing behind them."""

from __future__ import annotations

import heapq
import itertools

from tradecore.outbox.queue import Item


class WaitingRoom:
    """Items by key, each until somebody lets it go or until it is due, when its order's time has passed."""

    def __init__(self) -> None:
        self._items: dict[str, Item] = {}
        self._due: list[tuple[float, int, Item]] = []
        self._turns = itertools.count()

    def put(self, item: Item, due_at: float) -> None:
        """Let an item wait. `due_at` is on the monotonic clock."""
        self._items[item.key] = item
        heapq.heappush(self._due, (due_at, next(self._turns), item))

    def let_go(self) -> list[Item]:
        """Everything that waits and is still wanted, from the first to the last."""
        found = sorted((item for item in self._items.values() if not item.gone), key=lambda item: item.number)
        self._items.clear()
        self._due.clear()
        return found

    def take(self, key: str) -> Item | None:
        """The item of this key, when it waits."""
        item = self._items.pop(key, None)
        return None if item is None or item.gone else item

    def take_due(self, now: float) -> list[Item]:
        """What has waited long enough."""
        found: list[Item] = []
        while (due_at := self.next_due()) is not None and due_at <= now:
            item = heapq.heappop(self._due)[2]
            del self._items[item.key]
            found.append(item)
        return found

    def next_due(self) -> float | None:
        """When the first of them has waited long enough, or None."""
        while self._due and not self._waits(self._due[0][2]):
            item = heapq.heappop(self._due)[2]
            if self._items.get(item.key) is item:
                del self._items[item.key]
        return self._due[0][0] if self._due else None

    def __bool__(self) -> bool:
        return bool(self._items)

    def __len__(self) -> int:
        return sum(1 for item in self._items.values() if not item.gone)

    def _waits(self, item: Item) -> bool:
        return not item.gone and self._items.get(item.key) is item
