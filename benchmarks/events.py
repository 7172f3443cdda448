"""Events as bytes and back, and a long stream loaded and folded: against json and the stock library.

Seconds are of this process's CPU: everything here is one thread at work, and a busy machine should not show.
"""

from __future__ import annotations

import datetime as dt
import json
import tempfile
import time
import uuid
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, DomainEvent, event
from eventsourcing.persistence import DatetimeAsISO, DecimalAsStr, JSONTranscoder, Mapper, UUIDAsHex
from ledgers import traded
from machine import describe, in_turn, table

from tradecore.domain.events import FillRecorded
from tradecore.domain.values import Side
from tradecore.draft import load
from tradecore.journal import open_journal
from tradecore.journal.codec import decode, encode
from tradecore.testing.journal_samples import recorded
from tradecore.views.projector import Projector
from tradecore.views.snapshots import Snapshots

_ROUNDS = 5
_CALLS = 5_000
_AT = dt.datetime(2026, 2, 3, 14, 30, 0, 123456, tzinfo=dt.UTC)
_FILL = FillRecorded(
    fill_id=str(uuid.uuid4()),
    order_id=str(uuid.uuid4()),
    trade_id=str(uuid.uuid4()),
    account="main",
    broker_order_id=str(uuid.uuid4()),
    execution_id="20260203143000123::a1b2",
    symbol="AAPL",
    side=Side.BUY,
    quantity=Decimal("10.5"),
    price=Decimal("187.2345"),
    cumulative_qty=Decimal("20.5"),
    fees=Decimal("0.01"),
    occurred_at=_AT,
    source="stream",
    raw="",
)


def microseconds(work: Callable[[], object]) -> Callable[[], float]:
    """Time one call, in microseconds, over many."""

    def measure() -> float:
        started = time.process_time()
        for _ in range(_CALLS):
            work()
        return (time.process_time() - started) / _CALLS * 1e6

    return measure


class Filled(DomainEvent):
    """The same fields as a stock event; what the stock library has no transcoding for is text."""

    fill_id: str
    order_id: str
    trade_id: str
    account: str
    broker_order_id: str
    execution_id: str
    symbol: str
    side: str
    quantity: Decimal
    price: Decimal
    cumulative_qty: Decimal
    fees: Decimal
    occurred_at: dt.datetime
    source: str
    raw: str
    trace_id: str
    correlation_id: str
    causation_id: str
    actor: str


def stock_mapper() -> tuple[Mapper[Any], Filled]:
    """The stock library's JSON mapper and an equal event."""
    transcoder = JSONTranscoder()
    for transcoding in (UUIDAsHex(), DecimalAsStr(), DatetimeAsISO()):
        transcoder.register(transcoding)
    fields = {name: getattr(_FILL, name) for name in FillRecorded.__struct_fields__}
    del fields["parts"]  # none here, and the stock library has no transcoding for a tuple of ours
    fields |= {"side": "buy"}
    envelope = {key: str(uuid.uuid4()) for key in ("trace_id", "correlation_id", "causation_id", "actor")}
    identity = {"originator_id": uuid.uuid4(), "originator_version": 1, "timestamp": _AT}
    return Mapper(transcoder), Filled(**identity, **fields, **envelope)


def plain_json() -> tuple[dict[str, Any], Callable[[], object], Callable[[], object]]:
    """The standard library: dict to text, and text to dict with numbers and time parsed."""
    fields = {name: getattr(_FILL, name) for name in FillRecorded.__struct_fields__}
    whole = {"id": str(uuid.uuid4()), "v": 1, "at": time.time_ns(), "trace": "0" * 32, "data": fields}
    text = json.dumps(whole, default=str)

    def back() -> object:
        data = json.loads(text)["data"]
        for name in ("quantity", "price", "cumulative_qty", "fees"):
            data[name] = Decimal(data[name])
        data["occurred_at"] = dt.datetime.fromisoformat(data["occurred_at"])
        data["side"] = Side(data["side"])
        return FillRecorded(**data)

    return whole, lambda: json.dumps(whole, default=str).encode(), back


