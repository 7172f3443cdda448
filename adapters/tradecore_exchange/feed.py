"""The market's tape: bars and quotes in order, the place reached in it, and what it has shown so far."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable, Iterator, Sequence

import attrs

from tradecore.domain.values import Bar, Quote
from tradecore.errors import InputError
from tradecore_exchange.instants import MINUTE_NS, nanoseconds

Tick = Bar | Quote


def fingerprint(symbols: Iterable[str], source: str) -> str:
    """What a market is, in 64 hexadecimal digits; a store is bound to it.

    Leave out of `source` what may grow (the number of seeded days): a longer market of the same fingerprint must begin
    with the shorter one.
    """
    text = ",".join(sorted(symbols)) + "\n" + source
    return hashlib.sha256(text.encode()).hexdigest()


def known_at(tick: Tick) -> int:
    """When the market learns of it, in nanoseconds: a bar at its end."""
    return nanoseconds(tick.start) + MINUTE_NS if isinstance(tick, Bar) else nanoseconds(tick.at)


@attrs.frozen
class Step:
    """Everything of one moment."""

    at_ns: int
    bars: tuple[Bar, ...]
    quotes: tuple[Quote, ...]


class Feed:
    """A tape that is read once, a moment at a time; one moment is read ahead, so that the end is known."""

    def __init__(self, ticks: Iterable[Tick] = ()) -> None:
        self.steps_done = 0
        self.steps_total: int | None = None
        if isinstance(ticks, Sequence):
            self.steps_total = len({known_at(tick) for tick in ticks})
        self._steps = self._grouped(iter(ticks))
        self._ahead = next(self._steps, None)

    @property
    def done(self) -> bool:
        """True when nothing further is on the tape."""
        return self._ahead is None

    @property
    def ahead_ns(self) -> int | None:
        """When the next moment is."""
        return None if self._ahead is None else self._ahead.at_ns

    @property
    def first_bar_ns(self) -> int | None:
        """When the next moment's bars begin, or its quotes come."""
        if self._ahead is None:
            return None
        return self._ahead.at_ns - (MINUTE_NS if self._ahead.bars else 0)

    def next(self) -> Step | None:
        """The next moment, or None at the end. Raises `InputError` for a tape out of order."""
        step = self._ahead
        if step is not None:
            self._ahead = next(self._steps, None)
            self.steps_done += 1
        return step

    @staticmethod
    def _grouped(ticks: Iterator[Tick]) -> Iterator[Step]:
        before = 0
        for at, group in itertools.groupby(ticks, known_at):
            moment = list(group)
            if at <= before:
                raise InputError("ticks", moment[0], "a tape in order of time")
            before = at
            bars = tuple(tick for tick in moment if isinstance(tick, Bar))
            yield Step(at, bars, tuple(tick for tick in moment if isinstance(tick, Quote)))
