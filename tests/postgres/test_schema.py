"""Schemas: created once, recognised, never touched when they are something else's."""

from __future__ import annotations

import psycopg
import pytest

from tests.journal.children import Child, hear, say
from tests.postgres.server import PASSWORD, Server
from tradecore.errors import CorruptLedger, NewerLedger, NotDurable, StoreUnavailable
from tradecore.journal import open_journal
from tradecore.journal.postgres.address import parse
from tradecore.journal.postgres.journal import PostgresJournal
from tradecore.journal.postgres.migrations import MIGRATIONS, SCHEMA
from tradecore.journal.url import shown
from tradecore.testing.journal_samples import run


def _in_schema(url: str, *statements: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url.partition("?")[0], autocommit=True) as connection:
        connection.execute(f"SET search_path = {parse(url).schema}".encode())
        for statement in statements[:-1]:
            connection.execute(statement.encode())
        last = connection.execute(statements[-1].encode())
        return last.fetchall() if last.description else []


def test_every_migration_is_recorded(journal: PostgresJournal) -> None:
    rows = {str(key): value for key, value in _in_schema(journal.url, "SELECT key, value FROM tradecore_meta")}
    assert rows.pop("schema") == str(SCHEMA)
    assert set(rows) == {f"migration {number}" for number, _ in MIGRATIONS}
    assert [number for number, _ in MIGRATIONS] == list(range(1, SCHEMA + 1))


def test_an_empty_database_opened_by_many_at_once_is_one_ledger(url: str, child: Child) -> None:
    script = """
tell("ready")
told()
journal = open_journal(sys.argv[1])
journal.append(run(sys.argv[2], 1, 1))
lease = open_lease(sys.argv[1])
tell("done")
"""
    processes = [child(script, url, str(number)) for number in range(5)]
    assert [hear(process) for process in processes] == ["ready"] * 5
    for process in processes:
        say(process)
    assert [hear(process) for process in processes] == ["done"] * 5
    journal = open_journal(url, create=False)
    assert journal.head() == 5
    journal.check()
    journal.close()


def test_without_create_a_missing_ledger_stays_missing(url: str) -> None:
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match="there is no ledger"):
            open_journal(url, create=False)


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ("UPDATE tradecore_meta SET value = '99' WHERE key = 'schema'", NewerLedger, "version 99"),
        ("UPDATE tradecore_meta SET value = 'one' WHERE key = 'schema'", CorruptLedger, "which version"),
        ("DELETE FROM tradecore_meta", CorruptLedger, "which version"),
        ("DROP TABLE tradecore_meta", CorruptLedger, "not a tradecore ledger"),
        ("DROP TABLE tradecore_views", CorruptLedger, "lost tradecore_views"),
        ("ALTER TABLE events SET UNLOGGED", NotDurable, "unlogged"),
    ],
)
def test_a_schema_that_was_changed_is_refused(
    journal: PostgresJournal, change: str, error: type[Exception], words: str
) -> None:
    _in_schema(journal.url, change)
    with pytest.raises(error, match=words):
        open_journal(journal.url)


def test_a_schema_of_something_else_is_left_alone(url: str) -> None:
    schema = parse(url).schema
    _in_schema(url, f"CREATE SCHEMA {schema}", "CREATE TABLE customers (name text)")
    with pytest.raises(CorruptLedger, match="not a tradecore ledger"):
        open_journal(url)
    assert _in_schema(url, f"SELECT relname FROM pg_class WHERE relnamespace = '{schema}'::regnamespace") == [
        ("customers",)
    ]


def test_a_function_that_is_gone_is_a_damaged_ledger(journal: PostgresJournal) -> None:
    _in_schema(journal.url, "DROP FUNCTION tradecore_append_at")
    with pytest.raises(CorruptLedger, match="damaged"):
        journal.append(run("a", 1, 1))


def test_a_user_without_the_right_to_create_schemas_may_use_a_prepared_one(server: Server, url: str) -> None:
    schema = parse(url).schema
    with psycopg.connect(server.url("postgres"), autocommit=True) as admin:
        admin.execute(f"CREATE ROLE {schema} LOGIN PASSWORD '{PASSWORD}'".encode())
    theirs = url.replace("tester", schema)
    with pytest.raises(StoreUnavailable, match="permission denied"):
        open_journal(theirs)
    _in_schema(url, f"CREATE SCHEMA {schema} AUTHORIZATION {schema}")
    journal = open_journal(theirs)
    journal.append(run("a", 1, 1))
    journal.close()


def test_ledgers_in_one_database_know_nothing_of_each_other(server: Server) -> None:
    first = open_journal(server.url("postgres", schema="neighbour_1"))
    second = open_journal(server.url("postgres", schema="neighbour_2"))
    first.append(run("a", 1, 2))
    second.append(run("a", 1, 3))
    assert (first.head(), second.head()) == (2, 3)
    first.close()
    second.close()


def test_a_renamed_schema_is_the_same_ledger(journal: PostgresJournal) -> None:
    journal.append(run("a", 1, 2))
    journal.close()
    schema = parse(journal.url).schema
    _in_schema(journal.url, f"ALTER SCHEMA {schema} RENAME TO {schema}_renamed")
    again = open_journal(journal.url + "_renamed", create=False)
    again.append(run("a", 3, 3))
    again.check()
    again.close()


def test_stats_count_what_is_there(journal: PostgresJournal) -> None:
    journal.append([*run("a", 1, 3), *run("b", 1, 2)])
    journal.views.write("view", "shape", 0, 4, {"key": b"value"})
    stats = journal.stats()
    assert (stats.events, stats.streams, stats.head, stats.log_size_bytes) == (5, 2, 5, 0)
    assert sum(stats.by_name.values()) == 5
    assert [(view.name, view.position) for view in stats.views] == [("view", 4)]
    assert stats.size_bytes > 8192


@pytest.mark.parametrize(
    ("url", "printed"),
    [
        ("postgresql://user:s3cret@host:5433/db?schema=x", "postgresql://user@host:5433/db?schema=x"),
        ("postgresql://us%20er:s@3@host/db", "postgresql://us%20er@host/db"),
        ("postgresql://host/db?user=u&password=s3cret&a=b", "postgresql://host/db?user=u&password=***&a=b"),
        ("postgres:///db?sslpassword=s3cret", "postgres:///db?sslpassword=***"),
        ("sqlite:///a:b@c.db", "sqlite:///a:b@c.db"),
    ],
)
def test_a_url_is_printed_without_its_password(url: str, printed: str) -> None:
    assert shown(url) == printed


def test_the_schema_is_tradecore_unless_the_url_says_otherwise() -> None:
    address = parse("postgresql://user:secret@host:5433/books?sslmode=require")
    assert address.schema == "tradecore"
    assert address.shown == "database books (schema tradecore) on host:5433"
    assert "secret" not in repr(address)
