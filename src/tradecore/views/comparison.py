"""A stored view against the same view built from the log in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tradecore.domain.events import Event
from tradecore.domain.messages import Recorded
from tradecore.errors import CorruptLedger
from tradecore.views.folding import SENSELESS
from tradecore.views.parking import parked_views
from tradecore.views.projector import Projector
from tradecore.views.rows import Overlay
from tradecore.views.view import View

if TYPE_CHECKING:
    from tradecore.journal.contract import Journal


class Comparison:
    """Reads the stored rows at once, then takes the log from its beginning, event by event."""

    def __init__(self, journal: Journal, view: View) -> None:
        """Catch the stored view up, and read it. Raises `StoreUnavailable`."""
        self._view = view
        self._fails: str | None = None
        self._stuck: str | None = None
        try:
            Projector(journal, [view], alarm=lambda _: None).catch_up()
        except CorruptLedger as error:
            self._stuck = f"it cannot be caught up: {error}"
        parked = parked_views(journal).get(view.name)
        if parked is not None:
            self._stuck = f"it cannot be caught up: {parked}"
        self._cursor = -1
        while self._cursor != (cursor := journal.views.cursor(view.name, view.shape)):
            self._cursor = cursor  # read again when a runner moved the view meanwhile
            self._stored = dict(journal.views.rows(view.name))
        self._built = Overlay(view.name, lambda _: None)

    def take(self, recorded: Recorded[Event]) -> None:
        """Fold the next event of the log."""
        if self._fails is None and recorded.envelope.position <= self._cursor:
            try:
                self._view.apply(self._built, recorded)
            except SENSELESS as error:
                self._fails = f"it cannot be built beyond position {recorded.envelope.position}: {error!r}"

    def differences(self) -> list[tuple[str, str]]:
        """Subject and sentence for everything that is not byte for byte the same."""
        name = self._view.name
        if self._fails is not None:
            return [(name, self._fails)]
        found = [(name, self._stuck)] if self._stuck is not None else []
        built = self._built.puts()
        for key in sorted({*built, *self._stored}):
            if key not in built:
                found.append((f"{name} {key}", "the stored row comes from no event"))
            elif key not in self._stored:
                found.append((f"{name} {key}", "the stored row is missing"))
            elif built[key] != self._stored[key]:
                found.append((f"{name} {key}", "the stored row is not what the log says"))
        return found
