"""Counting what is in a ledger, and what it weighs."""

from __future__ import annotations

from tradecore.journal.postgres.reader import Reader
from tradecore.journal.stats import StoreStats, ViewStanding

_COUNTS = b"SELECT count(*), coalesce(max(position), 0), count(DISTINCT originator_id) FROM events"
_BY_NAME = b"SELECT topic, count(*) FROM events GROUP BY topic ORDER BY topic"
_VIEWS = b"SELECT view, position FROM tradecore_views ORDER BY view"
_SIZE = (
    b"SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint FROM pg_class c "
    b"WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r'"
)


def measure(reader: Reader) -> StoreStats:
    """Counts and sizes. The write-ahead log is the whole server's, so none of it is counted as this ledger's."""
    events, head, streams = reader.ask(_COUNTS)[0]
    by_name = {str(name): int(count) for name, count in reader.ask(_BY_NAME)}
    views = tuple(ViewStanding(view, position) for view, position in reader.ask(_VIEWS))
    return StoreStats(events, streams, head, reader.ask(_SIZE)[0][0], 0, by_name, views)
