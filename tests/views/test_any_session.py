"""Whatever is done to a ledger: views say what the domain says, and verification finds nothing."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ledger.desk import Desk
from tests.views.folded import rows, stored
from tests.views.sessions import STEPS, Step, play
from tradecore.verify import verify
from tradecore.views import ALL_VIEWS
from tradecore.views.projector import Projector


@settings(max_examples=40, deadline=None)
@given(steps=STEPS, batch=st.integers(1, 20))
def test_what_is_stored_is_what_a_rebuild_gives(steps: list[Step], batch: int) -> None:
    desk = Desk.in_memory()
    projector = Projector(desk.ledger.journal, ALL_VIEWS)
    projector.catch_up(batch)
    play(desk, steps)
    projector.catch_up(batch)
    caught_up = stored(desk.ledger.journal)
    projector.rebuild()
    assert stored(desk.ledger.journal) == caught_up


@settings(max_examples=40, deadline=None)
@given(steps=STEPS)
def test_rows_say_what_the_domain_says(steps: list[Step]) -> None:
    desk = Desk.in_memory()
    orders = play(desk, steps)
    shown = {row["order_id"]: row for row in rows(desk, "orders")}
    assert list(shown) == orders
    for order_id, row in shown.items():
        state = desk.order(order_id)
        assert (row["status"], row["broker_order_id"]) == (state.status.value, state.broker_order_id)
        assert (Decimal(row["filled_qty"]), Decimal(row["filled_value"])) == (state.filled_qty, state.filled_value)
    for row in rows(desk, "trades"):
        trade = desk.ledger.trade(row["trade_id"])
        assert trade is not None
        assert row["status"] == trade.status.value
        assert (Decimal(row["open_qty"]), Decimal(row["fees"])) == (trade.position.quantity, trade.fees)
        assert Decimal(row["realised_pnl"]) == trade.realised_pnl
    for row in rows(desk, "positions"):
        position = desk.account.position(row["symbol"])
        assert (Decimal(row["qty"]), Decimal(row["cost"])) == (position.quantity, position.cost)
        assert len(row["lots"]) == len(position.lots)
    (balance,) = rows(desk, "balances")
    assert Decimal(balance["cash"]) == desk.account.cash
    assert balance["open_orders"] == len(desk.account.reservations)


@settings(max_examples=40, deadline=None)
@given(steps=STEPS)
def test_verification_finds_nothing_in_what_the_ledger_wrote(steps: list[Step]) -> None:
    desk = Desk.in_memory()
    play(desk, steps)
    assert verify(desk.ledger.journal).findings == ()
