"""Exits that no order at the broker can keep: a backtest leaves trades as a runner does, bar for bar."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.backtest.market import Planned, bar
from tests.backtest.test_wire import over_the_wire
from tests.risk.test_exits import plan
from tests.runner.market import csv_text
from tradecore.domain.exit_plan import ExitPlan, Rung
from tradecore.domain.values import Bar, OrderType, Side, TimeInForce
from tradecore.ports.strategy import Idea
from tradecore.verify import verify
from tradecore_backtest import BacktestResult, backtest

D = Decimal
TWO_RUNGS = (Rung(D("0.02"), D("0.5")), Rung(D("0.04"), D("0.5")))


def market(*rows: tuple[str, str, str, str]) -> list[Bar]:
    return [bar(number, *row, volume="100000") for number, row in enumerate(rows)]


def flat(*closes: str) -> list[Bar]:
    """Bars of one price each."""
    return [bar(number, close, volume="100000") for number, close in enumerate(closes)]


def buy(quantity: str = "10", **terms: Any) -> Idea:
    return Idea("AAA", Side.BUY, D(quantity), "in", **terms)


FALLS = flat("100", "100", "99", "97", "96", "95", "95", "95")
RISES = flat("100", "100", "102", "103", "105", "104", "101", "99", "98", "97", "97", "97")
BOTH = market(
    ("100", "100", "100", "100"), ("100", "101", "99", "100"), ("100", "103", "97", "100"), ("99", "99", "98", "98"),
    ("98", "98", "98", "98"), ("98", "98", "98", "98"),
)  # fmt: skip
GTC: dict[str, Any] = {"time_in_force": TimeInForce.GTC}

CASES: dict[str, tuple[list[Bar], dict[int, Idea], ExitPlan | None]] = {
    "stop": (FALLS, {0: buy(exits=plan(stop_loss="0.02"))}, None),
    "stop of the settings": (FALLS, {0: buy()}, plan(stop_loss="0.02")),
    "stop of a fraction": (FALLS, {0: buy("1.5", exits=plan(stop_loss="0.02"))}, None),
    "short": (RISES, {0: Idea("AAA", Side.SELL, D(10), "in", exits=plan(stop_loss="0.02"))}, None),
    "trail": (RISES, {0: buy(exits=plan(trail="0.03", trail_arm="0.01"))}, None),
    "break even": (RISES, {0: buy(exits=plan(break_even="0.03"))}, None),
    "ladder": (RISES, {0: buy(exits=plan(ladder=TWO_RUNGS, stop_loss="0.05"))}, None),
    "ladder, then stop": (RISES, {0: buy(exits=plan(ladder=TWO_RUNGS[:1], stop_loss="0.01"))}, None),
    "holding time": (RISES, {0: buy(exits=plan(max_holding_s="180"))}, None),
    "stop before target": (BOTH, {0: buy(exits=plan(stop_loss="0.02", ladder=TWO_RUNGS[:1]))}, None),
    "legs at the broker": (FALLS, {0: buy(exits=plan(stop_loss="0.02", ladder=(Rung(D("0.1"), D(1)),)), **GTC)}, None),
    "legs, and holding time": (RISES, {0: buy(exits=plan(stop_loss="0.1", max_holding_s="180"), **GTC)}, None),
    "entered again": (RISES, {0: buy(exits=plan(max_holding_s="120")), 5: buy(exits=plan(stop_loss="0.02"))}, None),
    "added to": (RISES, {0: buy(exits=plan(trail="0.03", trail_arm="0.01")), 3: buy("5")}, None),
    "plain before it": (RISES, {0: buy(), 2: Idea("AAA", Side.SELL, D(10), "out"),
                                4: buy(exits=plan(stop_loss="0.01"))}, None),
    "an order of the strategy works beside": (
        FALLS,
        {0: buy(exits=plan(stop_loss="0.02")),
         2: Idea("AAA", Side.SELL, D(10), "target", OrderType.LIMIT, D(120))},
        None,
    ),
}  # fmt: skip


def told(result: BacktestResult) -> tuple[list[Any], list[Any]]:
    orders = [
        (one.order_id, one.symbol, one.side, one.quantity, one.order_type, one.limit_price, one.stop_price)
        for one in result.orders
    ]
    return orders, [(one.order_id, one.side, one.quantity, one.price, one.fees, one.at) for one in result.fills]


@pytest.mark.parametrize("name", CASES)
def test_a_backtest_and_a_runner_leave_trades_alike(tmp_path: Path, name: str) -> None:
    bars, ideas, exits = CASES[name]
    path = tmp_path / "bars.csv"
    path.write_text(csv_text(bars), encoding="utf-8")
    result = backtest(bars, Planned(ideas), exits=exits)
    orders, fills = told(result)
    wire_orders, wire_fills = over_the_wire(path, Planned(ideas), exits)
    assert len(fills) >= 2
    assert orders == wire_orders
    assert fills == wire_fills
    assert verify(result.open_journal()).findings == ()
