"""Requests are paced: never more than agreed, always some left for cancels, and nobody waits without end."""

from __future__ import annotations

import datetime as dt

import anyio
import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.alpaca.conftest import StillClock
from tests.alpaca.recorded import ORDER
from tests.alpaca.scripted_http import Play, Request, reply
from tests.alpaca.standing import NOW, REQUEST, Standing
from tradecore.errors import BrokerUnreachable, NotSent
from tradecore_alpaca.broker import AlpacaBroker
from tradecore_alpaca.budget import Budget, Pace
from tradecore_alpaca.channel import Guards
from tradecore_alpaca.http import Answer

pytestmark = pytest.mark.anyio

PACE = Pace(per_minute=60, patience_s=5.0)  # 20 at once, 5 of them kept; then 2 every 3 seconds
EPOCH = int(NOW.timestamp())


@pytest.fixture
async def broker(standing: Standing) -> AlpacaBroker:
    standing.server.script = serve
    return AlpacaBroker(
        standing.client, standing.urls, standing.keys, standing.clock, standing.rng,
        timeouts=standing.timeouts, budget_s=4.0, guards=Guards(pace=PACE),
    )  # fmt: skip


def serve(request: Request) -> Play:
    if request.method == "DELETE":
        return reply(204)
    if request.method == "GET" and request.path.endswith("positions"):
        return reply(200, [])
    return reply(200, ORDER)


async def spend(broker: AlpacaBroker, count: int) -> None:
    for _ in range(count):
        await broker.positions()


async def test_a_burst_goes_at_once_then_each_waits_its_turn(broker: AlpacaBroker, standing: Standing) -> None:
    await spend(broker, PACE.burst - PACE.kept)
    assert standing.slept == []
    await broker.submit(REQUEST)
    assert standing.slept == [pytest.approx(1.5)]


async def test_what_is_kept_is_for_cancels_and_look_ups(broker: AlpacaBroker, standing: Standing) -> None:
    await spend(broker, PACE.burst - PACE.kept)
    await broker.cancel("a")
    await broker.order_by_client_id("tc-1")
    await broker.order(ORDER["id"])
    assert standing.slept == []


async def test_an_instruction_that_would_wait_too_long_is_not_sent(broker: AlpacaBroker, standing: Standing) -> None:
    await spend(broker, PACE.burst - PACE.kept)
    for _ in range(PACE.kept):
        await broker.cancel("a")
    before = len(standing.server.requests)
    with pytest.raises(NotSent, match="budget") as caught:
        await broker.submit(REQUEST)  # six tokens at two every three seconds are nine seconds away
    assert caught.value.retry_after_s == pytest.approx(9.0)
    assert len(standing.server.requests) == before
    assert standing.slept == []


async def test_a_question_that_would_wait_too_long_is_unreachable(broker: AlpacaBroker, standing: Standing) -> None:
    await spend(broker, PACE.burst - PACE.kept)
    for _ in range(PACE.kept):
        await broker.cancel("a")
    with pytest.raises(BrokerUnreachable, match="budget"):
        await broker.positions()


async def test_a_rate_limit_is_obeyed_by_whatever_comes_next(broker: AlpacaBroker, standing: Standing) -> None:
    standing.server.script = None
    standing.server.replies = [reply(429, {"code": 42910000}, {"retry-after": "3"}), reply(200, [])]
    with pytest.raises(NotSent) as caught:
        await broker.submit(REQUEST)
    assert caught.value.retry_after_s == 3.0
    await broker.positions()
    assert standing.slept == [pytest.approx(3.0)]


async def test_a_rate_limit_beyond_patience_costs_no_request(broker: AlpacaBroker, standing: Standing) -> None:
    standing.server.script = None
    standing.server.replies = [reply(429, {"code": 42910000}, {"retry-after": "40"})]
    for _ in range(3):
        with pytest.raises(NotSent):
            await broker.submit(REQUEST)
    assert len(standing.server.requests) == 1


async def test_what_others_used_of_the_account_is_counted(broker: AlpacaBroker, standing: Standing) -> None:
    """Another program with the same keys spends the same limit: the broker's own count tells."""
    standing.server.script = None
    headers = {"x-ratelimit-limit": "200", "x-ratelimit-remaining": "5", "x-ratelimit-reset": str(EPOCH + 30)}
    standing.server.replies = [reply(200, [], headers), reply(204)]
    await broker.positions()
    with pytest.raises(NotSent) as caught:
        await broker.submit(REQUEST)
    assert caught.value.retry_after_s == pytest.approx(30.0)
    await broker.cancel("a")  # what is urgent goes all the same
    assert standing.slept == []


@pytest.mark.parametrize(
    ("remaining", "reset"),
    [("-1", EPOCH + 30), ("x", EPOCH + 30), ("0", EPOCH - 30), ("0", EPOCH + 9_999), ("0", "soon"), ("²", EPOCH + 1)],
)
async def test_a_count_that_makes_no_sense_is_ignored(
    broker: AlpacaBroker, standing: Standing, remaining: str, reset: object
) -> None:
    budget = Budget(standing.clock, PACE)
    budget.learn(Answer(200, b"", rate_limit_remaining=remaining, rate_limit_reset=str(reset)))
    assert await budget.take(0.0, urgent=False) == 0.0


async def test_without_a_pace_nothing_waits(standing: Standing) -> None:
    standing.server.script = serve
    broker = standing.broker
    await spend(broker, 100)
    assert standing.slept == []


class Walking(StillClock):
    """Time that also passes between requests."""

    def now(self) -> dt.datetime:
        return NOW + dt.timedelta(seconds=self.monotonic())


@given(
    per_minute=st.integers(6, 240),
    gaps=st.lists(st.floats(0.0, 2.0), min_size=50, max_size=300),
    urgent=st.booleans(),
)
def test_no_minute_ever_sees_more_than_agreed(per_minute: int, gaps: list[float], urgent: bool) -> None:
    clock = Walking()
    budget = Budget(clock, Pace(per_minute))
    sent: list[float] = []

    async def play() -> None:
        for gap in gaps:
            clock.slept.append(gap)
            assert await budget.take(120.0, urgent=urgent) == 0.0
            sent.append(clock.monotonic())

    anyio.run(play)
    for first in range(len(sent) - per_minute):
        assert sent[first + per_minute] - sent[first] > 60.0 - 1e-6


def test_paces_keep_something_for_emergencies() -> None:
    assert (Pace().burst, Pace().kept, Pace().per_second) == (60, 15, 2.0)
    assert attrs.asdict(Pace(6)) == {"per_minute": 6, "patience_s": 5.0}
    assert Pace(6).per_second > 0
