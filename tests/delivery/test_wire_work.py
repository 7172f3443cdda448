"""Replacements, brackets, closes and kills over real HTTP, against the exchange."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import anyio
import pytest

from tests.delivery.rig import Rig, open_rig
from tradecore.domain import commands as cmd
from tradecore.domain.identity import leg_order_id
from tradecore.domain.terms import StopLoss, TakeProfit
from tradecore.domain.values import Leg, OrderClass, OrderStatus, Purpose
from tradecore_exchange import ExchangeOptions

D = Decimal
WORKING = ("pending_new", "accepted", "new")
BRACKET: dict[str, Any] = {
    "order_class": OrderClass.BRACKET,
    "take_profit": TakeProfit(D(100_000)),
    "stop_loss": StopLoss(D("0.01")),
}


async def resting(rig: Rig, **terms: Any) -> str:
    """An order that the exchange works and that will not fill."""
    order_id = rig.place(limit="0.05", **terms)
    await rig.until_status(order_id, *WORKING)
    await rig.advance()
    await rig.until_status(order_id, "new")
    return order_id


def replace(rig: Rig, old: str, **changes: Any) -> str:
    new = rig.ids.order_id()
    rig.give(cmd.ReplaceOrder(old, new, rig.order(old).not_after or rig.clock.now(), **changes))
    return new


def test_a_replacement_takes_the_place_of_a_working_order() -> None:
    async def story() -> None:
        async with open_rig() as rig:
            old = await resting(rig)
            new = replace(rig, old, limit_price=D("0.06"))
            await rig.until_status(new, *WORKING)
            await rig.until_status(old, "replaced")
            theirs = await rig.assert_exactly_one(new)
            assert D(theirs["limit_price"]) == D("0.06")
            assert set(rig.ledger.account("main").reservations) == {new}

    anyio.run(story)


async def filled_in_part(rig: Rig, **terms: Any) -> str:
    """An order of 100 units of which a part has filled and the rest works."""
    order_id = rig.place(qty="100", limit="999", **terms)
    await rig.until_status(order_id, *WORKING)
    await rig.advance()
    await rig.until_status(order_id, "partially_filled")
    return order_id


def test_a_new_price_for_what_is_left_buys_no_unit_more() -> None:
    """Asked without a quantity, the broker would begin with the whole of the old order again."""

    async def story() -> None:
        options = ExchangeOptions(wash_trade_check=False, partial_fill_rate=1.0)
        async with open_rig(options=options) as rig:
            old = await filled_in_part(rig)
            new = replace(rig, old, limit_price=D(998))
            await rig.until_status(new, *WORKING)
            await rig.advance(5)
            await rig.until_status(new, "filled")
            assert rig.order(old).filled_qty + rig.order(new).filled_qty == 100
            assert rig.ledger.account("main").position("AAA").quantity == 100
            held = await rig.broker.positions()
            assert [position.quantity for position in held] == [100]

    anyio.run(story)


def test_a_fill_that_nobody_told_of_keeps_a_replacement_from_buying_it_again() -> None:
    """Without the stream only the broker knows what has filled: it is asked before anything takes the order's place."""

    async def story() -> None:
        options = ExchangeOptions(wash_trade_check=False, partial_fill_rate=1.0)
        async with open_rig(options=options, with_stream=False) as rig:
            old = rig.place(qty="100", limit="999")
            await rig.until_status(old, *WORKING)
            await rig.advance()
            assert rig.order(old).filled_qty == 0
            await rig.until_status(replace(rig, old, limit_price=D(998)), "canceled")
            assert [order["status"] for order in (await rig.seen())["orders"]] == ["partially_filled"]
            await rig.inbox.collect()
            await rig.until_status(old, "partially_filled")
            new = replace(rig, old, limit_price=D(998))
            await rig.until_status(new, *WORKING)
            await rig.advance(5)
            await rig.inbox.collect()
            await rig.until_status(new, "filled")
            assert rig.order(old).filled_qty + rig.order(new).filled_qty == 100

    anyio.run(story)


