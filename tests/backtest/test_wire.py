"""The same strategy over the same bars: in a backtest, and against the embedded exchange over HTTP and WebSocket."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import anyio
import pytest

from tests.runner.market import csv_text, some_bars
from tradecore.domain.events import FillRecorded, OrderPlanned
from tradecore.domain.exit_plan import ExitPlan
from tradecore.domain.values import Bar, OrderType, Side
from tradecore.ports.strategy import Idea, Portfolio, Strategy
from tradecore.runner.wiring import open_session
from tradecore.settings import load_settings
from tradecore.strategies.sma import SmaCrossover
from tradecore_backtest import backtest
from tradecore_daemon.daemon import Daemon

MINUTES = 120
Happened = tuple[Sequence[tuple[object, ...]], Sequence[tuple[object, ...]]]


class Quiet:
    """Shows no progress."""

    def update(self, done: int, total: int | None, message: str) -> None:
        """Say nothing."""


class Zigzag:
    """Every kind of order in turn: market, limit and stop, in and out."""

    name = "zigzag"
    warmup_bars = 0

    def __init__(self) -> None:
        self._seen: dict[str, int] = {}

    def observe(self, bar: Bar) -> None:
        """Count it."""
        self._seen[bar.symbol] = self._seen.get(bar.symbol, 0) + 1

    def on_bar(self, bar: Bar, portfolio: Portfolio) -> tuple[Idea, ...]:
        """An order when none works."""
        self.observe(bar)
        number, held = self._seen[bar.symbol], portfolio.position(bar.symbol)
        if number % 3 or portfolio.working(bar.symbol):
            return ()
        side = Side.SELL if held > 0 else Side.BUY
        quantity = held if held > 0 else Decimal(10)
        cent = Decimal("0.01")
        match number % 4:
            case 0:
                return (Idea(bar.symbol, side, quantity, "market"),)
            case 1:
                price = bar.close - side.sign * 2 * cent
                return (Idea(bar.symbol, side, quantity, "limit", OrderType.LIMIT, price),)
            case 2:
                stop = bar.close + side.sign * 3 * cent
                return (Idea(bar.symbol, side, quantity, "stop", OrderType.STOP, stop_price=stop),)
            case _:
                stop = bar.close + side.sign * 3 * cent
                kind, limit = OrderType.STOP_LIMIT, stop + side.sign * cent
                return (Idea(bar.symbol, side, quantity, "stop limit", kind, limit, stop_price=stop),)


def over_the_wire(path: Path, strategy: Strategy, exits: ExitPlan | None = None) -> Happened:
    async def run() -> Happened:
        told = {} if exits is None else {"exits": {"stop_loss": exits.stop_loss}}
        settings = load_settings(None, {"ledger": "memory:", "market_data": {"bars": str(path)}} | told)
        async with open_session(settings, strategy=strategy) as session:
            await Daemon().run(session, Quiet())
            events = [recorded.event for recorded in session.journal.read(0, 1_000_000)]
        orders = [
            (one.order_id, one.symbol, one.side, one.quantity, one.order_type, one.limit_price, one.stop_price)
            for one in events
            if isinstance(one, OrderPlanned)
        ]
        fills = [
            (one.order_id, one.side, one.quantity, one.price, one.fees, one.occurred_at.replace(microsecond=0))
            for one in events
            if isinstance(one, FillRecorded)
        ]
        return orders, fills

    return anyio.run(run)


@pytest.mark.parametrize("make", [lambda: SmaCrossover(3, 8, 10), Zigzag], ids=["sma", "zigzag"])
def test_backtest_and_wire_agree(tmp_path: Path, make: type[Strategy]) -> None:
    path = tmp_path / "bars.csv"
    path.write_text(csv_text(some_bars(MINUTES)), encoding="utf-8")
    result = backtest(bars=some_bars(MINUTES), strategy=make())
    orders = [
        (one.order_id, one.symbol, one.side, one.quantity, one.order_type, one.limit_price, one.stop_price)
        for one in result.orders
    ]
    fills = [(one.order_id, one.side, one.quantity, one.price, one.fees, one.at) for one in result.fills]
    wire_orders, wire_fills = over_the_wire(path, make())
    assert len(orders) > 10
    assert len(fills) > 5
    assert orders == wire_orders
    assert set(fills) == set(wire_fills)
    assert len(fills) == len(wire_fills)
