"""Hears of appends by other processes: LISTEN on a connection and a thread of its own.

A notification carries the position that the ledger has reached, so that who is woken need not ask for it. One that is
lost makes a wake-up late, never absent, because waiters look by themselves every second.
"""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Callable

import psycopg
from psycopg.sql import SQL, Identifier

from tradecore.errors import JournalError
from tradecore.journal.postgres.address import Address
from tradecore.journal.postgres.connection import Line, connect

_CHANNEL = "SELECT 'tradecore_' || 'events'::regclass::oid::text"
_PAUSE_S = 0.5


class Listener:
    """Calls `on_news` with the position after appends become visible; with 0 when there may be news."""

    def __init__(self, address: Address, on_news: Callable[[int], None]) -> None:
        self._address = address
        self._on_news = on_news
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._pid = os.getpid()
        self._stop = threading.Event()
        self._ear, self._mouth = -1, -1

    def start(self) -> None:
        """Begin to listen, once; it is in force soon after."""
        with self._lock:
            if self._thread is None and not self._stop.is_set():
                self._ear, self._mouth = os.pipe()
                self._thread = threading.Thread(target=self._run, name="tradecore-listener", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """Stop listening; harmless when repeated."""
        if self._pid != os.getpid():
            return
        with self._lock:
            self._stop.set()
            if self._thread is not None and self._mouth >= 0:
                os.close(self._mouth)
                self._mouth = -1
                self._thread.join()  # it may be connecting, which ends by itself
                os.close(self._ear)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                line = connect(self._address, 1.0)
                try:
                    self._listen(line)
                finally:
                    line.close()
            except (psycopg.Error, JournalError, OSError):
                # Waiters look by themselves meanwhile, and meet the error in the open.
                self._stop.wait(_PAUSE_S)

    def _listen(self, line: Line) -> None:
        row = line.connection.execute(_CHANNEL).fetchone()
        assert row is not None, "a select of values has one row"
        line.connection.execute(SQL("LISTEN {}").format(Identifier(row[0])))
        self._on_news(0)  # what was appended before LISTEN was in force would otherwise wait for the next
        pgconn = line.connection.pgconn
        poll = select.poll()
        poll.register(pgconn.socket, select.POLLIN)
        poll.register(self._ear, select.POLLIN)
        while not self._stop.is_set():
            poll.poll()
            pgconn.consume_input()
            heard = -1
            while (notice := pgconn.notifies()) is not None:
                heard = max(heard, int(notice.extra) if notice.extra.isdigit() else 0)
            if heard >= 0:
                self._on_news(heard)
