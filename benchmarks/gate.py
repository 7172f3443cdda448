"""How long the gate takes for one order, with many orders open and many positions: `python benchmarks/gate.py`."""

from __future__ import annotations

import datetime as dt
import statistics
import sys
import time
from decimal import Decimal

import attrs

from tradecore.domain import account, commands
from tradecore.domain import events as ev
from tradecore.domain.limits import STANDARD
from tradecore.domain.values import OrderType, Side, TimeInForce
from tradecore.gating import Occasion, gate_order

NOW = dt.datetime(2026, 2, 3, 17, 0, tzinfo=dt.UTC)
EVERYTHING = attrs.evolve(
    STANDARD,
    max_open_positions=10_000,
    max_order_qty=Decimal(1000),
    max_order_notional=Decimal(100_000),
    max_open_orders=10_000,
    max_position_qty=Decimal(100_000),
    max_position_notional=Decimal(10_000_000),
    max_gross_exposure=Decimal(10**9),
    max_net_exposure_share=Decimal(1),
    max_gross_exposure_share=Decimal(1),
    max_orders_per_day=100_000,
    max_notional_per_day=Decimal(10**9),
    price_collar=Decimal("0.1"),
    sectors={f"S{number:03d}": f"sector {number % 10}" for number in range(500)},
    prohibited=("ZZZ",),
)


def standing(orders: int, positions: int, past: int) -> account.AccountState:
    """An account of so many positions and open orders, after `past` orders that came and went."""
    held = tuple(ev.OpeningPosition(f"S{number:03d}", Decimal(10), Decimal(50)) for number in range(positions))
    told: list[ev.Event] = [
        ev.AccountPinned("main", "bench", "b", True, "USD", Decimal(10**8), held, NOW),
        ev.LimitsSet("main", attrs.evolve(EVERYTHING, version=1), "bench", ""),
        ev.EquityMarked("main", "2026-02-03", Decimal(10**8), {one.symbol: Decimal(51) for one in held}),
    ]
    for number in range(past + orders):
        symbol = f"S{number % max(1, positions):03d}"
        told.append(
            ev.ReservationMade(
                "main",
                f"o{number}",
                "t",
                "momentum",
                symbol,
                Side.BUY,
                Decimal(1),
                1,
                agent="strategy:momentum",
                at=NOW,
                price=Decimal(51),
                limit_price=Decimal(51),
            )
        )
        if number < past:
            told.append(ev.ReservationReleased("main", f"o{number}", Decimal(1)))
    state = account.AccountState("main")
    for event in told:
        state = account.evolve(state, event, "main")
    return state


def measure(state: account.AccountState, rounds: int = 20_000) -> list[float]:
    """Microseconds of processor time for each of so many orders through the gate."""
    here = Occasion("0a1b2c3d", NOW, "strategy:momentum")
    order = commands.PlaceOrder(
        "x", "main", "S000", Side.BUY, Decimal(5), OrderType.LIMIT, Decimal(51), TimeInForce.DAY, "momentum", NOW
    )
    verdict = gate_order(state, order, here).verdict
    assert verdict.allows, verdict
    took = []
    for _ in range(rounds):
        begin = time.thread_time_ns()
        gate_order(state, order, here)
        took.append((time.thread_time_ns() - begin) / 1000)
    return sorted(took)


def main() -> int:
    """Print the figures of three accounts; the last one has a long past."""
    for orders, positions, past in ((1, 1, 0), (1000, 500, 0), (1000, 500, 5_000)):
        took = measure(standing(orders, positions, past))
        print(
            f"{orders:>5} open orders, {positions:>4} positions, {past:>6} orders before: "
            f"p50 {statistics.median(took):.1f} us, p99 {took[int(len(took) * 0.99)]:.1f} us"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
