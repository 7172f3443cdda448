"""Connections to a server that was looked at, with everything set that a ledger depends on."""

from __future__ import annotations

import contextlib
import os
import weakref

import attrs
import psycopg

from tradecore.errors import NotDurable
from tradecore.journal.postgres.address import Address
from tradecore.journal.postgres.failures import as_typed_error
from tradecore.journal.postgres.refusals import Backend, refuse_unsafe

_SETTINGS = {
    "default_transaction_isolation": "read committed",  # behind the lock, a statement must see what was committed
    "default_transaction_read_only": "off",
    "statement_timeout": "0",
    "idle_session_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "jit": "off",
    # Plans are made once and kept. One made while the ledger was empty would read all of it later.
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "enable_bitmapscan": "off",
}


@attrs.frozen(eq=False)
class Line:
    """A connection and the backend behind it."""

    connection: psycopg.Connection
    backend: Backend

    @property
    def is_broken(self) -> bool:
        """Whether it is known to be of no more use."""
        return bool(self.connection.closed)

    def close(self) -> None:
        """Hang up; harmless when repeated."""
        with contextlib.suppress(psycopg.Error):
            self.connection.close()


def connect(address: Address, patience_s: float) -> Line:
    """A checked connection; `patience_s` is how long a statement waits for locks.

    Raises `StoreUnavailable`, `NotDurable`; a message names the server, never the password.
    """
    try:
        connection = psycopg.connect(address.conninfo, autocommit=True)
    except psycopg.Error as error:
        raise as_typed_error(error, address) from None
    _open_connections.add(connection)
    try:
        line = Line(connection, refuse_unsafe(connection, address))
        _set(connection, address, patience_s)
    except psycopg.Error as error:
        connection.close()
        raise as_typed_error(error, address) from error
    except BaseException:
        connection.close()
        raise
    return line


def _set(connection: psycopg.Connection, address: Address, patience_s: float) -> None:
    wanted = {
        **_SETTINGS,
        # Nothing but the ledger's own schema: no function of somebody else is ever meant.
        "search_path": f"{address.schema}, pg_temp",
        "lock_timeout": f"{max(1, round(patience_s * 1000))}ms",
    }
    connection.execute(
        "SELECT set_config(name, value, false) FROM unnest(%s::text[], %s::text[]) AS wanted (name, value) "
        "WHERE name IN (SELECT name FROM pg_settings)",
        (list(wanted), list(wanted.values())),
    )
    row = connection.execute(
        "SELECT set_config('synchronous_commit', CASE current_setting('synchronous_commit') "
        "WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, false)"
    ).fetchone()
    got = connection.execute("SHOW synchronous_commit").fetchone()
    if row != got or got is None:
        raise NotDurable(f"{address.shown} keeps synchronous_commit at {got and got[0]}")


_open_connections: weakref.WeakSet[psycopg.Connection] = weakref.WeakSet()


def _forget_connections() -> None:
    """A forked child shares the sockets: keeping them would hold locks and leases beyond the parent's death."""
    for connection in list(_open_connections):
        with contextlib.suppress(psycopg.Error, OSError):
            os.close(connection.fileno())


os.register_at_fork(after_in_child=_forget_connections)
