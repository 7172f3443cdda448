"""What the broker says of a symbol: fractions of some are not traded, and some are not lent, so no short is opened."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.ledger.desk import Desk
from tests.review.scripted import ScriptedBroker
from tests.risk.test_wired import found, refusal
from tests.virtual_time import run_story
from tradecore.assets import Assets
from tradecore.domain import commands as cmd
from tradecore.domain.events import AssetsRefreshed, LimitBreached, OrderPlanned
from tradecore.domain.messages import Cause
from tradecore.domain.values import OrderType, Side, TimeInForce
from tradecore.ports.broker import Asset
from tradecore.sagas.conductor import Conductor

TRADED: dict[str, Any] = {"tradable": True}
WHOLE, UNLENT = TRADED | {"whole_only": True}, TRADED | {"not_lent": True}


@pytest.fixture
def desk() -> Desk:
    desk = Desk.in_memory()
    desk.pin()
    desk.limits(must_be_tradable=True)
    return desk


@pytest.mark.parametrize(
    ("side", "quantity", "said", "rule"),
    [
        ("buy", "1.5", TRADED, None),
        ("buy", "1.5", WHOLE, "must_be_tradable"),
        ("buy", "1.000000001", WHOLE, "must_be_tradable"),
        ("buy", "2", WHOLE, None),
        ("sell", "2", TRADED, None),
        ("sell", "2", UNLENT, "must_be_tradable"),
        ("buy", "2", UNLENT, None),
        ("buy", "2", {}, "must_be_tradable"),
        ("buy", "2", {"tradable": False}, "must_be_tradable"),
    ],
)
def test_the_word_of_the_broker_counts(
    desk: Desk, side: str, quantity: str, said: dict[str, Any], rule: str | None
) -> None:
    assert refusal(desk, side, quantity, **said) == rule


@pytest.mark.parametrize("amount", ["200", "250"])
def test_an_amount_of_money_is_a_fraction_whatever_it_comes_to(desk: Desk, amount: str) -> None:
    terms: dict[str, Any] = {"notional": Decimal(amount), "reference_price": Decimal(100), "quantity": None}
    assert refusal(desk, "buy", "1", **(terms | WHOLE)) == "must_be_tradable"
    assert refusal(desk, "buy", "1", **(terms | TRADED)) is None


def test_what_is_held_may_be_sold_and_no_unit_more(desk: Desk) -> None:
    desk.done("buy", "10", "100", **UNLENT)
    assert refusal(desk, "sell", "10.000000001", **UNLENT) == "must_be_tradable"
    assert refusal(desk, "sell", "4", **UNLENT) is None
    assert refusal(desk, "sell", "6.000000001", **UNLENT) == "must_be_tradable", "what is open to be sold counts"
    assert refusal(desk, "sell", "6", **UNLENT) is None


def test_a_fraction_that_is_held_may_be_sold(desk: Desk) -> None:
    desk.done("buy", "1.5", "100", **TRADED)
    assert refusal(desk, "sell", "1.5", **WHOLE) is None


def test_the_reason_names_what_is_not_traded(desk: Desk) -> None:
    refusal(desk, "buy", "1.5", **WHOLE)
    refusal(desk, "sell", "2", **UNLENT)
    told = [event.reason for event in found(desk, LimitBreached)]
    assert told == [
        "1.5; allowed is whole units: the broker trades no fractions of it",
        "-2 in the end; allowed is no short: the broker lends none of it",
    ]


def test_a_limit_that_is_not_set_asks_for_nothing() -> None:
    assert refusal(Desk.in_memory(), "sell", "1.5", **(WHOLE | UNLENT)) is None


class Listing(ScriptedBroker):
    """Trades three symbols, each in another way."""

    async def assets(self) -> tuple[Asset, ...]:
        return (
            Asset("SPY", True, True, True), Asset("BRK.A", True, False, True), Asset("NEW", True, True, False),
            Asset("GONE", False, True, True),
        )  # fmt: skip


def test_the_list_of_the_broker_is_recorded_and_told_with_every_order(desk: Desk) -> None:
    assets = Assets(desk.ledger, Listing(), desk.clock, None)
    run_story(assets.refresh, Cause(desk.ids.trace_id(), "test"))
    assert found(desk, AssetsRefreshed) == [AssetsRefreshed("scripted", ("BRK.A", "NEW", "SPY"), ("BRK.A",), ("NEW",))]
    said = {}
    for symbol in ("SPY", "BRK.A", "NEW", "GONE"):
        order = cmd.PlaceOrder(
            "x", "main", symbol, Side.BUY, Decimal(1), OrderType.MARKET, None, TimeInForce.DAY, "test", desk.clock.now()
        )
        told = assets.on(order)
        said[symbol] = (told.tradable, told.whole_only, told.not_lent)
    assert said == {
        "SPY": (True, False, False), "BRK.A": (True, True, False), "NEW": (True, False, True),
        "GONE": (False, False, False),
    }  # fmt: skip


@pytest.mark.parametrize("symbol", ["SPY", "GONE"])
def test_what_a_saga_buys_is_told_of_too(desk: Desk, symbol: str) -> None:
    assets = Assets(desk.ledger, Listing(), desk.clock, None)
    run_story(assets.refresh, Cause(desk.ids.trace_id(), "test"))
    conductor = Conductor(desk.ledger, desk.clock, desk.ids, "main", with_asset=assets.on)
    terms = {"symbol": symbol, "side": "buy", "quantity": "10", "strategy": "test", "order_type": "market"}
    conductor.start(desk.ids.order_id(), "signal_execution", terms, Cause(desk.ids.trace_id(), actor="test"))
    conductor.advance()
    assert len(found(desk, OrderPlanned)) == (symbol == "SPY")
