"""What the broker says of a symbol: fractions of some are not traded, and some are not lent, so no short is opened."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from tests.ledger.desk import NOON, Desk
from tests.review.scripted import ScriptedBroker
from tests.risk.test_wired import found, refusal
from tests.virtual_time import run_story
from tradecore.assets import Assets, recorded_list
from tradecore.domain import commands as cmd
from tradecore.domain import streams
from tradecore.domain.events import AssetsConfirmed, AssetsRefreshed, LimitBreached, OrderPlanned
from tradecore.domain.limits import Action, Limits
from tradecore.domain.listing import Listing as TradedAs
from tradecore.domain.messages import Cause
from tradecore.domain.values import OrderStatus, OrderType, Side, TimeInForce
from tradecore.errors import OrderRefused
from tradecore.pinning import set_limits
from tradecore.ports.broker import Asset
from tradecore.sagas.conductor import Conductor

LATER = NOON + dt.timedelta(hours=1)
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
    assert found(desk, AssetsRefreshed) == [
        AssetsRefreshed("scripted", ("BRK.A", "NEW", "SPY"), ("BRK.A",), ("NEW",), is_full=True)
    ]
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


def test_a_list_that_is_heard_again_is_confirmed_and_not_told_anew(desk: Desk) -> None:
    assets, cause = Assets(desk.ledger, Listing(), desk.clock, 3600.0), Cause(desk.ids.trace_id(), "test")
    for minutes, confirmed in ((0, 0), (14, 0), (1, 1), (1, 1), (60, 2)):
        desk.clock.at += dt.timedelta(minutes=minutes)
        run_story(assets.refresh, cause)
        assert (len(found(desk, AssetsRefreshed)), len(found(desk, AssetsConfirmed))) == (1, confirmed)
    known = recorded_list(desk.ledger.journal, desk.clock.at + dt.timedelta(minutes=59), 3600.0)
    assert known.is_live
    assert not recorded_list(desk.ledger.journal, desk.clock.at + dt.timedelta(minutes=61), 3600.0).is_live


def test_a_list_of_an_earlier_build_is_told_anew(desk: Desk) -> None:
    cause = Cause(desk.ids.trace_id(), "test")
    desk.ledger.note(streams.ASSETS, AssetsRefreshed("scripted", ("BRK.A", "NEW", "SPY")), cause)
    assert recorded_list(desk.ledger.journal, desk.clock.at, 3600.0).value is None
    run_story(Assets(desk.ledger, Listing(), desk.clock, None).refresh, cause)
    assert recorded_list(desk.ledger.journal, desk.clock.at, 3600.0).is_live


@pytest.mark.parametrize(
    ("side", "quantity", "listing", "rule"),
    [
        ("buy", "3", TradedAs(True), None),
        ("buy", "2.5", TradedAs(True), None),
        ("buy", "2.5", TradedAs(True, whole_only=True), "must_be_tradable"),
        ("buy", "3", TradedAs(True, whole_only=True, not_lent=True), None),
        ("sell", "3", TradedAs(True, not_lent=True), "must_be_tradable"),
        ("buy", "3", TradedAs(None), "must_be_tradable"),
        ("buy", "3", TradedAs(False), "must_be_tradable"),
    ],
)
def test_a_replacement_is_held_against_the_word_of_the_broker(
    desk: Desk, side: str, quantity: str, listing: TradedAs, rule: str | None
) -> None:
    order = desk.live(side, "2", limit="100", tradable=True)
    desk.give(cmd.ReplaceOrder(order, desk.ids.order_id(), LATER, Decimal(quantity), listing=listing))
    assert [event.rule for event in found(desk, LimitBreached)] == ([] if rule is None else [rule])


def test_what_an_order_sold_before_it_was_replaced_is_not_counted_twice(desk: Desk) -> None:
    desk.done("buy", "10", "100", tradable=True)
    order = desk.live("sell", "10", limit="110", tradable=True)
    desk.fill(order, "4", "110")
    unlent = TradedAs(True, not_lent=True)
    desk.give(cmd.ReplaceOrder(order, desk.ids.order_id(), LATER, Decimal(7), listing=unlent))
    assert [event.rule for event in found(desk, LimitBreached)] == ["must_be_tradable"]
    desk.give(cmd.ReplaceOrder(order, desk.ids.order_id(), LATER, limit_price=Decimal(109), listing=unlent))
    assert len(found(desk, LimitBreached)) == 1


@pytest.mark.parametrize(
    ("side", "listing", "goes_on"),
    [
        ("buy", TradedAs(True), True),
        ("buy", TradedAs(True, whole_only=True), False),
        ("sell", TradedAs(True, not_lent=True), False),
        ("buy", TradedAs(), False),
    ],
)
def test_a_grant_is_held_against_the_word_of_the_broker(
    desk: Desk, side: str, listing: TradedAs, goes_on: bool
) -> None:
    desk.limits(must_be_tradable=True, approve_all=True, actions={"approve_all": Action.APPROVE})
    order = desk.place(side, "1.5", tradable=True)
    assert desk.order(order).awaits_approval
    grant = cmd.GrantApproval(order, "anna", "a test", LATER, listing)
    if goes_on:
        desk.give(grant)
        assert desk.order(order).status is OrderStatus.QUEUED
    else:
        with pytest.raises(OrderRefused, match="must_be_tradable"):
            desk.give(grant)
        assert desk.order(order).awaits_approval


@pytest.mark.parametrize(("quantity", "ends"), [("2", False), ("1.5", True)])
def test_what_waited_for_the_first_limits_is_held_against_the_word_of_the_broker(quantity: str, ends: bool) -> None:
    desk = Desk.in_memory()
    desk.pin()
    order = desk.place("buy", quantity)
    whole = TradedAs(True, whole_only=True)
    limits = Limits(must_be_tradable=True)
    set_limits(desk.ledger, "main", limits, desk.clock.at, Cause(desk.ids.trace_id(), "test"), lambda _: whole)
    assert (desk.order(order).status is OrderStatus.CANCELED) == ends
