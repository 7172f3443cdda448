"""Following a trace from whichever id is at hand. What the view has not folded yet is read from the log."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from tradecore.domain import streams
from tradecore.domain.epochs import epochs_of
from tradecore.domain.events import Event
from tradecore.domain.messages import Recorded
from tradecore.errors import InputError
from tradecore.views.rows import decode_row
from tradecore.views.traces import Traces, prefix

if TYPE_CHECKING:
    from tradecore.journal.contract import Journal

_PAGE = 1000
_NAMED = (streams.order, streams.trade, streams.fill, streams.decision, streams.deliberation, streams.cycle)


def find_trace(journal: Journal, given: str) -> str:
    """The trace behind any id of the ledger. Raises `InputError` for an id that nothing has."""
    for key in _spellings(journal, given):
        for stream_of in _NAMED:
            found = journal.load(stream_of(key), limit=1)
            if found:
                return found[0].envelope.trace_id
    if trace_events(journal, given.lower()):
        return given.lower()
    raise InputError("id", given, "a trace, cycle, decision, order, client order, trade or fill id of this ledger")


def trace_events(journal: Journal, trace_id: str) -> list[Recorded[Event]]:
    """Every event of a trace, in order; none for a trace that is not there."""
    store, shape = journal.views, Traces.shape
    while True:
        cursor = store.cursor(Traces.name, shape)
        rows = [decode_row(Traces.name, key, row) for key, row in store.rows(Traces.name, prefix(trace_id))]
        if store.cursor(Traces.name, shape) >= cursor:  # otherwise somebody builds the view anew
            break
    events = [journal.read(row["position"] - 1, 1)[0] for row in rows if row["position"] <= cursor]
    while page := journal.read(cursor, _PAGE):
        events += [recorded for recorded in page if recorded.envelope.trace_id == trace_id]
        cursor = page[-1].envelope.position
    return events


def _spellings(journal: Journal, given: str) -> list[str]:
    order_id = epochs_of(recorded.event for recorded in journal.load(streams.LEDGER)).order_id_of(given)
    try:
        canonical = str(uuid.UUID(given))
    except ValueError:
        canonical = given
    return [order_id] if order_id is not None else list(dict.fromkeys((canonical, given)))
