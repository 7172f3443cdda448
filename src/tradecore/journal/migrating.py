"""Bring the tables of a ledger up to date; never by itself, because what was brought up to date does not go back."""

from __future__ import annotations

from pathlib import Path

from tradecore.journal.opening import open_journal
from tradecore.journal.url import is_postgres


def migrate_ledger(url: str, backup: Path | None = None) -> tuple[int, int]:
    """Bring the ledger up to this tradecore's schema and return the version before and after.

    With `backup` a copy of what was there before is made first. The caller holds the lease or knows that nobody works.
    Raises `StoreUnavailable` where no ledger is, `NewerLedger`, `OlderLedger` for what cannot be brought up to date,
    `CorruptLedger`, `InputError` for a `backup` that cannot be written.
    """
    if is_postgres(url):
        from tradecore.journal.postgres.migrating import migrate

        return migrate(url, backup)
    from tradecore.journal.sqlite.schema import SCHEMA

    journal = open_journal(url, create=False)
    try:  # a file that opens is up to date: its schema has had one version so far
        if backup is not None:
            journal.backup(backup)
    finally:
        journal.close()
    return SCHEMA, SCHEMA
