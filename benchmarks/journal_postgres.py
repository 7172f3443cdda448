"""The Postgres journal against what it stands on, in one run on a server of its own: read the ratios, not the figures.

`raw` is plain psycopg: lock, array insert and notify in one prepared binary round trip, without chain and checks;
`recorder` is ours from the same bytes, `journal` ours from events, `stock` the library's `Application.save`.

`python benchmarks/journal_postgres.py [--rounds 10]`, from the root of the repository.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import psycopg
from appenders import from_processes, grouped_lines, our_process
from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event
from journal_append import new_stream
from machine import in_turn, table
from tests.postgres.server import PASSWORD, Server

from tradecore.domain.events import AlertTriggered, Event
from tradecore.domain.messages import Recorded
from tradecore.journal.batch import stored
from tradecore.journal.codec import encode
from tradecore.journal.postgres.journal import PostgresJournal
from tradecore.journal.postgres.opening import open_ledger
from tradecore.runner.system import SystemIds
from tradecore.testing.journal_samples import recorded

_ids = SystemIds()
_TEXT = "m" * 100
_SECONDS_PER_ROUND = 1.0

_RAW = """
CREATE TABLE raw_events (
    position bigint PRIMARY KEY, stream text COLLATE "C" NOT NULL, version bigint NOT NULL, name text NOT NULL,
    state bytea NOT NULL, event_id text COLLATE "C" UNIQUE, UNIQUE (stream, version)
);
CREATE FUNCTION raw_append(ids text[], streams text[], versions bigint[], names text[], states bytea[])
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE last bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(77);
    SELECT coalesce(max(position), 0) INTO last FROM raw_events;
    INSERT INTO raw_events SELECT last + n, s, v, t, d, i
    FROM unnest(streams, versions, names, states, ids) WITH ORDINALITY AS u (s, v, t, d, i, n);
    PERFORM pg_notify('raw', '');
    RETURN last + 1;
END $$;
"""
_CALL = "SELECT raw_append(%b, %b, %b::bigint[], %b, %b)"

_PUSH = """
import sys, time
from tradecore.journal import open_journal
from tradecore.testing.journal_samples import run
journal = open_journal(sys.argv[1])
for number in range(1, int(sys.argv[2]) + 1):
    time.sleep(0.02)
    journal.append(run("pushed", number, number))
    print(time.monotonic_ns(), flush=True)
"""


class Dog(Aggregate):
    """The library's own kind of aggregate."""

    @event("Registered")
    def __init__(self, text: str) -> None:
        self.text = text

    @event("Told")
    def tell(self, text: str) -> None:
        """Another event."""
        self.text = text


Turn = Callable[[], float]
"""One append; returns the seconds that it took, without the making of its events."""


def fresh(size: int, message: str = _TEXT) -> list[Recorded[Event]]:
    """The first events of a new stream."""
    stream, alert = new_stream(), AlertTriggered(kind="k", message=message)
    # Ids as the runner makes them: they follow each other in time, and so in an index.
    return [recorded(stream, number, alert, _ids.event_id()) for number in range(1, size + 1)]


def raw_turn(connection: psycopg.Connection, size: int) -> Turn:
    """A plain psycopg append: lock, array insert and notify in one prepared binary round trip."""

    def turn() -> float:
        events = fresh(size)
        batch = stored(events, encode)
        values = (batch.event_ids, batch.streams, batch.versions, batch.names, batch.states)
        begun = time.perf_counter()
        connection.execute(_CALL, values, prepare=True, binary=True).fetchone()
        return time.perf_counter() - begun

    return turn


def recorder_turn(journal: PostgresJournal, size: int) -> Turn:
    """Our recorder: the same bytes, and the chain, and the checks."""

    def turn() -> float:
        events = fresh(size)
        batch = stored(events, encode)
        begun = time.perf_counter()
        journal.recorder.append(batch)
        return time.perf_counter() - begun

    return turn


def journal_turn(journal: PostgresJournal, size: int) -> Turn:
    """Our journal: events in, encoded, proved readable, appended, and out with positions."""

    def turn() -> float:
        events = fresh(size)
        begun = time.perf_counter()
        journal.append(events)
        return time.perf_counter() - begun

    return turn


def stock_turn(app: Application[uuid.UUID], size: int) -> Turn:
    """`Application.save` of an aggregate with so many new events."""

    def turn() -> float:
        dog = Dog(_TEXT)
        for _ in range(size - 1):
            dog.tell(_TEXT)
        begun = time.perf_counter()
        app.save(dog)
        return time.perf_counter() - begun

    return turn


def medians(turns: dict[str, Turn], rounds: int) -> dict[str, float]:
    """Seconds per append. They take turns append by append, so that whatever else the machine does meets all alike."""
    taken: dict[str, list[float]] = {name: [] for name in turns}
    for turn in turns.values():
        for _ in range(20):
            turn()  # plans, caches, connections
    until = time.perf_counter() + rounds * _SECONDS_PER_ROUND
    while time.perf_counter() < until:
        for name, turn in turns.items():
            taken[name].append(turn())
    return {name: statistics.median(times) for name, times in taken.items()}


