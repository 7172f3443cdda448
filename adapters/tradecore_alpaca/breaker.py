"""A circuit breaker: after a run of failures, no new order is sent until the way to the broker proves itself again.

It holds up only what adds risk: submits and replacements. Cancels and look-ups always go, since they are how an outage
is cleaned up. It keeps no request: what was held up is decided and sent anew by its owner, or not at all.
"""

from __future__ import annotations

from collections import deque

import attrs

from tradecore.ports.clock import Clock
from tradecore_alpaca.http import Answer, NoAnswer

_PROBE_S = 1.0


@attrs.frozen
class Trip:
    """So many failures within `window_s` seconds open the circuit, for `open_s` seconds."""

    failures: int = 5
    window_s: float = 60.0
    open_s: float = 30.0


class Breaker:
    """Closed, open for a while, then half open: one instruction is let through to see."""

    def __init__(self, clock: Clock, trip: Trip) -> None:
        self._clock = clock
        self._trip = trip
        self._failed_at: deque[float] = deque(maxlen=trip.failures)
        self._open_until: float | None = None
        self._probing = False

    @property
    def is_open(self) -> bool:
        """Whether the way to the broker was bad a moment ago."""
        return self._open_until is not None and self._clock.monotonic() < self._open_until

    @property
    def held_s(self) -> float:
        """0 when an instruction may go, else the seconds until it is worth asking again."""
        if self._open_until is None:
            return 0.0
        wait_s = self._open_until - self._clock.monotonic()
        return max(wait_s, 0.0) if wait_s > 0.0 or not self._probing else _PROBE_S

    def begin(self) -> bool:
        """An instruction goes: whether it is the one that shows if the way is good again. `end` must follow."""
        assert self.held_s == 0.0, "only what is not held up may go"
        if self._open_until is None:
            return False
        self._probing = True
        return True

    def end(self, outcome: Answer | NoAnswer | None, *, probe: bool) -> None:
        """What became of it; None when it was cut off."""
        if not probe:
            if outcome is not None:
                self.heard(outcome)
            return
        self._probing = False
        if isinstance(outcome, NoAnswer) and outcome.held:
            return  # it showed nothing: the next one does
        if outcome is not None and not is_failure(outcome):
            self._open_until = None
            self._failed_at.clear()
        else:
            self._open_until = self._clock.monotonic() + self._trip.open_s

    def heard(self, outcome: Answer | NoAnswer) -> None:
        """What became of anything else."""
        if not is_failure(outcome):
            return
        now = self._clock.monotonic()
        self._failed_at.append(now)
        run = len(self._failed_at) == self._trip.failures and now - self._failed_at[0] <= self._trip.window_s
        if run and self._open_until is None:
            self._open_until = now + self._trip.open_s


def is_failure(outcome: Answer | NoAnswer) -> bool:
    """Whether the way to the broker, or the broker itself, is in trouble; a refusal or a rate limit is no trouble."""
    if isinstance(outcome, NoAnswer):
        return not outcome.held
    return outcome.status >= 500 or outcome.status == 408
