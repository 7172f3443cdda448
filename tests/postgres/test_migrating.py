"""A ledger of an older schema is refused until somebody brings it up to date; a copy can be made first."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from tests.postgres.server import PASSWORD
from tradecore.errors import InputError, LeaseHeld, NewerLedger, OlderLedger, StoreUnavailable
from tradecore.journal import migrate_ledger, open_journal, open_lease, restore_ledger
from tradecore.journal.postgres import schema
from tradecore.journal.postgres.address import parse
from tradecore.journal.postgres.append_function import APPEND_FUNCTION
from tradecore.journal.postgres.migrations import MIGRATIONS, SCHEMA, tables_of
from tradecore.testing.journal_samples import run


@pytest.fixture
def old(url: str) -> str:
    """A ledger with events, taken back to what the first schema had."""
    with closing(open_journal(url)) as journal:
        journal.append(run("a", 1, 20))
    name = parse(url).schema
    with psycopg.connect(url.partition("?")[0]) as connection:
        connection.execute(f'SET search_path TO "{name}"'.encode())
        functions = connection.execute(
            "SELECT oid::regprocedure::text FROM pg_proc WHERE pronamespace = %s::regnamespace", (name,)
        ).fetchall()
        for (function,) in functions:
            connection.execute(f"DROP FUNCTION {function}".encode())
        for table in tables_of(SCHEMA) - tables_of(1):
            connection.execute(f"DROP TABLE {table}".encode())
        connection.execute("DROP SEQUENCE tradecore_view_slots CASCADE")
        connection.execute(APPEND_FUNCTION.encode())
        connection.execute("UPDATE tradecore_meta SET value = '1' WHERE key = 'schema'")
        connection.execute("DELETE FROM tradecore_meta WHERE key IN ('migration 2', 'migration 3')")
    return url


def tables(url: str) -> set[str]:
    with psycopg.connect(url.partition("?")[0]) as connection:
        rows = connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = %s AND tablename != 'tradecore_meta'",
            (parse(url).schema,),
        )
        return {str(name) for (name,) in rows.fetchall()}


def test_an_older_ledger_is_refused_and_left_as_it_is(old: str) -> None:
    assert tables(old) == tables_of(1)
    with pytest.raises(OlderLedger, match=r"version 1.*tradecore migrate --backup"):
        open_journal(old)
    with pytest.raises(OlderLedger):
        open_lease(old).acquire("a runner")
    assert tables(old) == tables_of(1)


def test_it_is_brought_up_to_date_with_a_copy_of_what_it_was(old: str, tmp_path: Path) -> None:
    assert migrate_ledger(old, tmp_path / "before.db") == (1, SCHEMA)
    with closing(open_journal(old, create=False)) as journal:
        journal.check()
        assert journal.head() == 20
        digest = journal.texts.put(None, "text/plain", b"hello")
        assert journal.texts.get(digest) == b"hello"
        journal.append(run("a", 21, 21))
    assert migrate_ledger(old) == (SCHEMA, SCHEMA)
    assert restore_ledger(tmp_path / "before.db", old + "_back") == 20


def test_a_copy_that_cannot_be_made_stops_it(old: str, tmp_path: Path) -> None:
    (tmp_path / "taken.db").write_bytes(b"precious")
    with pytest.raises(InputError, match=r"taken\.db"):
        migrate_ledger(old, tmp_path / "taken.db")
    assert tables(old) == tables_of(1)


def test_a_step_that_fails_leaves_the_schema_as_it_was(old: str, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = (*MIGRATIONS[:1], (2, (*MIGRATIONS[1][1], "SELECT 1 / 0")))
    with monkeypatch.context() as patch:
        patch.setattr(schema, "MIGRATIONS", broken)
        with pytest.raises(StoreUnavailable, match="division by zero"):
            migrate_ledger(old)
    assert tables(old) == tables_of(1)
    assert migrate_ledger(old) == (1, SCHEMA)


def test_nobody_works_on_it_meanwhile(url: str) -> None:
    open_journal(url).close()
    lease = open_lease(url)
    lease.acquire("a runner")
    with pytest.raises(LeaseHeld, match="a runner"):
        migrate_ledger(url)
    lease.release()


def test_what_is_newer_or_not_there_is_refused(url: str) -> None:
    with pytest.raises(StoreUnavailable, match="no ledger"):
        migrate_ledger(url)
    open_journal(url).close()
    with psycopg.connect(url.partition("?")[0], autocommit=True) as connection:
        statement = f"UPDATE {parse(url).schema}.tradecore_meta SET value = '99' WHERE key = 'schema'"
        connection.execute(statement.encode())
    with pytest.raises(NewerLedger, match="update tradecore"):
        migrate_ledger(url)


def test_the_verb_says_what_it_did_and_never_the_password(old: str, tmp_path: Path) -> None:
    def say(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "tradecore.cli", *words, "--ledger", old],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "NO_COLOR": "1"},
        )

    said = [say("stats"), say("migrate", "--backup", "before.db"), say("migrate", "--json"), say("stats", "--json")]
    said.append(say("check", "--json"))
    assert [each.returncode for each in said] == [1, 0, 0, 0, 0], [each.stderr for each in said]
    assert "tradecore migrate" in said[0].stderr
    assert said[1].stdout == f"schema 1 became {SCHEMA}\n"
    assert not [each for each in said if PASSWORD in each.stdout + each.stderr]
