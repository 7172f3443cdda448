"""The right to deliver for a ledger in Postgres.

Holding is a session-level advisory lock on a connection of its own: the server gives it back the moment the holder's
session ends, so a killed holder blocks nobody, and there is no clock to disagree about as there is with a lease that
expires. The number of the hold is in a table: it grows by one with each hold, under the lock, and never falls.

The price is that a hold ends with its connection, also when only the network or the server went away. `token` therefore
looks at the connection each time. When it is gone, the lock is taken again under the same number, provided that nobody
had it in between; else the lease is lost, and says so by `LeaseHeld`. A host that vanishes without a word is noticed by
the server's keepalives, within 25 seconds.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import threading

import psycopg

from tradecore.errors import LeaseHeld
from tradecore.journal.postgres.address import Address
from tradecore.journal.postgres.connection import Line, connect
from tradecore.journal.postgres.failures import as_typed_error
from tradecore.journal.postgres.schema import prepare

_PATIENCE_S = 5.0
_KEY = "(4072854620270000000 + 'tradecore_lease'::regclass::oid::bigint)"
_LOCK = f"SELECT pg_try_advisory_lock{_KEY}"
_READ = "SELECT number, holder, pid, host FROM tradecore_lease"
_TAKE = "UPDATE tradecore_lease SET number = number + 1, holder = %s, pid = %s, host = %s RETURNING number"
_KEEPALIVES = (
    "SELECT set_config('tcp_keepalives_idle', '10', false), set_config('tcp_keepalives_interval', '5', false), "
    "set_config('tcp_keepalives_count', '3', false)"
)


def current_holder(address: Address) -> str | None:
    """Who holds the lease of a ledger now, with his process and host; None when nobody does or there is no ledger."""
    line = connect(address, _PATIENCE_S)
    try:
        if line.connection.execute("SELECT to_regclass('tradecore_lease')").fetchone() == (None,):
            return None
        # Taken for a moment: closing the connection gives it back.
        if try_lock(line.connection):
            return None
        row = line.connection.execute(_READ).fetchone()
        assert row is not None, "a ledger has one lease"
        return f"{row[1]} (process {row[2]} on {row[3]})"
    except psycopg.Error as error:
        raise as_typed_error(error, address) from error
    finally:
        line.close()


def try_lock(connection: psycopg.Connection) -> bool:
    """Take the lease's lock until the connection is closed; False when somebody has it. Raises `psycopg.Error`."""
    return connection.execute(_LOCK).fetchone() == (True,)


class PostgresLease:
    """A lease between processes and machines."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._lock = threading.Lock()
        self._line: Line | None = None
        self._number = 0
        self._holder: str | None = None

    @property
    def token(self) -> str:
        """The fencing token of the current hold. Raises `LeaseHeld` when it was lost, `StoreUnavailable`."""
        with self._lock:
            assert self._holder is not None, "the lease is not held"
            if self._line is None or _is_cut(self._line):
                self._resume()
            return f"{self._number}:{self._holder}"

    def acquire(self, holder: str) -> None:
        """Take it. Raises `LeaseHeld` naming holder and process, and the errors of opening the ledger."""
        with self._lock:
            if self._holder is not None:
                raise LeaseHeld(f"{self._number}:{self._holder} already works on this ledger, in this process")
            line = self._locked()
            try:
                row = line.connection.execute(_TAKE, (holder, os.getpid(), socket.gethostname())).fetchone()
                assert row is not None, "a ledger has one lease"
            except psycopg.Error as error:
                line.close()
                raise as_typed_error(error, self._address) from error
            self._line, self._number, self._holder = line, row[0], holder

    def release(self) -> None:
        """Give it back."""
        with self._lock:
            if self._line is not None:
                self._line.close()
            self._line = self._holder = None

    def _resume(self) -> None:
        """Hold on after a lost connection, if nobody else came in between."""
        if self._line is not None:
            self._line.close()
            self._line = None
        line = self._locked()
        try:
            row = line.connection.execute(_READ).fetchone()
        except psycopg.Error as error:
            line.close()
            raise as_typed_error(error, self._address) from error
        if row is None or row[0] != self._number:
            line.close()
            raise LeaseHeld(f"the lease was lost with its connection, and {row and row[1]} had it since")
        self._line = line

    def _locked(self) -> Line:
        """A connection that holds the lock."""
        line = connect(self._address, _PATIENCE_S)
        try:
            prepare(line.connection, self._address, create=True)
            with contextlib.suppress(psycopg.Error):  # a Unix socket has none
                line.connection.execute(_KEEPALIVES)
            if try_lock(line.connection):
                return line
            refusal = self._held(line.connection)
        except psycopg.Error as error:
            line.close()
            raise as_typed_error(error, self._address) from error
        except BaseException:
            line.close()
            raise
        line.close()
        raise refusal

    def _held(self, connection: psycopg.Connection) -> LeaseHeld:
        row = connection.execute(_READ).fetchone()
        assert row is not None, "a ledger has one lease"
        _, holder, pid, host = row
        return LeaseHeld(f"{holder} (process {pid} on {host}) already works on this ledger: {self._address.shown}")


def _is_cut(line: Line) -> bool:
    """An idle connection has nothing to read until it ends."""
    if line.is_broken:
        return True
    poll = select.poll()
    poll.register(line.connection.fileno(), select.POLLIN | select.POLLHUP | select.POLLERR)
    return bool(poll.poll(0))
