"""Go through a whole ledger file and find what contradicts itself."""

from __future__ import annotations

from tradecore.errors import CorruptLedger
from tradecore.journal.codec import decode
from tradecore.journal.sqlite.datastore import LedgerDatastore
from tradecore.journal.sqlite.recorder import LedgerRecorder

_PAGE = 2000
_FINDINGS = {
    "SELECT 'positions end at ' || max(position) || ' with ' || count(*) || ' events' FROM events "
    "HAVING max(position) != count(*)": "there is a hole in the order of events",
    "SELECT originator_id FROM events GROUP BY originator_id "
    "HAVING min(originator_version) != 1 OR max(originator_version) != count(*) LIMIT 1": "there is a hole in a stream",
    "SELECT view || ' at ' || position FROM tradecore_views "
    "WHERE position > (SELECT coalesce(max(position), 0) FROM events) LIMIT 1": "a view is ahead of the ledger",
}


def inspect(datastore: LedgerDatastore, recorder: LedgerRecorder) -> None:
    """Raises `CorruptLedger` for the first thing that is wrong, `NewerLedger` for an event that is not known."""
    with datastore.reading() as connection:
        verdict = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
        if verdict != "ok":
            raise CorruptLedger(f"{datastore.path}: {verdict}")
        for statement, meaning in _FINDINGS.items():
            found = connection.execute(statement).fetchone()
            if found is not None:
                raise CorruptLedger(f"{datastore.path}: {meaning}: {found[0]}")
    after = 0
    while rows := recorder.rows(after, _PAGE):
        for row in rows:
            decode(row)
        after = rows[-1][0]
