"""Epochs of a ledger: the part of every client order id that changes when the ledger's history was rewound."""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from tradecore.domain.events import EpochChanged, Event, LedgerCreated
from tradecore.domain.identity import order_id_of_client
from tradecore.errors import CorruptLedger


@attrs.frozen
class Epochs:
    """`current` is in every new client order id; `past` are in those of orders that were planned before."""

    current: str
    past: tuple[str, ...] = ()

    def order_id_of(self, client_order_id: str) -> str | None:
        """The order id inside a client order id of any epoch, None for somebody else's.

        Under a past epoch, that the ledger has such an order does not make it the same: a strategy that decides again
        on the same bar names the same order id, and its client order id tells which of the two it is.
        """
        found = (order_id_of_client(client_order_id, epoch) for epoch in (self.current, *self.past))
        return next((order_id for order_id in found if order_id is not None), None)


def evolve(epochs: Epochs | None, event: Event) -> Epochs | None:
    """The epochs after an event; other events leave them as they are."""
    match event:
        case LedgerCreated():
            return Epochs(event.epoch)
        case EpochChanged() if epochs is not None:
            return Epochs(event.epoch, (*epochs.past, epochs.current))
        case _:
            return epochs


def epochs_of(events: Iterable[Event]) -> Epochs:
    """The epochs that the events of the ledger's own stream tell. Raises `CorruptLedger` where none creates it."""
    epochs: Epochs | None = None
    for event in events:
        epochs = evolve(epochs, event)
    if epochs is None:
        raise CorruptLedger("no event says that the ledger was created, and under which epoch")
    return epochs
