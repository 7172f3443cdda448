"""How long to wait before connecting a stream again."""

from __future__ import annotations

from tradecore.ports.ids import Rng

_FIRST_S = 0.2
_LONGEST_S = 10.0
_BUSY_S = (15.0, 30.0)
_SETTLED_S = 10.0


class Backoff:
    """Jittered exponential waits, 0.2 s up to 10 s; longer when the broker says that we are connected already."""

    def __init__(self, rng: Rng) -> None:
        self._rng = rng
        self._failures = 0

    def wait_s(self, lived_s: float, *, busy: bool) -> float:
        """Seconds to wait after a connection that lived for `lived_s`; one that settled starts the count anew."""
        if lived_s >= _SETTLED_S:
            self._failures = 0
        if busy:
            return self._rng.uniform(*_BUSY_S)
        longest = min(_LONGEST_S, _FIRST_S * 2.0 ** min(self._failures, 16))
        self._failures += 1
        return self._rng.uniform(longest / 2, longest)
