"""Hands: the tasks that make calls. One that is done waits for the next call: a new task costs as much as a mark."""

from __future__ import annotations

import asyncio
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
    given: asyncio.Future[None] | None = None

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
        while self._idle:
            hand = self._idle.pop()
            if hand.given is not None and not hand.given.done():  # else it was canceled, and will take nothing any more
                hand.take(item, marked_at)
                hand.given.set_result(None)
                return
        hand = _Hand(item, marked_at)
        hand.take(item, marked_at)
        group.start_soon(self._serve, hand)

    async def _serve(self, hand: _Hand) -> None:
        try:
            loop = asyncio.get_running_loop()
            with hand.scope:
                while True:
                    await self._work(hand.item, hand.marked_at)
                    hand.given = loop.create_future()  # half of what an event costs
                    self._idle.append(hand)
                    hand.scope.shield = False
                    await hand.given
        finally:
            if hand in self._idle:
                self._idle.remove(hand)
