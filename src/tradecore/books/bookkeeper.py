"""The fold: events in, journal entries out."""

from __future__ import annotations

import datetime as dt
from typing import Protocol

from tradecore.books.booking import cash_postings, change_postings, opening_postings, restated_postings
from tradecore.books.entries import Entry, Posting
from tradecore.books.standing import Standing
from tradecore.domain.events import (
    AccountPinned,
    AdjustmentBooked,
    CashBooked,
    Event,
    FillRecorded,
    LotsRestated,
    PositionChange,
    PositionRevised,
    PositionSplit,
)
from tradecore.domain.messages import Recorded
from tradecore.errors import CorruptLedger
from tradecore.views.plain import text

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_CURRENCY = "USD"  # as an account has it until the broker names its own


class FillTimes(Protocol):
    """When each execution happened, by fill id."""

    def get(self, key: str) -> dt.datetime | None:
        """The time, or None for a fill that was not recorded."""

    def put(self, key: str, value: dt.datetime) -> None:
        """Keep a time."""


class _InMemory(dict[str, dt.datetime]):
    put = dict.__setitem__


class Bookkeeper:
    """Takes the events of a ledger in order. Everything follows from them: nothing is looked up elsewhere."""

    def __init__(self, fills: FillTimes | None = None) -> None:
        """`fills` is where the times of executions are kept; without it, in memory."""
        self.standings: dict[str, Standing] = {}
        self._currencies: dict[str, str] = {}
        self._fills = _InMemory() if fills is None else fills

    def take(self, recorded: Recorded[Event]) -> Entry | None:
        """Take the next event; returns its entry, or None for an event that moves no money.

        Raises `CorruptLedger` when the event contradicts itself or the books so far; it is then not in them.
        """
        event = recorded.event
        match event:
            case FillRecorded():
                self._fills.put(event.fill_id, event.occurred_at)
                return None
            case AccountPinned():
                before = self.standings.get(event.account, Standing())
                self._currencies[event.account] = event.currency
                postings = opening_postings(event, before)
                entry = _entry(recorded, event.account, postings, f"opening, {event.broker}", is_opening=True)
            case PositionChange():
                postings = change_postings(event, self.currency(event.account))
                at = self._occurred_at(event.fill_id, recorded.envelope.position)
                entry = _entry(recorded, event.account, postings, _traded(event), event.fill_id, at)
            case CashBooked():
                postings = cash_postings(event, self.currency(event.account))
                what = f"{event.kind} {event.symbol}" if event.symbol else event.kind
                entry = _entry(recorded, event.account, postings, what, None, event.occurred_at)
            case LotsRestated():
                before = self.standings.get(event.account, Standing())
                postings = restated_postings(event, before, self.currency(event.account))
                when: dt.datetime | None = None
                fill_id: str | None = None
                if isinstance(event, PositionRevised):
                    fill_id = event.fill_id
                    self._occurred_at(fill_id, recorded.envelope.position)
                elif isinstance(event, PositionSplit):
                    when = event.occurred_at
                entry = _entry(recorded, event.account, postings, _restated(event), fill_id, when)
            case _:
                return None
        self.standings.setdefault(event.account, Standing()).take(entry)
        return entry

    def currency(self, account: str) -> str:
        """What an account's money is counted in."""
        return self._currencies.get(account, _CURRENCY)

    def _occurred_at(self, fill_id: str, position: int) -> dt.datetime:
        known = self._fills.get(fill_id)
        if known is None:
            raise CorruptLedger(f"event {position} books fill {fill_id}, which was not recorded before it")
        return known


def _traded(event: PositionChange) -> str:
    word = "buy" if event.signed_qty > 0 else "sell"
    return f"{word} {text(abs(event.signed_qty))} {event.symbol} at {text(event.price)}"


def _restated(event: LotsRestated) -> str:
    match event:
        case PositionRevised():
            return f"revised execution: {text(event.signed_qty)} {event.symbol}"
        case PositionSplit():
            return f"split: {text(event.signed_qty)} {event.symbol}"
        case AdjustmentBooked():
            return f"adjustment: {event.reason}"
        case _:
            raise CorruptLedger(f"nothing is known of {event.NAME}")


def _entry(
    recorded: Recorded[Event],
    account: str,
    postings: tuple[Posting, ...],
    description: str,
    fill_id: str | None = None,
    occurred_at: dt.datetime | None = None,
    *,
    is_opening: bool = False,
) -> Entry:
    envelope = recorded.envelope
    recorded_at = _EPOCH + dt.timedelta(microseconds=envelope.recorded_at_ns // 1000)
    return Entry(
        account=account,
        event_id=envelope.event_id,
        position=envelope.position,
        time=occurred_at or recorded_at,
        trace_id=envelope.trace_id,
        fill_id=fill_id,
        description=description,
        postings=postings,
        is_opening=is_opening,
    )
