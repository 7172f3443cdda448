"""Everything in tables: orders, fills, trades, positions as their views have them, and the entries, leg by leg."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tradecore.books.as_of import booked_times
from tradecore.books.bookkeeper import Bookkeeper
from tradecore.books.entries import Entry
from tradecore.domain.events import Event
from tradecore.domain.messages import Recorded
from tradecore.errors import CorruptLedger
from tradecore.views import ALL_VIEWS, View
from tradecore.views.folding import SENSELESS
from tradecore.views.plain import instant, text, text_or_none
from tradecore.views.rows import Overlay, decode_row
from tradecore.views.view import Row

ENTRIES = "entries"
VIEWS = ("orders", "fills", "trades", "positions")
"""The views among the tables."""


def tables_of(events: Iterable[Recorded[Event]]) -> dict[str, list[Row]]:
    """Rows by table, all as of the last event, from one pass over the log. Raises `CorruptLedger`.

    Numbers and times are texts as in every view.
    """
    views = {view.name: view for view in ALL_VIEWS}
    overlays = [(views[name], Overlay(name, lambda _: None)) for name in VIEWS]
    keeper = Bookkeeper()
    entries: dict[str, list[Entry]] = {}
    for recorded in events:
        for view, overlay in overlays:
            _apply(view, overlay, recorded)
        if (entry := keeper.take(recorded)) is not None:
            entries.setdefault(entry.account, []).append(entry)
    tables = {view.name: _rows(view, overlay) for view, overlay in overlays}
    tables[ENTRIES] = [row for journal in entries.values() for row in entry_rows(journal)]
    return tables


def entry_rows(entries: list[Entry]) -> Iterator[Row]:
    """One row per posting of one trading account's entries; `leg` counts from 1 within its entry."""
    for entry, booked_at in zip(entries, booked_times(entries), strict=True):
        for leg, posting in enumerate(entry.postings, start=1):
            lot = posting.lot
            yield {
                "position": entry.position,
                "leg": leg,
                "event_id": entry.event_id,
                "account": entry.account,
                "time": instant(entry.time),
                "booked_at": instant(booked_at),
                "description": entry.description,
                "ledger_account": posting.account,
                "amount": text(posting.amount),
                "currency": posting.currency,
                "symbol": None if lot is None else lot.symbol,
                "lot": None if lot is None else lot.opened_by,
                "lot_closes": None if lot is None else lot.closes,
                "qty": text_or_none(None if lot is None else lot.quantity),
                "price": text_or_none(None if lot is None else lot.price),
                "fill_id": entry.fill_id,
                "trace_id": entry.trace_id,
            }


def _apply(view: View, overlay: Overlay, recorded: Recorded[Event]) -> None:
    try:
        view.apply(overlay, recorded)
    except SENSELESS as error:
        raise CorruptLedger(f"view {view.name} cannot be built from the log: {error!r}") from error


def _rows(view: View, overlay: Overlay) -> list[Row]:
    rows = [decode_row(view.name, key, stored) for key, stored in sorted(overlay.puts().items())]
    return sorted(rows, key=lambda row: row.get("position", 0))
