"""Longer bars out of shorter ones, for strategies that look at several timeframes."""

from __future__ import annotations

from typing import NamedTuple

from tradecore.errors import InputError

_SECOND = 1_000_000_000


class Longer(NamedTuple):
    """A finished longer bar: start in nanoseconds since 1970, the rest in billionths."""

    start: int
    open: int
    high: int
    low: int
    close: int
    volume: int


class Timeframe:
    """Bars of `seconds`, counted from 1970 (UTC), of one symbol; what is not finished is never shown.

    A bar is finished when a shorter one ends with it (`base_seconds` tells how long those are), or begins behind it.
    """

    def __init__(self, seconds: int, base_seconds: int = 60) -> None:
        if seconds <= base_seconds or seconds % base_seconds:
            raise InputError("seconds", seconds, f"a multiple of the {base_seconds} s of the bars that it is made of")
        self._length, self._base = seconds * _SECOND, base_seconds * _SECOND
        self._now: Longer | None = None

    def update(self, start: int, open_: int, high: int, low: int, close: int, volume: int) -> tuple[Longer, ...]:
        """Take in a shorter bar; the longer ones that are finished by that: none, one, or two after a gap."""
        begin = start - start % self._length
        now = self._now
        done: tuple[Longer, ...] = ()
        if now is not None and now.start < begin:
            done, now = (now,), None
        if now is None:
            now = Longer(begin, open_, high, low, close, volume)
        else:
            now = Longer(begin, now.open, max(now.high, high), min(now.low, low), close, now.volume + volume)
        if start + self._base >= begin + self._length:
            done, now = (*done, now), None
        self._now = now
        return done
