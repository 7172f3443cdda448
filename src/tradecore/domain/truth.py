"""Known things: a value, whether it is live, and as of when. What is stale says so; what is not known has no value."""

from __future__ import annotations

import datetime as dt
import enum
from typing import Generic, Never, TypeVar

import attrs

from tradecore.errors import StaleError

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Source(enum.StrEnum):
    """Where an answer about live state comes from."""

    LIVE = "live"
    STALE = "stale"
    UNAVAILABLE = "unavailable"


@attrs.frozen
class Known(Generic[T_co]):
    """A value as of a moment, by the clock of whoever told it.

    `age` is how old it was when it was judged, `limit` how old it may be to count as live; None where nobody asked.
    """

    value: T_co | None
    source: Source
    as_of: dt.datetime | None
    age: dt.timedelta | None
    limit: dt.timedelta | None = None

    @property
    def is_live(self) -> bool:
        """Whether a decision may rest on it."""
        return self.source is Source.LIVE

    def require(self, field: str) -> T_co:
        """The value, for a decision to rest on; `field` names it. Raises `StaleError` unless it is live."""
        if self.value is None or not self.is_live:
            raise StaleError(field, self.as_of, self.age, self.limit)
        return self.value


def judged(value: T, as_of: dt.datetime, now: dt.datetime | None, limit: dt.timedelta | None) -> Known[T]:
    """A value as of a moment, live when it is no older than `limit` at `now`; no limit means that age is no matter.

    `now` and `as_of` are of one clock. A time that is not known makes nothing fresh.
    """
    if limit is None:
        return Known(value, Source.LIVE, as_of, None)
    if now is None:
        return Known(value, Source.STALE, as_of, None, limit)
    age = max(dt.timedelta(0), now - as_of)
    return Known(value, Source.LIVE if age <= limit else Source.STALE, as_of, age, limit)


def unavailable() -> Known[Never]:
    """Nobody can say."""
    return Known(None, Source.UNAVAILABLE, None, None)
