"""The connection for questions. A question may be asked twice, so a lost connection is replaced at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg

from tradecore.journal.postgres.address import Address
from tradecore.journal.postgres.connection import Line, connect
from tradecore.journal.postgres.failures import as_typed_error, is_lost
from tradecore.journal.postgres.turns import Turns


class Reader:
    """Answers single statements: each sees one state of the ledger."""

    def __init__(self, address: Address, patience_s: float) -> None:
        self._address = address
        self._patience_s = patience_s
        self._turns = Turns(address)
        self._line: Line | None = None

    def ask(self, statement: bytes, *parameters: object) -> list[tuple[Any, ...]]:
        """All rows of an answer. Raises `StoreUnavailable`, `CorruptLedger`."""
        with self._turns.turn():
            try:
                return self._ask(statement, parameters)
            except psycopg.Error as error:
                if not is_lost(error):
                    raise as_typed_error(error, self._address) from error
                self._hang_up()
            try:
                return self._ask(statement, parameters)
            except psycopg.Error as error:
                raise as_typed_error(error, self._address) from error

    def _ask(self, statement: bytes, parameters: Sequence[object]) -> list[tuple[Any, ...]]:
        if self._line is None or self._line.is_broken:
            self._line = connect(self._address, self._patience_s)
        cursor = self._line.connection.execute(statement, parameters, prepare=True, binary=True)
        return cursor.fetchall()

    def _hang_up(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None

    def close(self) -> None:
        """Hang up for good; harmless when repeated."""
        with self._turns.last() as is_first:
            if is_first:
                self._hang_up()
