"""Orders that wait for a price or bring others along, and orders of less than a unit. Cases B08, B10, B15 to B17."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tradecore.domain.terms import StopLoss, TakeProfit
from tradecore.domain.values import OrderClass, OrderStatus, OrderType, Side
from tradecore.ports.broker import EVER, BrokerOrder
from tradecore.testing.broker_stage import Capability, Play

_DONE = (OrderStatus.CANCELED, OrderStatus.EXPIRED)
_ON_THE_MARKET = (OrderStatus.NEW, OrderStatus.HELD)


def by_type(order: BrokerOrder) -> dict[str, BrokerOrder]:
    """The two legs of a bracket by their types."""
    assert sorted(leg.order_type for leg in order.legs) == ["limit", "stop"]
    return {leg.order_type: leg for leg in order.legs}


class ClassesContract:
    """Cases on types and classes beyond the simplest."""

    async def bracket(self, play: Play, **changes: Any) -> BrokerOrder:
        """An entry with both legs, far from the market on either side."""
        legs = {"take_profit": TakeProfit(await play.at("3")), "stop_loss": StopLoss(await play.at("0.2"))}
        return await play.broker.submit(play.request(order_class=OrderClass.BRACKET, **{**legs, **changes}))

    async def test_b08_a_bracket_has_its_legs_from_the_start(self, play: Play) -> None:
        play.needs(Capability.BRACKET)
        low = {"order_type": OrderType.LIMIT, "limit_price": await play.at("0.5")}
        parent = await self.bracket(play, **low)
        parent = await play.until(parent.broker_order_id, OrderStatus.NEW)
        legs = by_type(parent)
        assert (legs["limit"].limit_price, legs["stop"].stop_price) == (await play.at("3"), await play.at("0.2"))
        assert {leg.side for leg in parent.legs} == {Side.SELL}
        assert {leg.quantity for leg in parent.legs} == {Decimal(10)}
        assert {leg.status for leg in parent.legs} == {OrderStatus.HELD}
        for leg in parent.legs:
            assert leg.client_order_id != parent.client_order_id
            assert (await play.known(leg.broker_order_id)).client_order_id == leg.client_order_id

    async def test_b08_legs_begin_when_the_entry_is_filled(self, play: Play) -> None:
        play.needs(Capability.BRACKET)
        parent = await self.bracket(play)
        parent = await play.until(parent.broker_order_id, OrderStatus.FILLED)
        legs = by_type(await play.known(parent.broker_order_id))
        await play.until(legs["limit"].broker_order_id, OrderStatus.NEW)
        await play.until(legs["stop"].broker_order_id, *_ON_THE_MARKET)

    async def test_b08_one_leg_ends_with_the_other(self, play: Play) -> None:
        play.needs(Capability.BRACKET)
        parent = await play.until((await self.bracket(play)).broker_order_id, OrderStatus.FILLED)
        legs = by_type(await play.known(parent.broker_order_id))
        await play.until(legs["limit"].broker_order_id, OrderStatus.NEW)
        await play.broker.cancel(legs["limit"].broker_order_id)
        for leg in legs.values():
            await play.until(leg.broker_order_id, *_DONE)
        assert await play.held() == 10

    async def test_b08_legs_end_with_an_entry_that_is_canceled(self, play: Play) -> None:
        play.needs(Capability.BRACKET)
        low = {"order_type": OrderType.LIMIT, "limit_price": await play.at("0.5")}
        parent = await play.until((await self.bracket(play, **low)).broker_order_id, OrderStatus.NEW)
        await play.broker.cancel(parent.broker_order_id)
        for order in (parent, *parent.legs):
            await play.until(order.broker_order_id, *_DONE)

    async def test_b10_a_part_of_a_unit(self, play: Play) -> None:
        play.needs(Capability.FRACTIONAL)
        order = await play.filled(play.request(Decimal("0.123456789")))
        assert order.filled_qty == order.quantity == Decimal("0.123456789") == await play.held()
        fills = (await play.broker.fills_since(EVER)).fills
        assert sum(fill.quantity for fill in fills) == Decimal("0.123456789")

    @pytest.mark.parametrize("limited", [False, True])
    async def test_b15_a_stop_waits_for_its_price(self, play: Play, limited: bool) -> None:
        play.needs(Capability.STOP)
        await play.filled(play.request())
        stop, limit = await play.at("0.5"), await play.at("0.4")
        request = play.request(
            Decimal(10),
            Side.SELL,
            order_type=OrderType.STOP_LIMIT if limited else OrderType.STOP,
            stop_price=stop,
            limit_price=limit if limited else None,
        )
        order = await play.working(request)
        assert (order.order_type, order.stop_price) == (request.order_type.value, stop)
        assert order.limit_price == (limit if limited else None)
        await play.stage.move()
        assert (await play.known(order.broker_order_id)).filled_qty == 0

    @pytest.mark.parametrize("trail", ["trail_price", "trail_percent"])
    async def test_b15_a_trailing_stop_follows(self, play: Play, trail: str) -> None:
        play.needs(Capability.TRAILING_STOP)
        await play.filled(play.request())
        distance = await play.at("0.5") if trail == "trail_price" else Decimal(50)
        request = play.request(Decimal(10), Side.SELL, order_type=OrderType.TRAILING_STOP, **{trail: distance})
        order = await play.working(request)
        assert order.order_type == "trailing_stop"
        assert order.stop_price is not None
        assert 0 < order.stop_price < await play.stage.price()

    async def test_b16_an_oco_is_the_take_profit_and_brings_the_stop(self, play: Play) -> None:
        play.needs(Capability.OCO)
        await play.filled(play.request())
        target, stop = await play.at("3"), await play.at("0.2")
        request = play.request(
            Decimal(10),
            Side.SELL,
            order_type=OrderType.LIMIT,
            limit_price=target,
            order_class=OrderClass.OCO,
            stop_loss=StopLoss(stop),
        )
        order = await play.working(request)
        assert (order.order_type, order.limit_price, order.client_order_id) == (
            "limit",
            target,
            request.client_order_id,
        )
        (leg,) = order.legs
        assert (leg.order_type, leg.stop_price, leg.side) == ("stop", stop, Side.SELL)
        await play.broker.cancel(order.broker_order_id)
        for one in (order, leg):
            await play.until(one.broker_order_id, *_DONE)

    @pytest.mark.parametrize("leg", ["take_profit", "stop_loss"])
    async def test_b16_an_oto_brings_one_leg(self, play: Play, leg: str) -> None:
        play.needs(Capability.OTO)
        legs: dict[str, Any] = {
            "take_profit": TakeProfit(await play.at("3")),
            "stop_loss": StopLoss(await play.at("0.2")),
        }
        order = await play.filled(play.request(order_class=OrderClass.OTO, **{leg: legs[leg]}))
        (brought,) = (await play.known(order.broker_order_id)).legs
        assert brought.order_type == ("limit" if leg == "take_profit" else "stop")
        assert brought.side is Side.SELL
        await play.until(brought.broker_order_id, OrderStatus.NEW)

    async def test_b17_an_amount_of_money(self, play: Play) -> None:
        play.needs(Capability.NOTIONAL)
        order = await play.filled(play.request(None, notional=Decimal(500)))
        assert (order.quantity, order.notional) == (None, Decimal(500))
        assert order.filled_avg_price is not None
        assert abs(order.filled_qty * order.filled_avg_price - 500) < Decimal("0.01") * order.filled_avg_price
        assert await play.held() == order.filled_qty
