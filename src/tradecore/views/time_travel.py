"""Views as they were: folded in memory up to a position of the log or a moment, without touching what is stored."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from tradecore.domain.values import parse_instant
from tradecore.errors import CorruptLedger, InputError
from tradecore.views.folding import MemoryFold
from tradecore.views.view import View

if TYPE_CHECKING:
    from tradecore.journal.contract import Journal

AsOf = int | dt.datetime
"""A position of the log, or a moment with a time zone."""

_PAGE = 1000
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def rows_as_of(journal: Journal, view: View, as_of: AsOf) -> dict[str, bytes]:
    """The rows of a view, as they were stored when the view stood there.

    Raises `InputError` for a position that the log does not have and for a naive time; `CorruptLedger` when the view
    cannot take in an event before that.
    """
    position = position_of(journal, as_of)
    known = _nearest(journal, view, position)
    while known.position < position and known.poison is None:
        known.take(journal.read(known.position, min(_PAGE, position - known.position)))
    if known.poison is not None:
        where = known.poison.recorded.envelope
        raise CorruptLedger(
            f"view {view.name} cannot be told as of position {position}: it stops before the event at position "
            f"{where.position} ({where.name} of {where.stream}): {known.poison.reason}"
        )
    return known.rows


def position_of(journal: Journal, as_of: AsOf) -> int:
    """The position itself, or that of the last event before the first one recorded after the moment.

    Clocks step back at times, and the log does not: what counts is what was in the log when the moment had passed for
    the first time. Raises `InputError`.
    """
    if isinstance(as_of, dt.datetime):
        return _position_at(journal, parse_instant("as_of", as_of))
    head = journal.head()
    if isinstance(as_of, bool) or not 0 <= as_of <= head:
        raise InputError("as_of", as_of, f"a position from 0 to {head}, where the log ends, or a time with a time zone")
    return as_of


def _position_at(journal: Journal, moment: dt.datetime) -> int:
    limit_ns = (moment - _EPOCH) // dt.timedelta(microseconds=1) * 1000 + 999
    position = 0
    while page := journal.read(position, _PAGE):
        for recorded in page:
            if recorded.envelope.recorded_at_ns > limit_ns:
                return position
            position = recorded.envelope.position
    return position


def _nearest(journal: Journal, view: View, position: int) -> MemoryFold:
    """The stored rows when they are not beyond the position, else nothing: the view from its beginning."""
    store = journal.views
    cursor = store.cursor(view.name, view.shape)
    while cursor <= position:
        rows = dict(store.rows(view.name))
        before, cursor = cursor, store.cursor(view.name, view.shape)
        if before == cursor:  # otherwise somebody moved the view while it was read
            return MemoryFold(view, rows, cursor)
    return MemoryFold(view)
