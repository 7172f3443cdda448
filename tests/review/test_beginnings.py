"""A runner begins once, on an account of its own, and only on a truth that is fresh."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from tests.ledger.desk import BROKER_ACCOUNT, NOON, Desk
from tests.review.scripted import UNREACHABLE, LoopTime, Office, ScriptedBroker, engine_of
from tests.virtual_time import run_story
from tradecore.domain import commands as cmd
from tradecore.domain.truth import Source, judged, unavailable
from tradecore.domain.values import Side
from tradecore.errors import BrokerUnreachable, WrongAccount
from tradecore.ports.broker import ActivityKind, BrokerAccount, BrokerActivity
from tradecore.views import read_rows


def test_two_accounts_of_one_ledger_cannot_share_a_broker_account() -> None:
    async def story() -> None:
        office = Office.open(Desk.in_memory())
        other = cmd.PinAccount("other", "test", BROKER_ACCOUNT, True, "USD", Decimal(1), (), NOON)
        office.desk.give(other)
        with pytest.raises(WrongAccount, match="'other'"):
            await engine_of(office).begin("runner-1")
        assert office.desk.names().count("account.identity.pinned") == 1

    run_story(story)


def test_a_beginning_that_is_tried_again_is_one_beginning() -> None:
    async def story() -> None:
        office = Office.open(caught_up=False)
        engine = engine_of(office)
        office.broker.trouble["fills_since"] = UNREACHABLE
        for _ in range(2):
            with pytest.raises(BrokerUnreachable):
                await engine.begin("runner-1")
        office.broker.trouble.clear()
        await engine.begin("runner-1")
        assert office.desk.names().count("system.runner.started") == 1

    run_story(story)


class Charging(ScriptedBroker):
    """An account that is charged a fee so many times, each time after its cash was read."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.times = times

    async def account(self) -> BrokerAccount:
        found = await super().account()
        if self.times:
            self.times -= 1
            self.cash -= Decimal("0.56")
            kind = ActivityKind.FEE
            fee = BrokerActivity(f"fee-{self.times}", kind, None, Decimal("-0.56"), Decimal(0), NOON.date(), "{}")
            self.activities.append(fee)
        return found


def test_a_fee_that_is_charged_while_the_opening_balance_is_read_is_in_the_books() -> None:
    async def story() -> None:
        office = Office.open(Desk.in_memory(), Charging(2), caught_up=False)
        await engine_of(office).begin("runner-1")
        assert office.desk.account.cash == office.broker.cash
        assert "system.reconciliation.difference" not in office.desk.names()

    run_story(story)


def test_an_account_that_never_stands_still_is_asked_again_later() -> None:
    async def story() -> None:
        office = Office.open(Desk.in_memory(), Charging(1000), caught_up=False)
        with pytest.raises(BrokerUnreachable, match="cash changed 5 times"):
            await engine_of(office).begin("runner-1")
        assert "account.identity.pinned" not in office.desk.names()

    run_story(story)


def test_new_risk_waits_when_the_account_was_not_compared_for_long() -> None:
    async def story() -> None:
        office = Office.open()
        clock = LoopTime(office.desk)
        engine = engine_of(office, clock=clock, account_max_age_s=300.0)
        await engine.begin("runner-1")
        office.broker.trouble["account"] = UNREACHABLE
        clock.skipped_s += 301
        await engine.reconcile()
        engine.judge_age()
        account = office.desk.account
        assert engine.gate.refuses(account, "test", "SPY", Side.BUY, Decimal(1)) is not None
        office.broker.trouble.clear()
        await engine.reconcile()
        engine.judge_age()
        assert engine.gate.reasons == ()

    run_story(story)


def test_a_cache_is_never_told_as_live() -> None:
    """An answer says as of when it is and how old; past its limit, or with no clock to judge it, it is stale."""
    limit = dt.timedelta(seconds=60)
    assert judged(1, NOON, NOON + limit, limit).source is Source.LIVE
    day_old = judged(1, NOON, NOON + dt.timedelta(days=1), limit)
    assert (day_old.source, day_old.age, day_old.is_live) == (Source.STALE, dt.timedelta(days=1), False)
    assert judged(1, NOON, None, limit).source is Source.STALE
    assert (unavailable().value, unavailable().is_live) == (None, False)


def test_no_reading_of_positions_wipes_when_a_trade_was_entered() -> None:
    async def story() -> None:
        office = Office.open()
        order_id = office.desk.done("buy", "10", "100")
        office.broker.held["SPY"] = Decimal(10)
        office.broker.cash = office.desk.account.cash
        engine = engine_of(office)
        await engine.begin("runner-1")
        for _ in range(3):
            await engine.reconcile()
        engine.projector.catch_up()
        (row,) = read_rows(office.desk.ledger.journal, "trades")
        assert row["opened_at"] == "2024-01-02T17:00:00.000000Z"
        assert (row["strategy"], row["orders"]) == ("test", [order_id])

    run_story(story)
