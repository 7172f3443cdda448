"""Changes of an account that no order made: from when on they are read, and which of them are new."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from tradecore.domain import events as ev
from tradecore.domain import streams
from tradecore.domain.identity import derived_id
from tradecore.ledger import Ledger
from tradecore.ports.broker import EVER, BrokerActivity

_OVERLAP = dt.timedelta(days=7)  # they are dated by the day, and booked days later


def read_from(ledger: Ledger, account: str) -> dt.datetime:
    """From where books and broker last agreed, with an overlap: a fill says nothing of what was paid before it."""
    begin = ledger.account(account).as_of or EVER
    for recorded in ledger.journal.load(streams.reconciliation(account)):
        event = recorded.event
        if isinstance(event, ev.ReconciliationCompleted) and not event.differences:
            begin = event.as_of
    return max(begin, EVER + _OVERLAP) - _OVERLAP


def unbooked(ledger: Ledger, account: str, activities: Iterable[BrokerActivity]) -> list[BrokerActivity]:
    """Those that are neither in the opening balances nor booked."""
    holder = ledger.account(account)

    def is_booked(activity_id: str) -> bool:
        key = derived_id("activity", holder.broker_account_id or "", activity_id)
        return activity_id in holder.opening_activities or ledger.has_stream(streams.activity(key))

    return [item for item in activities if not is_booked(item.activity_id)]
