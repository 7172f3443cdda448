"""Troubles: what a person should see is told when it begins and when it begins anew, never while it only lasts."""

from __future__ import annotations

from collections.abc import Callable, Collection

from tradecore.ports.clock import Clock

_AGAIN_S = 60.0
"""A trouble that comes and goes is told at most so often; one that has come to stay is told at the first look after."""


class Troubles:
    """What troubles now, as far as somebody looks again and again and says so."""

    def __init__(self, clock: Clock, tell: Callable[[str, str], None]) -> None:
        """`tell` is given the kind and the message of what is to be told."""
        self._clock = clock
        self._tell = tell
        self._lasting: set[tuple[str, str]] = set()
        self._told: dict[tuple[str, str], float] = {}

    def lasts(self, topic: str, kind: str, message: str) -> None:
        """There it is, perhaps still: it is told when it began."""
        key = (topic, message)
        if key in self._lasting:
            return
        now = self._clock.monotonic()
        if now - self._told.get(key, now - _AGAIN_S) < _AGAIN_S:
            return
        self._lasting.add(key)
        self._told[key] = now
        self._tell(kind, message)

    def is_over(self, topic: str, but: Collection[str] = ()) -> None:
        """Nothing of a topic troubles any more, but for these messages."""
        for key in [known for known in self._lasting if known[0] == topic and known[1] not in but]:
            self._lasting.remove(key)
        now = self._clock.monotonic()
        for key in [known for known, at in self._told.items() if now - at >= _AGAIN_S]:
            del self._told[key]
