"""What a view is: a name, a shape, and a pure fold from events to rows."""

from __future__ import annotations

from typing import Any, Protocol

from tradecore.domain.events import Event
from tradecore.domain.messages import Recorded

Row = dict[str, Any]
"""Field names to JSON scalars and lists."""


class Rows(Protocol):
    """The rows of one view while events are folded into them."""

    def get(self, key: str) -> Row | None:
        """A copy-free look at a row, or None. Changes count only when they are put."""

    def require(self, key: str) -> Row:
        """A row that earlier events must have made; raises `CorruptLedger` when it is not there."""

    def put(self, key: str, row: Row) -> None:
        """Set a row."""

    def delete(self, key: str) -> None:
        """Remove a row; harmless when there is none."""


class View(Protocol):
    """A read model. `shape` names fold and fields: it changes when either does, and the view is then built anew."""

    @property
    def name(self) -> str:
        """The name under which the rows are stored."""

    @property
    def shape(self) -> str:
        """Name and number, such as `orders/1`."""

    def apply(self, rows: Rows, recorded: Recorded[Event]) -> None:
        """Fold one event into the rows."""
