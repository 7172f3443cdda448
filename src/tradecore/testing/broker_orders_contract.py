"""Orders: submitted once, found again, canceled, replaced, refused. Cases B01 to B03, B07, B11 and B14."""

from __future__ import annotations

from decimal import Decimal

import attrs
import pytest

from tradecore.domain.values import OrderStatus, OrderType, Side, TimeInForce
from tradecore.errors import AlreadyExists, BrokerRefused, RefusalReason
from tradecore.ports.broker import EVER, ReplaceRequest
from tradecore.testing.broker_stage import Capability, Play

NOBODY = "00000000-0000-4000-8000-000000000000"
_OVER = (OrderStatus.CANCELED, OrderStatus.REPLACED)


class OrdersContract:
    """Cases on single orders."""

    async def test_b01_an_order_is_found_under_both_of_its_ids(self, play: Play) -> None:
        request = await play.patient()
        answer = await play.broker.submit(request)
        assert (answer.client_order_id, answer.symbol, answer.side) == (
            request.client_order_id,
            request.symbol,
            request.side,
        )
        assert (answer.quantity, answer.order_type, answer.filled_qty) == (Decimal(10), "limit", Decimal(0))
        assert answer.limit_price == request.limit_price
        assert answer.status is not None
        assert answer.raw
        by_client_id = await play.broker.order_by_client_id(request.client_order_id)
        assert by_client_id is not None
        assert by_client_id.broker_order_id == answer.broker_order_id
        assert (await play.known(answer.broker_order_id)).client_order_id == request.client_order_id

    async def test_b01_what_nobody_submitted_is_not_found(self, play: Play) -> None:
        assert await play.broker.order_by_client_id(play.stage.new_id()) is None
        assert await play.broker.order(NOBODY) is None

    async def test_b01_every_order_is_listed_oldest_first(self, play: Play) -> None:
        submitted = [(await play.broker.submit(await play.patient())).broker_order_id for _ in range(3)]
        page = await play.broker.orders_since(EVER)
        assert page.unreadable == ()
        assert [order.broker_order_id for order in page.orders if order.broker_order_id in submitted] == submitted

    @pytest.mark.parametrize("ended", ["working", "filled", "canceled"])
    async def test_b02_a_client_order_id_is_taken_for_ever(self, play: Play, ended: str) -> None:
        """What became of the first does not matter; and nothing of the second is done."""
        request = play.request() if ended == "filled" else await play.patient()
        first = await (play.filled if ended == "filled" else play.working)(request)
        if ended == "canceled":
            await play.broker.cancel(first.broker_order_id)
            await play.until(first.broker_order_id, OrderStatus.CANCELED)
        with pytest.raises(AlreadyExists):
            await play.broker.submit(request)
        with pytest.raises(AlreadyExists):
            await play.broker.submit(attrs.evolve(request, quantity=Decimal(1)))
        orders = (await play.broker.orders_since(EVER)).orders
        same = [order for order in orders if order.client_order_id == request.client_order_id]
        assert [order.broker_order_id for order in same] == [first.broker_order_id]

    async def test_b03_a_cancel_is_a_request_and_may_be_repeated(self, play: Play) -> None:
        order = await play.working(await play.patient())
        await play.broker.cancel(order.broker_order_id)
        canceled = await play.until(order.broker_order_id, OrderStatus.CANCELED)
        assert canceled.filled_qty == 0
        await play.broker.cancel(order.broker_order_id)
        assert await play.held() == 0

    async def test_b03_what_is_filled_cannot_be_canceled(self, play: Play) -> None:
        order = await play.filled(play.request())
        with pytest.raises(BrokerRefused) as caught:
            await play.broker.cancel(order.broker_order_id)
        assert caught.value.reason is RefusalReason.ALREADY_FINISHED

    async def test_b03_what_does_not_exist_cannot_be_canceled(self, play: Play) -> None:
        with pytest.raises(BrokerRefused) as caught:
            await play.broker.cancel(NOBODY)
        assert caught.value.reason is RefusalReason.NOT_FOUND

    async def test_b07_a_replacement_is_a_new_order(self, play: Play) -> None:
        play.needs(Capability.REPLACE)
        old = await play.working(await play.patient())
        change = ReplaceRequest(play.stage.new_id(), Decimal(7), await play.at("0.4"), None, None, None)
        new = await play.broker.replace(old.broker_order_id, change)
        assert new.client_order_id == change.client_order_id
        assert new.replaces in (None, old.broker_order_id)
        replaced = await play.until(old.broker_order_id, OrderStatus.REPLACED)
        assert replaced.replaced_by == new.broker_order_id
        working = await play.until(new.broker_order_id, OrderStatus.NEW)
        assert (working.quantity, working.limit_price) == (Decimal(7), change.limit_price)
        assert working.replaces == old.broker_order_id

    async def test_b07_what_is_over_cannot_be_replaced(self, play: Play) -> None:
        play.needs(Capability.REPLACE)
        order = await play.filled(play.request())
        change = ReplaceRequest(play.stage.new_id(), Decimal(20), None, None, None, None)
        with pytest.raises(BrokerRefused):
            await play.broker.replace(order.broker_order_id, change)
        assert await play.broker.order_by_client_id(change.client_order_id) is None

    async def test_b07_a_replacement_under_a_taken_id_exists_already(self, play: Play) -> None:
        play.needs(Capability.REPLACE)
        old = await play.working(await play.patient())
        change = ReplaceRequest(old.client_order_id, Decimal(7), None, None, None, None)
        with pytest.raises(AlreadyExists):
            await play.broker.replace(old.broker_order_id, change)
        assert (await play.known(old.broker_order_id)).status not in _OVER

    @pytest.mark.parametrize(
        ("changes", "reasons"),
        [
            ({"symbol": "NOSUCHTHING"}, {RefusalReason.NOT_TRADABLE, RefusalReason.NOT_FOUND}),
            (
                {"order_type": OrderType.LIMIT, "limit_price": Decimal("20.12345")},
                {RefusalReason.PRICE_INCREMENT},
            ),
            ({"quantity": Decimal(10_000_000)}, {RefusalReason.INSUFFICIENT_BUYING_POWER}),
        ],
        ids=["unknown symbol", "between two increments", "beyond its means"],
    )
    async def test_b11_a_refusal_has_a_reason_and_leaves_nothing(
        self, play: Play, changes: dict[str, object], reasons: set[RefusalReason]
    ) -> None:
        request = attrs.evolve(play.request(), **changes)  # type: ignore[arg-type]
        with pytest.raises(BrokerRefused) as caught:
            await play.broker.submit(request)
        assert caught.value.reason in reasons
        assert await play.broker.order_by_client_id(request.client_order_id) is None

    async def test_b11_more_cannot_be_sold_than_is_held_and_free(self, play: Play) -> None:
        await play.filled(play.request())
        request = play.request(Decimal(11), Side.SELL, order_type=OrderType.LIMIT, limit_price=await play.at("2"))
        with pytest.raises(BrokerRefused) as caught:
            await play.broker.submit(request)
        assert caught.value.reason is RefusalReason.INSUFFICIENT_QUANTITY

    async def test_b11_an_order_in_the_way_is_named(self, play: Play) -> None:
        play.needs(Capability.WASH_TRADE_CHECK)
        await play.filled(play.request())
        waiting = await play.working(
            play.request(Decimal(5), Side.SELL, order_type=OrderType.LIMIT, limit_price=await play.at("1.5"))
        )
        with pytest.raises(BrokerRefused) as caught:
            await play.broker.submit(play.request())
        assert caught.value.reason is RefusalReason.WASH_TRADE
        assert caught.value.conflicting_order_id == waiting.broker_order_id

    @pytest.mark.parametrize("tif", [TimeInForce.IOC, TimeInForce.FOK])
    async def test_b14_what_is_good_for_an_instant_does_not_wait(self, play: Play, tif: TimeInForce) -> None:
        play.needs(Capability.IMMEDIATE)
        order = await play.broker.submit(await play.patient(time_in_force=tif))
        over = await play.until(order.broker_order_id, OrderStatus.CANCELED, OrderStatus.EXPIRED)
        assert over.filled_qty == await play.held() == 0

    @pytest.mark.parametrize("tif", [TimeInForce.IOC, TimeInForce.FOK])
    async def test_b14_what_it_meets_it_trades(self, play: Play, tif: TimeInForce) -> None:
        """All or nothing for the one, what there is for the other; and nothing of either stays."""
        play.needs(Capability.IMMEDIATE)
        order = await play.broker.submit(
            play.request(order_type=OrderType.LIMIT, limit_price=await play.at("1.5"), time_in_force=tif)
        )
        ends = (OrderStatus.FILLED, OrderStatus.CANCELED, OrderStatus.EXPIRED)
        over = await play.until(order.broker_order_id, *ends)
        assert over.filled_qty == await play.held() > 0
        assert over.quantity is not None
        assert over.filled_qty <= over.quantity
        assert (over.status is OrderStatus.FILLED) == (over.filled_qty == over.quantity)
        assert tif is TimeInForce.IOC or over.status is OrderStatus.FILLED
