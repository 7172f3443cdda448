"""The daily check of a ledger: file, order, every event, hash chain and anchors, and a record of what it found."""

from __future__ import annotations

import datetime as dt
from contextlib import closing

import attrs

from tradecore.audit.chain_check import check_chain
from tradecore.domain import streams
from tradecore.domain.events import LedgerChecked
from tradecore.errors import CorruptLedger, NewerLedger
from tradecore.journal import find_key_ring, open_journal
from tradecore.journal.contract import Journal
from tradecore.runner.anchors import known_anchors
from tradecore.settings import Settings


@attrs.frozen
class LastCheck:
    """When the ledger was last checked (or born), and what was found then."""

    at: dt.datetime | None
    finding: str | None


def last_check(journal: Journal) -> LastCheck:
    """What the ledger says of it; a ledger that was never checked counts from its first event."""
    checks = journal.load(streams.CHECKS)
    found = checks[-1:] or journal.read(0, 1)
    if not found:
        return LastCheck(None, None)
    event = found[0].event
    at = dt.datetime.fromtimestamp(found[0].envelope.recorded_at_ns / 1e9, dt.UTC)
    return LastCheck(at, event.finding if isinstance(event, LedgerChecked) else None)


def check_ledger(settings: Settings, shared: Journal) -> LedgerChecked:
    """Go through all of it by a connection of its own; for a thread beside the one that trades.

    `shared` is the journal that is open already, which is what a ledger in memory has to be checked by. Raises
    `StoreUnavailable` when it cannot be done; what is wrong with the ledger is in the event.
    """
    if settings.ledger == "memory:":
        return _check(settings, shared)
    try:
        journal = open_journal(settings.ledger, create=False, keys=find_key_ring(settings.encryption.keys_file))
    except (CorruptLedger, NewerLedger) as error:
        return LedgerChecked(0, str(error))
    with closing(journal):
        return _check(settings, journal)


def _check(settings: Settings, journal: Journal) -> LedgerChecked:
    head = journal.head()
    try:
        journal.check()
        anchors = known_anchors(settings) if settings.anchors.enabled else ()
        findings = check_chain(journal, anchors)
    except (CorruptLedger, NewerLedger) as error:
        return LedgerChecked(head, str(error))
    if findings:
        first = findings[0]
        return LedgerChecked(head, f"{first.check}, {first.subject}: {first.message}")
    return LedgerChecked(head, None)
