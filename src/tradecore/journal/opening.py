"""Open a ledger by its URL."""

from __future__ import annotations

from tradecore.journal.contract import Groupable
from tradecore.journal.key_ring import KeyRing, find_key_ring
from tradecore.journal.sealed_codec import codec_with
from tradecore.journal.url import is_postgres, ledger_path


def open_journal(url: str, *, create: bool = True, patience_s: float = 5.0, keys: KeyRing | None = None) -> Groupable:
    """Open `memory:`, `sqlite:///path.db` or `postgresql://…?schema=name`.

    A missing ledger is created unless `create` is False. `patience_s` is how long a write waits for another process to
    finish its own. Events are encrypted with `keys`, or else with those that the environment names, if it does.

    Raises `InputError` for a URL that is none, `StoreUnavailable`, `CorruptLedger` (also for what is no ledger),
    `NewerLedger`, `NotDurable`, `MissingExtra`, and `ConfigurationError` for keys that are none.
    """
    codec = codec_with(keys or find_key_ring())
    if is_postgres(url):
        from tradecore.journal.postgres.opening import open_ledger as open_postgres

        return open_postgres(url, create=create, patience_s=patience_s, codec=codec)
    path = ledger_path(url)
    if path is None:
        from tradecore.journal.memory.journal import MemoryJournal

        return MemoryJournal(codec)
    from tradecore.journal.sqlite.opening import open_ledger

    return open_ledger(url, path, create=create, patience_s=patience_s, codec=codec)
