"""A person at the command line: each deed is a process of its own that opens the ledger, records, and ends."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING

import attrs

from tests.simulation.hosts import HOST, Host
from tests.simulation.market import SYMBOLS
from tests.simulation.script import Act
from tests.simulation.surroundings import SimulatedIds
from tradecore.domain import commands as cmd
from tradecore.domain.messages import Cause
from tradecore.domain.order_state import OrderState
from tradecore.domain.values import OrderType, Side, TimeInForce, TradingState
from tradecore.errors import InputError, RefusedError, StoreUnavailable, WrongVersion
from tradecore.ledger import Ledger
from tradecore.sagas.conductor import KINDS, begin
from tradecore.switching import clear
from tradecore_exchange.faults import Fault

if TYPE_CHECKING:
    from tests.simulation.world import World

_PART_WITHIN_S = 40.0
_WORN_OUT_S = 20.0
_FRESH = dt.timedelta(seconds=60)


def carry_out(world: World, act: Act) -> str:
    """Do it; what came of it in a word."""
    world.operators += 1
    host = Host(f"operator.{world.operators}")
    clock = world.machines[0].clock
    ids = SimulatedIds(clock, f"{world.seed}:{host.name}")
    token = HOST.set(host)
    try:
        ledger = Ledger(world.disk.open(host), clock, ids)
        if ledger.account("main").broker_account_id is None:
            return "too early"
        deed = Deed(world, ledger, ids, act, random.Random(f"deed:{world.seed}:{act.number}:{act.at}"))
        return DOINGS[act.kind](deed) or "done"
    except (RefusedError, InputError, WrongVersion, StoreUnavailable) as error:
        return f"refused: {type(error).__name__}"
    finally:
        HOST.reset(token)
        host.is_dead = True


@attrs.frozen
class Deed:
    """What a deed has at hand."""

    world: World
    ledger: Ledger
    ids: SimulatedIds
    act: Act
    rng: random.Random

    @property
    def cause(self) -> Cause:
        return Cause(self.ids.trace_id(), actor="operator", source="cli")

    @property
    def now(self) -> dt.datetime:
        return self.world.machines[0].clock.now()

    def give(self, command: cmd.Command) -> None:
        """Record a command."""
        self.ledger.handle(command, self.cause)

    def some_order(self, *, working: bool) -> OrderState | None:
        """An order of the ledger, drawn."""
        known = [self.ledger.order(order_id) for order_id in self.world.judge.orders]
        found = [one for one in known if one is not None and (not working or not one.status.is_terminal)]
        return self.rng.choice(found) if found else None


def _place(deed: Deed) -> str | None:
    rng, prices = deed.rng, deed.world.floor.exchange.prices
    symbol, side = rng.choice(SYMBOLS), rng.choice(tuple(Side))
    price = prices.get(symbol)
    is_limit = price is not None and rng.random() < 0.6
    deed.give(
        cmd.PlaceOrder(
            order_id=deed.ids.order_id(),
            account="main",
            symbol=symbol,
            side=side,
            quantity=Decimal(rng.randint(1, 15)),
            order_type=OrderType.LIMIT if is_limit else OrderType.MARKET,
            limit_price=(price * Decimal("0.99")).quantize(Decimal("0.01")) if is_limit and price else None,
            time_in_force=TimeInForce.DAY,
            strategy="manual",
            not_after=deed.now + _FRESH,
            reference_price=price,
        )
    )
    return None


def _cancel(deed: Deed) -> str | None:
    order = deed.some_order(working=True)
    if order is None:
        return "nothing to cancel"
    deed.give(cmd.CancelOrder(order.order_id, "canceled by hand"))
    return None


def _cancel_part(deed: Deed) -> str | None:
    """Cancel what is filled in part, while nobody hears of the part: its fill is read behind its end."""
    world = deed.world
    parts = sorted(one.client_order_id for one in world.floor.exchange.book.open() if one.filled_qty)
    ours = [world.judge.by_client_id[key] for key in parts if key in world.judge.by_client_id]
    if ours:
        deed.give(cmd.CancelOrder(deed.rng.choice(ours).order_id, "the rest is canceled by hand"))
        return None
    if world.loop.time() < deed.act.at + _PART_WITHIN_S:
        if world.loop.time() == deed.act.at:
            world.house.first.arm(Fault("drop_update", count=2, event="partial_fill"))
        world.after(1.0, lambda: world.act(deed.act))
    return "nothing is filled in part"


def _replace(deed: Deed) -> str | None:
    order = deed.some_order(working=True)
    if order is None:
        return "nothing to replace"
    quantity = Decimal(deed.rng.randint(1, 15))
    price = None if order.limit_price is None else order.limit_price + Decimal("0.05")
    deed.give(
        cmd.ReplaceOrder(order.order_id, deed.ids.order_id(), deed.now + _FRESH, quantity, price, reason="by hand")
    )
    return None


def _close(deed: Deed) -> str | None:
    symbol = deed.rng.choice(SYMBOLS)
    deed.give(cmd.ClosePosition(deed.ids.order_id(), "main", symbol, deed.now + _FRESH, "restless"))
    return None


def _close_saga(deed: Deed) -> str | None:
    trades = sorted(held.trade_id for held in deed.ledger.account("main").holdings.values() if held.quantity)
    if not trades:
        return "nothing to close"
    kinds = {kind.kind: kind for kind in KINDS}
    terms = {"trade_id": deed.rng.choice(trades)}
    begin(deed.ledger, kinds, deed.ids.order_id(), "position_close", "main", terms, deed.now, deed.cause)
    return None


def _rebalance(deed: Deed) -> str | None:
    prices = deed.world.floor.exchange.prices
    if len(prices) < len(SYMBOLS):
        return "too early"
    kinds = {kind.kind: kind for kind in KINDS}
    shares = " ".join(f"{symbol}=0.0{deed.rng.randint(0, 9)}" for symbol in SYMBOLS)
    told = " ".join(f"{symbol}={price}" for symbol, price in sorted(prices.items()))
    terms = {"targets": shares, "prices": told, "strategy": "restless", "equity": "20000", "band": "0.01"}
    begin(deed.ledger, kinds, deed.ids.order_id(), "rebalance", "main", terms, deed.now, deed.cause)
    return None


def _halt(deed: Deed) -> None:
    deed.give(cmd.ActivateKillSwitch("main", TradingState.HALTED, "manual", "by hand", "operator"))


def _reduce_only(deed: Deed) -> None:
    deed.give(cmd.ActivateKillSwitch("main", TradingState.REDUCE_ONLY, "manual", "by hand", "operator"))


def _resume(deed: Deed) -> None:
    deed.give(cmd.RequestClear("main", "operator", "it is over"))
    clear(deed.ledger, "main", "operator", "it is over", deed.cause)


def _kill(deed: Deed) -> None:
    _halt(deed)
    deed.give(cmd.RequestKill("main", "by hand"))


def _limits(deed: Deed) -> None:
    wanted = attrs.evolve(deed.ledger.account("main").limits, max_position_qty=Decimal(deed.rng.randint(5, 40)))
    deed.give(cmd.SetLimits("main", wanted, "operator", "by hand"))


def _wear_out(deed: Deed) -> None:
    """Have the broker fail at a cancel until it is given up; retry what is dead then."""
    world, order = deed.world, deed.some_order(working=True)
    if order is None or order.broker_order_id is None:
        return
    fault = Fault("http_500", count=8, method="DELETE", path="/v2/orders/")
    world.house.first.arm(fault)

    def again() -> None:
        world.house.first.faults.armed = [one for one in world.house.first.faults.armed if one is not fault]
        world.act(deed.act)

    world.after(_WORN_OUT_S, again)
    deed.give(cmd.CancelOrder(order.order_id, "canceled against resistance"))


def _retry(deed: Deed) -> str | None:
    dead = sorted(one.order_id for one in deed.world.judge.orders.values() if one.is_dead)
    if not dead:
        if deed.world.loop.time() == deed.act.at:
            _wear_out(deed)
        return "nothing is dead"
    deed.give(cmd.RetryWork(deed.rng.choice(dead), "again", deed.now + _FRESH))
    return None


DOINGS: dict[str, Callable[[Deed], str | None]] = {
    "place": _place,
    "cancel": _cancel,
    "cancel a part": _cancel_part,
    "replace": _replace,
    "close": _close,
    "close saga": _close_saga,
    "rebalance": _rebalance,
    "halt": _halt,
    "reduce only": _reduce_only,
    "resume": _resume,
    "kill switch": _kill,
    "limits": _limits,
    "retry": _retry,
}
