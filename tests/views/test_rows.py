"""What the rows of every view hold, and under which names: programs outside depend on them."""

from __future__ import annotations

import re

import pytest

from tests.ledger.desk import Desk
from tests.views.folded import row, rows
from tests.views.vandal import trade_for_an_hour
from tradecore.domain import commands as cmd
from tradecore.domain.commands import StartSaga

FIELDS = {
    "orders": "order_id client_order_id broker_order_id symbol side qty type tif limit_price status filled_qty "
    "avg_fill_price trace_id trade_id decision_id created_at updated_at strategy account reason "
    "extended_hours filled_value position",
    "fills": "fill_id order_id execution_id symbol side qty price fees occurred_at trace_id trade_id cum_qty "
    "broker_order_id source account position status",
    "trades": "trade_id strategy symbol side status decision_id open_qty entry_qty realised_pnl fees orders opened_at "
    "closed_at exit_reason trace_id account working_orders exit_orders position fills",
    "positions": "account symbol qty avg_entry_price cost realised_pnl lots",
    "balances": "account broker broker_account_id currency opening_cash cash realised_pnl fees open_orders "
    "outside_cash last_fill_at",
    "traces": "trace_id position event_id causation_id name stream recorded_at actor",
    "sagas": "saga_id kind account status step steps reason terms deadline trace_id created_at updated_at position",
    "outbox": "work_id order_id client_order_id kind status attempts tries last_error not_after created_at updated_at "
    "trace_id position cancel_requested",
    "broker_orders": "broker_order_id order_id position",
    "open_orders": "order_id account accepted filled position",
}


@pytest.mark.parametrize("view", FIELDS)
def test_every_row_has_exactly_the_public_fields(desk: Desk, view: str) -> None:
    trade_for_an_hour(desk)
    desk.give(StartSaga("a-saga", "rebalance", "main", {"strategy": "test"}, desk.clock.now()))
    assert rows(desk, view)
    for found in rows(desk, view):
        assert set(found) == set(FIELDS[view].split())


@pytest.mark.parametrize("view", FIELDS)
def test_numbers_are_plain_text_and_times_end_with_z(desk: Desk, view: str) -> None:
    trade_for_an_hour(desk)
    for found in rows(desk, view):
        for field, value in found.items():
            if field.endswith("_at") and value is not None:
                assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", value)
            elif field.endswith(("qty", "price", "cash", "pnl", "fees", "cost")) and value is not None:
                assert re.fullmatch(r"-?\d+(\.\d*[1-9])?", value)


def test_the_average_fill_price_of_an_order_weighs_its_fills(desk: Desk) -> None:
    desk.pin()
    order = desk.live("buy", "10")
    desk.fill(order, "4", "100")
    assert row(desk, "orders", order_id=order)["avg_fill_price"] == "100"
    desk.fill(order, "6", "101")
    found = row(desk, "orders", order_id=order)
    assert (found["filled_qty"], found["avg_fill_price"], found["status"]) == ("10", "100.6", "filled")


@pytest.mark.parametrize(
    ("ending", "reason"),
    [("canceled", "canceled at the broker"), ("expired", "its time in force ran out"), ("rejected", "rejected by")],
)
def test_an_order_says_why_it_ended(desk: Desk, ending: str, reason: str) -> None:
    order = desk.live("buy", "10")
    desk.report(order, ending, at=1)
    found = row(desk, "orders", order_id=order)
    assert found["status"] == ending
    assert found["reason"].startswith(reason)


def test_a_rejection_of_the_broker_is_quoted_with_its_code(desk: Desk) -> None:
    order = desk.place("buy", "10")
    desk.send(order)
    desk.give(cmd.RecordRejection(order, "403/40310000", "insufficient buying power", "{}"))
    assert row(desk, "orders", order_id=order)["reason"] == "403/40310000: insufficient buying power"


def test_rows_of_orders_come_in_the_order_in_which_they_were_placed(desk: Desk) -> None:
    placed = [desk.place("buy", "1") for _ in range(12)]
    assert [found["order_id"] for found in rows(desk, "orders")] == placed


def test_a_position_that_became_flat_stays_with_what_it_earned(desk: Desk) -> None:
    desk.pin()
    desk.done("buy", "10", "50")
    desk.done("sell", "10", "51")
    found = row(desk, "positions", symbol="SPY")
    assert (found["qty"], found["avg_entry_price"], found["cost"], found["lots"]) == ("0", None, "0", [])
    assert found["realised_pnl"] == "10"


def test_a_position_shows_its_lots_oldest_first(desk: Desk) -> None:
    desk.pin(positions=[("SPY", "3", "90")])
    desk.done("buy", "2", "100")
    desk.done("sell", "1", "110")
    found = row(desk, "positions", symbol="SPY")
    assert [(lot["opened_by"] == "opening", lot["qty"], lot["price"]) for lot in found["lots"]] == [
        (True, "2", "90"),
        (False, "2", "100"),
    ]
    assert (found["qty"], found["cost"], found["avg_entry_price"]) == ("4", "380", "95")


def test_a_balance_knows_no_cash_before_the_account_is_pinned(desk: Desk) -> None:
    desk.place("buy", "10")
    found = row(desk, "balances", account="main")
    assert (found["broker"], found["cash"], found["opening_cash"], found["open_orders"]) == (None, None, None, 1)


def test_a_balance_moves_by_price_times_quantity_and_fees(desk: Desk) -> None:
    desk.pin(cash="1000.50")
    order = desk.live("buy", "10")
    desk.fill(order, "2.5", "10.1", fees="0.03")
    found = row(desk, "balances", account="main")
    assert (found["opening_cash"], found["cash"], found["fees"], found["open_orders"]) == (
        "1000.5",
        "975.22",
        "0.03",
        1,
    )


def test_a_closed_trade_has_its_outcome(desk: Desk) -> None:
    desk.pin()
    entry = desk.done("buy", "10", "50")
    exit_ = desk.done("sell", "10", "55")
    found = row(desk, "trades", strategy="test")
    assert (found["status"], found["entry_qty"], found["open_qty"], found["realised_pnl"]) == (
        "closed",
        "10",
        "0",
        "50",
    )
    assert found["orders"] == [entry, exit_]
    assert found["opened_at"]
    assert found["closed_at"]
    assert found["exit_reason"] == "exit order"


def test_an_abandoned_trade_says_why_and_was_never_closed(desk: Desk) -> None:
    desk.pin()
    desk.report(desk.live("buy", "10"), "canceled", at=1)
    found = row(desk, "trades", strategy="test")
    assert (found["status"], found["exit_reason"], found["closed_at"]) == ("abandoned", "order canceled", None)


def test_a_refused_trade_names_the_rule(desk: Desk) -> None:
    desk.limit(qty="5")
    desk.place("buy", "10")
    found = row(desk, "trades", strategy="test")
    assert found["status"] == "refused"
    assert found["exit_reason"].startswith("max_order_qty: ")


def test_a_trace_lists_its_events_in_order_with_their_causes(desk: Desk) -> None:
    desk.pin()
    order = desk.done("buy", "10", "50")
    trace_id = row(desk, "orders", order_id=order)["trace_id"]
    events = [event for event in rows(desk, "traces") if event["trace_id"] == trace_id]
    log = [item.envelope for item in desk.ledger.journal.read(0, 1000) if item.envelope.trace_id == trace_id]
    assert [(event["position"], event["event_id"], event["causation_id"]) for event in events] == [
        (envelope.position, envelope.event_id, envelope.causation_id) for envelope in log
    ]
