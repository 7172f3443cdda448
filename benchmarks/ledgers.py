"""Large ledgers of trading, quickly: a day that the real domain decided, over and over under new ids."""

from __future__ import annotations

import re
import sys
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path

import attrs
from eventsourcing.persistence import StoredEvent

from tradecore.domain.events import Event
from tradecore.domain.messages import Recorded
from tradecore.domain.order import OrderState
from tradecore.domain.terms import body_hash
from tradecore.draft import load
from tradecore.journal.batch import plain
from tradecore.journal.codec import encode
from tradecore.journal.contract import Journal
from tradecore.journal.postgres.journal import PostgresJournal
from tradecore.journal.sqlite.journal import SqliteJournal

sys.path.insert(0, str(Path(__file__).parents[1]))  # the desk of the tests is not part of the wheel
from tests.ledger.desk import Desk

_ORDERS = 300
_AT_ONCE = 1_000
_ID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])")
_ORDER = "0" * 15 + "1"
"""How the desk's order ids begin."""

_SYMBOLS = ("SPY", "QQQ", "IWM")


@attrs.frozen
class Day:
    """Events of round trips that end flat, and the orders in them."""

    head: list[StoredEvent]
    events: list[StoredEvent]
    orders: list[OrderState]
    first_version: int
    versions: int


def a_day() -> Day:
    """So many orders; each pair buys and sells again, about 13 events per order."""
    desk = Desk.in_memory()
    desk.pin("1000000000000")
    journal = desk.ledger.journal
    first = journal.head()
    for number in range(_ORDERS):
        desk.done("buy" if number % 2 == 0 else "sell", "10", "100.25", symbol=_SYMBOLS[number // 2 % 3])
    events = journal.read(first, 1_000_000)
    orders = [desk.order(item.event.order_id) for item in events if item.envelope.name == "trade.order.queued"]  # type: ignore[attr-defined]
    versions = [item.envelope.version for item in events if item.envelope.stream == "account-main"]
    return Day(
        _bytes_of(journal.read(0, first)),
        _bytes_of(events),
        orders,
        versions[0] - 1,
        len(versions),
    )


def traded(journal: Journal, events: int) -> None:
    """Fill a ledger with about so many events; an empty one is opened first, a filled one goes on."""
    assert isinstance(journal, SqliteJournal | PostgresJournal)
    day = a_day()
    if journal.head() == 0:
        _append(journal, day.head)
    version = load(journal, "account-main").version
    while (head := journal.head()) < events:
        again = list(_another(day, head // len(day.events) + 1, version - day.first_version))
        for first in range(0, len(again), _AT_ONCE):
            _append(journal, again[first : first + _AT_ONCE])
        version += day.versions


def _bytes_of(events: Sequence[Recorded[Event]]) -> list[StoredEvent]:
    found = [(item.envelope, encode(item)) for item in events]
    return [StoredEvent(envelope.stream, envelope.version, envelope.name, state) for envelope, state in found]


def _append(journal: SqliteJournal | PostgresJournal, events: list[StoredEvent]) -> None:
    """As `append` does, with events that are bytes already."""
    batch = plain(events)
    firsts: dict[str, int] = {}
    for stream, version in zip(batch.streams, batch.versions, strict=True):
        firsts.setdefault(stream, version)
    ids: list[str | None] = [state[7:43].decode() for state in batch.states]
    journal.append_batch(attrs.evolve(batch, event_ids=ids, firsts=firsts))


def _another(day: Day, number: int, versions: int) -> Iterator[StoredEvent]:
    """The day under the ids of its number, its account so many versions later."""
    known: dict[bytes, bytes] = {}

    def renamed(found: re.Match[bytes]) -> bytes:
        old = found.group()
        if old not in known:
            digits = old.replace(b"-", b"").decode()
            fresh = uuid.uuid5(uuid.NAMESPACE_OID, f"{number} {digits}")
            is_trace = b"-" not in old and not digits.startswith(_ORDER)
            if digits.startswith("0" * 12) and not is_trace:  # ids of events and orders rise, as real ones do
                fresh = uuid.UUID(f"{number:08x}{digits[12:16]}{digits[-4:]}{fresh.hex[16:]}")
            known[old] = (str(fresh) if b"-" in old else fresh.hex).encode()
        return known[old]

    for order in day.orders:
        order_id, client_id = (_ID.sub(renamed, each.encode()) for each in (order.order_id, order.client_order_id))
        again = attrs.evolve(order, order_id=order_id.decode(), client_order_id=client_id.decode())
        assert order.body_hash is not None
        known[order.body_hash.encode()] = body_hash(again).encode()
    for event in day.events:
        stream, version = str(event.originator_id), event.originator_version
        state = _ID.sub(renamed, event.state)
        if event.topic == "trade.order.queued":
            old = state[state.index(b'"body_hash":"') + 13 :][:64]
            state = state.replace(old, known[old])
        if stream == "account-main":
            version += versions
        else:
            stream = _ID.sub(renamed, stream.encode()).decode()
        yield StoredEvent(stream, version, event.topic, state)
