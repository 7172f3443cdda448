"""The tables of a ledger, and how a file is recognised as one."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

from tradecore.errors import CorruptLedger, NewerLedger, OlderLedger
from tradecore.journal.sqlite.failures import DATABASE_ERRORS, as_journal_error

if TYPE_CHECKING:
    from tradecore.journal.sqlite.datastore import LedgerDatastore

SCHEMA = 2
"""2: the rows of a view are those of its slot."""

EVENTS_TABLE = (
    "CREATE TABLE IF NOT EXISTS events ("
    "position INTEGER PRIMARY KEY AUTOINCREMENT, "
    "originator_id TEXT NOT NULL, "
    "originator_version INTEGER NOT NULL, "
    "topic TEXT NOT NULL, "
    # Before the state, so that reading the last link never follows a long state over several pages.
    "chain BLOB NOT NULL, "
    "state BLOB NOT NULL, "
    "event_id TEXT UNIQUE, "
    "UNIQUE (originator_id, originator_version))"
)

_VIEWS_TABLE = (
    "CREATE TABLE tradecore_views "
    "(view TEXT PRIMARY KEY, shape TEXT NOT NULL, position INTEGER NOT NULL, slot INTEGER NOT NULL) WITHOUT ROWID"
)
_VIEW_ROWS_TABLE = (
    "CREATE TABLE tradecore_view_rows "
    "(slot INTEGER, key TEXT, value BLOB NOT NULL, PRIMARY KEY (slot, key)) WITHOUT ROWID"
)
_META_TABLE = "CREATE TABLE tradecore_meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID"


def lay_out(connection: sqlite3.Connection) -> None:
    """Make an empty file a ledger."""
    connection.execute("BEGIN IMMEDIATE")
    for statement in (EVENTS_TABLE, _VIEWS_TABLE, _VIEW_ROWS_TABLE, _META_TABLE):
        connection.execute(statement)
    connection.execute("INSERT INTO tradecore_meta VALUES ('schema', ?)", (str(SCHEMA),))
    connection.execute("COMMIT")


def renew_views(datastore: LedgerDatastore) -> None:
    """Give a ledger of the first schema the tables that views are kept in now, empty: every view is built anew.

    Raises `StoreUnavailable`, `CorruptLedger`.
    """
    with datastore.reading() as connection:
        if _has_slots(connection):
            return
    with datastore.writing(_has_slots) as cursor:
        if not _has_slots(datastore.connection):  # another process may have been faster
            for statement in ("DROP TABLE tradecore_views", "DROP TABLE tradecore_view_rows"):
                cursor.execute(statement)
            cursor.execute(_VIEWS_TABLE)
            cursor.execute(_VIEW_ROWS_TABLE)
            cursor.execute("UPDATE tradecore_meta SET value = ? WHERE key = 'schema'", (str(SCHEMA),))


def _has_slots(connection: sqlite3.Connection) -> bool:
    columns = connection.execute("SELECT name FROM pragma_table_info('tradecore_views')").fetchall()
    return ("slot",) in columns


def recognise(connection: sqlite3.Connection, path: Path) -> None:
    """Make sure that the file is a ledger that we can read, before anything in it is touched.

    Raises `CorruptLedger` for a file that is no ledger, `NewerLedger` for one with a later schema, `OlderLedger` for
    one without a hash chain.
    """
    try:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if "tradecore_meta" not in tables:
            raise CorruptLedger(f"{path} is not a tradecore ledger")
        row = connection.execute("SELECT value FROM tradecore_meta WHERE key = 'schema'").fetchone()
        columns = {column for (column,) in connection.execute("SELECT name FROM pragma_table_info('events')")}
    except DATABASE_ERRORS as error:
        raise as_journal_error(error, path) from error
    if row is None or not str(row[0]).isdecimal() or int(row[0]) < 1:
        raise CorruptLedger(f"{path} does not say which schema it has")
    if int(row[0]) > SCHEMA:
        raise NewerLedger(f"{path} has schema {row[0]}, this tradecore knows {SCHEMA}: update tradecore to open it")
    if not {"events", "tradecore_views", "tradecore_view_rows"} <= tables:
        raise CorruptLedger(f"{path} has lost a table")
    if "chain" not in columns:
        raise OlderLedger(
            f"{path} has no hash chain: a development version of tradecore wrote it, or somebody took the chain away. "
            "Let its orders finish with the version that wrote it, then move the file away and begin a new ledger"
        )
