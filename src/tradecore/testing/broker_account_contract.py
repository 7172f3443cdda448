"""The account: what it holds, what it has, and the switches for emergencies. Cases B09, B13 and B18 to B22."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from tradecore.domain.values import OrderStatus, Side
from tradecore.errors import BrokerRefused, RefusalReason
from tradecore.ports.broker import EVER, ActivityKind
from tradecore.testing.broker_stage import Capability, Play

_A_CENT = Decimal("0.01")


class AccountContract:
    """Cases on the account as a whole."""

    async def test_b09_a_position_has_a_sign_and_vanishes_at_zero(self, play: Play) -> None:
        await play.filled(play.request(Decimal(10)))
        assert await play.held() == 10
        await play.filled(play.request(Decimal(4), Side.SELL))
        assert await play.held() == 6
        await play.filled(play.request(Decimal(6), Side.SELL))
        assert [one for one in await play.broker.positions() if one.symbol == play.stage.symbol] == []

    async def test_b09_a_short_position_is_negative(self, play: Play) -> None:
        play.needs(Capability.SHORT)
        await play.filled(play.request(Decimal(5), Side.SELL))
        assert await play.held() == -5

    async def test_b09_the_average_price_is_that_of_the_fills(self, play: Play) -> None:
        order = await play.filled(play.request())
        (held,) = await play.broker.positions()
        assert held.average_price == order.filled_avg_price
        assert held.current_price is None or held.current_price > 0

    async def test_b13_who_and_when(self, play: Play) -> None:
        account = await play.broker.account()
        assert account.account_id == (await play.broker.account()).account_id != ""
        assert account.currency
        assert account.cash.is_finite()
        assert account.equity.is_finite()
        assert not account.trading_blocked
        assert (await play.broker.now()).utcoffset() == dt.timedelta(0)
        assert play.broker.name

    async def test_b13_what_can_be_traded(self, play: Play) -> None:
        (asset,) = [one for one in await play.broker.assets() if one.symbol == play.stage.symbol]
        assert asset.tradable

    async def test_b18_everything_open_is_canceled_at_once(self, play: Play) -> None:
        play.needs(Capability.CANCEL_ALL)
        orders = [await play.working(await play.patient()) for _ in range(3)]
        await play.broker.cancel_all()
        for order in orders:
            await play.until(order.broker_order_id, OrderStatus.CANCELED)
        await play.broker.cancel_all()  # of nothing, too

    async def test_b19_a_suspended_account_takes_no_new_order_but_lets_go(self, play: Play) -> None:
        play.needs(Capability.SUSPEND)
        waiting = await play.working(await play.patient())
        await play.broker.suspend(suspended=True)
        request = await play.patient()
        with pytest.raises(BrokerRefused) as caught:
            await play.broker.submit(request)
        assert caught.value.reason is RefusalReason.ACCOUNT_RESTRICTED
        account = await play.broker.account()
        assert account.trading_blocked
        assert account.suspended
        await play.broker.cancel(waiting.broker_order_id)
        await play.until(waiting.broker_order_id, OrderStatus.CANCELED)
        await play.broker.suspend(suspended=False)
        account = await play.broker.account()
        assert not account.trading_blocked
        assert not account.suspended
        await play.working(request)

    async def test_b20_a_position_is_flattened_by_the_broker(self, play: Play) -> None:
        play.needs(Capability.CLOSE_POSITION)
        await play.filled(play.request())
        closing = await play.broker.close_position(play.stage.symbol)
        assert (closing.side, closing.symbol) == (Side.SELL, play.stage.symbol)
        await play.until(closing.broker_order_id, OrderStatus.FILLED)
        assert await play.held() == 0
        with pytest.raises(BrokerRefused) as caught:
            await play.broker.close_position(play.stage.symbol)
        assert caught.value.reason is RefusalReason.NOT_FOUND

    async def test_b21_what_no_order_did_is_an_activity(self, play: Play) -> None:
        play.needs(Capability.ACTIVITIES)
        before = (await play.broker.account()).cash
        await play.stage.charge(Decimal("1.25"))
        page = await play.broker.activities_since(EVER)
        assert page.unreadable == ()
        (fee,) = page.activities
        assert (fee.kind, fee.amount) == (ActivityKind.FEE, Decimal("-1.25"))
        assert fee.raw
        assert (await play.broker.account()).cash == before - Decimal("1.25")
        assert (await play.broker.activities_since(EVER)).activities == page.activities

    async def test_b22_cash_is_what_executions_and_activities_made_of_it(self, play: Play) -> None:
        before = (await play.broker.account()).cash
        await play.filled(play.request(Decimal(10)))
        await play.filled(play.request(Decimal(4), Side.SELL))
        fills = (await play.broker.fills_since(EVER)).fills
        others = (await play.broker.activities_since(EVER)).activities
        expected = before - sum(fill.side.sign * fill.quantity * fill.price for fill in fills)
        expected += sum((one.amount for one in others), Decimal(0))
        assert abs((await play.broker.account()).cash - expected) < _A_CENT
