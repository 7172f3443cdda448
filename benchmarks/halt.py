"""From the commit of a halt to the last submit that began: `python benchmarks/halt.py [--rounds 200 --across 40]`.

Orders stand in the queue and go out as fast as the broker takes them (2 ms each, 8 at a time) when the halt comes: from
the process that delivers, or from another one on the same ledger. CLOCK_MONOTONIC is the same in both.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path

import anyio
import anyio.to_thread
from machine import describe, table

from tradecore.domain import commands as cmd
from tradecore.domain.messages import Cause
from tradecore.domain.values import OrderStatus, OrderType, Side, TimeInForce, TradingState
from tradecore.follower import Follower
from tradecore.journal import open_journal
from tradecore.ledger import Ledger
from tradecore.outbox import Outbox, Pace
from tradecore.ports.broker import BrokerOrder, OrderRequest
from tradecore.runner.system import SystemClock, SystemIds, SystemRng

_ORDERS = 400
_CALL_S = 0.002
_AFTERWARDS_S = 1.0
_EARLY = dt.datetime(2024, 1, 2, tzinfo=dt.UTC)


class TakesItsTime:
    """A broker that accepts every order after a moment and remembers when each call was begun."""

    name = "takes-its-time"

    def __init__(self, busy_after: int) -> None:
        """`busy` is set when so many calls were begun."""
        self.begun: list[float] = []
        self.busy = anyio.Event()
        self._busy_after = busy_after

    async def submit(self, request: OrderRequest) -> BrokerOrder:
        """Accept."""
        self.begun.append(time.monotonic())
        if len(self.begun) == self._busy_after:
            self.busy.set()
        await anyio.sleep(_CALL_S)
        return BrokerOrder(
            broker_order_id=f"b-{request.client_order_id}",
            client_order_id=request.client_order_id,
            symbol=request.symbol,
            side=request.side,
            quantity=request.quantity,
            order_type=request.order_type.value,
            status=OrderStatus.ACCEPTED,
            filled_qty=Decimal(0),
            filled_avg_price=None,
            updated_at=_EARLY,
            raw="{}",
        )


Halt = Callable[[Ledger, str], Awaitable[float]]
"""Stop the account of a ledger; the moment at which that was committed."""


def halt(ledger: Ledger) -> float:
    """Stop, and say when it was durable."""
    stop = cmd.ActivateKillSwitch("main", TradingState.HALTED, "manual", "a measurement", "benchmark")
    ledger.handle(stop, Cause(SystemIds().trace_id(), actor="benchmark"))
    return time.monotonic()


async def halt_here(ledger: Ledger, _: str) -> float:
    """From the process that delivers."""
    return halt(ledger)


class Elsewhere:
    """Another process with the same ledger open, which halts when it is told to."""

    def __init__(self) -> None:
        self._child = subprocess.Popen(
            (sys.executable, __file__, "--child"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def _ask(self, line: str) -> str:
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._child.stdin.write(line + "\n")
        self._child.stdin.flush()
        return self._child.stdout.readline().strip()

    async def __call__(self, _: Ledger, url: str) -> float:
        """Have it open the ledger, then halt."""
        return float(await anyio.to_thread.run_sync(self._ask, url))

    def end(self) -> None:
        """Let it go."""
        assert self._child.stdin is not None
        self._child.stdin.close()
        self._child.wait()


def child() -> int:
    """Halt every ledger that is named, and say when."""
    for line in sys.stdin:
        journal = open_journal(line.strip())
        print(halt(Ledger(journal, SystemClock(), SystemIds())), flush=True)
        journal.close()
    return 0


async def once(url: str, stop: Halt, chance: random.Random) -> tuple[float, int, int]:
    """Seconds from the commit to the last submit begun (0 when none was), how many were, and how many before."""
    journal = open_journal(url)
    clock, ids = SystemClock(), SystemIds()
    ledger, broker = Ledger(journal, clock, ids), TakesItsTime(chance.randint(5, _ORDERS // 4))
    ledger.handle_many([_order(ids, number) for number in range(_ORDERS)], Cause(ids.trace_id(), actor="benchmark"))
    outbox = Outbox(ledger, broker, clock, ids, SystemRng(), lambda: "lease", Pace(max_concurrent=8))  # type: ignore[arg-type]
    follower = Follower(journal)
    for listener in (ledger.observe, outbox.observe):
        follower.listen(listener)
    follower.catch_up()

    async def follow() -> None:
        while True:
            await follower.wait(5.0)
            follower.catch_up()

    async with anyio.create_task_group() as group:
        group.start_soon(outbox.run)
        group.start_soon(follow)
        await broker.busy.wait()
        committed = await stop(ledger, url)
        await anyio.sleep(_AFTERWARDS_S)
        group.cancel_scope.cancel()
    journal.close()
    late = [begun - committed for begun in broker.begun if begun > committed]
    return max(late, default=0.0), len(late), len(broker.begun) - len(late)


def _order(ids: SystemIds, number: int) -> cmd.PlaceOrder:
    return cmd.PlaceOrder(
        ids.order_id(), "main", f"S{number}", Side.BUY, Decimal(1), OrderType.MARKET, None, TimeInForce.DAY, "bench",
        dt.datetime(2100, 1, 1, tzinfo=dt.UTC),
    )  # fmt: skip


def main() -> int:
    """Print a row for each way to halt."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--rounds", type=int, default=200, help="halts from the process that delivers")
    parser.add_argument("--across", type=int, default=40, help="halts from another process")
    parser.add_argument("--child", action="store_true")
    arguments = parser.parse_args()
    if arguments.child:
        return child()
    print(describe(), f"load {os.getloadavg()[0]:.1f} at the beginning")
    elsewhere = Elsewhere()
    rows = [("halt from", "rounds", "submits before, on average", "after, in all", "p50 ms", "p99 ms", "worst ms")]
    ways: tuple[tuple[str, Halt, int], ...] = (
        ("one process", halt_here, arguments.rounds),
        ("two processes", elsewhere, arguments.across),
    )
    for name, stop, rounds in ways:
        chance, found = random.Random(7), []
        for _ in range(rounds):
            with tempfile.TemporaryDirectory() as folder:
                found.append(anyio.run(once, f"sqlite:///{Path(folder)}/ledger.db", stop, chance))
        late = sorted(seconds * 1000 for seconds, _, _ in found)
        rows.append(
            (
                name,
                str(len(found)),
                f"{statistics.mean(before for _, _, before in found):.0f}",
                f"{sum(after for _, after, _ in found)}",
                f"{late[len(late) // 2]:.1f}",
                f"{late[int(len(late) * 0.99)]:.1f}",
                f"{late[-1]:.1f}",
            )
        )
    elsewhere.end()
    print(f"load {os.getloadavg()[0]:.1f} at the end")
    table("From the commit of a halt to the last submit begun after it", rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
