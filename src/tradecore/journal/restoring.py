"""Bring a ledger back from a copy, under a URL where none is."""

from __future__ import annotations

from pathlib import Path

from tradecore.errors import ConfigurationError
from tradecore.journal.url import ledger_path


def restore_ledger(file: Path, url: str) -> int:
    """Make the ledger at `url` out of a copy, checked and durable, and return its head.

    Its history is rewound to the moment of the copy: a runner refuses it while the broker knows more (`RewoundLedger`).
    Raises `InputError`, `ConfigurationError` for a place that is none or taken, `CorruptLedger`, `NewerLedger`,
    `StoreUnavailable`.
    """
    path = ledger_path(url)
    if path is None:
        raise ConfigurationError(
            "ledger: a copy is restored to a file, such as sqlite:///back.db; memory: ends with this process, and a "
            "database has backups of its own"
        )
    from tradecore.journal.sqlite.backup import restore

    return restore(file, path)
