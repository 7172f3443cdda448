"""Where the exchange keeps itself: one SQLite file, one transaction for every input."""

from __future__ import annotations

import sqlite3
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import attrs
import msgspec

from tradecore.domain.values import Quote
from tradecore.errors import ConfigurationError, CorruptLedger, StoreUnavailable
from tradecore_exchange.accounts import AccountEntry
from tradecore_exchange.activities import Activity
from tradecore_exchange.changes import Changes, ExchangeState
from tradecore_exchange.market_clock import MarketClock
from tradecore_exchange.orders import Order, TradeUpdate

_SCHEMA = """
CREATE TABLE IF NOT EXISTS market (id INTEGER PRIMARY KEY CHECK (id = 1), fingerprint TEXT NOT NULL,
    steps INTEGER NOT NULL, market_ns INTEGER NOT NULL, stamped_ns INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS exchange (id INTEGER PRIMARY KEY CHECK (id = 1), body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS orders (number INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS activities (number INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS quotes (symbol TEXT PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS posts (client_order_id TEXT PRIMARY KEY, count INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS closes (at_ns INTEGER PRIMARY KEY, equity TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS updates (number INTEGER PRIMARY KEY, at_ns INTEGER NOT NULL, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS accounts (number INTEGER PRIMARY KEY, body BLOB NOT NULL);
"""

T = TypeVar("T")


class AnotherMarket(ConfigurationError):
    """Raised when a store was filled on another market than the one it is opened with."""

    def __init__(self, stored: str, given: str) -> None:
        self.stored = stored
        self.given = given
        super().__init__(
            f"the exchange's store belongs to the market {stored}, not to {given}; "
            "start it with the same symbols and the same bars, or with another store"
        )


@attrs.define
class Saved:
    """All that a store holds of an exchange."""

    state: ExchangeState
    clock: MarketClock
    steps: int
    orders: list[Order]
    activities: list[Activity]
    quotes: list[Quote]
    posts: dict[str, int]
    closes: list[tuple[int, str]]


@attrs.define
class Extras:
    """What one input changed besides the exchange itself."""

    quotes: dict[str, Quote] = attrs.field(factory=dict)
    posts: dict[str, int] = attrs.field(factory=dict)
    closes: list[tuple[int, str]] = attrs.field(factory=list)
    updates: Sequence[TradeUpdate] = ()


