"""A breaker per provider: after some failures in a row it is left alone for a while, then asked once to see.

A provider that asks for a pause (429 with Retry-After) gets it for the model that was asked, and no failure counts.
"""

from __future__ import annotations

from tradecore.domain.model_call import ModelFailure
from tradecore.ports.clock import Clock
from tradecore.ports.model_provider import CallFailed, Completion

_TROUBLE = frozenset(
    {
        ModelFailure.TIMEOUT,
        ModelFailure.SERVER_ERROR,
        ModelFailure.UNREACHABLE,
        ModelFailure.UNAUTHORIZED,
        ModelFailure.BROKEN,
    }
)
_LONGEST_PAUSE_S = 3_600.0
_PAUSE_S = 1.0  # for a 429 that does not say how long


class Breaker:
    """Whether a provider may be asked now."""

    def __init__(self, clock: Clock, failures: int, open_s: float) -> None:
        """`failures` in a row hold it up for `open_s` seconds; 0 failures never do."""
        self._clock = clock
        self._limit = failures
        self._open_s = open_s
        self._failed = 0
        self._open_until: float | None = None
        self._probing = False
        self._paused: dict[str, float] = {}

    def held(self, model: str) -> ModelFailure | None:
        """Why the model is not to be asked now, or None."""
        now = self._clock.monotonic()
        if self._open_until is not None and (now < self._open_until or self._probing):
            return ModelFailure.BREAKER_OPEN
        return ModelFailure.COOLING_DOWN if now < self._paused.get(model, now) else None

    def begin(self) -> None:
        """A call goes out; `end` must follow."""
        self._probing = self._open_until is not None

    def end(self, model: str, outcome: Completion | CallFailed | None) -> None:
        """What became of it; None when it was cut off from this side."""
        self._probing = False
        if outcome is None:
            return
        now = self._clock.monotonic()
        if isinstance(outcome, CallFailed) and outcome.failure is ModelFailure.RATE_LIMITED:
            wish = _PAUSE_S if outcome.retry_after_s is None else outcome.retry_after_s
            self._paused[model] = now + min(max(wish, 0.0), _LONGEST_PAUSE_S)
        elif isinstance(outcome, CallFailed) and outcome.failure in _TROUBLE:
            self._failed += 1
            if self._limit and (self._failed >= self._limit or self._open_until is not None):
                self._open_until = now + self._open_s
        else:
            self._failed, self._open_until = 0, None
