"""Known problems of the protocol and of its usual client, each met: what users of it lost money by, over real wires.

One test for each duty; what stands in the way is armed at the exchange and not at the adapter.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import anyio
import pytest

from tests.alpaca.scene import Scene
from tests.alpaca.served import alpaca_venue
from tradecore.domain.terms import StopLoss, TakeProfit
from tradecore.domain.values import OrderClass, OrderStatus, OrderType, Side
from tradecore.errors import AlreadyExists, BrokerError, BrokerRefused, NotSent, OutcomeUnknown, RefusalReason
from tradecore.ports.broker import EVER, ReplaceRequest
from tradecore_alpaca.budget import Pace
from tradecore_alpaca.channel import Guards

pytestmark = pytest.mark.anyio

MINUTES_OF_A_DAY = 390
LOST = ["empty_200", "garbage_200", "http_500", "http_502", "http_503", "http_504", "redirect_302", "reset"]


@pytest.mark.parametrize("kind", [*LOST, "http_429"])
async def test_a_post_is_sent_once_and_a_duplicate_means_that_it_exists(scene: Scene, kind: str) -> None:
    """alpaca-py repeats a POST on 429 and 504, and then calls the live order an error."""
    request = scene.request()
    await scene.arm(kind, after_accept=True)
    with pytest.raises(OutcomeUnknown):
        await scene.broker.submit(request)
    assert await scene.posts() == {request.client_order_id: 1}
    with pytest.raises(AlreadyExists):
        await scene.broker.submit(request)
    orders = (await scene.broker.orders_since(EVER)).orders
    assert [order.client_order_id for order in orders] == [request.client_order_id]


async def test_only_the_brokers_own_rate_limit_proves_that_nothing_was_done(scene: Scene) -> None:
    """It is said at the door, with its code; the same order under the same id is then asked for again."""
    request = scene.request()
    await scene.arm("http_429")
    with pytest.raises(NotSent) as caught:
        await scene.broker.submit(request)
    assert caught.value.retry_after_s == 1.0
    assert (await scene.broker.orders_since(EVER)).orders == ()
    assert (await scene.broker.submit(request)).client_order_id == request.client_order_id


async def test_a_server_that_hangs_holds_nobody_for_ever(scene: Scene) -> None:
    """alpaca-py has no time-out at all."""
    request = scene.request()
    await scene.arm("hang", after_accept=True)
    async with alpaca_venue(scene.url, read_s=0.3) as impatient:
        with anyio.fail_after(10), pytest.raises(OutcomeUnknown):
            await impatient.broker.submit(request)
    assert await scene.broker.order_by_client_id(request.client_order_id) is not None


@pytest.mark.parametrize("kind", LOST)
async def test_a_replacement_whose_answer_is_lost_is_found_by_its_id(scene: Scene, kind: str) -> None:
    """Errors were answered to replacements that were carried out."""
    old = await scene.working(await scene.patient())
    change = ReplaceRequest(scene.stage.new_id(), Decimal(7), None, None, None, None)
    await scene.arm(kind, after_accept=True, method="PATCH", path="/v2/orders")
    with pytest.raises(OutcomeUnknown):
        await scene.broker.replace(old.broker_order_id, change)
    found = await scene.broker.order_by_client_id(change.client_order_id)
    assert found is not None
    assert (found.replaces, found.quantity) == (old.broker_order_id, Decimal(7))


@pytest.mark.parametrize("after_accept", [True, False])
@pytest.mark.parametrize("kind", [*LOST, "http_429"])
async def test_every_failure_is_one_of_ours(scene: Scene, kind: str, after_accept: bool) -> None:
    """alpaca-py raises seven kinds of errors, and asking one for its code may raise another."""
    await scene.arm(kind, after_accept=after_accept, count=9, path="/v2/")
    broker = scene.broker
    calls: list[Callable[[], Awaitable[object]]] = [
        lambda: broker.submit(scene.request()),
        lambda: broker.cancel("a"),
        broker.cancel_all,
        lambda: broker.close_position("AAPL"),
        lambda: broker.suspend(suspended=True),
        lambda: broker.order("a"),
    ]
    failures = 0
    for call in calls:
        try:
            await call()
        except BrokerError:
            failures += 1
    assert failures >= len(calls) - 1  # an empty 200 is as good as a 204 to a cancel


async def test_words_of_tomorrow_do_not_hide_the_rest(scene: Scene) -> None:
    """Enums drift: a status that is not known is told as such, with its text, and the order stays readable."""
    order = await scene.working(await scene.patient())
    scene.floor.exchange.book.by_id[order.broker_order_id].status = "pending_review"
    told = await scene.known(order.broker_order_id)
    assert told.status is None
    assert '"pending_review"' in told.raw
    assert (told.symbol, told.limit_price) == (order.symbol, order.limit_price)


async def test_numbers_are_never_floats(scene: Scene) -> None:
    """alpaca-py hands out 0.1 + 0.2 as 0.30000000000000004, and sends it."""
    order = await scene.filled(scene.request(Decimal("0.300000001")))
    (fill,) = (await scene.broker.fills_since(EVER)).fills
    assert order.quantity == order.filled_qty == fill.quantity == Decimal("0.300000001")
    for number in (fill.price, order.filled_avg_price, (await scene.broker.account()).cash):
        assert isinstance(number, Decimal)


async def test_an_order_that_is_not_visible_yet_is_none_and_not_an_error(scene: Scene) -> None:
    """Endpoints disagree for seconds: a look-up that finds nothing proves nothing, and the outbox asks again."""
    request = scene.request()
    await scene.arm("lookup_404", ms=200)
    order = await scene.broker.submit(request)
    assert await scene.broker.order_by_client_id(request.client_order_id) is None
    await anyio.sleep(0.25)
    found = await scene.broker.order_by_client_id(request.client_order_id)
    assert found is not None
    assert found.broker_order_id == order.broker_order_id


async def test_an_order_after_hours_waits_and_is_no_error(scene: Scene) -> None:
    """`accepted` overnight is normal."""
    while scene.floor.feed.steps_done < MINUTES_OF_A_DAY:
        await scene.stage.move()
    order = await scene.broker.submit(scene.request())
    assert order.status is OrderStatus.ACCEPTED
    assert (await scene.known(order.broker_order_id)).status is OrderStatus.ACCEPTED


async def test_a_cancel_that_stays_pending_is_no_error(scene: Scene) -> None:
    """`pending_cancel` may last until the opening; the order is canceled when its status says so."""
    scene.floor.carry_out(lambda exchange: exchange.switch(slow_cancels=True))
    order = await scene.working(await scene.patient())
    await scene.broker.cancel(order.broker_order_id)
    assert (await scene.known(order.broker_order_id)).status is OrderStatus.PENDING_CANCEL
    with pytest.raises(BrokerRefused) as caught:
        await scene.broker.cancel(order.broker_order_id)
    assert caught.value.reason is RefusalReason.NOT_NOW
    await scene.until(order.broker_order_id, OrderStatus.CANCELED)


async def test_held_legs_are_missing_from_lists_and_told_by_their_parent(scene: Scene) -> None:
    legs: dict[str, Any] = {
        "take_profit": TakeProfit(await scene.at("3")),
        "stop_loss": StopLoss(await scene.at("0.2")),
    }
    parent = await scene.filled(scene.request(order_class=OrderClass.BRACKET, **legs))
    listed = await scene.control("GET", "/v2/orders?status=open")
    assert [row["type"] for row in listed] == ["limit"]
    told = {leg.order_type: leg.status for leg in (await scene.known(parent.broker_order_id)).legs}
    assert told == {"limit": OrderStatus.NEW, "stop": OrderStatus.HELD}


async def test_an_order_in_the_way_is_canceled_and_the_new_one_goes_through(scene: Scene) -> None:
    """Topping up or flattening meets one's own orders; the refusal names which."""
    await scene.filled(scene.request())
    sell = scene.request(Decimal(5), Side.SELL, order_type=OrderType.LIMIT, limit_price=await scene.at("1.5"))
    await scene.working(sell)
    request = scene.request()
    with pytest.raises(BrokerRefused) as caught:
        await scene.broker.submit(request)
    assert caught.value.conflicting_order_id is not None
    await scene.broker.cancel(caught.value.conflicting_order_id)
    await scene.until(caught.value.conflicting_order_id, OrderStatus.CANCELED)
    await scene.filled(request)


