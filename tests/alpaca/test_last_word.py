"""What must not be sent any more is held back when its turn has come, and once more before its first byte leaves."""

from __future__ import annotations

from decimal import Decimal

import attrs
import pytest

from tests.alpaca.recorded import ORDER
from tests.alpaca.scripted_http import reply
from tests.alpaca.standing import REQUEST, Standing
from tradecore.errors import NotSent
from tradecore.ports.broker import ReplaceRequest
from tradecore_alpaca.breaker import Trip
from tradecore_alpaca.broker import AlpacaBroker
from tradecore_alpaca.channel import Guards

pytestmark = pytest.mark.anyio


class Doubt:
    """Says no from its so-many-th time on."""

    def __init__(self, after: int) -> None:
        self.after, self.asked = after, 0

    def __call__(self) -> str | None:
        self.asked += 1
        return "it is too late" if self.asked > self.after else None


def guarded(standing: Standing, trip: Trip) -> AlpacaBroker:
    return AlpacaBroker(
        standing.client, standing.urls, standing.keys, standing.clock, standing.rng,
        timeouts=standing.timeouts, guards=Guards(trip=trip),
    )  # fmt: skip


@pytest.mark.parametrize("after", [0, 1])
async def test_not_one_byte_leaves_of_what_is_too_late(standing: Standing, after: int) -> None:
    """The second time is after the connection was made, which takes time in which a process may sleep."""
    standing.server.replies = [reply(200, ORDER)]
    doubt = Doubt(after)
    with pytest.raises(NotSent, match="it is too late") as caught:
        await standing.broker.submit(attrs.evolve(REQUEST, veto=doubt))
    assert (caught.value.retry_after_s, doubt.asked) == (0.0, after + 1)
    replace = ReplaceRequest("tc-1", Decimal(5), None, None, None, None, veto=Doubt(after))
    with pytest.raises(NotSent, match="it is too late"):
        await standing.broker.replace("an-order", replace)
    assert standing.server.requests == []


async def test_what_was_held_back_leaves_the_way_open_for_the_next(standing: Standing) -> None:
    standing.server.replies = [reply(200, ORDER)]
    with pytest.raises(NotSent):
        await standing.broker.submit(attrs.evolve(REQUEST, veto=Doubt(1)))
    doubt = Doubt(9)
    answer = await standing.broker.submit(attrs.evolve(REQUEST, veto=doubt))
    assert (answer.client_order_id, doubt.asked) == (REQUEST.client_order_id, 2)
    assert len(standing.server.requests) == 1


async def test_what_was_held_back_says_nothing_of_the_way_to_the_broker(standing: Standing) -> None:
    """Neither does it open the circuit, nor close one that waits for a proof."""
    broker = guarded(standing, Trip(failures=2, window_s=60.0, open_s=30.0))
    standing.server.replies = [reply(503), reply(503), reply(200, ORDER)]
    for _ in range(3):
        with pytest.raises(NotSent, match="it is too late"):
            await broker.submit(attrs.evolve(REQUEST, veto=Doubt(1)))
    for _ in range(2):
        with pytest.raises(Exception, match="503"):
            await broker.submit(REQUEST)
    with pytest.raises(NotSent, match="in trouble"):
        await broker.submit(REQUEST)
    await standing.clock.sleep(31.0)
    with pytest.raises(NotSent, match="it is too late"):
        await broker.submit(attrs.evolve(REQUEST, veto=Doubt(1)))
    assert (await broker.submit(REQUEST)).client_order_id == REQUEST.client_order_id, "the next one is the proof"
