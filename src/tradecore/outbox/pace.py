"""Pace: how patient delivery is."""

from __future__ import annotations

import attrs

from tradecore.ports.ids import Rng


@attrs.frozen
class Pace:
    """Times in seconds; see `[delivery]` in the settings.

    What is marked is sent within `send_within_s` or not at all: a process that slept since may be too late.
    """

    visibility_s: float = 10.0
    lookup_interval_s: float = 2.0
    lookups: int = 3
    lookups_before_alert: int = 10
    retry_initial_s: float = 2.0
    retry_max_s: float = 60.0
    retry_jitter_s: float = 1.0
    max_concurrent: int = 5
    send_within_s: float = 5.0

    def doubling(self, failures: int, rng: Rng, wish_s: float | None = None) -> float:
        """Until the next attempt after `failures` earlier ones, or as long as the broker wishes."""
        backoff = min(self.retry_initial_s * 2.0 ** min(failures, 30), self.retry_max_s)
        return max(backoff, wish_s or 0.0) + rng.uniform(0.0, self.retry_jitter_s)

    def linear(self, failures: int, rng: Rng) -> float:
        """Until the next attempt of what cannot wait for ever longer."""
        return min(self.retry_initial_s * (failures + 1), self.retry_max_s) + rng.uniform(0.0, self.retry_jitter_s)