class Store:
    """An exclusively held SQLite file, or memory when `path` is None. Nothing answered is lost by a crash.

    Raises:
        StoreUnavailable: when it cannot be opened (another exchange holds it), read or written.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        try:
            self._db = sqlite3.connect(
                ":memory:" if path is None else path, isolation_level=None, check_same_thread=False, timeout=0.5
            )
            weakref.finalize(self, self._db.close)  # a store that is forgotten lets go of its file
            self._db.execute("PRAGMA locking_mode=EXCLUSIVE")
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
            self._db.execute("BEGIN EXCLUSIVE")
            for statement in _SCHEMA.strip().split(";\n"):
                self._db.execute(statement)
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            raise StoreUnavailable(f"cannot open the exchange's store {path}: {error}") from error

    def load(self, fingerprint: str) -> Saved | None:
        """What was saved, or None when nothing was.

        Raises `AnotherMarket` when it was saved on a market of another fingerprint, `CorruptLedger` when it cannot be
        understood.
        """
        try:
            market = self._db.execute("SELECT fingerprint, steps, market_ns, stamped_ns FROM market").fetchone()
            state = self._db.execute("SELECT body FROM exchange").fetchone()
            if market is None or state is None:
                return None
            if market[0] != fingerprint:
                raise AnotherMarket(market[0], fingerprint)
            return Saved(
                state=msgspec.json.decode(state[0], type=ExchangeState),
                clock=MarketClock(market[2], market[3]),
                steps=market[1],
                orders=self._all("SELECT body FROM orders ORDER BY number", Order),
                activities=self._all("SELECT body FROM activities ORDER BY number", Activity),
                quotes=self._all("SELECT body FROM quotes", Quote),
                posts=dict(self._db.execute("SELECT client_order_id, count FROM posts").fetchall()),
                closes=self._db.execute("SELECT at_ns, equity FROM closes ORDER BY at_ns").fetchall(),
            )
        except sqlite3.Error as error:
            raise StoreUnavailable(f"cannot read the exchange's store {self.path}: {error}") from error
        except msgspec.MsgspecError as error:
            raise CorruptLedger(f"cannot understand the exchange's store {self.path}: {error}") from error

    def save(
        self,
        fingerprint: str,
        steps: int,
        clock: MarketClock,
        changes: Changes,
        state: ExchangeState | None,
        extras: Extras,
    ) -> None:
        """Write one input's changes in one transaction, on disk when this returns. `state` None: it did not change."""
        write = self._db.execute
        encode = msgspec.json.encode
        try:
            write("BEGIN IMMEDIATE")
            write(
                "INSERT OR REPLACE INTO market VALUES (1, ?, ?, ?, ?)",
                (fingerprint, steps, clock.market_ns, clock.stamped_ns),
            )
            for order in changes.orders.values():
                write("INSERT OR REPLACE INTO orders VALUES (?, ?)", (order.number, encode(order)))
            for activity in changes.activities:
                write("INSERT INTO activities VALUES (?, ?)", (activity.number, encode(activity)))
            for quote in extras.quotes.values():
                write("INSERT OR REPLACE INTO quotes VALUES (?, ?)", (quote.symbol, encode(quote)))
            for client_order_id, count in extras.posts.items():
                write("INSERT OR REPLACE INTO posts VALUES (?, ?)", (client_order_id, count))
            for update in extras.updates:
                write("INSERT INTO updates (at_ns, body) VALUES (?, ?)", (update.at_ns, encode(update)))
            for close in extras.closes:
                write("INSERT OR REPLACE INTO closes VALUES (?, ?)", close)
            if state is not None:
                write("INSERT OR REPLACE INTO exchange VALUES (1, ?)", (encode(state),))
            write("COMMIT")
        except sqlite3.Error as error:
            raise StoreUnavailable(f"cannot write the exchange's store {self.path}: {error}") from error

    def sibling(self, name: str) -> Store:
        """The store of another account of the same exchange: a file beside this one, or memory as this one is."""
        return Store(None if self.path is None else self.path.with_name(f"{self.path.stem}.{name}{self.path.suffix}"))

    def updates(self, after: int, limit: int) -> list[tuple[int, TradeUpdate]]:
        """What the trade stream told, with its numbers, in order. Raises `StoreUnavailable`, `CorruptLedger`."""
        rows = self._read("SELECT number, body FROM updates WHERE number > ? ORDER BY number LIMIT ?", (after, limit))
        try:
            return [(number, msgspec.json.decode(body, type=TradeUpdate)) for number, body in rows]
        except msgspec.MsgspecError as error:
            raise CorruptLedger(f"cannot understand the exchange's store {self.path}: {error}") from error

    def updates_before(self, at_ns: int | None = None) -> int:
        """The number of the last update before a time, or of the last one of all; zero when there is none."""
        if at_ns is None:
            rows = self._read("SELECT max(number) FROM updates", ())
        else:
            rows = self._read("SELECT max(number) FROM updates WHERE at_ns < ?", (at_ns,))
        return rows[0][0] or 0

    def accounts(self) -> list[AccountEntry]:
        """The further accounts that were opened here, oldest first."""
        return [msgspec.json.decode(body, type=AccountEntry) for (body,) in self._read("SELECT body FROM accounts", ())]

    def keep_account(self, entry: AccountEntry) -> None:
        """Remember a further account. Raises `StoreUnavailable`."""
        try:
            self._db.execute("INSERT INTO accounts (body) VALUES (?)", (msgspec.json.encode(entry),))
        except sqlite3.Error as error:
            raise StoreUnavailable(f"cannot write the exchange's store {self.path}: {error}") from error

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def _read(self, query: str, values: tuple[int, ...]) -> list[Any]:
        try:
            return self._db.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise StoreUnavailable(f"cannot read the exchange's store {self.path}: {error}") from error

    def _all(self, query: str, kind: type[T]) -> list[T]:
        decoder = msgspec.json.Decoder(kind)
        return [decoder.decode(body) for (body,) in self._db.execute(query)]