def appends(server: Server, journal: PostgresJournal, rounds: int) -> None:
    """Events per second, and how ours compare."""
    os.environ |= {
        "PERSISTENCE_MODULE": "eventsourcing.postgres", "POSTGRES_DBNAME": "postgres", "POSTGRES_HOST": "127.0.0.1",
        "POSTGRES_PORT": str(server.port), "POSTGRES_USER": "tester", "POSTGRES_PASSWORD": PASSWORD,
    }  # fmt: skip
    app: Application[uuid.UUID] = Application()
    print(f"{'events/s, median':22}{'raw':>9}{'recorder':>10}{'journal':>9}{'stock':>9}   ratios (goals)")
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute(_RAW)
        for size, goal in ((1, 2.5), (10, 3.0), (100, 5.0)):
            turns = {
                "raw": raw_turn(connection, size), "recorder": recorder_turn(journal, size),
                "journal": journal_turn(journal, size), "stock": stock_turn(app, size),
            }  # fmt: skip
            took = medians(turns, rounds)
            speed = {name: size / seconds for name, seconds in took.items()}
            print(
                f"{size:5} per commit      {speed['raw']:9,.0f}{speed['recorder']:10,.0f}{speed['journal']:9,.0f}"
                f"{speed['stock']:9,.0f}   recorder/raw {speed['recorder'] / speed['raw']:.2f} (0.85), "
                f"journal/raw {speed['journal'] / speed['raw']:.2f}, "
                f"journal/stock {speed['journal'] / speed['stock']:.1f} ({goal})"
            )
    app.close()


def large(journal: PostgresJournal) -> None:
    """One append of 5 MB, as many events and as one."""
    for count in (1000, 1):
        events = fresh(count, "m" * (5_000_000 // count))
        begun = time.perf_counter()
        journal.append(events)
        print(f"5 MB in one append of {count:,} events: {time.perf_counter() - begun:.2f} s")


def following(server: Server, rounds: int) -> None:
    """Decoded events per second of a follower that starts from the beginning."""
    journal = open_ledger(server.url("postgres", schema="followed"), create=True, patience_s=5)
    total = 40_000
    for _ in range(total // 2000):
        journal.append(fresh(2000))
    speeds, burnt = [], []
    for _ in range(max(3, rounds // 3)):
        begun, cpu, after = time.perf_counter(), time.process_time(), 0
        while page := journal.read(after, 2000):
            after = page[-1].envelope.position
        speeds.append(total / (time.perf_counter() - begun))
        burnt.append((time.process_time() - cpu) / total * 1e6)
    print(
        f"following from the start: {statistics.median(speeds):,.0f} decoded events/s (goal 150,000), "
        f"best {max(speeds):,.0f}; {statistics.median(burnt):.1f} µs of our processor time per event"
    )
    journal.close()


def pushing(server: Server, samples: int) -> None:
    """From the commit's return in one process to the event in another's hands."""
    url = server.url("postgres", schema="pushed")
    journal = open_ledger(url, create=True, patience_s=5)
    held: list[int] = []

    async def follow() -> None:
        after = 0
        while after < samples:
            if await journal.wait(after, 30):
                for item in journal.read(after):
                    after = item.envelope.position
                    held.append(time.monotonic_ns())

    process = subprocess.Popen([sys.executable, "-c", _PUSH, url, str(samples)], stdout=subprocess.PIPE, text=True)
    asyncio.run(follow())
    told, _ = process.communicate()
    late = sorted((there - int(done)) / 1e6 for done, there in zip(told.split(), held, strict=True))
    print(
        f"commit returned → other process holds the event: p50 {late[len(late) // 2]:.2f} ms (goal 1), "
        f"p99 {late[len(late) * 99 // 100]:.2f} ms (goal 4), {samples} samples"
    )
    journal.close()


_STOCK = """
import sys, time
sys.path.insert(0, sys.argv[1])
from eventsourcing.application import Application
from journal_postgres import Dog, _TEXT
app = Application()
dog = Dog(_TEXT)
app.save(dog)
print("ready", flush=True)
sys.stdin.readline()
for _ in range(500):
    dog.tell(_TEXT)
    app.save(dog)
print("done", flush=True)
"""


def together(server: Server, rounds: int) -> None:
    """64 callers in one process through group commit, and 4 processes without."""
    url = server.url("postgres", schema="together")
    open_ledger(url, create=True, patience_s=5).close()
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        turn = raw_turn(connection, 1)

        def single() -> float:
            return 1 / statistics.median(turn() for _ in range(300))

        table("group commit, Postgres", grouped_lines(url, max(3, rounds // 2), single))
    stock = [sys.executable, "-c", _STOCK, str(Path(__file__).parent)]
    ours, theirs = in_turn(
        max(2, rounds // 4),
        lambda: from_processes(lambda: our_process(url), 4),
        lambda: from_processes(lambda: stock, 4),
    )
    print(f"\n4 processes, one event per commit: {ours:,.0f} events/s, stock {theirs:,.0f}: {ours / theirs:.1f} (1.5)")


def flush_speed() -> float:
    """Median milliseconds of an 8 kB write and flush here."""
    with tempfile.NamedTemporaryFile() as file:
        taken = []
        for _ in range(100):
            begun = time.perf_counter()
            os.pwrite(file.fileno(), b"x" * 8192, 0)
            os.fdatasync(file.fileno())
            taken.append(time.perf_counter() - begun)
    return statistics.median(taken) * 1e3


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--samples", type=int, default=300)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder))
        try:
            server.create()
            server.start()
            with psycopg.connect(server.url("postgres")) as connection:
                postgres = connection.execute("SHOW server_version").fetchone()
            names = ("psycopg", "psycopg-binary", "eventsourcing", "msgspec")
            print(f"Postgres {postgres and postgres[0]}, " + ", ".join(f"{name} {version(name)}" for name in names))
            print(
                f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores, load "
                f"{os.getloadavg()[0]:.1f}, 8 kB write and flush {flush_speed():.2f} ms; TCP on loopback, fsync on"
            )
            journal = open_ledger(server.url("postgres"), create=True, patience_s=5)
            appends(server, journal, options.rounds)
            large(journal)
            journal.close()
            together(server, options.rounds)
            following(server, options.rounds)
            pushing(server, options.samples)
        finally:
            server.remove()


if __name__ == "__main__":
    main()
