"""Legs that the broker shows before it has answered for their parent are ours, not somebody else's."""

from __future__ import annotations

from decimal import Decimal

import anyio
import attrs
import pytest

from tests.delivery.rig import Rig, open_rig
from tests.delivery.test_work import LATER
from tests.ledger.desk import NOON
from tests.review.scripted import Office
from tradecore.domain import events as ev
from tradecore.domain.identity import leg_order_id
from tradecore.domain.terms import StopLoss, TakeProfit
from tradecore.domain.values import OrderClass, Side
from tradecore.verify import verify

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


def test_legs_that_an_old_answer_did_not_know_of_are_not_adopted() -> None:
    """The broker's answer for the bracket was from before it had legs; a list shows them before it is asked again."""

    async def story() -> None:
        office = Office.open()
        profit, loss = TakeProfit(Decimal(120)), StopLoss(Decimal(80))
        order_id = office.desk.place(
            "buy", "10", order_class=OrderClass.BRACKET, take_profit=profit, stop_loss=loss, not_after=LATER
        )
        await office.deliver(0.1)
        have = office.broker.have
        legs = (
            have("x", broker_order_id="b-profit", side=Side.SELL, order_type="limit"),
            have("y", broker_order_id="b-loss", side=Side.SELL, order_type="stop"),
        )
        stranger = have("z", broker_order_id="b-else", side=Side.SELL, order_type="limit", qty="7")
        await office.collect()
        adopted = [item.event for item in office.desk.ledger.journal.read(0, 1000)]
        assert [e.broker_order_id for e in adopted if isinstance(e, ev.OrderAdopted)] == [stranger.broker_order_id]
        assert office.inbox.behind  # somebody reads again
        name = f"b-{office.desk.order(order_id).client_order_id}"
        office.broker.orders[name] = attrs.evolve(office.broker.orders[name], legs=legs)
        await office.collect()
        told = [office.desk.order(leg_order_id(order_id, leg)).broker_order_id for leg in LEGS]
        assert told == ["b-profit", "b-loss"]
        assert not office.inbox.behind

    anyio.run(story)


def test_legs_that_were_given_up_and_show_after_all_are_not_adopted() -> None:
    async def story() -> None:
        office = Office.open()
        profit, loss = TakeProfit(Decimal(120)), StopLoss(Decimal(80))
        order_id = office.desk.place(
            "buy", "10", order_class=OrderClass.BRACKET, take_profit=profit, stop_loss=loss, not_after=LATER
        )
        await office.deliver(0.1)
        name = f"b-{office.desk.order(order_id).client_order_id}"
        office.broker.fill(office.broker.orders[name], "10", NOON)
        await office.collect()
        await office.deliver(0.3)
        leg_ids = [leg_order_id(order_id, leg) for leg in LEGS]
        assert [office.desk.order(leg).status.value for leg in leg_ids] == ["canceled", "canceled"]
        have = office.broker.have
        legs = (
            have("x", broker_order_id="b-profit", side=Side.SELL, order_type="limit"),
            have("y", broker_order_id="b-loss", side=Side.SELL, order_type="stop"),
        )
        office.broker.orders[name] = attrs.evolve(office.broker.orders[name], legs=legs)
        await office.collect()
        assert [office.desk.order(leg).broker_order_id for leg in leg_ids] == ["b-profit", "b-loss"]
        assert ev.OrderAdopted.NAME not in office.desk.names()
        assert not set(leg_ids) & set(office.desk.ledger.account("main").reservations), "legs only reduce"
        assert not verify(office.desk.ledger.journal).findings

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
