"""A start reads what is open and what is new, however much the ledger holds."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.ledger.desk import Desk
from tradecore.domain import commands as cmd
from tradecore.domain.events import Event
from tradecore.domain.limits import Limits
from tradecore.domain.messages import Recorded
from tradecore.engine import Engine
from tradecore.engine_terms import Terms
from tradecore.inbox import Inbox
from tradecore.journal import Journal
from tradecore.ledger import Ledger
from tradecore.outbox import Outbox, Pace
from tradecore.runner.system import SystemRng
from tradecore.strategies.none import NoStrategy
from tradecore.views import ALL_VIEWS
from tradecore.views.projector import Projector
from tradecore.views.snapshots import Snapshots


def fresh_engine(desk: Desk, journal: Journal) -> Engine:
    """As a new process makes it; the broker is not asked for anything here."""
    broker: Any = None
    ledger = Ledger(journal, desk.clock, desk.ids)
    outbox = Outbox(ledger, broker, desk.clock, desk.ids, SystemRng(), lambda: "lease-2", Pace())
    inbox = Inbox(ledger, broker, desk.ids, "main")
    projector = Projector(journal, [*ALL_VIEWS, Snapshots(journal, every=10)])
    terms = Terms("main", Limits(max_order_qty=Decimal(100)), 30.0)
    return Engine(ledger, broker, NoStrategy(), outbox, inbox, projector, desk.clock, desk.ids, terms)


def test_settled_orders_and_the_past_of_the_account_are_not_read_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.pin()
    desk.limit(qty="100")
    for _ in range(30):
        desk.done("buy", "1", "50")
        desk.report(desk.live("buy", "1"), "canceled")
    unfilled = desk.live("buy", "2")
    desk.report(unfilled, "canceled", filled="1")  # its fill is still to come, so it is not settled
    planned = desk.place("sell", "1")
    journal = desk.ledger.journal
    head = fresh_engine(desk, journal).projector.catch_up()
    desk.give(cmd.CancelOrder(desk.live("buy", "3"), "by hand"))

    loads: dict[str, int] = {}
    reads: list[int] = []
    load, read = journal.load, journal.read

    def watched_load(stream: str, after: int = 0, limit: int | None = None) -> tuple[Recorded[Event], ...]:
        events = load(stream, after, limit)
        loads[stream] = loads.get(stream, 0) + len(events)
        return events

    def watched_read(after: int, limit: int = 1000) -> tuple[Recorded[Event], ...]:
        if limit > 1:  # the birth of the ledger is looked at by every start
            reads.append(after)
        return read(after, limit)

    monkeypatch.setattr(journal, "load", watched_load)
    monkeypatch.setattr(journal, "read", watched_read)
    engine = fresh_engine(desk, journal)
    engine._restore()
    engine.catch_up()
    assert set(reads) == {head, journal.head()}
    assert len([stream for stream in loads if stream.startswith("order-")]) == 3
    assert {f"order-{unfilled}", f"order-{planned}"} < loads.keys()
    assert loads["account-main"] <= 25
    assert engine.outbox.open_items == 2  # the order to send and the cancel to send
    assert unfilled in engine.inbox._unsettled


def test_a_start_with_a_parked_view_of_orders_follows_the_log_from_there(desk: Desk) -> None:
    """The view stops; the orders behind it are taken up from the log."""
    desk.pin()
    desk.done("buy", "1", "50")
    journal = desk.ledger.journal
    orders = ALL_VIEWS[0]
    stopped = Projector(journal, [orders]).catch_up()
    journal.views.replace("orders", orders.shape, stopped, {})
    first = desk.live("buy", "1")
    journal.views.replace("orders", orders.shape, journal.head() - 1, {})
    desk.give(cmd.CancelOrder(first, "by hand"))
    second = desk.place("buy", "2")
    engine = fresh_engine(desk, journal)
    engine._restore()
    assert engine.follower.position < journal.head()
    engine.catch_up()
    assert engine.outbox.open_items == 2
    assert engine.ledger.order(second) is not None
