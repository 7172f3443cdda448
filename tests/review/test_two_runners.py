"""The attempt that is recorded is the attempt that is sent: whoever loses the race for it does not send."""

from __future__ import annotations

import itertools

import anyio

from tests.ledger.desk import Desk
from tests.review.scripted import UNREACHABLE, Office, ScriptedBroker
from tests.virtual_time import run_story
from tradecore.ports.broker import BrokerOrder, OrderRequest


class SlowBroker(ScriptedBroker):
    async def submit(self, request: OrderRequest) -> BrokerOrder:
        self._call("submit", request.client_order_id)
        await anyio.sleep(0.1)
        return self.have(request.client_order_id, request.symbol, str(request.quantity), side=request.side)


def test_of_two_runners_whose_lease_was_lost_only_the_one_that_recorded_the_attempt_sends_it() -> None:
    async def story() -> None:
        broker = SlowBroker()
        broker.trouble["order_by_client_id"] = UNREACHABLE
        first = Office.open(None, broker)
        other_desk = Desk.over(first.desk.ledger.journal)
        other_desk.ids._next = itertools.count(10**6)
        second = Office.open(other_desk, broker, "lease-2")
        first.desk.place("buy", "10")
        first.follower.catch_up()
        second.follower.catch_up()
        with anyio.move_on_after(0.3):
            async with anyio.create_task_group() as group:
                group.start_soon(first.outbox.run)
                group.start_soon(second.outbox.run)
        assert broker.count("submit") == 1

    run_story(story)
