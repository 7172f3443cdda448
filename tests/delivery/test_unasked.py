"""What a broker does to orders and positions that nobody asked for, over the wire, and the books that follow it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import anyio
import pytest

from tests.delivery.rig import PATIENCE_S, Rig, open_rig
from tradecore.domain import commands as cmd
from tradecore.domain.events import AlertTriggered
from tradecore.domain.identity import leg_order_id
from tradecore.domain.terms import StopLoss, TakeProfit
from tradecore.domain.values import Leg, OrderClass, OrderStatus, TimeInForce
from tradecore.reconcile import compare_standing
from tradecore.verify import verify

D = Decimal
WORKING = ("pending_new", "accepted", "new")
NINETY_ONE_DAYS = dt.timedelta(days=91)


async def told(story: Callable[[Rig], Awaitable[None]]) -> None:
    """The story, after which books and broker agree and the ledger keeps its own rules."""
    async with open_rig() as rig:
        await story(rig)
        await settled(rig)
        assert verify(rig.ledger.journal).findings == ()


async def settled(rig: Rig) -> None:
    """Read again what the broker knows until it is what the books say."""
    with anyio.fail_after(PATIENCE_S):
        while True:
            await rig.inbox.collect()
            await rig.inbox.collect_activities()
            rig.follower.catch_up()
            if await compare_standing(rig.ledger, rig.broker, "main") == ():
                return


async def operate(rig: Rig, do: str, **terms: Any) -> None:
    (await rig.http.post("/_ctl/operations", json={"do": do} | terms)).raise_for_status()


async def resting(rig: Rig, **terms: Any) -> str:
    order_id = rig.place(limit="0.05", **terms)
    await rig.until_status(order_id, *WORKING)
    await rig.advance()
    await rig.until_status(order_id, "new")
    return order_id


async def bought(rig: Rig, **terms: Any) -> str:
    order_id = rig.place(**terms)
    await rig.until_status(order_id, *WORKING)
    await rig.advance()
    await rig.until_status(order_id, "filled")
    return order_id


async def months_later(rig: Rig) -> None:
    """A quote of a day when nothing that was placed today can be good any more."""
    state = (await rig.http.get("/_ctl/state")).json()
    at = dt.datetime.fromisoformat(state["now"]) + NINETY_ONE_DAYS
    quote = {"symbol": "AAA", "bid": "1", "ask": "9000", "time": at.isoformat()}
    (await rig.http.post("/_ctl/quote", json=quote)).raise_for_status()


def alerts(rig: Rig) -> list[str]:
    events = [one.event for one in rig.ledger.journal.read(0)]
    return [event.kind for event in events if isinstance(event, AlertTriggered)]


@pytest.mark.parametrize("is_told", [True, False], ids=["told", "not told"])
def test_a_corporate_action_cancels_what_works_and_nothing_is_sent_again(is_told: bool) -> None:
    async def story(rig: Rig) -> None:
        await bought(rig)
        order_id = await resting(rig, time_in_force=TimeInForce.GTC)
        if not is_told:
            await rig.arm(kind="drop_update", count=1)
        posts = (await rig.seen())["posts"]
        await operate(rig, "split", symbol="AAA", ratio="2")
        await settled(rig)
        assert rig.order(order_id).status is OrderStatus.CANCELED
        assert rig.ledger.account("main").reservations == {}
        assert rig.ledger.account("main").position("AAA").quantity == 20
        assert rig.outbox.open_items == 0
        assert (await rig.seen())["posts"] == posts

    anyio.run(told, story)


def test_a_corporate_action_that_takes_the_protection_of_a_position_raises_an_alert() -> None:
    async def story(rig: Rig) -> None:
        order_id = await bought(
            rig,
            time_in_force=TimeInForce.GTC,
            order_class=OrderClass.BRACKET,
            take_profit=TakeProfit(D(100_000)),
            stop_loss=StopLoss(D("0.01")),
        )
        legs = [leg_order_id(order_id, leg.value) for leg in Leg]
        await rig.until(lambda: all(rig.order(leg).broker_order_id for leg in legs), "the legs")
        await operate(rig, "split", symbol="AAA", ratio="2")
        await settled(rig)
        assert {rig.order(leg).status for leg in legs} == {OrderStatus.CANCELED}
        assert alerts(rig) == ["unprotected"]

    anyio.run(told, story)


@pytest.mark.parametrize("is_told", [True, False], ids=["told", "not told"])
def test_an_order_good_till_canceled_ends_after_ninety_days(is_told: bool) -> None:
    async def story(rig: Rig) -> None:
        order_id = await resting(rig, time_in_force=TimeInForce.GTC)
        theirs = await rig.assert_exactly_one(order_id)
        assert dt.datetime.fromisoformat(theirs["expires_at"]) - rig.clock.now() < NINETY_ONE_DAYS
        if not is_told:
            await rig.arm(kind="drop_update", count=1)
        await months_later(rig)
        if not is_told:
            await rig.inbox.collect()
        await rig.until_status(order_id, "canceled", "expired")
        assert rig.order(order_id).filled_qty == 0
        assert rig.ledger.account("main").reservations == {}
        assert rig.outbox.open_items == 0

    anyio.run(told, story)


def test_an_order_of_the_day_ends_with_it() -> None:
    async def story(rig: Rig) -> None:
        order_id = await resting(rig)
        await months_later(rig)
        await rig.until_status(order_id, "expired")

    anyio.run(told, story)


@pytest.mark.parametrize(
    "status", ["accepted", "calculated", "done_for_day", "pending_new", "stopped", "suspended", "rejected"]
)
def test_the_books_follow_an_order_to_every_place_where_the_broker_puts_it(status: str) -> None:
    async def story(rig: Rig) -> None:
        order_id = await resting(rig)
        broker_id = rig.order(order_id).broker_order_id
        await operate(rig, "force", order_id=broker_id, status=status)
        if status in {"accepted", "pending_new"}:  # a step back, which the books do not take
            await settled(rig)
            assert rig.order(order_id).status is OrderStatus.NEW
        else:
            await rig.until_status(order_id, status)
        assert (order_id in rig.ledger.account("main").reservations) == (status != "rejected")
        if status != "rejected":
            await rig.http.delete(f"/v2/orders/{broker_id}")
            await rig.until_status(order_id, "canceled")

    anyio.run(told, story)


def test_a_halt_suspends_what_works_and_it_trades_when_that_is_over() -> None:
    async def story(rig: Rig) -> None:
        order_id = rig.place(limit="9000")
        await rig.until_status(order_id, *WORKING)
        await operate(rig, "halt", symbol="AAA")
        await rig.until_status(order_id, "suspended")
        await rig.advance()
        assert rig.order(order_id).filled_qty == 0
        await operate(rig, "resume", symbol="AAA")
        await rig.advance()
        await rig.until_status(order_id, "filled")

    anyio.run(told, story)


@pytest.mark.parametrize("is_told", [True, False], ids=["told", "not told"])
@pytest.mark.parametrize("kind", ["bust", "correct"])
def test_an_execution_that_is_taken_back_or_told_anew_changes_the_books(kind: str, is_told: bool) -> None:
    async def story(rig: Rig) -> None:
        order_id = await bought(rig)
        (execution,) = (await rig.seen())["executions"]
        if not is_told:
            await rig.arm(kind="drop_update", count=1)
        anew = {"qty": "9", "price": "10"} if kind == "correct" else {}
        await operate(rig, kind, execution_id=execution["execution_id"], **anew)
        await settled(rig)
        account = rig.ledger.account("main")
        assert account.position("AAA").quantity == (9 if kind == "correct" else 0)
        assert account.cash == D(100_000) - (90 if kind == "correct" else 0)
        assert rig.order(order_id).status is OrderStatus.FILLED

    anyio.run(told, story)


def test_what_a_person_changes_at_the_broker_goes_on_under_its_new_id() -> None:
    async def story(rig: Rig) -> None:
        order_id = await resting(rig)
        broker_id = rig.order(order_id).broker_order_id
        answer = await rig.http.patch(f"/v2/orders/{broker_id}", json={"limit_price": "9000"})
        answer.raise_for_status()
        await rig.until_status(order_id, "replaced")
        await rig.advance()
        await settled(rig)
        account = rig.ledger.account("main")
        assert account.position("AAA").quantity == account.held("test", "AAA") == 10
        assert rig.order(order_id).filled_qty == 0

    anyio.run(told, story)


def test_a_liquidation_is_in_the_books_and_is_not_sold_again() -> None:
    async def story(rig: Rig) -> None:
        await bought(rig)
        (await rig.http.delete("/v2/positions/AAA")).raise_for_status()
        await rig.advance()
        await settled(rig)
        account = rig.ledger.account("main")
        assert account.position("AAA").quantity == 0
        assert "foreign_order" in alerts(rig)
        assert len((await rig.seen())["orders"]) == 2

    anyio.run(told, story)


def test_the_other_leg_that_ends_in_silence_is_ended_here_too() -> None:
    async def story(rig: Rig) -> None:
        order_id = await bought(
            rig, order_class=OrderClass.BRACKET, take_profit=TakeProfit(D(9_000)), stop_loss=StopLoss(D("0.01"))
        )
        profit, loss = (leg_order_id(order_id, leg.value) for leg in (Leg.TAKE_PROFIT, Leg.STOP_LOSS))
        await rig.until(lambda: bool(rig.order(profit).broker_order_id), "the legs")
        await rig.arm(kind="drop_sibling_cancel", count=1)
        quote = {"symbol": "AAA", "bid": "9001", "ask": "9002"}
        (await rig.http.post("/_ctl/quote", json=quote)).raise_for_status()
        await rig.until_status(profit, "filled")
        await settled(rig)
        await rig.until_status(loss, "canceled")
        assert rig.ledger.account("main").position("AAA").quantity == 0
        assert alerts(rig) == []

    anyio.run(told, story)


@pytest.mark.parametrize("kind", ["shuffle_partials", "late_entries"])
def test_a_list_of_executions_in_disorder_is_booked_in_order(kind: str) -> None:
    async def story(rig: Rig) -> None:
        await rig.arm(kind=kind, count=3)
        await rig.arm(kind="drop_update", count=9)
        first, second = (rig.place(qty=str(qty)) for qty in (10, 7))
        for order_id in (first, second):
            await rig.until_status(order_id, *WORKING)
        await rig.advance(2)
        await settled(rig)
        assert rig.ledger.account("main").position("AAA").quantity == 17

    anyio.run(told, story)


@pytest.mark.parametrize("asked", ["cancel", "replace"])
def test_what_comes_too_late_because_the_fill_was_first_ends_filled_once(asked: str) -> None:
    async def story(rig: Rig) -> None:
        order_id = rig.place(limit="9000")
        await rig.until_status(order_id, *WORKING)
        method = "DELETE" if asked == "cancel" else "PATCH"
        await rig.arm(kind="fill_first", advance=True, method=method, path="/v2/orders", count=1)
        new = rig.ids.order_id()
        not_after = rig.clock.now() + dt.timedelta(seconds=60)
        change = cmd.ReplaceOrder(order_id, new, not_after, quantity=D(7))
        rig.give(cmd.CancelOrder(order_id, "too late") if asked == "cancel" else change)
        await rig.until_status(order_id, "filled")
        if asked == "replace":
            await rig.until_status(new, "rejected", "canceled")
        await rig.until(lambda: rig.outbox.open_items == 0, "nothing to be done")
        assert rig.ledger.account("main").position("AAA").quantity == 10
        assert len((await rig.seen())["orders"]) == 1

    anyio.run(told, story)


@pytest.mark.parametrize("kind", ["order_lag", "position_lag"])
def test_answers_that_lag_behind_one_another_are_no_difference_once_they_agree(kind: str) -> None:
    """While they disagree nothing is concluded; nothing is made up, and nothing that was known is taken back."""

    async def story(rig: Rig) -> None:
        await rig.arm(kind=kind, ms=300, count=1_000)
        order_id = await bought(rig)
        await rig.inbox.collect()
        assert rig.order(order_id).status is OrderStatus.FILLED
        await settled(rig)
        assert rig.ledger.account("main").position("AAA").quantity == 10
        assert [one.envelope.name for one in rig.ledger.journal.read(0)].count("trade.fill.recorded") == 1

    anyio.run(told, story)
