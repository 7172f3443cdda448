"""Folding events into the rows of a view, up to an event that does not fit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import attrs

from tradecore.domain.events import Event
from tradecore.domain.messages import Recorded
from tradecore.errors import CorruptLedger, InputError, InvariantViolated
from tradecore.views.rows import Overlay
from tradecore.views.view import View

SENSELESS = (
    CorruptLedger, InputError, InvariantViolated, ArithmeticError, AssertionError, AttributeError, LookupError,
    TypeError, ValueError,
)  # fmt: skip
"""What folding events into rows that do not fit them may raise."""


@attrs.frozen
class Poison:
    """An event that a view cannot take in, and what it raised."""

    recorded: Recorded[Event]
    error: Exception

    @property
    def reason(self) -> str:
        """In one sentence, with the type of the error: a bare KeyError says little."""
        return f"{type(self.error).__name__}: {self.error}"


def fold(view: View, rows: Overlay, events: Iterable[Recorded[Event]]) -> Poison | None:
    """Fold events into rows; at an event that the view cannot take in the rows are spoiled and it is returned."""
    apply = view.apply
    for recorded in events:
        try:
            apply(rows, recorded)
        except SENSELESS as error:
            return Poison(recorded, error)
    return None


class MemoryFold:
    """A view in memory, as stored rows: what is open as objects is only what the last batch touched."""

    def __init__(self, view: View, rows: dict[str, bytes] | None = None, position: int = 0) -> None:
        """Begin with nothing, or with the `rows` of the view at `position`."""
        self.view = view
        self.rows = {} if rows is None else rows
        self.position = position
        self.poison: Poison | None = None

    def take(self, events: Sequence[Recorded[Event]]) -> None:
        """Fold a batch; stop for ever before the first event that the view cannot take in."""
        if self.poison is not None or not events:
            return
        overlay = Overlay(self.view.name, self.rows.get)
        self.poison = fold(self.view, overlay, events)
        if self.poison is not None:
            events = before(events, self.poison)
            overlay = Overlay(self.view.name, self.rows.get)
            fold(self.view, overlay, events)
        self.rows.update(overlay.puts())
        for key in overlay.deletes():
            self.rows.pop(key, None)
        if events:
            self.position = events[-1].envelope.position


def before(events: Sequence[Recorded[Event]], poison: Poison) -> list[Recorded[Event]]:
    """The events of a batch that come before one of them."""
    return [recorded for recorded in events if recorded.envelope.position < poison.recorded.envelope.position]
