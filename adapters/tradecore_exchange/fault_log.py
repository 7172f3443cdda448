"""What was really injected: the other half of a reproducible failure."""

from __future__ import annotations

import collections
from typing import Any

JSON = Any

_KEPT = 10_000


class FaultLog:
    """The last 10,000 faults that struck. No wall clock is in it, so that two runs can be compared."""

    def __init__(self) -> None:
        self.lines: collections.deque[dict[str, JSON]] = collections.deque(maxlen=_KEPT)
        self._number = 0

    def note(self, source: str, where: str, target: str, kind: str, *, after: bool = False, ms: int = 0) -> None:
        """`source` is `armed` or `plan`; `target` is the endpoint, the event, or the moment that was struck."""
        self._number += 1
        line = {"number": self._number, "source": source, "where": where, "target": target, "kind": kind}
        if where == "request":
            line["phase"] = "after" if after else "before"
        if ms:
            line["ms"] = ms
        self.lines.append(line)
