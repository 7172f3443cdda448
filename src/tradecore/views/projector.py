"""Keeps views behind the log: batches of events in, rows and cursor out, one transaction per view and batch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import attrs

from tradecore.domain.events import Event
from tradecore.domain.messages import Recorded
from tradecore.errors import CorruptLedger, InputError, InvariantViolated, WrongVersion
from tradecore.views.rows import Overlay
from tradecore.views.view import View

if TYPE_CHECKING:
    from tradecore.journal.contract import Journal

SENSELESS = (
    CorruptLedger, InputError, InvariantViolated, ArithmeticError, AssertionError, LookupError, TypeError, ValueError,
)  # fmt: skip
"""What folding events into rows that do not fit them may raise."""


@attrs.define
class _Progress:
    """How far a view is folded, as far as this process knows."""

    view: View
    cursor: int


class Projector:
    """Folds new events into stored views. Several processes may do so at once: the slower goes on from the faster."""

    def __init__(self, journal: Journal, views: Sequence[View]) -> None:
        self._journal = journal
        self._views = tuple(views)
        self._progress: list[_Progress] = []

    def catch_up(self, batch: int = 1000) -> int:
        """Fold everything up to the head as it is now; returns the position that every view has reached.

        Raises `CorruptLedger` for a view whose rows do not fit its events: rebuild it.
        """
        if not self._progress:
            self._progress = [_Progress(view, self._cursor(view)) for view in self._views]
        head = self._journal.head()
        while (position := min((one.cursor for one in self._progress), default=head)) < head:
            events = self._journal.read(position, batch)
            for one in self._progress:
                self._advance(one, events)
        return position

    def rebuild(self, batch: int = 1000) -> int:
        """Build every view anew from the whole log, in memory, and swap it in; returns the position reached.

        Raises `CorruptLedger` for a log that makes no sense, with the stored views as they were.
        """
        overlays = [(view, Overlay(view.name, lambda _: None)) for view in self._views]
        position = 0
        while events := self._journal.read(position, batch):
            for view, overlay in overlays:
                try:
                    fold(view, overlay, events)
                except SENSELESS as error:
                    raise CorruptLedger(f"view {view.name} cannot be built from the log: {error!r}") from error
            position = events[-1].envelope.position
        for view, overlay in overlays:
            self._journal.views.replace(view.name, view.shape, position, overlay.puts())
        self._progress = []
        return position

    def _cursor(self, view: View) -> int:
        return self._journal.views.cursor(view.name, view.shape)

    def _advance(self, one: _Progress, events: Sequence[Recorded[Event]]) -> None:
        """Fold a batch into one view; when somebody else moved the view meanwhile, take up his work instead."""
        view, store = one.view, self._journal.views
        news = [event for event in events if event.envelope.position > one.cursor]
        if not news:
            return
        upto = news[-1].envelope.position
        overlay = Overlay(view.name, lambda key: store.row(view.name, key))
        try:
            fold(view, overlay, news)
            store.write(view.name, view.shape, one.cursor, upto, overlay.puts(), overlay.deletes())
            one.cursor = upto
        except WrongVersion:
            one.cursor = self._cursor(view)
        except SENSELESS as error:
            before, one.cursor = one.cursor, self._cursor(view)
            if one.cursor == before:  # otherwise the rows moved under the fold, and that is why they did not fit
                raise CorruptLedger(
                    f"view {view.name} does not fit the events behind {before} ({error!r}); "
                    "`tradecore verify --rebuild` builds it anew"
                ) from error


def fold(view: View, rows: Overlay, events: Iterable[Recorded[Event]]) -> None:
    """Fold events into the rows of a view."""
    for recorded in events:
        view.apply(rows, recorded)
