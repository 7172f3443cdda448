"""The verdict: exchange and ledger, order by order and fill by fill."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from pathlib import Path

from tests.crash.judge import Judge
from tradecore.journal import open_journal
from tradecore.verify import verify
from tradecore.views import ALL_VIEWS, read_rows
from tradecore.views.projector import Projector


def assert_nothing_lost_or_doubled(judge: Judge, folder: Path, *, finished: bool = True) -> int:
    """One broker order per intent, every execution in the ledger once, the same money; returns the number of orders."""
    journal = open_journal(judge.ledger, create=False)
    try:
        Projector(journal, ALL_VIEWS).catch_up()
        orders = {row["client_order_id"]: row for row in read_rows(journal, "orders")}
        fills = read_rows(journal, "fills")
        positions = {row["symbol"]: Decimal(row["qty"]) for row in read_rows(journal, "positions")}
        balances = read_rows(journal, "balances")
        report = verify(journal)
    finally:
        journal.close()
    assert report.ok, report
    seen = judge.ask("/_ctl/orders")
    state = judge.ask("/_ctl/state")
    own_names = {row["broker_order_id"]: key for key, row in orders.items() if row["broker_order_id"] is not None}
    for told in (*seen["orders"], *seen["executions"]):  # the exchange names legs itself
        told["client_order_id"] = own_names.get(told["id" if "id" in told else "order_id"], told["client_order_id"])
    theirs = Counter(order["client_order_id"] for order in seen["orders"])
    assert {key: count for key, count in theirs.items() if count > 1} == {}
    assert set(theirs) <= set(orders), "the exchange holds an order that the ledger never intended"
    never_there = {key for key, row in orders.items() if key not in theirs}
    assert all(orders[key]["status"] in ("canceled", "rejected", "queued") for key in never_there)
    executed = Counter(
        (item["client_order_id"], Decimal(item["cum_qty"]), Decimal(item["qty"]), Decimal(item["price"]))
        for item in seen["executions"]
    )
    by_order = {row["order_id"]: key for key, row in orders.items()}
    recorded = Counter(
        (by_order[row["order_id"]], Decimal(row["cum_qty"]), Decimal(row["qty"]), Decimal(row["price"]))
        for row in fills
    )
    assert recorded == executed
    if finished:
        for order in seen["orders"]:
            row = orders[order["client_order_id"]]
            assert Decimal(row["filled_qty"]) == Decimal(order["filled_qty"])
            if order["status"] in ("filled", "canceled", "expired", "rejected"):
                assert row["status"] == order["status"]
        held = {symbol: Decimal(quantity) for symbol, quantity in state["positions"].items()}
        assert {symbol: quantity for symbol, quantity in positions.items() if quantity} == held
        assert [Decimal(row["cash"]) for row in balances] == [Decimal(state["cash"])]
    return len(orders)
