"""What the account did before the ledger began is in its opening balances, and is not asked for again."""

from __future__ import annotations

import datetime as dt

from tests.ledger.desk import NOON, Desk
from tests.review.scripted import Office, ScriptedBroker, engine_of
from tests.virtual_time import run_story


def test_beginning_on_an_account_with_a_history_does_not_ask_for_every_order_it_ever_had() -> None:
    async def story() -> None:
        broker = ScriptedBroker()
        for number in range(300):
            at = NOON - dt.timedelta(days=300 - number)
            broker.fill(broker.have(f"by-hand-{number}", updated_at=at), "10", at)
        office = Office.open(Desk.in_memory(), broker)
        await engine_of(office).begin("runner-1")
        assert broker.count("order") < 10

    run_story(story)
