"""What the trade stream told, read again from the store."""

from __future__ import annotations

from collections.abc import Iterator

from tradecore_exchange.floor import Floor
from tradecore_exchange.orders import TradeUpdate

_BATCH = 500


def recorded(floor: Floor, after: int, until: int) -> Iterator[tuple[int, TradeUpdate]]:
    """Updates above number `after`, up to `until`, with their numbers. Raises `StoreUnavailable`, `CorruptLedger`."""
    while after < until:
        batch = floor.store.updates(after, min(_BATCH, until - after))
        if not batch:
            return
        yield from batch
        after = batch[-1][0]


def still_new(floor: Floor) -> list[TradeUpdate]:
    """The `new` of every order that is still open, as it was told then."""
    by_id = floor.exchange.book.by_id
    updates = (update for _, update in recorded(floor, 0, floor.store.updates_before()))
    return [one for one in updates if one.event == "new" and by_id[one.order.id].is_open]
