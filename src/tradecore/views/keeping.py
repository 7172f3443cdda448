"""Everything that is kept behind the log of one ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tradecore.views import ALL_VIEWS
from tradecore.views.snapshots import Snapshots
from tradecore.views.view import View

if TYPE_CHECKING:
    from tradecore.journal.contract import Journal


def kept_views(journal: Journal) -> tuple[View, ...]:
    """The views that people read, and the snapshots that the ledger starts from."""
    return (*ALL_VIEWS, Snapshots(journal))
