"""The request budget of an account: a token bucket, and what the broker itself says is left of its own count.

A third of a minute's requests may go at once; the bucket refills so that no 60 seconds ever see more than the whole.
Some are kept for what must not wait behind anything: cancels, and looking up what may have been done.
"""

from __future__ import annotations

import attrs

from tradecore.ports.clock import Clock
from tradecore_alpaca.http import Answer, NoAnswer
from tradecore_alpaca.retry_after import reset_in_s, retry_after_s

_MINUTE_S = 60.0
_PAUSE_S = 1.0
_SHORTEST_S = 0.01


@attrs.frozen
class Pace:
    """How many requests in any 60 seconds (at least 6), and how long an instruction may wait for its turn."""

    per_minute: int = 180
    patience_s: float = 5.0

    @property
    def burst(self) -> int:
        """How many may go at once."""
        return self.per_minute // 3

    @property
    def kept(self) -> int:
        """How many of those only urgent requests may use."""
        return self.per_minute // 12

    @property
    def per_second(self) -> float:
        """How fast the bucket refills."""
        return (self.per_minute - self.burst) / _MINUTE_S


class Budget:
    """Lets requests go, one token each."""

    def __init__(self, clock: Clock, pace: Pace) -> None:
        self.pace = pace
        self._clock = clock
        self._tokens = float(pace.burst)
        self._filled_at = clock.monotonic()
        self._held_until = clock.monotonic()
        self._left: int | None = None
        self._left_until = clock.monotonic()

    async def take(self, patience_s: float, *, urgent: bool) -> float:
        """Wait for a turn, for `patience_s` at most: 0 with a turn, else the seconds for which there is none."""
        deadline = self._clock.monotonic() + patience_s
        while (wait_s := self._wait_s(urgent=urgent)) > 0.0:
            if self._clock.monotonic() + wait_s > deadline:
                return wait_s
            await self._clock.sleep(max(wait_s, _SHORTEST_S))
        self._tokens -= 1.0
        if self._left is not None:
            self._left -= 1
        return 0.0

    def learn(self, outcome: Answer | NoAnswer) -> None:
        """Take in what an answer says about the broker's count, and a 429's wish to be left alone."""
        if isinstance(outcome, NoAnswer):
            return
        now, wall = self._clock.monotonic(), self._clock.now()
        if outcome.status == 429:
            wish_s = retry_after_s(outcome, wall)
            self._held_until = max(self._held_until, now + min(_PAUSE_S if wish_s is None else wish_s, _MINUTE_S))
        told, until_s = outcome.rate_limit_remaining or "", reset_in_s(outcome, wall)
        if told.isascii() and told.isdigit() and until_s is not None and 0.0 < until_s <= _MINUTE_S:
            # Answers overtake each other: within one window of the broker's, the lowest count is the latest.
            known = self._left if now < self._left_until else None
            self._left = int(told) if known is None else min(known, int(told))
            self._left_until = now + until_s

    def _wait_s(self, *, urgent: bool) -> float:
        now = self._clock.monotonic()
        self._tokens = min(float(self.pace.burst), self._tokens + (now - self._filled_at) * self.pace.per_second)
        self._filled_at = now
        needed = 1.0 if urgent else 1.0 + self.pace.kept
        wait_s = max((needed - self._tokens) / self.pace.per_second, self._held_until - now)
        # The broker's own count never holds up what is urgent: at worst the answer is a 429, which does no harm.
        if not urgent and self._left is not None and self._left <= self.pace.kept:
            wait_s = max(wait_s, self._left_until - now)
        return wait_s
