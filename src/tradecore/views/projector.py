"""Keeps views behind the log: batches of events in, rows and cursor out, one transaction per view and batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import attrs
import structlog

from tradecore.domain.events import Event
from tradecore.domain.messages import Recorded
from tradecore.errors import WrongVersion
from tradecore.views.folding import MemoryFold, Poison, before, fold
from tradecore.views.parking import RESERVED, Parked, park, parked_views, release
from tradecore.views.rows import Overlay
from tradecore.views.view import View

if TYPE_CHECKING:
    from tradecore.journal.contract import Journal

_log = structlog.get_logger("tradecore.views")


def log_alarm(parked: Parked) -> None:
    """Say in the log that a view stopped."""
    _log.error(str(parked), view=parked.view, position=parked.position, event_id=parked.event_id)


@attrs.define
class _Progress:
    """How far a view is folded, as far as this process knows, and where it once stopped or stops."""

    view: View
    cursor: int
    once: Parked | None
    is_parked: bool = False


class Projector:
    """Folds new events into stored views. Several processes may do so at once: the slower goes on from the faster.

    An event that a view cannot take in stops that view alone, before the event: it is parked, on record, and `alarm`
    is called once. Another process tries it again, and so does this one after somebody rebuilt the view.
    """

    def __init__(self, journal: Journal, views: Sequence[View], alarm: Callable[[Parked], None] = log_alarm) -> None:
        assert all(view.name != RESERVED for view in views), f"{RESERVED} is kept for views that stopped"
        self._journal = journal
        self._views = tuple(views)
        self._alarm = alarm
        self._progress: list[_Progress] = []

    def catch_up(self, batch: int = 1000) -> int:
        """Fold everything up to the head as it is now; returns the position that every view has reached."""
        if not self._progress:
            known = parked_views(self._journal)
            self._progress = [_Progress(view, self._cursor(view), known.get(view.name)) for view in self._views]
        for one in self._progress:
            if one.is_parked and (cursor := self._cursor(one.view)) != one.cursor:
                one.cursor, one.is_parked = cursor, False
            self._release(one)
        head = self._journal.head()
        while (moving := [one for one in self._progress if not one.is_parked and one.cursor < head]) != []:
            events = self._journal.read(min(one.cursor for one in moving), batch)
            for one in moving:
                self._advance(one, events)
        return min((one.cursor for one in self._progress), default=head)

    def rebuild(self, batch: int = 1000) -> int:
        """Build every view anew from the whole log, in memory, and swap each in whole; returns the position reached.

        A view that cannot take in an event is swapped in as it is before that event, and parked. Raises
        `CorruptLedger` for a log that cannot be read, with the stored views as they were.
        """
        folds = [MemoryFold(view) for view in self._views]
        position = 0
        while events := self._journal.read(position, batch):
            for one in folds:
                one.take(events)
            position = events[-1].envelope.position
        for one in folds:
            self._journal.views.replace(one.view.name, one.view.shape, one.position, one.rows)
            if one.poison is None:
                release(self._journal.views, one.view.name)
            else:
                self._record(Parked.at(one.view, one.poison), None)
        self._progress = []
        return min((one.position for one in folds), default=position)

    def _cursor(self, view: View) -> int:
        return self._journal.views.cursor(view.name, view.shape)

    def _advance(self, one: _Progress, events: Sequence[Recorded[Event]]) -> None:
        """Fold a batch into one view; when somebody else moved the view meanwhile, take up his work instead."""
        news = [event for event in events if event.envelope.position > one.cursor]
        if not news:
            return
        overlay = self._overlay(one.view)
        poison = fold(one.view, overlay, news)
        if poison is None:
            self._write(one, overlay, news[-1].envelope.position)
        elif (cursor := self._cursor(one.view)) != one.cursor:
            one.cursor = cursor  # the rows moved under the fold, and that is why they did not fit
        else:
            self._park(one, before(news, poison), poison)

    def _park(self, one: _Progress, good: Sequence[Recorded[Event]], poison: Poison) -> None:
        """Bring a view to the event that it cannot take in, and leave it there."""
        if good:
            overlay = self._overlay(one.view)  # of its own: the failed fold may have left half a change
            fold(one.view, overlay, good)
            if not self._write(one, overlay, good[-1].envelope.position):
                return
        one.is_parked = True
        self._record(Parked.at(one.view, poison), one.once)
        one.once = Parked.at(one.view, poison)

    def _record(self, parked: Parked, known: Parked | None) -> None:
        if parked != known:
            park(self._journal.views, parked)
            self._alarm(parked)

    def _overlay(self, view: View) -> Overlay:
        return Overlay(view.name, lambda key: self._journal.views.row(view.name, key))

    def _write(self, one: _Progress, overlay: Overlay, upto: int) -> bool:
        """Store a fold; False when somebody else was faster."""
        view, store = one.view, self._journal.views
        try:
            store.write(view.name, view.shape, one.cursor, upto, overlay.puts(), overlay.deletes())
        except WrongVersion:
            one.cursor = self._cursor(view)
            return False
        one.cursor = upto
        self._release(one)
        return True

    def _release(self, one: _Progress) -> None:
        """A view that got past the event where it once stopped is as good as any."""
        if one.once is not None and one.cursor >= one.once.position:
            release(self._journal.views, one.view.name)
            one.once = None
