"""Who makes the ledger of a finished run, once, when it is wanted."""

from __future__ import annotations

from tradecore.errors import InputError
from tradecore.journal import open_journal
from tradecore.journal.contract import Journal
from tradecore_backtest.books import DeskBooks
from tradecore_backtest.desk import Desk, Unit
from tradecore_backtest.pocket import Pocket
from tradecore_backtest.writing import write


class Keeper:
    """The tape of a run, and the journal that it is written to. `pocket` None when the domain has decided already."""

    def __init__(self, desk: Desk, books: DeskBooks, pocket: Pocket | None, name: str, url: str) -> None:
        self._desk, self._books, self._pocket = desk, books, pocket
        self._name, self._url = name, url
        self._journal: Journal | None = None

    def tape(self) -> list[Unit]:
        """Every event of the run. Raises `InvariantViolated` when the domain comes to something else than the run."""
        if self._pocket is not None:
            self._pocket.play(self._books)
            self._pocket = None
        return self._desk.tape

    def journal(self) -> Journal:
        """The ledger. Raises `InputError` when the journal that was named has one already."""
        if self._journal is None:
            journal = open_journal(self._url)
            if journal.head():
                journal.close()
                raise InputError("journal", self._url, "the place of a ledger that does not exist yet")
            write(self.tape(), self._name, journal)
            self._journal = journal
        return self._journal
