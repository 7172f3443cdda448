"""Plans are made while the ledger is empty and kept: an append must not come to read all of it."""

from __future__ import annotations

import time

import psycopg
import pytest

from tests.postgres.server import Server
from tradecore.domain.events import Event
from tradecore.domain.messages import Recorded
from tradecore.journal.postgres.address import parse
from tradecore.journal.postgres.opening import open_ledger
from tradecore.testing.journal_samples import run

_READ = (
    "SELECT sum(seq_tup_read)::bigint, (SELECT sum(idx_tup_read)::bigint FROM pg_stat_all_indexes i "
    "WHERE i.schemaname = t.schemaname AND i.relname = 'events') "
    "FROM pg_stat_all_tables t WHERE t.schemaname = %s AND t.relname = 'events' GROUP BY t.schemaname"
)


def _rows_read(server: Server, url: str) -> int:
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        row = connection.execute(_READ, (parse(url).schema,)).fetchone()
    assert row is not None
    return int(row[0]) + int(row[1])


def _until_ended(server: Server, pid: int) -> None:
    deadline = time.monotonic() + 30
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        while connection.execute("SELECT FROM pg_stat_activity WHERE pid = %s", (pid,)).fetchone() is not None:
            assert time.monotonic() < deadline
            time.sleep(0.01)


def _streams(version: int, streams: int) -> list[Recorded[Event]]:
    return [event for number in range(streams) for event in run(f"s-{number}", version, version)]


@pytest.mark.parametrize("streams", [1, 5])
def test_an_append_reads_a_few_rows_of_a_long_ledger(server: Server, url: str, streams: int) -> None:
    journal = open_ledger(url, create=True, patience_s=5)
    for version in range(1, 4):  # the plans are made here
        journal.append(_streams(version, streams))
    journal.append(run("long", 1, 3000))
    for version in range(4, 14):
        journal.append(_streams(version, streams))
    line = journal.writer._line
    assert line is not None
    journal.close()
    _until_ended(server, line.backend.pid)  # what a session has read is counted when it ends
    assert 0 < _rows_read(server, url) < 3000
