"""A statement about a ledger's history, kept where whoever can write to the ledger cannot."""

from __future__ import annotations

import datetime as dt
from typing import Protocol

import attrs


@attrs.frozen
class Anchor:
    """The ledger had this history at this moment.

    `chain` is the link of the event at `position` (`tradecore.journal.chain`), `root` the root of the RFC 9162 tree
    over the links of positions 1 to `position` (`tradecore.audit.merkle`); 32 bytes each. `recorded_at` is in UTC.
    """

    ledger_id: str
    position: int
    chain: bytes
    root: bytes
    recorded_at: dt.datetime


class AnchorSink(Protocol):
    """Keeps anchors outside of the ledger's store: a file, another machine, a timestamping service. Provisional."""

    def record(self, anchor: Anchor) -> None:
        """Keep it; when this returns, it will be there. Raises `StoreUnavailable` when it could not be kept."""
