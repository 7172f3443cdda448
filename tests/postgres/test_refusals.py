"""Servers, and ways to them, that a ledger refuses: with one typed error, when it is opened."""

from __future__ import annotations

import sys
import time
import uuid
from collections.abc import Iterator

import psycopg
import pytest

from tests.postgres.conftest import MakeServer
from tests.postgres.pooler import Pooler
from tests.postgres.server import PASSWORD, Server
from tradecore.errors import InputError, MissingExtra, NotDurable, StoreUnavailable
from tradecore.journal import Journal, open_journal, open_lease
from tradecore.journal.postgres import refusals
from tradecore.testing.journal_samples import run


@pytest.fixture
def admin(server: Server) -> Iterator[psycopg.Connection]:
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        yield connection


def test_settings_that_lose_acknowledged_writes_are_refused(own_server: MakeServer) -> None:
    """At opening, and for what the server decides alone also by a journal that is open when it is switched off."""
    server = own_server({})
    url = server.url("postgres")
    del server.settings["fsync"]  # from the command line it could not be changed
    server.stop()
    server.start()
    with psycopg.connect(url, autocommit=True) as admin:
        for name in ("fsync", "full_page_writes", "synchronous_commit"):
            journal = open_journal(url)
            _set(admin, f"ALTER SYSTEM SET {name} = off", name, "off")
            for refused in (lambda: open_journal(url), lambda: open_lease(url).acquire("me")):
                with pytest.raises(NotDurable, match=f"{name} is off"):
                    refused()
            if name != "synchronous_commit":  # which our session set for itself
                with pytest.raises(NotDurable, match="switched off"):
                    _append_until_refused(journal)
            journal.close()
            _set(admin, f"ALTER SYSTEM RESET {name}", name, "on")
        open_journal(url).close()


def _set(admin: psycopg.Connection, change: str, name: str, value: str) -> None:
    admin.execute(change.encode())
    admin.execute("SELECT pg_reload_conf()")
    deadline = time.monotonic() + 20
    while admin.execute(f"SHOW {name}".encode()).fetchone() != (value,):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _append_until_refused(journal: Journal) -> None:
    """The word of the change has to reach the journal's backend."""
    for number in range(2000):
        journal.append(run(f"{number} {uuid.uuid4()}", 1, 1))
        time.sleep(0.005)


@pytest.mark.parametrize("level", ["DATABASE loose", "ROLE loose"])
def test_synchronous_commit_off_for_a_database_or_a_role_is_refused(
    server: Server, admin: psycopg.Connection, level: str
) -> None:
    admin.execute("DROP DATABASE IF EXISTS loose")
    admin.execute("DROP ROLE IF EXISTS loose")
    admin.execute(f"CREATE ROLE loose LOGIN SUPERUSER PASSWORD '{PASSWORD}'".encode())
    admin.execute("CREATE DATABASE loose")
    admin.execute(f"ALTER {level} SET synchronous_commit = off".encode())
    with pytest.raises(NotDurable, match="synchronous_commit is off"):
        open_journal(server.url("loose").replace("tester", "loose"))


def test_synchronous_commit_off_in_the_url_is_refused(server: Server) -> None:
    with pytest.raises(NotDurable, match="synchronous_commit is off"):
        open_journal(server.url("postgres", options="-csynchronous_commit%3Doff"))


def test_a_replica_is_refused(server: Server, tmp_path_factory: pytest.TempPathFactory) -> None:
    replica = Server(tmp_path_factory.mktemp("replica"), {"hot_standby": "on"})
    try:
        replica.create_replica(server)
        replica.start()
        for refused in (open_journal, lambda url: open_lease(url).acquire("me")):
            with pytest.raises(StoreUnavailable, match="is a replica"):
                refused(replica.url("postgres"))
    finally:
        replica.remove()


def test_a_pooler_is_refused(server: Server, url: str) -> None:
    """Ours is one in transaction mode: two clients that are connected at once are served by the same backend."""
    pooler = Pooler(server.url("postgres"))
    pooled = url.replace(f":{server.port}/", f":{pooler.port}/")
    try:
        plain = pooled.partition("?")[0]
        with psycopg.connect(plain, autocommit=True) as first, psycopg.connect(plain, autocommit=True) as second:
            pid = "SELECT pg_backend_pid()"
            assert first.execute(pid).fetchone() == second.execute(pid).fetchone()
            first.execute("SET lock_timeout = '77s'")
            assert second.execute("SHOW lock_timeout").fetchone() == ("77s",)
        for refused in (open_journal, lambda url: open_lease(url).acquire("me")):
            with pytest.raises(StoreUnavailable, match="pooler"):
                refused(pooled)
    finally:
        pooler.close()


def test_an_old_server_is_refused(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refusals, "OLDEST", 990_000)
    with pytest.raises(StoreUnavailable, match="needs PostgreSQL"):
        open_journal(url)


def test_a_database_that_cannot_hold_every_character_is_refused(server: Server, admin: psycopg.Connection) -> None:
    admin.execute("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0")
    with pytest.raises(StoreUnavailable, match="LATIN1"):
        open_journal(server.url("latin"))


def test_wrong_password_database_or_host_is_named_and_the_password_is_not(server: Server) -> None:
    good = server.url("postgres")
    for bad, named in (
        (good.replace(PASSWORD, "secret-guess"), "password"),
        (server.url("nowhere"), '"nowhere" does not exist'),
        (good.replace(f":{server.port}/", ":1/"), "127.0.0.1:1"),
        (good.replace("127.0.0.1", "no-such-host.invalid"), "no-such-host.invalid"),
    ):
        with pytest.raises(StoreUnavailable) as refused:
            open_journal(bad)
        told = f"{refused.value!r} {refused.value.__cause__!r}"
        assert named in told
        assert "database " in told
        assert PASSWORD not in told
        assert "secret-guess" not in told


@pytest.mark.parametrize(
    "bad",
    ["postgresql://user:secret@[host/db", "postgresql://user:secret@host/db?nonsense=1", "postgres:secret"],
)
def test_a_url_that_is_none_is_refused_without_repeating_it(bad: str) -> None:
    with pytest.raises(InputError) as refused:
        open_journal(bad)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("schema", ["", "pg_mine", "information_schema", "Upper", "a-b", "x" * 49, "a%20b", "%22"])
def test_a_schema_needs_a_plain_name(server: Server, schema: str) -> None:
    with pytest.raises(InputError, match="schema"):
        open_journal(server.url("postgres", schema=schema))


def test_without_the_driver_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    for refused in (open_journal, open_lease):
        with pytest.raises(MissingExtra, match=r"tradecore\[postgres\]"):
            refused("postgresql://host/database")
