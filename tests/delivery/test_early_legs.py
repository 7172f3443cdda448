"""Legs that the broker shows before it has answered for their parent are ours, not somebody else's."""

from __future__ import annotations

from decimal import Decimal

import anyio
import pytest

from tests.delivery.rig import Rig, open_rig
from tradecore.domain import events as ev
from tradecore.domain.identity import leg_order_id
from tradecore.domain.terms import StopLoss, TakeProfit
from tradecore.domain.values import OrderClass

LEGS = ("take_profit", "stop_loss")


async def place_bracket(rig: Rig) -> str:
    price = Decimal((await rig.http.get("/_ctl/state")).json()["prices"]["AAA"])
    profit, loss = (price * Decimal(factor) for factor in ("1.2", "0.8"))
    return rig.place(
        order_class=OrderClass.BRACKET,
        take_profit=TakeProfit(profit.quantize(Decimal("0.01"))),
        stop_loss=StopLoss(loss.quantize(Decimal("0.01"))),
    )


async def until_there(rig: Rig) -> None:
    await rig.until(lambda: len(rig.server.service.floor.exchange.book.all) == 3, "the bracket at the exchange")


def names(rig: Rig) -> list[str]:
    return [item.envelope.name for item in rig.ledger.journal.read(0, 10_000)]


def has_legs(rig: Rig, order_id: str) -> bool:
    return all(rig.order(leg_order_id(order_id, leg)).broker_order_id is not None for leg in LEGS)


@pytest.mark.parametrize("drops", [0, 100], ids=["heard", "unheard"])
def test_legs_that_are_listed_before_their_parent_is_answered_are_not_adopted(drops: int) -> None:
    """Seed 99 of the fault campaign: the list was read between the acceptance of a bracket and its answer."""

    async def story() -> None:
        async with open_rig() as rig:
            await rig.arm(kind="delay", ms=400, after_accept=True, count=1)
            if drops:
                await rig.arm(kind="drop_update", count=drops)
            order_id = await place_bracket(rig)
            await until_there(rig)
            await rig.inbox.collect()
            await rig.until(lambda: has_legs(rig, order_id), "the legs")
            await rig.inbox.collect()
            assert ev.OrderAdopted.NAME not in names(rig)
            assert not rig.inbox.behind

    anyio.run(story)


def test_what_is_not_ours_is_adopted_when_nothing_of_ours_is_on_its_way() -> None:
    async def story() -> None:
        async with open_rig() as rig:
            body = {"symbol": "AAA", "qty": "1", "side": "buy", "type": "limit", "limit_price": "1"}
            (await rig.http.post("/v2/orders", json=body | {"time_in_force": "day"})).raise_for_status()
            await rig.inbox.collect()
            await rig.until(lambda: ev.OrderAdopted.NAME in names(rig), "the adoption")
            assert not rig.inbox.behind

    anyio.run(story)
