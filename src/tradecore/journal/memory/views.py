"""Read models in memory."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Mapping

import attrs

from tradecore.errors import StoreUnavailable, WrongVersion
from tradecore.failpoints import failpoint


@attrs.define
class _View:
    shape: str
    position: int
    rows: dict[str, bytes]


class MemoryViews:
    """A `ViewStore` in memory."""

    def __init__(self) -> None:
        self._mutex = threading.RLock()
        self._closed = False
        self._views: dict[str, _View] = {}

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

    def row(self, view: str, key: str) -> bytes | None:
        """One row of a view, or None."""
        with self._lock():
            known = self._views.get(view)
            return known.rows.get(key) if known else None

    def rows(self, view: str) -> Iterator[tuple[str, bytes]]:
        """Every row of a view as it is now, by key."""
        with self._lock():
            known = self._views.get(view)
            return iter(sorted(known.rows.items()) if known else ())

    def write(
        self, view: str, shape: str, after: int, upto: int, puts: Mapping[str, bytes], deletes: Collection[str] = ()
    ) -> None:
        """Move a view from `after` to `upto`. Raises `WrongVersion`."""
        assert after <= upto, "a view moves forward"
        with self._lock():
            known = self._views.get(view) or _View(shape, 0, {})
            if (known.position, known.shape) != (after, shape):
                raise WrongVersion(f"view {view} stands at position {known.position}, not {after}, or in another shape")
            failpoint("journal.view.before_commit")
            known.rows.update(puts)
            for key in deletes:
                known.rows.pop(key, None)
            known.position = upto
            self._views[view] = known
        failpoint("journal.view.after_commit")

    def replace(self, view: str, shape: str, upto: int, rows: Mapping[str, bytes]) -> None:
        """Swap in a rebuilt view."""
        with self._lock():
            failpoint("journal.view.before_commit")
            self._views[view] = _View(shape, upto, dict(rows))
        failpoint("journal.view.after_commit")

    def close(self) -> None:
        """Refuse everything from here on."""
        self._closed = True

    def _lock(self) -> threading.RLock:
        if self._closed:
            raise StoreUnavailable("the journal is closed")
        return self._mutex

    def positions(self) -> dict[str, int]:
        """Where each view stands."""
        with self._lock():
            return {name: view.position for name, view in self._views.items()}
