"""One stored view as far as this process knows it: where it stands, and the rows that it used lately."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tradecore.domain.events import Event
from tradecore.domain.messages import Recorded
from tradecore.errors import WrongVersion
from tradecore.journal.view_store import Move
from tradecore.views.hot_rows import HotRows
from tradecore.views.parking import Parked
from tradecore.views.rows import Overlay
from tradecore.views.view import View

if TYPE_CHECKING:
    from tradecore.journal.view_store import ViewStore


class Standing:
    """A view under the name that it is stored by. `once` is where it stopped, as recorded by whomever."""

    def __init__(self, store: ViewStore, view: View, name: str, once: Parked | None = None) -> None:
        self.view = view
        self.name = name
        self.once = once
        self.is_parked = False
        self._store = store
        self._rows = HotRows(lambda key: store.row(name, key))
        self.cursor = self.edition = 0
        self._find()

    def look(self) -> bool:
        """Find out where the view stands; True when somebody moved or exchanged it since."""
        before = (self.cursor, self.edition)
        self._find()
        return before != (self.cursor, self.edition)

    def _find(self) -> None:
        self.cursor = self._store.cursor(self.name, self.view.shape)  # drops the view when it has another shape
        self.edition = self._store.edition(self.name)  # exchanged meanwhile: then the cursor does not fit, or does
        self._rows.forget()

    def news(self, events: Sequence[Recorded[Event]]) -> Sequence[Recorded[Event]]:
        """What the view has not folded yet."""
        if events and events[0].envelope.position > self.cursor:
            return events
        return [recorded for recorded in events if recorded.envelope.position > self.cursor]

    def overlay(self) -> Overlay:
        """The rows, to fold events into."""
        return Overlay(self.view.name, self._rows.get)

    def move(self, overlay: Overlay, upto: int) -> Move:
        """The step that a fold is."""
        puts, deletes = overlay.puts(), overlay.deletes()
        return Move(self.name, self.view.shape, self.cursor, upto, puts, deletes, self.edition)

    def store(self, move: Move) -> bool:
        """Make the step alone; False when somebody else was faster, and then the view stands where he left it."""
        try:
            self._store.write_all([move])
        except WrongVersion:
            self.look()
            return False
        self.moved(move)
        return True

    def moved(self, move: Move) -> None:
        """The step was made."""
        if self.edition:
            self.cursor = move.upto
            self._rows.take(move.puts, move.deletes)
        else:  # the view is new, and what edition it is only the store knows
            self._find()
