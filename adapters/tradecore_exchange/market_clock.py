"""The exchange's time: the market's, never the wall's."""

from __future__ import annotations

import attrs

# Above a microsecond, so that stamps differ in clients that keep only six places; odd, so that all nine are used.
_TICK_NS = 1_153


@attrs.define
class MarketClock:
    """`market_ns` is the time the market has reached; `stamped_ns` the last stamp given out. No two stamps tie."""

    market_ns: int
    stamped_ns: int = 0

    def reach(self, ns: int) -> None:
        """Let the market's time be at least `ns`; it never goes back."""
        self.market_ns = max(self.market_ns, ns)

    def stamp(self) -> int:
        """A moment later than every one before, a little after the time of the market."""
        self.stamped_ns = max(self.market_ns, self.stamped_ns) + _TICK_NS
        return self.stamped_ns

    @property
    def now_ns(self) -> int:
        """The present: no stamp lies after it."""
        return max(self.market_ns, self.stamped_ns)