async def test_orders_of_others_are_told_too(scene: Scene) -> None:
    """From the dashboard, a liquidation, another program: nothing of the account is hidden."""
    body = {"symbol": "AAPL", "qty": "3", "side": "buy", "type": "market", "time_in_force": "day"}
    row = await scene.control("POST", "/v2/orders", body)
    (order,) = (await scene.broker.orders_since(EVER)).orders
    assert (order.broker_order_id, order.client_order_id) == (row["id"], row["client_order_id"])


async def test_no_page_hides_the_next(scene: Scene) -> None:
    """Lists end after 50 open orders and 100 executions unless asked to go on."""
    for _ in range(120):
        await scene.broker.submit(scene.request(Decimal(1)))
    await scene.stage.move()
    orders = (await scene.broker.orders_since(EVER)).orders
    fills = (await scene.broker.fills_since(EVER)).fills
    assert len({order.broker_order_id for order in orders}) == 120
    assert {fill.broker_order_id for fill in fills} == {order.broker_order_id for order in orders}


async def test_many_calls_at_once(scene: Scene) -> None:
    """One client for all tasks: no call is lost or answered with another's order."""
    requests = [await scene.patient() for _ in range(40)]

    async def submit(number: int) -> None:
        answer = await scene.broker.submit(requests[number])
        assert answer.client_order_id == requests[number].client_order_id

    async with anyio.create_task_group() as tasks:
        for number in range(len(requests)):
            tasks.start_soon(submit, number)
    assert set((await scene.posts()).values()) == {1}


async def test_our_own_budget_keeps_below_the_brokers(scene: Scene) -> None:
    """Whoever runs into the limit is refused everything, cancels included."""
    order = await scene.working(await scene.patient())
    async with alpaca_venue(scene.url, Guards(pace=Pace(24, patience_s=0.0))) as careful:
        for _ in range(6):  # a third at once, less what is kept
            await careful.broker.submit(await scene.patient())
        with pytest.raises(NotSent, match="budget"):
            await careful.broker.submit(await scene.patient())
        await careful.broker.cancel(order.broker_order_id)
    await scene.until(order.broker_order_id, OrderStatus.CANCELED)
