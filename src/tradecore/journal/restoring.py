"""Bring a ledger back from a copy, under a URL where none is."""

from __future__ import annotations

from pathlib import Path

from tradecore.errors import ConfigurationError
from tradecore.journal.url import is_postgres, ledger_path


def restore_ledger(file: Path, url: str) -> int:
    """Make the ledger at `url` out of a copy, checked and durable, and return its head.

    A copy is a file whatever store it was taken from, and can be restored to either: to a file that is not there, or
    to a schema of a database that is empty. Its history is rewound to the moment of the copy: a runner refuses it while
    the broker knows more (`RewoundLedger`).
    Raises `InputError` for a place that is taken, `ConfigurationError` for one that is none, `CorruptLedger`,
    `NewerLedger`, `StoreUnavailable`, and for a database `MissingExtra` and `NotDurable`.
    """
    if is_postgres(url):
        from tradecore.journal.postgres.backup import restore as restore_to_postgres

        return restore_to_postgres(file, url)
    path = ledger_path(url)
    if path is None:
        raise ConfigurationError(
            "ledger: a copy is restored to a file, such as sqlite:///back.db, or to a database; memory: ends with this "
            "process"
        )
    from tradecore.journal.sqlite.backup import restore

    return restore(file, path)
