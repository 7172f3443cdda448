"""What a store of views promises. `tradecore.testing.views_contract` is this page as tests."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Protocol

import attrs


@attrs.frozen
class Move:
    """A step of one view from position `after` to `upto`: rows to set, keys to remove.

    `edition`, when given, is the one that the step was made from; see `ViewStore.edition`.
    """

    view: str
    shape: str
    after: int
    upto: int
    puts: Mapping[str, bytes]
    deletes: Collection[str] = ()
    edition: int | None = None

    def __attrs_post_init__(self) -> None:
        assert self.after <= self.upto, "a view moves forward"


class ViewStore(Protocol):
    """Rows of read models, each view with the position up to which it is folded. Anything here can be rebuilt."""

    def cursor(self, view: str, shape: str) -> int:
        """Position up to which the view is folded; 0 when it is absent.

        `shape` is a hash of the view's code and schema: when it differs from the stored one, the view is dropped.
        """

    def edition(self, view: str) -> int:
        """A number that is another one whenever rows were exchanged instead of moved on; 0 when the view is absent."""

    def row(self, view: str, key: str) -> bytes | None:
        """One row of a view, or None."""

    def rows(self, view: str, prefix: str = "") -> Iterator[tuple[str, bytes]]:
        """Every row of a view, or those whose keys begin with `prefix`, as they are now, by key."""

    def page(self, view: str, behind: str | None, limit: int) -> Sequence[tuple[str, bytes]]:
        """At most `limit` rows with keys greater than `behind` (None: from the first on), by key."""

    def count(self, view: str) -> int:
        """How many rows a view has."""

    def write(
        self, view: str, shape: str, after: int, upto: int, puts: Mapping[str, bytes], deletes: Collection[str] = ()
    ) -> None:
        """Move a view from position `after` to `upto`: rows and cursor in one transaction.

        Raises `WrongVersion` when the view does not stand at `after` in that shape: another updater was faster.
        """

    def write_all(self, moves: Sequence[Move]) -> None:
        """Move several views, each named once, in one transaction. Raises `WrongVersion` with none of them moved."""

    def replace(self, view: str, shape: str, upto: int, rows: Mapping[str, bytes]) -> None:
        """Swap in a rebuilt view that stands at position `upto`, in one transaction."""

    def adopt(self, view: str, built: str) -> None:
        """Give a view everything of the view `built`, which is no more after that, in one transaction.

        Raises `WrongVersion` when there is no `built`: another one adopted or dropped it.
        """

    def drop(self, view: str) -> None:
        """Remove a view; harmless when there is none."""
