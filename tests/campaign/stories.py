"""Small stories: what somebody does with a handful of orders while something goes wrong."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from decimal import Decimal

import anyio

from tests.campaign.catalogue import Case, Phase
from tests.campaign.world import World, until
from tradecore.domain import commands as cmd
from tradecore.domain.terms import StopLoss, TakeProfit
from tradecore.domain.values import OrderClass
from tradecore.errors import RefusedError

Story = Callable[[World, random.Random], Awaitable[None]]
_AT_BROKER_S = 3.0
_CENT = Decimal("0.01")


async def buy(world: World, rng: random.Random) -> None:
    """A market order."""
    world.place("buy", "10")
    await _pause(rng)
    await world.advance()


async def partly(world: World, rng: random.Random) -> None:
    """A limit order that is filled in parts."""
    price = await world.price()
    order = world.place("buy", "10", limit=_cents(price * 2))
    await until_at_broker(world, order)
    for size in ("3", "2", "100"):
        await world.quote(_cents(price), size)
        await _pause(rng)


async def cancel(world: World, rng: random.Random) -> None:
    """A limit order far away, canceled."""
    order = world.place("buy", "10", limit=_cents(await world.price() / 2))
    if rng.random() < 0.8:
        await until_at_broker(world, order)
    await _pause(rng)
    give_up(world, order)


async def cancel_partly(world: World, rng: random.Random) -> None:
    """A cancel that runs after the rest of an order."""
    price = await world.price()
    order = world.place("buy", "10", limit=_cents(price * 2))
    await until_at_broker(world, order)
    await world.quote(_cents(price), "3")
    await _pause(rng)
    give_up(world, order)
    await _pause(rng)
    await world.quote(_cents(price), "5")


async def replace(world: World, rng: random.Random) -> None:
    """A limit order far away, replaced by one that trades; sometimes twice, sometimes canceled after all."""
    price = await world.price()
    order = world.place("buy", "10", limit=_cents(price / 2))
    await until_at_broker(world, order)
    if rng.random() < 0.3:
        order = _move(world, order, _cents(price / 3))
        await until_at_broker(world, order)
    order = _move(world, order, _cents(price * 2))
    await _pause(rng)
    if rng.random() < 0.2:
        give_up(world, order)
    await world.quote(_cents(price), rng.choice(("4", "100")))


async def reprice(world: World, rng: random.Random) -> None:
    """A limit order that is filled in part, and what is left of it at another price; sometimes again."""
    price = await world.price()
    order = world.place("buy", "10", limit=_cents(price * 2))
    await until_at_broker(world, order)
    for size in ("3", "2"):
        await world.quote(_cents(price), size)
        known, replaced = rng.random() < 0.7, rng.random() < 0.7  # else the next fill overtakes either
        if known:
            await _until_filled(world, order)
        old, order = order, _move(world, order, _cents(price * Decimal("1.9")))
        if replaced:
            await _until_over(world, old)
        await _pause(rng)
    await world.quote(_cents(price), "100")


async def bracket(world: World, rng: random.Random) -> None:
    """An order with a profit to take and a loss to stop; the profit comes."""
    price = await world.price()
    order = world.place(
        "buy",
        "10",
        order_class=OrderClass.BRACKET,
        take_profit=TakeProfit(_cents(price * Decimal("1.2"))),
        stop_loss=StopLoss(_cents(price * Decimal("0.8"))),
    )
    await until_at_broker(world, order)
    await world.advance()
    await _pause(rng)
    far = rng.choice((Decimal("1.3"), Decimal("0.7")))
    await world.quote(_cents(price * far), rng.choice(("4", "100")))


async def several(world: World, rng: random.Random) -> None:
    """Several orders at once, of two symbols."""
    price = await world.price()
    for number in range(rng.randint(3, 6)):
        symbol = rng.choice(("AAA", "BBB"))
        limit = _cents(price / 2) if number % 3 == 2 else None
        order = world.place("buy", str(number + 1), symbol, limit)
        if limit is not None and rng.random() < 0.5:
            give_up(world, order)
    await _pause(rng)
    await world.advance()


async def round_trip(world: World, rng: random.Random) -> None:
    """In and out again."""
    order = world.place("buy", "10")
    await until_at_broker(world, order)
    await world.advance()
    with anyio.move_on_after(_AT_BROKER_S):
        await until(lambda: world.order(order).filled_qty == 10)
    held = world.order(order).filled_qty
    if held > 0:
        world.place("sell", str(held))
    await _pause(rng)
    await world.advance()


_ALL: tuple[Story, ...] = (buy, partly, cancel, cancel_partly, replace, reprice, bracket, several, round_trip)
_CANCELING: tuple[Story, ...] = (cancel, cancel_partly)
_FITTING: dict[Phase, tuple[Story, ...]] = {
    Phase.CANCEL: _CANCELING,
    Phase.CANCELED: _CANCELING,
    Phase.WIRE_CANCEL: _CANCELING,
    Phase.REPLACE: (replace, reprice),
    Phase.REPLACED: (replace, reprice),
    Phase.WIRE_REPLACE: (replace, reprice),
}
_OF_KIND: dict[str, tuple[Story, ...]] = {
    "drop_sibling_cancel": (bracket,),
    "shuffle_partials": (partly, cancel_partly),
    "bust": (buy, round_trip, partly),
    "correct": (buy, round_trip, partly),
    "slow_cancels": _CANCELING,
    "slow_replaces": (replace,),
}


def story_for(case: Case, rng: random.Random) -> Story:
    """A story in which the fault can strike."""
    return rng.choice(_OF_KIND.get(case.kind) or _FITTING.get(case.phase) or _ALL)


async def until_at_broker(world: World, order_id: str) -> None:
    """Wait a moment for the broker's id; what does not get one in time is the campaign's to heal."""
    with anyio.move_on_after(_AT_BROKER_S):
        await until(
            lambda: world.order(order_id).broker_order_id is not None or world.order(order_id).status.is_terminal
        )


async def _until_filled(world: World, order_id: str) -> None:
    with anyio.move_on_after(_AT_BROKER_S):
        await until(lambda: world.order(order_id).filled_qty > 0)


async def _until_over(world: World, order_id: str) -> None:
    with anyio.move_on_after(_AT_BROKER_S):
        await until(lambda: world.order(order_id).status.is_terminal)


def give_up(world: World, order_id: str) -> None:
    """Cancel, unless that is no longer possible."""
    with suppress(RefusedError):
        world.give(cmd.CancelOrder(order_id, "campaign"))


def _move(world: World, order_id: str, limit: Decimal) -> str:
    new_id = world.ids.order_id()
    try:
        world.give(cmd.ReplaceOrder(order_id, new_id, world.later(), limit_price=limit))
    except RefusedError:
        return order_id
    return new_id


def _cents(price: Decimal) -> Decimal:
    return price.quantize(_CENT)


async def _pause(rng: random.Random) -> None:
    await anyio.sleep(rng.choice((0.0, 0.0, 0.01, 0.05, 0.2)))
