"""What the broker does by itself: executions taken back or told anew, fees, halts, and orders of somebody else."""

from __future__ import annotations

import random
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING

from tests.simulation.market import SYMBOLS
from tests.simulation.script import Act
from tradecore.domain.values import Side
from tradecore_exchange.activities import Activity, standing
from tradecore_exchange.refusals import Refusal
from tradecore_exchange.requests import OrderRequest
from tradecore_exchange.words import OrderType, TimeInForce

if TYPE_CHECKING:
    from tests.simulation.world import World


def carry_out(world: World, act: Act) -> str:
    """Do it; what came of it in a word."""
    outcome = DOINGS[act.kind](world, random.Random(f"broker:{world.seed}:{act.number}:{act.at}"))
    world.house.first.tell()
    return outcome


def _some_execution(world: World, rng: random.Random) -> Activity | None:
    known = [one for one in standing(world.floor.exchange.activities).values() if one.qty > 0]
    return rng.choice(known) if known else None


def _bust(world: World, rng: random.Random) -> str:
    one = _some_execution(world, rng)
    if one is None:
        return "nothing to take back"
    return _told(world.floor.carry_out(lambda exchange: exchange.bust(one.execution_id)))


def _correct(world: World, rng: random.Random) -> str:
    one = _some_execution(world, rng)
    if one is None:
        return "nothing to correct"
    price = one.price + Decimal("0.01")
    return _told(world.floor.carry_out(lambda exchange: exchange.correct(one.execution_id, one.qty, price)))


def _fee(world: World, rng: random.Random) -> str:
    return _told(world.floor.carry_out(lambda exchange: exchange.fee(Decimal(rng.randint(1, 500)) / 100)))


def _halt_symbol(world: World, rng: random.Random) -> str:
    symbol = rng.choice(SYMBOLS)
    world.after(rng.uniform(5, 30), lambda: world.floor.carry_out(lambda exchange: exchange.resume(symbol)))
    return _told(world.floor.carry_out(lambda exchange: exchange.halt(symbol)))


def _force(world: World, rng: random.Random) -> str:
    known = sorted(order.id for order in world.floor.exchange.book.open())
    if not known:
        return "no order is open"
    order_id, status = rng.choice(known), rng.choice(("rejected", "done_for_day", "stopped", "suspended", "calculated"))
    world.after(20.0, lambda: world.floor.carry_out(lambda exchange: exchange.release(order_id)))
    return _told(world.floor.carry_out(lambda exchange: exchange.force(order_id, status)))


def _foreign(world: World, rng: random.Random) -> str:
    symbol, side = rng.choice(SYMBOLS), rng.choice(tuple(Side))
    price = world.floor.exchange.prices.get(symbol)
    if price is None:
        return "too early"
    request = OrderRequest(
        symbol, side, OrderType.MARKET, TimeInForce.DAY, Decimal(rng.randint(1, 5)),
        client_order_id=f"somebody-{rng.randint(1, 10**9)}",
    )  # fmt: skip
    return _told(world.floor.submit(request))


def _slow_changes(world: World, rng: random.Random) -> str:
    """Cancels and replacements are decided only when the market moves next, and may come too late."""
    switches = world.floor.exchange.switches
    switches.slow_cancels, switches.slow_replaces = True, rng.random() < 0.7

    def usual() -> None:
        switches.slow_cancels = switches.slow_replaces = False

    world.after(rng.uniform(20, 80), usual)
    return "done"


def _told(outcome: object) -> str:
    return f"refused: {outcome.body}" if isinstance(outcome, Refusal) else "done"


DOINGS: dict[str, Callable[[World, random.Random], str]] = {
    "bust": _bust,
    "correct": _correct,
    "fee": _fee,
    "foreign": _foreign,
    "force": _force,
    "halt symbol": _halt_symbol,
    "slow changes": _slow_changes,
}
