"""An order whose terms are not those that were decided on is never sent; a person must look, and the others go on."""

from __future__ import annotations

import datetime as dt

import anyio

from tests.ledger.desk import NOON
from tests.review.scripted import Office
from tradecore.domain import commands as cmd
from tradecore.domain.events import AlertTriggered, OrderQueued
from tradecore.domain.messages import Cause
from tradecore.domain.values import OrderStatus
from tradecore.views import ALL_VIEWS, read_rows
from tradecore.views.projector import Projector

LATER = NOON + dt.timedelta(hours=1)


def spoil(office: Office, order_id: str) -> None:
    """Let the ledger say that something else was decided on, as damage or a wrong build would."""
    queued = OrderQueued(order_id, "0" * 64, LATER)
    office.desk.ledger.note(f"order-{order_id}", queued, Cause("1" * 32, actor="damage"))


def dead(office: Office) -> list[tuple[str, int, str]]:
    Projector(office.desk.ledger.journal, ALL_VIEWS).catch_up()
    rows = [row for row in read_rows(office.desk.ledger.journal, "outbox") if row["status"] == "dead"]
    return [(row["order_id"], row["attempts"], row["last_error"]) for row in rows]


def alerts(office: Office) -> list[AlertTriggered]:
    events = [recorded.event for recorded in office.desk.ledger.journal.read(0, 100_000)]
    return [event for event in events if isinstance(event, AlertTriggered)]


def test_a_wrong_body_makes_one_order_dead_and_the_others_go_on() -> None:
    async def story() -> None:
        office = Office.open()
        first, wrong, last = (office.desk.place("buy", "10", symbol) for symbol in ("SPY", "SPY", "QQQ"))
        spoil(office, wrong)
        await office.deliver()
        sent = [call[1] for call in office.broker.calls if call[0] == "submit"]
        assert sorted(sent) == sorted(office.desk.order(order).client_order_id for order in (first, last))
        reason = "what would be sent is not what was decided on"
        assert dead(office) == [(wrong, 0, reason)]
        (alert,) = alerts(office)
        assert alert.kind == "delivery_dead"
        assert wrong in alert.message
        assert reason in alert.message
        after = office.desk.place("buy", "1")
        await office.deliver()
        assert office.desk.order(after).broker_order_id is not None

    anyio.run(story)


def test_it_stays_unsent_when_tried_again_and_ends_when_discarded() -> None:
    async def story() -> None:
        office = Office.open()
        wrong = office.desk.place("buy", "10")
        spoil(office, wrong)
        await office.deliver()
        office.desk.give(cmd.RetryWork(wrong, "again", LATER))
        await office.deliver()
        assert (office.desk.order(wrong).dead, office.broker.count("submit")) == (True, 0)
        assert [alert.kind for alert in alerts(office)] == ["delivery_dead"] * 2
        office.desk.give(cmd.DiscardWork(wrong, "damaged"))
        assert office.desk.order(wrong).status is OrderStatus.CANCELED
        assert wrong not in office.desk.account.reservations

    anyio.run(story)


def test_one_that_is_not_wanted_any_more_ends_as_it_would_otherwise() -> None:
    async def story() -> None:
        office = Office.open()
        wrong = office.desk.place("buy", "10")
        spoil(office, wrong)
        office.desk.clock.at = LATER + dt.timedelta(seconds=1)
        await office.deliver()
        assert office.desk.order(wrong).status is OrderStatus.CANCELED
        assert (dead(office), office.broker.count("submit")) == ([], 0)

    anyio.run(story)
