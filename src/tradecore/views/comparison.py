"""A stored view against the same view built from the log, in a scratch beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from tradecore.domain.events import Event
from tradecore.domain.messages import Recorded
from tradecore.errors import CorruptLedger
from tradecore.journal.scratch import Scratch, Spill
from tradecore.views.folding import fold
from tradecore.views.parking import parked_views
from tradecore.views.projector import Projector
from tradecore.views.rows import Overlay
from tradecore.views.view import View

if TYPE_CHECKING:
    from tradecore.journal.contract import Journal

_PAGE = 1000
_MOST = 1000


class Comparison:
    """Takes the log from its beginning, then reads the stored rows. A runner may move the view all the while."""

    def __init__(self, journal: Journal, view: View, scratch: Scratch) -> None:
        """Catch the stored view up. Raises `StoreUnavailable`."""
        self._journal = journal
        self._view = view
        self._built: Spill[bytes] = Spill(scratch, f"view {view.name}", bytes, lambda _, stored: stored)
        self._position = 0
        self._fails: str | None = None
        self._stuck = self._catch_up()
        self._limit = self._cursor() if self._stuck else None

    def take(self, page: Sequence[Recorded[Event]]) -> None:
        """Fold the next events of the log."""
        if self._limit is not None:
            page = [recorded for recorded in page if recorded.envelope.position <= self._limit]
        if self._fails is not None or not page:
            return
        overlay = Overlay(self._view.name, self._built.get)
        poison = fold(self._view, overlay, page)
        if poison is not None:
            self._fails = f"it cannot be built beyond position {poison.recorded.envelope.position}: {poison.error!r}"
            return
        for key, value in overlay.puts().items():
            self._built.put(key, value)
        for key in overlay.deletes():
            self._built.put(key, None)
        self._position = page[-1].envelope.position

    def differences(self) -> list[tuple[str, str]]:
        """Subject and sentence for everything that is not byte for byte the same; of very many only the first."""
        name = self._view.name
        if self._fails is not None:
            return [(name, self._fails)]
        self._follow()
        suspects: list[str] = []
        for key in self._unequal():
            suspects.append(key)
            if len(suspects) == _MOST:
                break
        found = [(name, self._stuck)] if self._stuck is not None else []
        cursor = -1
        told: list[tuple[str, str]] = []
        while suspects and cursor != (cursor := self._cursor()):  # look again when the view was moved meanwhile
            self._follow()
            told = [(f"{name} {key}", message) for key in suspects if (message := self._judge(key)) is not None]
        return found + told

    def _follow(self) -> None:
        """Fold on to where the stored view is by now."""
        if self._stuck is None:
            self._catch_up()
        cursor = self._cursor()
        while self._position < cursor and self._fails is None:
            page = self._journal.read(self._position, min(_PAGE, cursor - self._position))
            if not page:
                return
            self.take(page)

    def _unequal(self) -> Iterator[str]:
        """Keys whose rows are not the same, or on one side only, in their order."""
        store, name = self._journal.views, self._view.name
        built = iter(self._built.pairs())
        ours = next(built, None)
        behind: str | None = None
        while page := store.page(name, behind, _PAGE):
            for key, stored in page:
                while ours is not None and ours[0] < key:
                    yield ours[0]
                    ours = next(built, None)
                if ours is None or ours[0] != key or ours[1] != stored:
                    yield key
                if ours is not None and ours[0] == key:
                    ours = next(built, None)
            behind = page[-1][0]
        while ours is not None:
            yield ours[0]
            ours = next(built, None)

    def _judge(self, key: str) -> str | None:
        built, stored = self._built.get(key), self._journal.views.row(self._view.name, key)
        if built == stored:
            return None
        if built is None:
            return "the stored row comes from no event"
        return "the stored row is missing" if stored is None else "the stored row is not what the log says"

    def _cursor(self) -> int:
        return self._journal.views.cursor(self._view.name, self._view.shape)

    def _catch_up(self) -> str | None:
        """Why the stored view cannot be caught up, or None."""
        try:
            Projector(self._journal, [self._view], alarm=lambda _: None).catch_up()
        except CorruptLedger as error:
            return f"it cannot be caught up: {error}"
        parked = parked_views(self._journal).get(self._view.name)
        return None if parked is None else f"it cannot be caught up: {parked}"
