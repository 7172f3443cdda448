"""Several processes on one ledger: they take turns, nobody skips, waiters wake, and a kill leaves what it promises."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from tests.journal.children import Child, hear, say
from tests.postgres.server import Server
from tradecore.domain.events import Event
from tradecore.domain.messages import Recorded
from tradecore.errors import StoreUnavailable
from tradecore.journal import Journal, open_journal
from tradecore.journal.postgres.journal import PostgresJournal
from tradecore.testing.journal_samples import run

_WRITERS, _EVENTS = 8, 600

_WRITE = """
from concurrent.futures import ThreadPoolExecutor
url, name, writers, events = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])

def write(number):
    journal = open_journal(url, patience_s=60)
    for version in range(1, events + 1, 3):
        journal.append(run(f"{name} {number}", version, version + 2))
    journal.close()

tell("ready")
told()
with ThreadPoolExecutor(writers) as pool:
    list(pool.map(write, range(writers)))
tell("done")
"""

_CLASH = """
from tradecore.errors import WrongVersion
name, rounds = sys.argv[2], int(sys.argv[3])
journal = open_journal(sys.argv[1])
tell("ready")
told()
won = lost = 0
while won < rounds:
    version = len(journal.load("shared"))
    try:
        journal.append([recorded("shared", version + 1), *run(f"{name}-{won}", 1, 2)])
        won += 1
    except WrongVersion:
        lost += 1
tell(lost)
"""


def _follow(journal: Journal, upto: int) -> list[Recorded[Event]]:
    async def follow() -> list[Recorded[Event]]:
        seen: list[Recorded[Event]] = []
        while len(seen) < upto:
            after = seen[-1].envelope.position if seen else 0
            assert await journal.wait(after, 60)
            seen += journal.read(after, 50)
        return seen

    return asyncio.run(follow())


def test_a_follower_of_eight_writers_in_two_processes_skips_nothing(
    journal: PostgresJournal, url: str, child: Child
) -> None:
    processes = [child(_WRITE, url, name, str(_WRITERS // 2), str(_EVENTS)) for name in ("x", "y")]
    for process in processes:
        assert hear(process) == "ready"
    for process in processes:
        say(process)
    seen = _follow(journal, _WRITERS * _EVENTS)
    assert [hear(process) for process in processes] == ["done", "done"]
    assert [item.envelope.position for item in seen] == list(range(1, _WRITERS * _EVENTS + 1))
    of_stream: dict[str, list[int]] = {}
    for item in seen:
        of_stream.setdefault(item.envelope.stream, []).append(item.envelope.version)
    assert list(of_stream.values()) == [list(range(1, _EVENTS + 1))] * _WRITERS
    journal.check()


def test_with_a_sequence_and_no_lock_the_same_follower_skips(server: Server) -> None:
    """What the lock is for: positions drawn from a sequence become visible out of order."""
    table = "CREATE TABLE public.naive (position bigserial PRIMARY KEY, stream text)"
    stop = threading.Event()

    def write(number: int) -> None:
        with psycopg.connect(server.url("postgres")) as connection:
            for _ in range(_EVENTS):
                if stop.is_set():
                    return
                connection.execute("INSERT INTO public.naive (stream) VALUES (%s)", (str(number),))
                connection.commit()

    with psycopg.connect(server.url("postgres"), autocommit=True) as reader, ThreadPoolExecutor(_WRITERS) as pool:
        reader.execute(table)
        writers = [pool.submit(write, number) for number in range(_WRITERS)]
        last = seen = 0
        while not all(writer.done() for writer in writers):
            rows = reader.execute(
                "SELECT position FROM public.naive WHERE position > %s ORDER BY 1", (last,)
            ).fetchall()
            if rows:
                seen, last = seen + len(rows), rows[-1][0]
            behind = reader.execute("SELECT count(*) FROM public.naive WHERE position <= %s", (last,)).fetchone()
            if behind is not None and behind[0] > seen:
                stop.set()  # one is enough: it was not there when its neighbours were read
        skipped = stop.is_set()
        reader.execute("DROP TABLE public.naive")
    assert skipped


def test_two_writers_clash_properly(journal: PostgresJournal, url: str, child: Child) -> None:
    rounds = 60
    writers = [child(_CLASH, url, name, str(rounds)) for name in ("x", "y")]
    for writer in writers:
        assert hear(writer) == "ready"
    for writer in writers:
        say(writer)
    assert all(int(hear(writer)) >= 0 for writer in writers)
    shared = [item.envelope.version for item in journal.load("shared")]
    assert shared == list(range(1, 2 * rounds + 1))
    assert journal.head() == 2 * rounds * 3
    journal.check()


def test_a_writer_that_holds_the_lock_too_long_is_not_waited_for_for_ever(
    journal: PostgresJournal, url: str, server: Server
) -> None:
    hasty = open_journal(url, patience_s=0.05)
    with psycopg.connect(server.url("postgres")) as other:
        oid = journal.reader.ask(b"SELECT 'events'::regclass::oid::bigint")[0][0]
        other.execute("SELECT pg_advisory_xact_lock(5072854620270000000 + %s::bigint)", (oid,))
        with pytest.raises(StoreUnavailable, match="locked by another process"):
            hasty.append(run("a", 1, 1))
        assert hasty.read(0) == ()
    hasty.append(run("a", 1, 1))
    hasty.close()
