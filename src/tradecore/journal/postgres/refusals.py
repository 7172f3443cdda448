"""What a server must be before a ledger trusts it; asked on every new connection, because settings change.

A pooler is found by the process id that the connection's handshake named: it must be the one of the backend that
answers. Poolers that multiplex (PgBouncer, Odyssey, pgcat, RDS Proxy) speak the handshake themselves and make an id
up, in session mode too. Asking whether session state survives a transaction is no test: an idle pooler hands the same
backend out again and again, until a second client comes.
"""

from __future__ import annotations

from datetime import datetime

import attrs
import psycopg

from tradecore.errors import NotDurable, StoreUnavailable
from tradecore.journal.postgres.address import Address

OLDEST = 130_000
_FLUSHING = {"on", "remote_apply", "remote_write", "local"}
_QUESTION = """
SELECT version(), current_setting('server_version_num')::int, pg_backend_pid(), pg_is_in_recovery(),
       current_setting('fsync'), current_setting('full_page_writes'),
       (SELECT reset_val FROM pg_settings WHERE name = 'synchronous_commit'),
       current_setting('server_encoding'),
       (SELECT backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid())
"""


@attrs.frozen
class Backend:
    """Which process of the server works for a connection; ids are used again, so with its start."""

    pid: int
    started: datetime


def refuse_unsafe(connection: psycopg.Connection, address: Address) -> Backend:
    """Raises `StoreUnavailable` or `NotDurable` naming what is wrong with the server or the way to it."""
    row = connection.execute(_QUESTION).fetchone()
    assert row is not None, "a select of values has one row"
    product, version, pid, in_recovery, fsync, full_pages, commit, encoding, started = row
    where = address.shown
    if not str(product).startswith("PostgreSQL") or version < OLDEST:
        raise StoreUnavailable(f"{where}: a ledger needs PostgreSQL 13 or newer, and this is {product}")
    if pid != connection.info.backend_pid:
        raise StoreUnavailable(
            f"{where} is reached through a connection pooler, where locks and notifications get lost: connect directly"
        )
    if in_recovery:
        raise StoreUnavailable(f"{where} is a replica or still in recovery: a ledger is decided on the primary only")
    if encoding != "UTF8":
        raise StoreUnavailable(f"{where} is encoded in {encoding}: a ledger needs a database in UTF8")
    for name, value in (("fsync", fsync), ("full_page_writes", full_pages)):
        if value != "on":
            raise NotDurable(f"{where}: {name} is {value}, so a power cut can lose or tear what was acknowledged")
    if commit not in _FLUSHING:
        raise NotDurable(
            f"{where}: synchronous_commit is {commit} for this server, database or role, so a crash can lose what was "
            "acknowledged"
        )
    if started is None:
        raise StoreUnavailable(f"{where}: the user may not see its own session, so a lost one could not be ended")
    return Backend(pid, started)
