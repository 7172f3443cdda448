"""Counting what is in a ledger file, and what it weighs."""

from __future__ import annotations

from pathlib import Path

from tradecore.journal.sqlite.datastore import LedgerDatastore
from tradecore.journal.stats import StoreStats, ViewStanding

_COUNTS = "SELECT count(*), coalesce(max(position), 0), total(originator_version = 1) FROM events"
_BY_NAME = "SELECT topic, count(*) FROM events GROUP BY topic ORDER BY topic"
_VIEWS = "SELECT view, position FROM tradecore_views ORDER BY view"


def measure(datastore: LedgerDatastore) -> StoreStats:
    """Counts and sizes; while somebody appends, each figure is right for its own moment."""
    with datastore.reading() as connection:
        events, head, streams = connection.execute(_COUNTS).fetchone()
        by_name = dict(connection.execute(_BY_NAME).fetchall())
        views = tuple(ViewStanding(*row) for row in connection.execute(_VIEWS))
    path = datastore.path
    log = path.with_name(path.name + "-wal")
    return StoreStats(events, int(streams), head, _size(path), _size(log), by_name, views)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
