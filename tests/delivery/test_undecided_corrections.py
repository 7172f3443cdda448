"""A correction that may mean one execution or another is told, closes the gate, and is placed once the broker tells."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import anyio
import attrs
import pytest

from tests.ledger.desk import NOON
from tests.review.scripted import Office, engine_of
from tradecore.inbox import Inbox
from tradecore.ports.broker import Execution, OrderReport
from tradecore.reconcile import UNDECIDED, Differences

SECOND = dt.timedelta(seconds=1)


async def corrected(office: Office) -> str:
    """Two executions of one size, and a correction of one of them under a name that only the stream uses."""
    order = office.broker.have("by-hand", updated_at=NOON + SECOND, qty="10")
    await office.collect()
    (order_id,) = office.desk.account.reservations
    for second, (quantity, price) in enumerate((("5", "100"), ("5", "102"))):
        office.broker.fill(order, quantity, NOON + (2 + second) * SECOND, price)
    office.broker.fills = [attrs.evolve(one, execution_id=f"t::{one.execution_id}") for one in office.broker.fills]
    last = office.broker.fills[-1]
    office.broker.fills.append(
        attrs.evolve(
            last, execution_id="t::c", previous_execution_id="stream-name", price=Decimal(101),
            execution=Execution.CORRECT, occurred_at=NOON + 9 * SECOND,
        )
    )  # fmt: skip
    office.broker.held["SPY"] = Decimal(10)
    return order_id


def gating(office: Office) -> list[tuple[str, str]]:
    known = Differences.of(office.desk.ledger, "main").gating
    return [(one.found.kind, one.found.subject) for one in known if one.found.kind == UNDECIDED]


def test_it_closes_the_gate_also_after_a_restart_until_the_average_price_tells() -> None:
    async def story() -> None:
        office = Office.open()
        order_id = await corrected(office)
        engine = engine_of(office)
        for _ in range(3):
            await engine.reconcile()
            office.follower.catch_up()
        assert gating(office) == [(UNDECIDED, order_id)]
        assert len(office.desk.order(order_id).awaited) == 1

        again = Office.open(office.desk, office.broker)
        assert isinstance(again.inbox, Inbox)
        again.broker.fills.clear()  # nothing tells it again
        engine = engine_of(again)
        for _ in range(3):
            await engine.reconcile()
            again.follower.catch_up()
        assert gating(again) == [(UNDECIDED, order_id)]

        shown = again.broker.orders["b-by-hand"]
        again.broker.orders["b-by-hand"] = attrs.evolve(shown, filled_avg_price=Decimal("101.5"))
        for _ in range(3):
            await engine.reconcile()
            again.follower.catch_up()
        assert gating(again) == []
        order = again.desk.order(order_id)
        assert order.awaited == ()
        assert order.filled_value == 5 * 101 + 5 * 102

    anyio.run(story)


@pytest.mark.parametrize(("average", "gates"), [("112.69", False), ("112.28", True), (None, True)])
def test_a_bust_of_what_no_book_has_holds_nothing_up_where_the_broker_counts_as_we_do(
    average: str | None, gates: bool
) -> None:
    """The execution was lost on its way, and its bust was not; what filled instead is in both books."""

    async def story() -> None:
        office = Office.open()
        order = office.broker.have("by-hand", updated_at=NOON + SECOND, qty="10")
        await office.collect()
        (order_id,) = office.desk.account.reservations
        filled = office.broker.fill(order, "1", NOON + 3 * SECOND, "112.69")
        bust = attrs.evolve(
            filled, execution_id="bust", previous_execution_id="lost", price=Decimal("112.28"), source="stream",
            execution=Execution.BUST, cumulative_qty=Decimal(0), occurred_at=NOON + 2 * SECOND,
        )  # fmt: skip
        await office.inbox.take(OrderReport(order, "word", bust))
        shown = office.broker.orders["b-by-hand"]
        price = None if average is None else Decimal(average)
        office.broker.orders["b-by-hand"] = attrs.evolve(shown, filled_avg_price=price)
        engine = engine_of(office)
        for _ in range(3):
            await engine.reconcile()
            office.follower.catch_up()
        assert gating(office) == ([(UNDECIDED, order_id)] if gates else [])
        assert len(office.desk.order(order_id).awaited) == 1

    anyio.run(story)
