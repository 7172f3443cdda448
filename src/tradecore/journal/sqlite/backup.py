"""Copies of a ledger file, taken online by SQLite itself, and ledger files out of copies."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from tradecore.errors import CorruptLedger
from tradecore.journal.codec import EventCodec
from tradecore.journal.sqlite.connection import connect
from tradecore.journal.sqlite.copy_file import PATIENCE_S, make_file, opened_copy
from tradecore.journal.sqlite.datastore import LedgerDatastore
from tradecore.journal.sqlite.failures import as_journal_error


def back_up(datastore: LedgerDatastore, target: Path, codec: EventCodec) -> int:
    """Copy an open ledger to `target` and return the copy's head; see `Journal.backup`."""
    with datastore.reading():  # refuses what is closed or belongs to another process
        pass
    # A connection of its own: the journal's serves others meanwhile. It only reads, so it never checkpoints.
    with closing(connect(datastore.path, PATIENCE_S)) as source:
        return make_file(target, lambda draft: _copy(source, datastore.path, draft, target), sealed=True, codec=codec)


def restore(file: Path, target: Path) -> int:
    """Make a ledger at `target` out of a copy, and return its head.

    Raises `InputError` when `target` is taken or `file` cannot be a copy, `CorruptLedger`, `StoreUnavailable`.
    """
    with opened_copy(file) as source:
        return make_file(target, lambda draft: _copy(source, file, draft, target), sealed=False)


def _copy(source: sqlite3.Connection, path: Path, draft: Path, target: Path) -> None:
    try:
        with closing(sqlite3.connect(draft)) as copy:
            # In one step: it is one moment of the ledger, and writers of other processes do not start it over.
            source.backup(copy, pages=-1)
    except sqlite3.Error as error:
        damage = as_journal_error(error, path)
        raise (damage if isinstance(damage, CorruptLedger) else as_journal_error(error, target)) from error
