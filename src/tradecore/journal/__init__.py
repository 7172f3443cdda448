"""The store: append, load, follow. The only package that knows `eventsourcing` and SQL."""

from __future__ import annotations

from tradecore.journal.contract import Journal
from tradecore.journal.group_commit import GroupCommit
from tradecore.journal.key_ring import KeyRing, find_key_ring, read_key_ring
from tradecore.journal.lease import lease_holder, open_lease
from tradecore.journal.migrating import migrate_ledger
from tradecore.journal.opening import open_journal
from tradecore.journal.restoring import restore_ledger
from tradecore.journal.side_store import Erased, SideStore
from tradecore.journal.view_store import ViewStore

__all__ = [
    "Erased",
    "GroupCommit",
    "Journal",
    "KeyRing",
    "SideStore",
    "ViewStore",
    "find_key_ring",
    "lease_holder",
    "migrate_ledger",
    "open_journal",
    "open_lease",
    "read_key_ring",
    "restore_ledger",
]
