"""Go through a whole ledger file and find what contradicts itself."""

from __future__ import annotations

from tradecore.errors import CorruptLedger
from tradecore.journal.chain import GENESIS, as_links, link
from tradecore.journal.codec import EventCodec
from tradecore.journal.sqlite.datastore import LedgerDatastore

_PAGE = 2000
_FINDINGS = {
    "there is a hole in the order of events": (
        "SELECT 'position ' || last || ' after ' || n || ' events' "
        "FROM (SELECT max(position) AS last, count(*) AS n FROM events) WHERE last != n"
    ),
    "there is a hole in a stream": (
        "SELECT originator_id FROM events GROUP BY originator_id "
        "HAVING min(originator_version) != 1 OR max(originator_version) != count(*) LIMIT 1"
    ),
    "events were cut off at the end": (
        "SELECT 'position ' || seq || ' was given' FROM sqlite_sequence "
        "WHERE name = 'events' AND seq != (SELECT coalesce(max(position), 0) FROM events)"
    ),
    "a view is ahead of the ledger": (
        "SELECT view || ' at ' || position FROM tradecore_views "
        "WHERE position > (SELECT coalesce(max(position), 0) FROM events) LIMIT 1"
    ),
}
_EVENTS = (
    "SELECT position, originator_id, originator_version, topic, state, chain, event_id FROM events "
    "WHERE position > ? ORDER BY position LIMIT ?"
)


def inspect(datastore: LedgerDatastore, codec: EventCodec) -> None:
    """Raises `CorruptLedger` for the first thing that is wrong, `NewerLedger` for an event that is not known."""
    with datastore.reading() as connection:
        verdict = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
        if verdict != "ok":
            raise CorruptLedger(f"{datastore.path}: {verdict}")
        for meaning, statement in _FINDINGS.items():
            found = connection.execute(statement).fetchone()
            if found is not None:
                raise CorruptLedger(f"{datastore.path}: {meaning}: {found[0]}")
    after, before = 0, GENESIS
    while rows := _events(datastore, after):
        for row in rows:
            if codec.decode(row[:5]).envelope.event_id != row[6]:
                raise CorruptLedger(f"{datastore.path}: the event at position {row[0]} has two ids")
            before = link(before, *row[:5])
            if row[5] != before:
                raise CorruptLedger(
                    f"{datastore.path}: the hash chain breaks at position {row[0]}: it or one before is changed"
                )
        after = rows[-1][0]


def _events(datastore: LedgerDatastore, after: int) -> list[tuple[int, str, int, str, bytes, bytes, str]]:
    with datastore.reading() as connection:
        rows = connection.execute(_EVENTS, (after, _PAGE)).fetchall()
    as_links(row[:6] for row in rows)  # damage may have made a value of another kind of one
    return rows