def codecs() -> None:
    """One event out and in."""
    ours = recorded("fill-1", 1, _FILL)
    row = (1, "fill-1", 1, _FILL.NAME, encode(ours))
    mapper, theirs = stock_mapper()
    stored = mapper.to_stored_event(theirs)
    _, dump, parse = plain_json()
    works = [
        lambda: encode(ours), lambda: decode(row), dump, parse,
        lambda: mapper.to_stored_event(theirs), lambda: mapper.to_domain_event(stored),
    ]  # fmt: skip
    out, back, json_out, json_back, stock_out, stock_back = in_turn(_ROUNDS, *map(microseconds, works))
    table(
        f"One fill as bytes and back, µs ({describe('msgspec', 'attrs', 'eventsourcing')})",
        [
            ["what", "out", "in", "ratio out", "ratio in"],
            ["tradecore (out: proved readable)", f"{out:.1f}", f"{back:.1f}", "1", "1"],
            ["json of the standard library", f"{json_out:.1f}", f"{json_back:.1f}",
             f"{json_out / out:.1f}", f"{json_back / back:.1f}"],
            ["stock eventsourcing mapper", f"{stock_out:.1f}", f"{stock_back:.1f}",
             f"{stock_out / out:.1f}", f"{stock_back / back:.1f}"],
        ],
    )  # fmt: skip


class Account(Aggregate):
    """The stock library's way to keep cash, a position and reservations."""

    def __init__(self) -> None:
        self.last: tuple[object, ...] = ()
        self.cash = Decimal(0)
        self.quantity = Decimal(0)
        self.reservations: dict[str, Decimal] = {}

    @event("Reserved")
    def reserve(self, account: str, order_id: str, trade_id: str, symbol: str, side: str, quantity: Decimal) -> None:
        self.last = (account, trade_id, symbol, side)
        self.reservations[order_id] = quantity

    @event("Booked")
    def book(
        self, account: str, symbol: str, fill_id: str, order_id: str, trade_id: str, strategy: str, quantity: Decimal,
        price: Decimal, fees: Decimal, cash_delta: Decimal, realised_pnl: Decimal,
    ) -> None:  # fmt: skip
        self.last = (account, symbol, fill_id, order_id, trade_id, strategy, price, realised_pnl)
        self.cash += cash_delta - fees
        self.quantity += quantity

    @event("Released")
    def release(self, account: str, order_id: str, quantity: Decimal) -> None:
        self.last = (account, quantity)
        del self.reservations[order_id]


def stock_stream(path: Path, events: int) -> Callable[[], float]:
    """Seconds to load an account of so many events through the stock repository."""
    app: Application[Any] = Application(
        env={"PERSISTENCE_MODULE": "eventsourcing.sqlite", "SQLITE_DBNAME": str(path), "SQLITE_LOCK_TIMEOUT": "5"}
    )
    account, ten = Account(), Decimal(10)
    for _ in range(events // 3):
        order, fill, trade = (str(uuid.uuid4()) for _ in range(3))
        account.reserve("main", order, trade, "SPY", "buy", ten)
        account.book("main", "SPY", fill, order, trade, "a", ten, Decimal("100.25"), Decimal(0), Decimal(-1002), ten)
        account.release("main", order, Decimal(0))
    app.save(account)

    def measure() -> float:
        started = time.process_time()
        app.repository.get(account.id)
        return time.process_time() - started

    return measure


def loading(folder: Path) -> None:
    """A stream of 10,000 events, from its beginning and from a snapshot."""
    journal = open_journal(f"sqlite:///{folder / 'stream.db'}")
    traded(journal, 45_000)
    versions = len(journal.load("account-main"))
    theirs = stock_stream(folder / "stock.db", versions)

    def ours() -> float:
        started = time.process_time()
        load(journal, "account-main")
        return time.process_time() - started

    def read() -> float:
        started = time.process_time()
        journal.load("account-main")
        return time.process_time() - started

    whole, reading, stock = in_turn(_ROUNDS, ours, read, theirs)
    Projector(journal, [Snapshots(journal)]).catch_up()
    (short,) = in_turn(_ROUNDS, ours)
    journal.close()
    table(
        f"An account of {versions:,} events on SQLite, loaded and folded ({describe('eventsourcing', 'msgspec')})",
        [
            ["what", "ms", "events/s", "stock takes"],
            ["stock repository", f"{stock * 1e3:.0f}", f"{versions / stock:,.0f}", "1x"],
            ["tradecore, whole stream", f"{whole * 1e3:.0f}", f"{versions / whole:,.0f}", f"{stock / whole:.1f}x"],
            [
                "of that: read and decoded",
                f"{reading * 1e3:.0f}",
                f"{versions / reading:,.0f}",
                f"{stock / reading:.1f}x",
            ],
            ["tradecore, snapshot and tail", f"{short * 1e3:.1f}", "", f"{stock / short:.0f}x"],
        ],
    )


def main() -> None:
    """Measure and print."""
    codecs()
    with tempfile.TemporaryDirectory() as folder:
        loading(Path(folder))


if __name__ == "__main__":
    main()
