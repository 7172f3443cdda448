"""Read models in memory."""

from __future__ import annotations

import bisect
import itertools
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence

import attrs

from tradecore.errors import StoreUnavailable, WrongVersion
from tradecore.failpoints import failpoint
from tradecore.journal.view_store import Move


@attrs.define
class _View:
    shape: str
    position: int
    rows: dict[str, bytes]
    edition: int


class MemoryViews:
    """A `ViewStore` in memory."""

    def __init__(self) -> None:
        self._mutex = threading.RLock()
        self._closed = False
        self._views: dict[str, _View] = {}
        self._editions = itertools.count(1)

    def cursor(self, view: str, shape: str) -> int:
        """Position up to which the view is folded."""
        with self._lock():
            known = self._views.get(view)
            if known is None:
                return 0
            if known.shape != shape:
                del self._views[view]
                return 0
            return known.position

    def edition(self, view: str) -> int:
        """A number for this set of rows."""
        with self._lock():
            known = self._views.get(view)
            return known.edition if known else 0

    def row(self, view: str, key: str) -> bytes | None:
        """One row of a view, or None."""
        return self._rows(view).get(key)

    def rows(self, view: str, prefix: str = "") -> Iterator[tuple[str, bytes]]:
        """Every row of a view, or those under a prefix, as it is now, by key."""
        with self._lock():
            return iter(sorted(item for item in self._rows(view).items() if item[0].startswith(prefix)))

    def page(self, view: str, behind: str | None, limit: int) -> Sequence[tuple[str, bytes]]:
        """At most `limit` rows behind a key."""
        with self._lock():
            rows = self._rows(view)
            keys = sorted(rows)
            first = 0 if behind is None else bisect.bisect_right(keys, behind)
            return [(key, rows[key]) for key in keys[first : first + limit]]

    def count(self, view: str) -> int:
        """How many rows a view has."""
        return len(self._rows(view))

    def write(
        self, view: str, shape: str, after: int, upto: int, puts: Mapping[str, bytes], deletes: Collection[str] = ()
    ) -> None:
        """Move a view from `after` to `upto`. Raises `WrongVersion`."""
        self.write_all([Move(view, shape, after, upto, puts, deletes)])

    def write_all(self, moves: Sequence[Move]) -> None:
        """Move several views in one step. Raises `WrongVersion`."""
        with self._lock():
            for move in moves:
                known = self._views.get(move.view)
                position, shape, edition = (known.position, known.shape, known.edition) if known else (0, move.shape, 0)
                if (position, shape) != (move.after, move.shape) or move.edition not in (None, edition):
                    raise WrongVersion(
                        f"view {move.view} stands at position {position}, not {move.after}, or in another shape"
                    )
            failpoint("journal.view.before_commit")
            for move in moves:
                known = self._views.get(move.view) or _View(move.shape, 0, {}, next(self._editions))
                known.rows.update(move.puts)
                for key in move.deletes:
                    known.rows.pop(key, None)
                known.position = move.upto
                self._views[move.view] = known
        failpoint("journal.view.after_commit")

    def replace(self, view: str, shape: str, upto: int, rows: Mapping[str, bytes]) -> None:
        """Swap in a rebuilt view."""
        with self._lock():
            failpoint("journal.view.before_commit")
            self._views[view] = _View(shape, upto, dict(rows), next(self._editions))
        failpoint("journal.view.after_commit")

    def adopt(self, view: str, built: str) -> None:
        """Give a view everything of another one. Raises `WrongVersion`."""
        with self._lock():
            if built not in self._views:
                raise WrongVersion(f"there is no view {built} to adopt as {view}")
            failpoint("journal.view.before_commit")
            self._views[view] = self._views.pop(built)
        failpoint("journal.view.after_commit")

    def drop(self, view: str) -> None:
        """Remove a view."""
        with self._lock():
            self._views.pop(view, None)

    def close(self) -> None:
        """Refuse everything from here on."""
        self._closed = True

    def positions(self) -> dict[str, int]:
        """Where each view stands."""
        with self._lock():
            return {name: view.position for name, view in self._views.items()}

    def _rows(self, view: str) -> dict[str, bytes]:
        with self._lock():
            known = self._views.get(view)
            return known.rows if known else {}

    def _lock(self) -> threading.RLock:
        if self._closed:
            raise StoreUnavailable("the journal is closed")
        return self._mutex
