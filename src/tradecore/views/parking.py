"""Views that stopped at an event which they cannot take in: which one, and why. Kept beside the rows of views."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import msgspec

from tradecore.errors import WrongVersion
from tradecore.views.folding import Poison
from tradecore.views.view import View

if TYPE_CHECKING:
    from tradecore.journal.contract import Journal
    from tradecore.journal.view_store import ViewStore

RESERVED = "parked"
"""The name under which these records are stored; no view may have it."""

_SHAPE = "parked/1"
_TRIES = 20


@attrs.frozen
class Parked:
    """A view that stands before the event at `position`, which it cannot take in."""

    view: str
    shape: str
    position: int
    event_id: str
    name: str
    stream: str
    reason: str

    @classmethod
    def at(cls, view: View, poison: Poison) -> Parked:
        """What is to be known of a view and its poison."""
        envelope = poison.recorded.envelope
        return cls(
            view.name, view.shape, envelope.position, envelope.event_id, envelope.name, envelope.stream, poison.reason
        )

    def __str__(self) -> str:
        return (
            f"view {self.view} stopped before the event at position {self.position} ({self.name} of {self.stream}): "
            f"{self.reason}; `tradecore rebuild {self.view}` builds it anew"
        )


def parked_views(journal: Journal) -> dict[str, Parked]:
    """Every parked view by its name."""
    found = {}
    for view, stored in journal.views.rows(RESERVED):
        try:
            found[view] = msgspec.json.decode(stored, type=Parked)
        except (msgspec.DecodeError, UnicodeDecodeError):
            found[view] = Parked(view, "?", 0, "?", "?", "?", "the record of the reason cannot be read")
    return found


def park(store: ViewStore, parked: Parked) -> None:
    """Record that a view stopped."""
    _move(store, parked.position, {parked.view: msgspec.json.encode(parked)}, [])


def release(store: ViewStore, view: str) -> None:
    """Forget that a view stopped; harmless when it did not."""
    if store.row(RESERVED, view) is not None:
        _move(store, 0, {}, [view])


def _move(store: ViewStore, position: int, puts: dict[str, bytes], deletes: list[str]) -> None:
    for _ in range(_TRIES):
        cursor = store.cursor(RESERVED, _SHAPE)
        try:
            store.write(RESERVED, _SHAPE, cursor, max(cursor, position), puts, deletes)
        except WrongVersion:
            continue
        return
    raise WrongVersion(f"the record of parked views moved {_TRIES} times in a row")
