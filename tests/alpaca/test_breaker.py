"""After a run of failures no new order goes out for a while; what cleans up always does, and nothing is replayed."""

from __future__ import annotations

import json

import anyio
import anyio.lowlevel
import attrs
import pytest

from tests.alpaca.recorded import ORDER
from tests.alpaca.scripted_http import CLOSE, HANG, Play, Request, reply
from tests.alpaca.standing import REQUEST, Standing
from tradecore.errors import BrokerRefused, BrokerUnreachable, NotSent, OutcomeUnknown
from tradecore_alpaca.breaker import Trip
from tradecore_alpaca.broker import AlpacaBroker
from tradecore_alpaca.channel import Guards

pytestmark = pytest.mark.anyio

TRIP = Trip(failures=5, window_s=60.0, open_s=30.0)
DOWN = reply(503)


@pytest.fixture
async def broker(standing: Standing) -> AlpacaBroker:
    return AlpacaBroker(
        standing.client, standing.urls, standing.keys, standing.clock, standing.rng,
        timeouts=standing.timeouts, guards=Guards(trip=TRIP),
    )  # fmt: skip


def request(number: int) -> str:
    return f"tc-{number}"


async def submit(broker: AlpacaBroker, number: int) -> None:
    await broker.submit(attrs.evolve(REQUEST, client_order_id=request(number)))


def serve(play: Request) -> Play:
    if play.method == "POST":
        return reply(200, {**ORDER, "client_order_id": json.loads(play.body)["client_order_id"]})
    return reply(204) if play.method == "DELETE" else reply(200, {**ORDER, "client_order_id": "tc-0"})


async def fail(broker: AlpacaBroker, standing: Standing, count: int) -> None:
    standing.server.replies = [DOWN]
    for number in range(count):
        with pytest.raises(OutcomeUnknown):
            await submit(broker, number)


async def wait(standing: Standing, seconds: float) -> None:
    await standing.clock.sleep(seconds)


def posted(standing: Standing) -> list[str]:
    return [json.loads(one.body)["client_order_id"] for one in standing.server.requests if one.method == "POST"]


async def test_it_opens_and_costs_no_request(broker: AlpacaBroker, standing: Standing) -> None:
    await fail(broker, standing, 5)
    with pytest.raises(NotSent, match="trouble") as caught:
        await submit(broker, 5)
    assert caught.value.retry_after_s == pytest.approx(30.0)
    assert posted(standing) == [request(number) for number in range(5)]


async def test_it_never_replays_an_old_request(broker: AlpacaBroker, standing: Standing) -> None:
    """What was held up is gone: the first to go afterwards is the one that is asked for then."""
    await fail(broker, standing, 5)
    with pytest.raises(NotSent):
        await submit(broker, 5)
    await wait(standing, 31.0)
    standing.server.script = serve
    await submit(broker, 6)
    await submit(broker, 7)
    assert posted(standing)[5:] == [request(6), request(7)]


async def test_half_open_lets_one_through_and_opens_again_when_it_fails(
    broker: AlpacaBroker, standing: Standing
) -> None:
    await fail(broker, standing, 5)
    await wait(standing, 31.0)
    with pytest.raises(OutcomeUnknown):
        await submit(broker, 5)
    with pytest.raises(NotSent) as caught:
        await submit(broker, 6)
    assert caught.value.retry_after_s == pytest.approx(30.0)
    assert len(posted(standing)) == 6


async def test_while_one_is_on_its_way_to_see_the_others_wait(broker: AlpacaBroker, standing: Standing) -> None:
    await fail(broker, standing, 5)
    await wait(standing, 31.0)
    standing.server.script = lambda _: HANG
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(submit, broker, 5)
        while len(posted(standing)) < 6:
            await anyio.lowlevel.checkpoint()
        with pytest.raises(NotSent):
            await submit(broker, 6)
        tasks.cancel_scope.cancel()
    with pytest.raises(NotSent):  # one that was cut off proved nothing
        await submit(broker, 7)
    await wait(standing, 31.0)
    standing.server.script = serve
    await submit(broker, 8)


async def test_a_refusal_proves_that_the_broker_is_there(broker: AlpacaBroker, standing: Standing) -> None:
    await fail(broker, standing, 5)
    await wait(standing, 31.0)
    standing.server.replies = [reply(403, {"code": 40310000, "message": "insufficient buying power"})]
    for number in (5, 6):
        with pytest.raises(BrokerRefused):
            await submit(broker, number)


async def test_what_cleans_up_goes_through_an_open_circuit(broker: AlpacaBroker, standing: Standing) -> None:
    await fail(broker, standing, 5)
    standing.server.script = serve
    await broker.cancel("a")
    await broker.cancel_all()
    assert await broker.order_by_client_id("tc-0") is not None
    assert standing.slept == []
    with pytest.raises(NotSent):  # and a good answer to a question is no proof about orders
        await submit(broker, 5)


async def test_a_question_is_asked_once_only_while_there_is_trouble(broker: AlpacaBroker, standing: Standing) -> None:
    await fail(broker, standing, 5)
    standing.server.replies = [CLOSE]
    with pytest.raises(BrokerUnreachable):
        await broker.positions()
    assert standing.server.seen("GET") == 1


async def test_failures_of_questions_count(broker: AlpacaBroker, standing: Standing) -> None:
    standing.server.replies = [CLOSE]
    for _ in range(2):
        with pytest.raises(BrokerUnreachable):
            await broker.positions()
    with pytest.raises(NotSent):
        await submit(broker, 0)
    assert posted(standing) == []


async def test_failures_far_apart_are_no_run(broker: AlpacaBroker, standing: Standing) -> None:
    for _ in range(3):
        await fail(broker, standing, 2)
        await wait(standing, 61.0)
    assert len(posted(standing)) == 6


@pytest.mark.parametrize(
    "play", [reply(429, {"code": 42910000}), reply(422, {"message": "no"}), reply(404, {"message": "no"})]
)
async def test_what_is_no_trouble_does_not_count(broker: AlpacaBroker, standing: Standing, play: Play) -> None:
    standing.server.replies = [play]
    for number in range(8):
        with pytest.raises((NotSent, BrokerRefused)):
            await submit(broker, number)
    assert len(posted(standing)) == 8
