"""What a person sold at the broker, by hand: nothing here sells it a second time, and opens a short position by it."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from tests.ledger.desk import Desk
from tests.risk.test_exits import Market, plan
from tests.risk.test_wired import found
from tradecore.domain import commands as cmd
from tradecore.domain.events import OrderPlanned
from tradecore.domain.values import OrderStatus, OrderType, Purpose, Side, TimeInForce
from tradecore.errors import TradecoreError

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
