"""The broker's wish for a pause is kept, also by an order that is sent again after silence."""

from __future__ import annotations

from tests.review.scripted import Office
from tests.virtual_time import run_story
from tradecore.domain import commands as cmd
from tradecore.errors import NotSent


def test_a_resend_that_meets_the_rate_limit_waits_as_long_as_it_was_told_to() -> None:
    async def story() -> None:
        office = Office.open()
        order_id = office.desk.place("buy", "10")
        office.desk.send(order_id)
        office.desk.give(cmd.RecordUnknown(order_id, "timeout"))
        office.broker.trouble["submit"] = NotSent("HTTP 429: rate limit exceeded", 30.0)
        await office.deliver()
        assert office.broker.count("submit") == 1

    run_story(story)
