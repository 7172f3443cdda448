"""Free text in Postgres keeps the contract of the side store, with and without encryption."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from tests.postgres.server import Server
from tradecore.errors import ConfigurationError, CorruptLedger, InputError, StoreUnavailable
from tradecore.journal import Erased, Journal, open_journal
from tradecore.journal.postgres.address import parse
from tradecore.journal.side_store import hash_subject
from tradecore.testing.journal_samples import run
from tradecore.testing.side_store_contract import SideStoreContract


class TestPlainTexts(SideStoreContract):
    @pytest.fixture
    def journal(self, url: str) -> Iterator[Journal]:
        with closing(open_journal(url)) as journal:
            yield journal


class TestSealedTexts(SideStoreContract):
    @pytest.fixture
    def journal(self, sealed: Journal) -> Journal:
        return sealed


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    (tmp_path / "keys").mkdir(mode=0o700)
    return tmp_path / "keys"


@pytest.fixture
def sealed(url: str, keys: Path) -> Iterator[Journal]:
    """A ledger whose texts are sealed."""
    pytest.importorskip("cryptography")
    with closing(open_journal(f"{url}&keys={keys}")) as journal:
        yield journal


def sql(url: str, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url.partition("?")[0], autocommit=True) as connection:
        connection.execute(f"SET search_path = {parse(url).schema}".encode())
        done = connection.execute(statement.encode())
        return done.fetchall() if done.description else []


def table_file(server: Server, url: str) -> bytes:
    """The bytes of the table as they are on the disk."""
    sql(url, "CHECKPOINT")
    ((place,),) = sql(url, "SELECT pg_relation_filepath('tradecore_texts')")
    ((toast,),) = sql(
        url,
        "SELECT pg_relation_filepath(reltoastrelid::regclass) FROM pg_class WHERE oid = 'tradecore_texts'::regclass",
    )
    return b"".join((server.data / "db" / str(each)).read_bytes() for each in (place, toast))


def test_erased_texts_are_in_no_byte_of_the_table(server: Server, url: str) -> None:
    with closing(open_journal(url)) as journal:
        journal.texts.put("ada", "text/plain", b"ADA-0001")
        journal.texts.put("bob", "text/plain", b"BOB-0001")
        journal.append(run("a", 1, 3))
        assert b"ADA-0001" in table_file(server, url)
        assert journal.texts.erase("ada") == 1
        assert b"ADA-0001" not in table_file(server, url)
        assert b"BOB-0001" in table_file(server, url)
        journal.check()


def test_a_reader_that_keeps_traces_is_an_error_and_erasing_again_ends_it(server: Server, url: str) -> None:
    with closing(open_journal(url, patience_s=0.3)) as journal:
        journal.texts.put("ada", "text/plain", b"ADA-0001")
        with psycopg.connect(url.partition("?")[0]) as reader:
            reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            reader.execute("SELECT 1")
            with pytest.raises(StoreUnavailable, match="erase again"):
                journal.texts.erase("ada")
        assert journal.texts.erase("ada") == 0
        assert b"ADA-0001" not in table_file(server, url)


def test_sealed_texts_are_nowhere_in_the_clear(server: Server, sealed: Journal, keys: Path) -> None:
    digest = sealed.texts.put("ada", "text/plain", b"ADA-0001-secret")
    sql(sealed.url, "CHECKPOINT")
    found = [each.name for each in server.data.rglob("*") if each.is_file() and b"ADA-0001-secret" in each.read_bytes()]
    assert found == []
    assert sealed.texts.erase("ada") == 1
    assert list(keys.iterdir()) == []
    assert sealed.texts.get(digest) == Erased(digest)


def test_erasing_reaches_every_copy_made_before(sealed: Journal, tmp_path: Path, keys: Path) -> None:
    digest = sealed.texts.put("ada", "text/plain", b"secret")
    other = sealed.texts.put("bob", "text/plain", b"kept")
    sealed.backup(tmp_path / "copy.db")
    sealed.texts.erase("ada")
    keys.rename(tmp_path / "copy.db.keys")
    with closing(open_journal(f"sqlite:///{tmp_path}/copy.db", create=False)) as copy:
        assert copy.texts.get(digest) == Erased(digest)
        assert copy.texts.get(other) == b"kept"


def test_a_sealed_text_without_its_keys_named_is_not_taken_for_erased(sealed: Journal, url: str) -> None:
    digest = sealed.texts.put("ada", "text/plain", b"secret")
    with closing(open_journal(url)) as journal, pytest.raises(ConfigurationError, match="keys="):
        journal.texts.get(digest)


def test_a_text_that_was_changed_is_noticed(sealed: Journal) -> None:
    digests = [sealed.texts.put(subject, "text/plain", b"buy") for subject in ("ada", None)]
    for subject in (hash_subject("ada"), ""):
        sql(sealed.url, f"UPDATE tradecore_texts SET content = '\\x{'00' * 40}' WHERE subject = '{subject}'")
    for digest in digests:
        with pytest.raises(CorruptLedger, match=digest):
            sealed.texts.get(digest)


def test_keys_must_be_a_directory_that_is_there(url: str) -> None:
    for place in ("/nowhere/at/all", "relative"):
        with pytest.raises(InputError, match="directory"):
            open_journal(f"{url}&keys={place}")


def test_a_connection_that_was_cut_is_replaced(url: str) -> None:
    with closing(open_journal(url)) as journal:
        digest = journal.texts.put("ada", "text/plain", b"hello")
        sql(url, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'tradecore'")
        assert journal.texts.get(digest) == b"hello"
        sql(url, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'tradecore'")
        assert journal.texts.erase("ada") == 1


def test_keeping_and_erasing_at_once_never_leaves_a_text_whose_key_is_gone(sealed: Journal, keys: Path) -> None:
    with closing(open_journal(sealed.url)) as other:
        stop = threading.Event()

        def erase() -> None:
            while not stop.is_set():
                other.texts.erase("ada")

        thread = threading.Thread(target=erase)
        thread.start()
        for number in range(60):
            sealed.texts.put("ada", "text/plain", b"text %d" % number)
        stop.set()
        thread.join()
    kept = sql(sealed.url, "SELECT digest FROM tradecore_texts WHERE content IS NOT NULL")
    assert all(sealed.texts.get(str(digest)) != Erased(str(digest)) for (digest,) in kept)
