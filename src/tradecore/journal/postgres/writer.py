"""The connection that writes: one statement is one transaction, and what became of it is always found out.

When the connection is lost around a statement, the server may have committed it, may still be at it, or may never have
seen it. Looking for the result is an answer only once nobody works on the statement any more. So, on a new connection:
end the old backend if it still lives and wait until it is gone; then look. What is there was done and counts as done;
what is not there will never be, and is sent again. That goes on for `patience_s` seconds. After that the caller is told
that it is not known, and the next write begins by ending the old backend.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import cast

import attrs
import psycopg
from psycopg.pq import ExecStatus

from tradecore.errors import NotDurable, StoreUnavailable
from tradecore.journal.postgres.address import Address
from tradecore.journal.postgres.connection import Line, connect
from tradecore.journal.postgres.failures import ConnectionLost, as_typed_error, is_lost
from tradecore.journal.postgres.refusals import Backend
from tradecore.journal.postgres.turns import Turns

Landed = Callable[[psycopg.Connection], bytes | None]
"""Looks whether a statement whose outcome is not known was done: its result, or None when it was not."""

_END_BACKEND = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = %s AND backend_start = %s"


@attrs.frozen
class Statement:
    """A call of one of our functions; its answer comes as the bytes of one value."""

    name: bytes
    sql: bytes
    types: tuple[int, ...]


class Writer:
    """Runs statements one after the other, each exactly once."""

    def __init__(self, address: Address, line: Line, patience_s: float) -> None:
        self._address = address
        self._patience_s = patience_s
        self._turns = Turns(address)
        self._line: Line | None = line
        self._lost: Backend | None = None
        self._prepared: set[bytes] = set()
        self.settled_done = 0
        self.settled_undone = 0

    def run(self, statement: Statement, values: Sequence[bytes | None], landed: Landed) -> bytes:
        """Durable when it returns. Raises `IntegrityError`, `StoreUnavailable`, `NotDurable`."""
        with self._turns.turn():
            line = self._line
            if line is None or line.is_broken:
                line = self._again(time.monotonic() + self._patience_s)
            deadline: float | None = None
            while True:
                try:
                    return self._execute(line, statement, values)
                except psycopg.Error as error:
                    raise as_typed_error(error, self._address) from error
                except ConnectionLost as lost:
                    deadline = deadline or time.monotonic() + self._patience_s
                    found, line = self._settle(line, lost, landed, deadline)
                if found is not None:
                    self.settled_done += 1
                    return found
                self.settled_undone += 1

    def _execute(self, line: Line, statement: Statement, values: Sequence[bytes | None]) -> bytes:
        """Blocking calls of libpq without the driver's own layers, which cost more than the server does."""
        pgconn = line.connection.pgconn
        try:
            if statement.name not in self._prepared:
                self._judge(line, pgconn.prepare(statement.name, statement.sql, statement.types))
                self._prepared.add(statement.name)
            # The driver's annotation forgets that a value may be None, for NULL.
            result = pgconn.exec_prepared(statement.name, cast("Sequence[bytes]", values), [1] * len(values), 1)
        except (psycopg.OperationalError, MemoryError) as error:
            raise ConnectionLost(str(error)) from error
        self._judge(line, result)
        answer = result.get_value(0, 0)
        assert answer is not None, "our functions return something"
        return answer

    def _judge(self, line: Line, result: psycopg.pq.abc.PGresult) -> None:
        if result.status in (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK):
            return
        error = psycopg.errors.error_from_result(result)
        if line.is_broken or is_lost(error):
            raise ConnectionLost(self._address.clean(str(error)))
        raise error

    def _settle(self, line: Line, lost: ConnectionLost, landed: Landed, deadline: float) -> tuple[bytes | None, Line]:
        """What became of a statement, and a connection to go on with. Raises `StoreUnavailable` when nobody knows."""
        self._lost = line.backend
        line.close()
        while True:
            try:
                fresh = self._again(deadline)
                return landed(fresh.connection), fresh
            except psycopg.Error as error:
                if not is_lost(error) or time.monotonic() >= deadline:
                    raise as_typed_error(error, self._address) from error
            except StoreUnavailable as error:
                raise StoreUnavailable(
                    f"{error}; the connection broke during a write ({lost}), which may or may not have been done"
                ) from error

    def _again(self, deadline: float) -> Line:
        """A fresh connection, with nobody left on the one before. Raises `StoreUnavailable` after the deadline."""
        if self._line is not None:
            self._line.close()
            self._line = None
        self._prepared.clear()
        pause = 0.02
        while True:
            try:
                line = connect(self._address, self._patience_s)
                try:
                    self._end_former(line, deadline)
                except BaseException:
                    line.close()
                    raise
                self._line = line
                return line
            except NotDurable:
                raise
            except (psycopg.Error, StoreUnavailable) as error:
                if time.monotonic() + pause >= deadline:
                    if isinstance(error, psycopg.Error):
                        raise as_typed_error(error, self._address) from error
                    raise
            time.sleep(pause)
            pause = min(pause * 2, 0.25)

    def _end_former(self, line: Line, deadline: float) -> None:
        former = self._lost
        if former is None:
            return
        while line.connection.execute(_END_BACKEND, (former.pid, former.started)).fetchone() is not None:
            if time.monotonic() >= deadline:
                raise StoreUnavailable(f"{self._address.shown}: a former session does not end")
            time.sleep(0.005)
        self._lost = None

    def close(self) -> None:
        """Hang up for good; harmless when repeated."""
        with self._turns.last() as is_first:
            if is_first and self._line is not None:
                self._line.close()
                self._line = None
