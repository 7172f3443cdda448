"""A ledger to look at: now, or as of any position or moment."""

from __future__ import annotations

import datetime as dt
from types import TracebackType
from typing import TYPE_CHECKING

from tradecore.domain.values import parse_instant
from tradecore.errors import ConfigurationError, InputError
from tradecore.journal import find_key_ring, lease_holder, open_journal
from tradecore.journal.url import ledger_path, shown
from tradecore.views.time_travel import position_of
from tradecore_notebook import markup
from tradecore_notebook.moment import Moment

if TYPE_CHECKING:
    from tradecore.journal.contract import Journal
    from tradecore.verify import Report
    from tradecore.views.view import Row


class ReadOnlyLedger(Moment):
    """A ledger as it is whenever it is asked. It appends nothing and moves no stored view."""

    def __init__(self, journal: Journal) -> None:
        super().__init__(journal, 0)

    @property
    def position(self) -> int:
        """The last event that there is."""
        return self._journal.head()

    @property
    def url(self) -> str:
        """Where the ledger is, without the password that a database's URL may hold."""
        return shown(self._journal.url)

    @property
    def worked_on_by(self) -> str | None:
        """Who delivers for this ledger now, None when nobody does."""
        return lease_holder(self._journal.url)

    def as_of(self, moment: int | str | dt.datetime) -> Moment:
        """The ledger as it was at a position, or at a time with a zone such as 2026-02-03T14:30:00Z.

        Raises `InputError` for a position that the log does not have, and a time that is none or has no zone.
        """
        if isinstance(moment, str):
            try:
                moment = parse_instant("moment", dt.datetime.fromisoformat(moment))
            except ValueError:
                right = "a position, or a time such as 2026-02-03T14:30:00Z"
                raise InputError("moment", moment, right) from None
        return Moment(self._journal, position_of(self._journal, moment))

    def verify(self) -> Report:
        """Fold the whole log anew and hold it against itself: chain, streams, books, views. Raises `StoreUnavailable`.

        Catches the stored views up on the way, as `tradecore verify` does.
        """
        from tradecore.verify import verify

        return verify(self._journal)

    def close(self) -> None:
        """Let go of the ledger's file or connection."""
        self._journal.close()

    def __enter__(self) -> ReadOnlyLedger:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _rows(self, name: str) -> list[Row]:
        self._known.clear()  # the log goes on
        return super()._rows(name)

    def _repr_html_(self) -> str:
        return markup.pairs("ledger", self._standing()) + super()._repr_html_()

    def __repr__(self) -> str:
        return "\n".join(f"{name}: {value}" for name, value in self._standing()) + f"\n{super().__repr__()}"

    def _standing(self) -> tuple[tuple[str, object], ...]:
        return (
            ("ledger", self.url),
            ("position", self.position),
            ("worked on by", self.worked_on_by or "nobody"),
            ("here", "read-only"),
        )


def open_ledger(url: str = "sqlite:///tradecore.db", *, keys_file: str = "") -> ReadOnlyLedger:
    """Open a ledger that is there, to look at it. `keys_file` is for an encrypted one (else the environment's).

    Raises `ConfigurationError` when nothing is there, `InputError` for a URL that is none, and the journal's errors.
    """
    path = ledger_path(url)
    if url == "memory:":
        raise InputError("ledger", url, "a ledger that others can open: sqlite:///path.db or postgresql://…")
    if path is not None and not path.exists():
        raise ConfigurationError(f"there is no ledger at {path}: a session or `python -m tradecore.runner` begins one")
    return ReadOnlyLedger(open_journal(url, create=False, keys=find_key_ring(keys_file)))
