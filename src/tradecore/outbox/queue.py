"""The queue of open work: what goes next is found in logarithmic time, however much is open.

Items stand in lines: submits of one symbol in one, in the order of their intents, so that they reach the broker in that
order; everything else in a line of its own. Of a line at most one item is under way. The heads of the lines compete by
priority. An item that is not due yet stands in no line: waiting for a retry holds nobody up.
"""

from __future__ import annotations

import heapq
import itertools

import attrs

from tradecore.outbox.needs import Kind, Priority


@attrs.define(eq=False)
class Item:
    """A piece of open work. Times are on the monotonic clock of this process."""

    key: str
    kind: Kind
    priority: Priority
    line: str
    due_at: float = 0.0
    number: int = 0
    busy: bool = False
    gone: bool = False
    failures: int = 0
    lookups: int = 0
    asked: int = 0
    first_lookup_at: float | None = None
    send_again: int | None = None
    """The attempt that was proved not to have arrived; None when the order is not to be sent again."""

    @property
    def is_marked(self) -> bool:
        """Whether the next call is an instruction, which is recorded before it is given."""
        return self.send_again is not None or self.kind not in (Kind.RESOLVE, Kind.LEGS)

    @property
    def brings_to_broker(self) -> bool:
        """Whether the next call sends an order that the broker does not have."""
        return self.send_again is not None or self.kind in (Kind.SUBMIT, Kind.REPLACE)


_Entry = tuple[int, int, int, Item]
"""Priority, number, and a turn that no other entry has: an item and the one that took its place share a number."""


class WorkQueue:
    """Items that are not under way."""

    def __init__(self) -> None:
        self._numbers = itertools.count()
        self._turns = itertools.count()
        self._later: list[tuple[float, int, Item]] = []
        self._lines: dict[str, list[_Entry]] = {}
        self._heads: list[_Entry] = []
        self._taken: set[str] = set()

    def put(self, item: Item, now: float) -> None:
        """Let an item wait until it is due, and then in its line. It keeps its number when it comes back."""
        item.number = item.number or next(self._numbers) + 1
        if item.due_at > now:
            heapq.heappush(self._later, (item.due_at, next(self._turns), item))
        else:
            self._stand(item)

    def take(self, now: float, *, only_urgent: bool) -> Item | None:
        """The most urgent item whose line is free; its line is taken until `release`."""
        self._wake(now)
        while self._heads:
            urgency, _, _, item = self._heads[0]
            line = self._lines.get(item.line)
            if item.line in self._taken or line is None or line[0][3] is not item:
                heapq.heappop(self._heads)  # its line has moved on, and put another head forward
                continue
            if item.gone:
                heapq.heappop(self._heads)
                self._tidy(item.line)
                continue
            if only_urgent and urgency > Priority.LOOK_UP:
                return None
            heapq.heappop(self._heads)
            heapq.heappop(line)
            self._taken.add(item.line)
            return item
        return None

    def release(self, line: str) -> None:
        """The item of a line that was under way is not any more: the next one of the line may go."""
        self._taken.discard(line)
        self._tidy(line)

    def next_due(self) -> float | None:
        """When the next waiting item is due, or None."""
        while self._later and self._later[0][2].gone:
            heapq.heappop(self._later)
        return self._later[0][0] if self._later else None

    @property
    def has_ready(self) -> bool:
        """Whether anything is due that could not be taken."""
        return bool(self._heads)

    def _wake(self, now: float) -> None:
        while self._later and self._later[0][0] <= now:
            item = heapq.heappop(self._later)[2]
            if not item.gone:
                self._stand(item)

    def _stand(self, item: Item) -> None:
        line = self._lines.setdefault(item.line, [])
        entry = (item.priority.value, item.number, next(self._turns), item)
        heapq.heappush(line, entry)
        if line[0] is entry and item.line not in self._taken:
            heapq.heappush(self._heads, entry)

    def _tidy(self, line: str) -> None:
        """Put the head of a line forward, past those that are gone."""
        waiting = self._lines.get(line)
        if waiting is None or line in self._taken:
            return
        while waiting and waiting[0][3].gone:
            heapq.heappop(waiting)
        if waiting:
            heapq.heappush(self._heads, waiting[0])
        else:
            del self._lines[line]
