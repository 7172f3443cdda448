"""A connection that is lost around a commit: what became of the write is found out, and it is done exactly once."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import psycopg
import pytest

from tests.postgres.cutter import Cut, Cutter
from tests.postgres.server import Server
from tradecore.errors import StoreUnavailable, WrongVersion
from tradecore.journal.postgres.address import parse
from tradecore.journal.postgres.append_function import APPEND_LOCK
from tradecore.journal.postgres.journal import PostgresJournal
from tradecore.journal.postgres.opening import open_ledger
from tradecore.testing.journal_samples import run


@pytest.fixture
def wire(server: Server) -> Iterator[Cutter]:
    wire = Cutter(server.port)
    yield wire
    wire.close()


@pytest.fixture
def journal(server: Server, wire: Cutter, url: str) -> Iterator[PostgresJournal]:
    """A journal that reaches the server over the wire."""
    journal = open_ledger(url.replace(f":{server.port}/", f":{wire.port}/"), create=True, patience_s=5)
    journal.append(run("a", 1, 1))
    yield journal
    journal.close()


@pytest.mark.parametrize("cut", list(Cut))
def test_a_write_whose_connection_is_cut_is_done_once(journal: PostgresJournal, wire: Cutter, cut: Cut) -> None:
    wire.arm(b"\0append\0", cut)
    appended = journal.append([*run("a", 2, 4), *run("b", 1, 1)])
    assert [item.envelope.position for item in appended] == [2, 3, 4, 5]
    assert journal.read(1) == appended
    assert wire.cuts == 1
    assert journal.writer.settled_done + journal.writer.settled_undone == 1
    if cut is not Cut.CLIENT_ONLY:  # there it depends on who is faster
        assert journal.writer.settled_done == (cut is Cut.BEFORE_THE_ANSWER)
    journal.append(run("a", 5, 5))
    journal.check()


@pytest.mark.parametrize("cut", list(Cut))
def test_a_view_is_moved_once(journal: PostgresJournal, wire: Cutter, cut: Cut) -> None:
    wire.arm(b"\0view_write\0", cut)
    journal.views.write("view", "shape", 0, 1, {"key": b"value"})
    assert (journal.views.cursor("view", "shape"), wire.cuts) == (1, 1)
    wire.arm(b"\0view_replace\0", cut)
    journal.views.replace("view", "shape", 1, {"other": b"value"})
    assert list(journal.views.rows("view")) == [("other", b"value")]
    journal.views.write("built", "shape", 0, 2, {"built": b"value"})
    wire.arm(b"\0view_adopt\0", cut)
    journal.views.adopt("view", "built")
    assert list(journal.views.rows("view")) == [("built", b"value")]


def test_a_former_session_that_still_works_is_ended_before_anything_is_believed(
    journal: PostgresJournal, wire: Cutter, server: Server
) -> None:
    """Its append waits for the lock, and would come after we had looked for it and found nothing."""
    with psycopg.connect(server.url("postgres"), autocommit=True) as other:
        schema = parse(journal.url).schema
        other.execute(f"SELECT pg_advisory_lock({APPEND_LOCK} + '{schema}.events'::regclass::oid::bigint)".encode())
        wire.arm(b"\0append\0", Cut.CLIENT_ONLY)
        release = threading.Timer(1.0, lambda: other.execute("SELECT pg_advisory_unlock_all()"))
        release.start()
        appended = journal.append(run("a", 2, 2))
        release.join()
    assert journal.writer.settled_undone == 1
    assert journal.read(1) == appended
    journal.check()


@pytest.mark.parametrize("cut", [Cut.BEFORE_THE_ANSWER, Cut.BEFORE_THE_QUERY])
def test_while_the_server_stays_away_nobody_knows_and_later_everybody_does(
    server: Server, wire: Cutter, url: str, cut: Cut
) -> None:
    journal = open_ledger(url.replace(f":{server.port}/", f":{wire.port}/"), create=True, patience_s=0.3)
    events = run("a", 1, 2)
    wire.arm(b"\0append\0", cut, then_down=True)
    with pytest.raises(StoreUnavailable, match="may or may not"):
        journal.append(events)
    for refused in (lambda: journal.append(run("b", 1, 1)), journal.head):
        with pytest.raises(StoreUnavailable):
            refused()
    wire.is_down = False
    if cut is Cut.BEFORE_THE_ANSWER:
        with pytest.raises(WrongVersion):
            journal.append(events)
    else:
        journal.append(events)
    assert journal.head() == 2
    journal.append(run("b", 1, 1))
    journal.check()
    journal.close()


def test_a_read_survives_a_cut(journal: PostgresJournal, wire: Cutter) -> None:
    for cut in Cut:
        wire.arm(b"position", cut)
        assert len(journal.read(0)) == 1
        journal.reader._hang_up()  # so that the statement is sent with its text once more
    assert wire.cuts == len(Cut)


def test_a_terminated_session_is_replaced(journal: PostgresJournal, server: Server) -> None:
    journal.read(0)
    with psycopg.connect(server.url("postgres"), autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = 'tradecore' AND pid <> pg_backend_pid()"
        )
    assert journal.append(run("a", 2, 2)) == journal.read(1)
