"""How positions are given out wrongly, as stores for the same race: proof that its referee can see it."""

from __future__ import annotations

import bisect
import itertools
import threading
import time
from collections.abc import Sequence
from operator import itemgetter

import msgspec

from tradecore.domain.events import Event
from tradecore.domain.messages import Recorded

Rows = list[tuple[int, Recorded[Event]]]


class NumberDrawnEarly:
    """Draws the position before the commit, as a sequence of a database does: a later one may be seen first."""

    url = "memory:"

    def __init__(self) -> None:
        self._rows: Rows = []
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)

    def append(self, events: Sequence[Recorded[Event]]) -> tuple[Recorded[Event], ...]:
        """Draw, and then put the rows where they belong."""
        drawn = [self._draw(event) for event in events]
        time.sleep(0)
        with self._lock:
            for row in drawn:
                bisect.insort(self._rows, row, key=itemgetter(0))
        return tuple(event for _, event in drawn)

    def _draw(self, event: Recorded[Event]) -> tuple[int, Recorded[Event]]:
        position = next(self._numbers)
        return position, msgspec.structs.replace(
            event, envelope=msgspec.structs.replace(event.envelope, position=position)
        )

    def read(self, after: int, limit: int = 1000) -> tuple[Recorded[Event], ...]:
        """What is there behind a position."""
        with self._lock:
            return tuple(event for position, event in self._rows if position > after)[:limit]

    def load(self, stream: str, after: int = 0, limit: int | None = None) -> tuple[Recorded[Event], ...]:
        """Nothing clashes here."""
        return ()

    def head(self) -> int:
        """The number of rows."""
        with self._lock:
            return len(self._rows)


class NumberCounted(NumberDrawnEarly):
    """Counts what is there and takes the next number, without a lock over both."""

    def append(self, events: Sequence[Recorded[Event]]) -> tuple[Recorded[Event], ...]:
        """Count, and then put the rows behind."""
        numbers = itertools.count(self.head() + 1)
        time.sleep(0)
        placed = [
            msgspec.structs.replace(e, envelope=msgspec.structs.replace(e.envelope, position=next(numbers)))
            for e in events
        ]
        with self._lock:
            self._rows += [(event.envelope.position, event) for event in placed]
        return tuple(placed)