@pytest.mark.parametrize("fault", ["http_504", "reset"])
def test_a_replacement_whose_answer_is_lost_is_found_and_not_asked_for_twice(fault: str) -> None:
    async def story() -> None:
        async with open_rig() as rig:
            old = await resting(rig)
            await rig.arm(kind=fault, method="PATCH", after_accept=True, count=1)
            new = replace(rig, old, limit_price=D("0.06"))
            await rig.until_status(new, *WORKING)
            await rig.until_status(old, "replaced")
            await rig.assert_exactly_one(new)

    anyio.run(story)


def test_a_replacement_that_the_broker_refuses_leaves_the_old_order_working() -> None:
    async def story() -> None:
        async with open_rig() as rig:
            old = await resting(rig)
            new = replace(rig, old, quantity=D(1_000_000_000))
            await rig.until_status(new, "rejected")
            assert (rig.order(old).replaced_by, rig.order(old).status) == (None, OrderStatus.NEW)
            assert set(rig.ledger.account("main").reservations) == {old}

    anyio.run(story)


def test_the_legs_of_a_bracket_are_known_by_the_brokers_ids() -> None:
    async def story() -> None:
        async with open_rig() as rig:
            order = rig.place(**BRACKET)
            await rig.until_status(order, *WORKING)
            legs = [leg_order_id(order, leg.value) for leg in Leg]
            await rig.until(lambda: all(rig.order(leg).broker_order_id for leg in legs), "the legs")
            assert rig.outbox.open_items == 0
            theirs = {each["id"]: each for each in (await rig.seen())["orders"]}
            kinds = [theirs[rig.order(leg).broker_order_id or ""]["type"] for leg in legs]
            assert kinds == ["limit", "stop"]

    anyio.run(story)


def test_legs_are_found_when_the_answer_that_named_them_was_lost() -> None:
    async def story() -> None:
        async with open_rig() as rig:
            await rig.arm(kind="http_504", after_accept=True, count=1)
            order = rig.place(**BRACKET)
            await rig.until_status(order, *WORKING)
            legs = [leg_order_id(order, leg.value) for leg in Leg]
            await rig.until(lambda: all(rig.order(leg).broker_order_id for leg in legs), "the legs")

    anyio.run(story)


def test_closing_a_position_orders_exactly_what_is_held() -> None:
    async def story() -> None:
        async with open_rig() as rig:
            bought = rig.place(qty="7")
            await rig.until_status(bought, *WORKING)
            await rig.advance()
            await rig.until_status(bought, "filled")
            closing = rig.ids.order_id()
            rig.give(cmd.ClosePosition(closing, "main", "AAA", rig.order(bought).not_after or rig.clock.now()))
            assert (rig.order(closing).quantity, rig.order(closing).purpose) == (D(7), Purpose.CLOSE)
            await rig.until_status(closing, *WORKING)
            await rig.advance()
            await rig.until_status(closing, "filled")
            assert rig.ledger.account("main").positions == {}

    anyio.run(story)


def test_a_kill_cancels_what_we_placed_and_what_somebody_else_placed_until_nothing_works() -> None:
    async def story() -> None:
        async with open_rig() as rig:
            ours = await resting(rig)
            body = {"symbol": "BBB", "qty": "3", "side": "buy", "type": "limit", "limit_price": "0.05"}
            (await rig.http.post("/v2/orders", json=body | {"time_in_force": "day"})).raise_for_status()
            await rig.arm(kind="http_504", method="DELETE", count=2)
            rig.give(cmd.RequestKill("main", "test"))
            await rig.until(lambda: not (rig.ledger.kill("main") or pytest.fail("no kill")).is_open, "a verified kill")
            await rig.until_status(ours, "canceled")
            assert {order["status"] for order in (await rig.seen())["orders"]} == {"canceled"}

    anyio.run(story)
