"""Recognise the schema of a ledger, lay out a new one, and bring an old one up to date when somebody says so."""

from __future__ import annotations

import psycopg
from psycopg.sql import SQL, Identifier

from tradecore.errors import CorruptLedger, InputError, NewerLedger, NotDurable, OlderLedger, StoreUnavailable
from tradecore.journal.postgres.address import Address
from tradecore.journal.postgres.failures import as_typed_error
from tradecore.journal.postgres.migrations import MIGRATIONS, SCHEMA, tables_of

_LAYOUT_LOCK = "SELECT pg_advisory_xact_lock(507285462, hashtext(%s))"
_RELATIONS = """
SELECT c.relname, c.relpersistence::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
"""
_RECORD = "INSERT INTO tradecore_meta VALUES ('schema', %s) ON CONFLICT (key) DO UPDATE SET value = excluded.value"


def prepare(connection: psycopg.Connection, address: Address, *, create: bool) -> None:
    """Make sure that the schema is a ledger of this tradecore's; lay it out when it is empty and `create` is set.

    Raises `CorruptLedger` for a schema of something else, `NewerLedger`, `OlderLedger`, `NotDurable` for unlogged
    tables, `StoreUnavailable` when there is no ledger and none may be created.
    """
    try:
        version = recognise(connection, address)
        if version == 0:
            if not create:
                raise StoreUnavailable(f"there is no ledger in {address.shown}")
            with connection.transaction():
                version = _lock(connection, address)
                if version == 0:  # of two that open an empty database at once, the second finds it done
                    _migrate(connection, address, 0)
                    version = SCHEMA
    except psycopg.Error as error:
        raise as_typed_error(error, address) from error
    if version < SCHEMA:
        raise OlderLedger(
            f"{address.shown} has version {version} of the schema, and this tradecore needs {SCHEMA}: stop everything "
            "that works on it, take a copy and bring it up to date, both with `tradecore migrate --backup FILE`"
        )


def migrate(connection: psycopg.Connection, address: Address) -> tuple[int, int]:
    """Bring a ledger up to date in one transaction; returns the version before and after.

    Nobody works on it meanwhile. Raises as `prepare`.
    """
    try:
        with connection.transaction():
            version = _lock(connection, address)
            _migrate(connection, address, version)
            return version, SCHEMA
    except psycopg.Error as error:
        raise as_typed_error(error, address) from error


def lay_out_empty(connection: psycopg.Connection, address: Address) -> None:
    """Inside a transaction: lay out a ledger where none is. Raises `InputError` where something is, `psycopg.Error`."""
    try:
        version = _lock(connection, address)
    except CorruptLedger:
        version = 1  # not a ledger, and not empty either
    if version:
        raise InputError("ledger", address.shown, "a schema that is empty or not there")
    _migrate(connection, address, 0)


def recognise(connection: psycopg.Connection, address: Address) -> int:
    """The version of the schema of a ledger, 0 where nothing is. Raises as `prepare`, and `psycopg.Error`."""
    relations: dict[str, str] = dict(connection.execute(_RELATIONS, (address.schema,)).fetchall())
    if not relations:
        return 0
    if "tradecore_meta" not in relations:
        raise CorruptLedger(f"{address.shown} is not a tradecore ledger: the schema holds other tables")
    row = connection.execute("SELECT value FROM tradecore_meta WHERE key = 'schema'").fetchone()
    if row is None or not row[0].isdecimal() or int(row[0]) < 1:
        raise CorruptLedger(f"{address.shown} does not say which version of the schema it has")
    version = int(row[0])
    if version > SCHEMA:
        raise NewerLedger(
            f"{address.shown} has version {version} of the schema, this tradecore knows {SCHEMA}: update tradecore"
        )
    tables = tables_of(version)
    if missing := tables - relations.keys():
        raise CorruptLedger(f"{address.shown} has lost {', '.join(sorted(missing))}")
    for name in tables:
        if relations[name] != "p":
            raise NotDurable(f"{address.shown}: table {name} is unlogged, so a crash empties it")
    return version


def _lock(connection: psycopg.Connection, address: Address) -> int:
    """Be alone with the layout until the transaction ends; returns the version that is there then."""
    connection.execute(_LAYOUT_LOCK, (address.schema,))
    return recognise(connection, address)


def _migrate(connection: psycopg.Connection, address: Address, version: int) -> None:
    # Asked first: IF NOT EXISTS wants the right to create schemas even where somebody prepared this one.
    if connection.execute("SELECT FROM pg_namespace WHERE nspname = %s", (address.schema,)).fetchone() is None:
        connection.execute(SQL("CREATE SCHEMA {}").format(Identifier(address.schema)))
    for number, statements in MIGRATIONS:
        if number > version:
            for statement in statements:
                connection.execute(statement.encode())
            connection.execute(_RECORD, (str(number),))
            connection.execute("INSERT INTO tradecore_meta VALUES (%s, now()::text)", (f"migration {number}",))
