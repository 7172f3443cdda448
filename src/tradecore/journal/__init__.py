"""The store: append, load, follow. The only package that knows `eventsourcing` and SQL."""

from __future__ import annotations

from tradecore.journal.contract import Journal, ViewStore
from tradecore.journal.lease import open_lease
from tradecore.journal.opening import open_journal

__all__ = ["Journal", "ViewStore", "open_journal", "open_lease"]
