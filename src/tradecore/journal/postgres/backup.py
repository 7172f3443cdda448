"""Copies of a ledger in Postgres as ledger files, and ledgers in Postgres out of such files.

Both ways every byte that the hash chain covers stays what it was, so the chain judges the copy whatever store it is in.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import attrs
import psycopg

from tradecore.errors import CorruptLedger, StoreUnavailable
from tradecore.journal.chain import GENESIS
from tradecore.journal.codec import EventCodec
from tradecore.journal.postgres.address import Address, parse
from tradecore.journal.postgres.connection import connect
from tradecore.journal.postgres.failures import as_typed_error, is_lost
from tradecore.journal.postgres.inspection import inspect
from tradecore.journal.postgres.migrations import TEXTS_SINCE
from tradecore.journal.postgres.schema import lay_out_empty, recognise
from tradecore.journal.sealed_codec import codec_found
from tradecore.journal.sqlite import texts as sqlite_texts
from tradecore.journal.sqlite.copy_file import PATIENCE_S, make_file, opened_copy
from tradecore.journal.sqlite.failures import as_journal_error
from tradecore.journal.sqlite.schema import lay_out
from tradecore.journal.sqlite.seal import has_texts

_HEAD_LINK = "SELECT position, chain FROM events ORDER BY position DESC LIMIT 1"


@attrs.frozen
class _Table:
    """A table that both stores have: its columns by name, their types in Postgres, and the order of its rows."""

    name: str
    columns: tuple[str, ...]
    types: tuple[str, ...]
    order: str

    @property
    def listed(self) -> str:
        return ", ".join(self.columns)


_EVENTS = _Table(
    "events",
    ("position", "originator_id", "originator_version", "topic", "chain", "state", "event_id"),
    ("int8", "text", "int8", "text", "bytea", "bytea", "text"),
    "position",
)
_TEXTS = _Table(
    "tradecore_texts",
    ("digest", "subject", "media_type", "sealed", "content"),
    ("text", "text", "text", "bool", "bytea"),
    "digest, subject",
)


def back_up(address: Address, target: Path, codec: EventCodec | None = None) -> int:
    """Copy a ledger, as it is at one moment, into a file and return the copy's head; see `Journal.backup`.

    Takes ledgers of older schemas, too. Nobody waits meanwhile; the server keeps what is deleted until it is done.
    Views stay behind, with the cursors of publishers: they are built anew, and publishers begin again.
    """
    with _connected(address) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        with connection.transaction():
            version = recognise(connection, address)
            if version == 0:
                raise StoreUnavailable(f"there is no ledger in {address.shown}")
            tables = (_EVENTS, *((_TEXTS,) if version >= TEXTS_SINCE else ()))
            return make_file(target, lambda draft: _fill(connection, tables, draft, target), sealed=True, codec=codec)


def restore(file: Path, url: str) -> int:
    """Make a ledger in an empty schema out of a copy, all of it or nothing, and return its head.

    Raises `InputError` where something is or for what cannot be a copy, `CorruptLedger`, `StoreUnavailable`.
    """
    address = parse(url)
    with opened_copy(file) as source, _connected(address) as connection:
        try:
            with connection.transaction():
                lay_out_empty(connection, address)
                for table in (_EVENTS, *((_TEXTS,) if has_texts(source) else ())):
                    _pour(source, table, connection)
                inspect(_Inside(connection), address.shown, codec_found())
                head, chain = connection.execute(_HEAD_LINK).fetchone() or (0, GENESIS)
                if (head, chain) != (source.execute(_HEAD_LINK).fetchone() or (0, GENESIS)):
                    raise CorruptLedger(f"{address.shown} does not end as {file} does")
        except psycopg.Error as error:
            if is_lost(error):
                raise StoreUnavailable(
                    f"{address.shown}: the connection broke: all of the copy is there or nothing, `tradecore stats` "
                    "tells which"
                ) from error
            raise
        return int(head)


@contextmanager
def _connected(address: Address) -> Iterator[psycopg.Connection]:
    line = connect(address, PATIENCE_S)
    try:
        yield line.connection
    except psycopg.Error as error:
        raise as_typed_error(error, address) from error
    finally:
        line.close()


def _fill(connection: psycopg.Connection, tables: tuple[_Table, ...], draft: Path, target: Path) -> None:
    try:
        with closing(sqlite3.connect(draft, isolation_level=None)) as file:
            # A draft that is interrupted is thrown away; it is synced when it is whole.
            file.execute("PRAGMA journal_mode=OFF").close()
            file.execute("PRAGMA synchronous=OFF").close()
            lay_out(file)
            file.execute("BEGIN")
            for table in tables:
                _draw(connection, table, file)
            file.execute("COMMIT")
    except sqlite3.Error as error:
        raise as_journal_error(error, target) from error


def _draw(connection: psycopg.Connection, table: _Table, file: sqlite3.Connection) -> None:
    if table is _TEXTS:
        file.execute(sqlite_texts.TABLE)
    places = ", ".join("?" * len(table.columns))
    insert = f"INSERT INTO {table.name} ({table.listed}) VALUES ({places})"  # noqa: S608 - our own names
    question = f"COPY (SELECT {table.listed} FROM {table.name} ORDER BY {table.order}) TO STDOUT (FORMAT BINARY)"  # noqa: S608
    with connection.cursor() as cursor, cursor.copy(question.encode()) as rows:
        rows.set_types(table.types)
        file.executemany(insert, rows.rows())


def _pour(file: sqlite3.Connection, table: _Table, connection: psycopg.Connection) -> None:
    question = f"SELECT {table.listed} FROM {table.name} ORDER BY {table.order}"  # noqa: S608 - our own names
    taking = f"COPY {table.name} ({table.listed}) FROM STDIN (FORMAT BINARY)"
    with connection.cursor() as cursor, cursor.copy(taking.encode()) as rows:
        rows.set_types(table.types)
        for row in file.execute(question):
            rows.write_row(_as_in_postgres(table, row))


def _as_in_postgres(table: _Table, row: tuple[Any, ...]) -> tuple[Any, ...]:
    return (*row[:3], bool(row[3]), row[4]) if table is _TEXTS else row


@attrs.frozen
class _Inside:
    """Asks within a transaction that is not committed yet."""

    connection: psycopg.Connection

    def ask(self, statement: bytes, *parameters: object) -> list[tuple[Any, ...]]:
        """All rows of an answer. Raises `psycopg.Error`."""
        return self.connection.execute(statement, parameters, binary=True).fetchall()
