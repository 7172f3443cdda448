"""Appending to the journal on SQLite, durable, against raw sqlite3 and the stock event-sourcing library."""

from __future__ import annotations

import os
import sqlite3
import tempfile
import time
import uuid
from decimal import Decimal
from pathlib import Path

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event
from machine import describe, in_turn, table

from tradecore.domain.events import Event, ReservationReleased
from tradecore.domain.messages import Envelope, Recorded
from tradecore.journal import Journal, KeyRing, open_journal
from tradecore.journal.codec import encode
from tradecore.runner.system import SystemIds

_ROUNDS = 5
_COMMITS = {1: 1000, 10: 300, 100: 60}
_ids = SystemIds()


def made(stream: str, version: int) -> Recorded[Event]:
    """An event of everyday size."""
    envelope = Envelope(
        event_id=_ids.event_id(),
        name=ReservationReleased.NAME,
        schema=1,
        stream=stream,
        version=version,
        position=0,
        recorded_at_ns=time.time_ns(),
        trace_id="0af7651916cd43dd8448eb211c80319c",
        correlation_id="018f3c5e-9d1a-7c3b-8a54-0242ac120002",
        causation_id="018f3c5e-9d1a-7c3b-8a54-0242ac120003",
        actor="outbox",
        source="tradecore",
    )
    return Recorded(envelope, ReservationReleased("main", str(uuid.UUID(int=version)), Decimal("10.5")))


def new_stream() -> str:
    """The stream of a new order, with an id as the runner makes them."""
    return f"order-{_ids.order_id()}"


def ours(journal: Journal, batch: int) -> float:
    """Events per second through the journal."""
    count, stream = _COMMITS[batch], new_stream()
    batches = [[made(stream, n * batch + k + 1) for k in range(batch)] for n in range(count)]
    started = time.perf_counter()
    for events in batches:
        journal.append(events)
    return count * batch / (time.perf_counter() - started)


def raw(connection: sqlite3.Connection, batch: int) -> float:
    """Events per second of the same bytes through sqlite3 with the same pragmas and keys."""
    count, stream = _COMMITS[batch], new_stream()
    batches = [
        [
            (e.envelope.stream, e.envelope.version, e.envelope.name, encode(e), e.envelope.event_id)
            for e in (made(stream, n * batch + k + 1) for k in range(batch))
        ]
        for n in range(count)
    ]
    started = time.perf_counter()
    for rows in batches:
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("INSERT INTO events (stream, version, name, state, event_id) VALUES (?,?,?,?,?)", rows)
        connection.execute("COMMIT")
    return count * batch / (time.perf_counter() - started)


class Stock(Aggregate):
    """What the library's own users write."""

    @event("Released")
    def release(self, account: str, order_id: str, quantity: Decimal) -> None:
        """Change nothing, as the event above."""


def stock(app: Application, batch: int) -> float:
    """Events per second through Application.save with its aggregate and transcoder."""
    count = _COMMITS[batch]
    aggregate = Stock()
    app.save(aggregate)
    started = time.perf_counter()
    for _ in range(count):
        for k in range(batch):
            aggregate.release("main", str(uuid.UUID(int=k)), Decimal("10.5"))
        app.save(aggregate)
    return count * batch / (time.perf_counter() - started)


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        journal = open_journal(f"sqlite:///{folder / 'ours.db'}")
        connection = sqlite3.connect(folder / "raw.db", isolation_level=None)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute(
            "CREATE TABLE events (position INTEGER PRIMARY KEY AUTOINCREMENT, stream TEXT, version INTEGER, name TEXT,"
            " state BLOB, event_id TEXT UNIQUE, UNIQUE (stream, version))"
        )
        app = Application(env={"PERSISTENCE_MODULE": "eventsourcing.sqlite", "SQLITE_DBNAME": str(folder / "stock.db")})
        memory = open_journal("memory:")
        rows = [["events per commit", "tradecore/s", "raw sqlite3/s", "stock library/s", "of raw", "times stock"]]
        for batch in _COMMITS:
            a, b, c = in_turn(
                _ROUNDS,
                lambda batch=batch: ours(journal, batch),
                lambda batch=batch: raw(connection, batch),
                lambda batch=batch: stock(app, batch),
            )
            rows.append([str(batch), f"{a:,.0f}", f"{b:,.0f}", f"{c:,.0f}", f"{a / b:.0%}", f"{a / c:.1f}"])
        table(f"append, SQLite, synchronous=FULL ({describe('eventsourcing', 'msgspec')})", rows)
        (in_memory,) = in_turn(_ROUNDS, lambda: ours(memory, 1))
        table("append in memory", [["events per commit", "tradecore/s"], ["1", f"{in_memory:,.0f}"]])
        sealed = open_journal(f"sqlite:///{folder / 'sealed.db'}", keys=KeyRing({"key": os.urandom(32)}))
        rows = [["events per commit", "plain/s", "encrypted/s", "encrypted of plain"]]
        for batch in _COMMITS:
            a, b = in_turn(_ROUNDS, lambda batch=batch: ours(journal, batch), lambda batch=batch: ours(sealed, batch))
            rows.append([str(batch), f"{a:,.0f}", f"{b:,.0f}", f"{b / a:.0%}"])
        table("append encrypted events, SQLite", rows)
        sealed.close()
        from appenders import grouped_lines

        url = f"sqlite:///{folder / 'grouped.db'}"
        table("group commit, SQLite, synchronous=FULL", grouped_lines(url, _ROUNDS, lambda: raw(connection, 1)))
        journal.close()
        connection.close()
        app.close()


if __name__ == "__main__":
    main()
