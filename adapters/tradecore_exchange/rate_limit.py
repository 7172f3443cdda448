"""The budget of requests of one account."""

from __future__ import annotations

import time
from collections.abc import Callable

import attrs

_WINDOW_S = 60


@attrs.define
class RateLimit:
    """A window of one minute, counted always and enforced only if asked. `now` gives seconds since 1970."""

    per_minute: int = 200
    enforced: bool = False
    now: Callable[[], float] = time.time
    used: int = 0
    window: int = 0

    def count(self) -> bool:
        """Count a request; False when it must be refused."""
        window = int(self.now()) // _WINDOW_S
        if window != self.window:
            self.window, self.used = window, 0
        self.used += 1
        return not self.enforced or self.used <= self.per_minute

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """The three headers of every answer; the reset is in seconds since 1970."""
        remaining, reset = max(0, self.per_minute - self.used), (self.window + 1) * _WINDOW_S
        return [
            (b"x-ratelimit-limit", b"%d" % self.per_minute),
            (b"x-ratelimit-remaining", b"%d" % remaining),
            (b"x-ratelimit-reset", b"%d" % reset),
        ]
