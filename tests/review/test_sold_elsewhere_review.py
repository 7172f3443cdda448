"""What a person sold at the broker, by hand: nothing here sells it a second time, and opens a short position by it."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import anyio
import pytest

from tests.delivery.rig import open_rig
from tests.ledger.desk import Desk
from tests.risk.test_exits import Market, plan
from tests.risk.test_wired import found
from tradecore.domain import commands as cmd
from tradecore.domain.events import OrderPlanned
from tradecore.domain.values import Bar, OrderStatus, OrderType, Purpose, Side, TimeInForce
from tradecore.errors import TradecoreError
from tradecore.exiting import Exits
from tradecore.sagas.conductor import Conductor

D = Decimal


def sold_by_hand(desk: Desk, qty: str) -> None:
    order_id = desk.ids.order_id()
    terms = ("SPY", Side.SELL, D(qty), None, OrderType.MARKET, None, None, TimeInForce.DAY, None)
    desk.give(
        cmd.AdoptOrder(
            order_id, "main", "by-hand", f"b-{order_id}", *terms, OrderStatus.NEW, desk.clock.now(), "{}"
        )
    )  # fmt: skip
    desk.fill(order_id, qty, "100")


def sells(desk: Desk) -> list[str]:
    planned = [event for event in found(desk, OrderPlanned) if event.side is Side.SELL]
    return [f"{event.quantity}" for event in planned if event.purpose is Purpose.CLOSE]


@pytest.mark.parametrize(("qty", "left"), [("10", []), ("4", ["6"])])
def test_a_stop_sells_no_more_than_the_account_holds(qty: str, left: list[str]) -> None:
    market = Market.over()
    market.desk.done("buy", "10", "100", exits=plan(stop_loss="0.02"))
    sold_by_hand(market.desk, qty)
    market.bar("97", "99")
    assert sells(market.desk) == left


def test_a_trade_is_not_closed_by_hand_beyond_what_the_account_holds() -> None:
    desk = Desk.in_memory()
    desk.pin()
    desk.done("buy", "10", "100")
    sold_by_hand(desk, "10")
    when = desk.clock.now() + dt.timedelta(seconds=30)
    with pytest.raises(TradecoreError, match="holds"):
        desk.give(cmd.ClosePosition(desk.ids.order_id(), "main", "SPY", when, "test", reason="by hand"))
    assert sells(desk) == []


def test_what_was_sold_over_the_brokers_own_page_is_not_sold_again_over_the_wire() -> None:
    """A real exchange: a person sells everything there, the price falls through the stop, and the account is flat."""

    async def story() -> None:
        async with open_rig() as rig:
            entry = rig.place(qty="5", exits=plan(stop_loss="0.02"))
            await rig.until_status(entry, "accepted", "new", "pending_new")
            await rig.advance()
            await rig.until_status(entry, "filled")
            by_hand = {"symbol": "AAA", "side": "sell", "qty": "5", "type": "market", "time_in_force": "day"}
            (await rig.http.post("/v2/orders", json=by_hand)).raise_for_status()
            await rig.advance()
            await rig.until(lambda: not rig.ledger.account("main").positions, "the sale in the books")
            trade = rig.ledger.trade(rig.order(entry).trade_id)
            assert trade is not None
            assert trade.opened_at is not None
            assert trade.position.quantity == 5
            conductor = Conductor(rig.ledger, rig.clock, rig.ids, "main", wake=rig.follower.catch_up)
            rig.follower.listen(conductor.observe)
            low = D("0.01")
            Exits(rig.ledger, rig.ids, "main").see(Bar("AAA", trade.opened_at, low, low, low, low, D(1)))
            for _ in range(3):
                rig.follower.catch_up()
                conductor.advance()
                rig.follower.catch_up()
            assert rig.ledger.account("main").reservations == {}, "nothing waits to be sent"
            sold = [order for order in (await rig.seen())["orders"] if order["side"] == "sell"]
            assert len(sold) == 1
            assert await rig.broker.positions() == ()

    anyio.run(story)
