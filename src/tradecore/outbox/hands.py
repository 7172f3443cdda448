"""Hands: the tasks that make calls. One that is done waits for the next call: a new task costs as much as a mark."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable

import anyio
import attrs
from anyio.abc import TaskGroup

from tradecore.outbox.queue import Item


@attrs.define(eq=False)
class _Hand:
    item: Item
    marked_at: float
    scope: anyio.CancelScope = attrs.field(factory=anyio.CancelScope)
    given: anyio.Event = attrs.field(factory=anyio.Event)

    def take(self, item: Item, marked_at: float) -> None:
        self.item, self.marked_at = item, marked_at
        self.scope.shield = item.is_marked  # what was sent has an outcome, and it must be recorded


class Hands:
    """As many tasks as there ever were calls at once."""

    def __init__(self, work: Callable[[Item, float], Awaitable[None]]) -> None:
        """`work` makes the call of an item whose attempt was recorded at a time of the monotonic clock."""
        self._work = work
        self._idle: list[_Hand] = []

    def give(self, group: TaskGroup, item: Item, marked_at: float) -> None:
        """Have a call made; one that is an instruction is made and finished also when the group is canceled."""
        # Those that wait are canceled with whoever gives, and take nothing any more.
        if self._idle and anyio.current_effective_deadline() > -math.inf and not group.cancel_scope.cancel_called:
            hand = self._idle.pop()
            hand.take(item, marked_at)
            hand.given.set()
        else:
            hand = _Hand(item, marked_at)
            hand.take(item, marked_at)
            group.start_soon(self._serve, hand)

    async def _serve(self, hand: _Hand) -> None:
        try:
            with hand.scope:
                while True:
                    await self._work(hand.item, hand.marked_at)
                    hand.given = anyio.Event()
                    self._idle.append(hand)
                    hand.scope.shield = False
                    await hand.given.wait()
        finally:
            if hand in self._idle:
                self._idle.remove(hand)
