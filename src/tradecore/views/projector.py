"""Keeps views behind the log: batches of events in, rows and cursors out, one transaction per batch for all views."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import structlog

from tradecore.domain.events import Event
from tradecore.domain.messages import Recorded
from tradecore.errors import WrongVersion
from tradecore.journal.view_store import Move
from tradecore.views.folding import Poison, before, fold
from tradecore.views.parking import RESERVED, Parked, park, parked_views, release
from tradecore.views.standing import Standing
from tradecore.views.view import View

if TYPE_CHECKING:
    from tradecore.journal.contract import Journal

_log = structlog.get_logger("tradecore.views")

_Stopped = Callable[[Standing, Poison], None]


def log_alarm(parked: Parked) -> None:
    """Say in the log that a view stopped."""
    _log.error(str(parked), view=parked.view, position=parked.position, event_id=parked.event_id)


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
        self._standings: list[Standing] = []

    def catch_up(self, batch: int = 1000) -> int:
        """Fold everything up to the head as it is now; returns the position that every view has reached."""
        if not self._standings:
            known = parked_views(self._journal)
            self._standings = [self._standing(view, view.name, known.get(view.name)) for view in self._views]
        for one in self._standings:
            if one.is_parked and one.look():
                one.is_parked = False
            self._release(one)
        head = self._journal.head()
        self._follow(self._standings, head, batch, self._park)
        return min((one.cursor for one in self._standings), default=head)

    def rebuild(self, batch: int = 10_000) -> int:
        """Build every view anew from the whole log beside the old one, and swap each in whole; returns the position.

        A view that cannot take in an event is swapped in as it is before that event, and parked. Raises
        `CorruptLedger` for a log that cannot be read, with the stored views as they were. Memory does not grow with
        the ledger. What a killed rebuild leaves behind is removed by the next one.
        """
        store = self._journal.views
        building = {view.name: f"{view.name} (building)" for view in self._views}
        for name in building.values():
            store.drop(name)
        store.write_all([Move(building[view.name], view.shape, 0, 0, {}) for view in self._views])
        standings = [self._standing(view, building[view.name]) for view in self._views]
        stopped: dict[str, Poison] = {}
        head = self._journal.head()
        self._follow(standings, head, batch, lambda one, poison: stopped.update({one.view.name: poison}))
        for one in standings:
            try:
                store.adopt(one.view.name, one.name)
            except WrongVersion:
                continue  # another rebuild took it over, and swaps it in
            if (poison := stopped.get(one.view.name)) is None:
                release(store, one.view.name)
            else:
                self._record(Parked.at(one.view, poison), None)
        self._standings = []
        return min((one.cursor for one in standings), default=head)

    def _standing(self, view: View, name: str, once: Parked | None = None) -> Standing:
        return Standing(self._journal.views, view, name, once)

    def _follow(self, standings: Sequence[Standing], head: int, batch: int, stopped: _Stopped) -> None:
        """Bring every view to the head, except those that stop."""
        while moving := [one for one in standings if not one.is_parked and one.cursor < head]:
            self._advance(moving, self._journal.read(min(one.cursor for one in moving), batch), stopped)

    def _advance(self, moving: Sequence[Standing], events: Sequence[Recorded[Event]], stopped: _Stopped) -> None:
        """Fold a batch into every view, and store all that it leads to at once."""
        steps: list[tuple[Standing, Move]] = []
        for one in moving:
            if not (news := one.news(events)):
                continue
            overlay = one.overlay()
            poison = fold(one.view, overlay, news)
            if poison is None:
                steps.append((one, one.move(overlay, news[-1].envelope.position)))
            elif not one.look():  # else the rows moved under the fold, and that is why they did not fit
                self._stop(one, before(news, poison), poison, stopped)
        if steps:
            self._store(steps)

    def _store(self, steps: Sequence[tuple[Standing, Move]]) -> None:
        try:
            self._journal.views.write_all([move for _, move in steps])
        except WrongVersion:  # somebody else was faster with one of them
            for one, move in steps:
                one.store(move)
        else:
            for one, move in steps:
                one.moved(move)
        for one, _ in steps:
            self._release(one)

    def _stop(self, one: Standing, good: Sequence[Recorded[Event]], poison: Poison, stopped: _Stopped) -> None:
        """Bring a view to the event that it cannot take in, and leave it there."""
        if good:
            overlay = one.overlay()  # of its own: the failed fold may have left half a change
            fold(one.view, overlay, good)
            if not one.store(one.move(overlay, good[-1].envelope.position)):
                return
        one.is_parked = True
        stopped(one, poison)

    def _park(self, one: Standing, poison: Poison) -> None:
        parked = Parked.at(one.view, poison)
        self._record(parked, one.once)
        one.once = parked

    def _record(self, parked: Parked, known: Parked | None) -> None:
        if parked != known:
            park(self._journal.views, parked)
            self._alarm(parked)

    def _release(self, one: Standing) -> None:
        """A view that got past the event where it once stopped is as good as any."""
        if one.once is not None and one.cursor >= one.once.position:
            release(self._journal.views, one.view.name)
            one.once = None
